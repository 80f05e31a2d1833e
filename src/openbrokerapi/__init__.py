"""Build, run, check and operate service brokers of the Open Service Broker API.

The names here are those that a broker needs. Importing this package imports no web framework; ``get_blueprint`` and
``serve`` bring Flask when they are first asked for, ``asgi_app`` and ``wsgi_app`` their hosts.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .version import __version__

if TYPE_CHECKING:
    from .api import get_blueprint, serve, serve_multiple
    from .auth import BasicBrokerAuthenticator, BearerAuthenticator, BrokerAuthenticator, BrokerCredentials
    from .catalog_file import load_catalog
    from .marks import nonblocking
    from .router import Router
    from .service_broker import (
        BindDetails,
        Binding,
        BindingMetadata,
        BindResource,
        BindState,
        DeprovisionDetails,
        DeprovisionServiceSpec,
        Endpoint,
        GetBindingSpec,
        GetInstanceDetailsSpec,
        InstanceMetadata,
        LastOperation,
        MaintenanceInfo,
        OperationState,
        PreviousValues,
        ProvisionDetails,
        ProvisionedServiceSpec,
        ProvisionState,
        Schemas,
        Service,
        ServiceBroker,
        ServiceDashboardClient,
        ServiceMetadata,
        ServicePlan,
        ServicePlanCost,
        ServicePlanMetadata,
        SharedDevice,
        UnbindDetails,
        UnbindSpec,
        UpdateDetails,
        UpdateServiceSpec,
        VolumeMount,
    )
    from .settings import Settings
    from .web.asgi import create_app as asgi_app
    from .web.wsgi import create_app as wsgi_app

__all__ = [
    "BasicBrokerAuthenticator",
    "BearerAuthenticator",
    "BindDetails",
    "BindResource",
    "BindState",
    "Binding",
    "BindingMetadata",
    "BrokerAuthenticator",
    "BrokerCredentials",
    "DeprovisionDetails",
    "DeprovisionServiceSpec",
    "Endpoint",
    "GetBindingSpec",
    "GetInstanceDetailsSpec",
    "InstanceMetadata",
    "LastOperation",
    "MaintenanceInfo",
    "OperationState",
    "PreviousValues",
    "ProvisionDetails",
    "ProvisionState",
    "ProvisionedServiceSpec",
    "Router",
    "Schemas",
    "Service",
    "ServiceBroker",
    "ServiceDashboardClient",
    "ServiceMetadata",
    "ServicePlan",
    "ServicePlanCost",
    "ServicePlanMetadata",
    "Settings",
    "SharedDevice",
    "UnbindDetails",
    "UnbindSpec",
    "UpdateDetails",
    "UpdateServiceSpec",
    "VolumeMount",
    "__version__",
    "asgi_app",
    "get_blueprint",
    "load_catalog",
    "nonblocking",
    "serve",
    "serve_multiple",
    "wsgi_app",
]

# Where the names above come from, and under which name there.
_ELSEWHERE = {
    "get_blueprint": ("api", "get_blueprint"),
    "serve": ("api", "serve"),
    "serve_multiple": ("api", "serve_multiple"),
    "asgi_app": ("web.asgi", "create_app"),
    "wsgi_app": ("web.wsgi", "create_app"),
    "load_catalog": ("catalog_file", "load_catalog"),
    "nonblocking": ("marks", "nonblocking"),
    "Router": ("router", "Router"),
    "Settings": ("settings", "Settings"),
}
_AUTH = frozenset(("BasicBrokerAuthenticator", "BearerAuthenticator", "BrokerAuthenticator", "BrokerCredentials"))


# A bare `import openbrokerapi` gave these in 4.7.3.
_MODULES = frozenset(
    (
        "api",
        "auth",
        "catalog",
        "constants",
        "errors",
        "helper",
        "log_util",
        "request_filter",
        "response",
        "router",
        "service_broker",
        "settings",
    )
)


def __getattr__(name: str) -> Any:
    # Names and modules are imported when they are asked for, so that importing the package costs next to nothing.
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _ELSEWHERE.get(name, ("auth" if name in _AUTH else "service_broker", name))
    found = getattr(importlib.import_module(f"{__name__}.{module}"), attribute)
    globals()[name] = found  # so that this function is asked only once
    return found
