"""``get_blueprint`` and ``serve``, at the path that brokers of 0.3.6 and 4.7.3 import them from.

Flask is imported when one of its names is asked for, so that this module can be imported without it.
"""

from __future__ import annotations

import importlib
import logging
import warnings
from collections.abc import Iterable
from enum import Enum
from functools import wraps
from json import JSONDecodeError
from typing import TYPE_CHECKING, Any, List, Optional, Union  # noqa: UP035 - brokers get them by `import *`

import openbrokerapi

from . import constants
from .auth import BasicBrokerAuthenticator, BrokerAuthenticator, BrokerCredentials, NoneBrokerAuthenticator
from .helper import ensure_list, to_json_response
from .response import (
    BindResponse,
    CatalogResponse,
    DeprovisionResponse,
    EmptyResponse,
    ErrorResponse,
    GetBindingResponse,
    GetInstanceResponse,
    LastOperationResponse,
    ProvisioningResponse,
    UnbindResponse,
    UpdateResponse,
)
from .router import Router
from .service_broker import (
    BindDetails,
    Binding,
    BindResource,
    BindState,
    DeprovisionDetails,
    DeprovisionServiceSpec,
    LastOperation,
    OperationState,
    PreviousValues,
    ProvisionDetails,
    ProvisionedServiceSpec,
    ProvisionState,
    Service,
    ServiceBroker,
    SharedDevice,
    UnbindDetails,
    UpdateDetails,
    UpdateServiceSpec,
    VolumeMount,
)

if TYPE_CHECKING:
    from .settings import Settings

# What `from openbrokerapi.api import *` gave in 0.3.6 and in 4.7.3, Flask's own names among it.
__all__ = [
    "BasicBrokerAuthenticator",
    "BindDetails",
    "BindResource",
    "BindResponse",
    "BindState",
    "Binding",
    "Blueprint",
    "BrokerAuthenticator",
    "BrokerCredentials",
    "CatalogResponse",
    "DeprovisionDetails",
    "DeprovisionResponse",
    "DeprovisionServiceSpec",
    "EmptyResponse",
    "Enum",
    "ErrorResponse",
    "GetBindingResponse",
    "GetInstanceResponse",
    "JSONDecodeError",
    "LastOperation",
    "LastOperationResponse",
    "List",
    "NoneBrokerAuthenticator",
    "OperationState",
    "Optional",
    "PreviousValues",
    "ProvisionDetails",
    "ProvisionState",
    "ProvisionedServiceSpec",
    "ProvisioningResponse",
    "Request",
    "Response",
    "Router",
    "Service",
    "ServiceBroker",
    "SharedDevice",
    "UnbindDetails",
    "UnbindResponse",
    "Union",
    "UpdateDetails",
    "UpdateResponse",
    "UpdateServiceSpec",
    "VolumeMount",
    "check_originating_identity",
    "check_version",
    "constants",
    "ensure_list",
    "errors",
    "get_blueprint",
    "jsonify",
    "logging",
    "openbrokerapi",
    "print_request",
    "request",
    "requires_application_json",
    "serve",
    "serve_multiple",
    "to_json_response",
    "warnings",
    "wraps",
]

_DEFAULT_HOST = "0.0.0.0"  # noqa: S104 - the default of 0.3.6 and 4.7.3
_FLASK = frozenset(("Blueprint", "Request", "Response", "jsonify", "request"))
_FILTERS = frozenset(("check_originating_identity", "check_version", "print_request", "requires_application_json"))


def __getattr__(name: str) -> Any:
    if name in _FLASK:
        # First the host, which says what to install where Flask is missing.
        importlib.import_module("openbrokerapi.web.flask")
        return getattr(importlib.import_module("flask"), name)
    if name in _FILTERS:
        return getattr(importlib.import_module("openbrokerapi.request_filter"), name)
    if name == "errors":
        return importlib.import_module("openbrokerapi.errors")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def get_blueprint(
    service_broker: Any,
    broker_credentials: BrokerCredentials | Iterable[BrokerCredentials] | None,
    logger: logging.Logger,
    *,
    authenticator: Any = None,
    settings: Settings | None = None,
) -> Any:
    """Make a Flask blueprint that answers for ``service_broker``; see :func:`openbrokerapi.web.flask.get_blueprint`.

    Raises:
        ImportError: Flask is not installed; the message names the extra.
    """
    from .web import flask

    return flask.get_blueprint(
        service_broker, broker_credentials, logger, authenticator=authenticator, settings=settings
    )


def serve(
    service_broker: Any,
    credentials: BrokerCredentials | Iterable[BrokerCredentials] | None,
    logger: logging.Logger = logging.root,
    authenticator: Any = None,
    host: Any = _DEFAULT_HOST,
    port: int = 5000,
    debug: bool = False,
) -> None:
    """Serve a broker with Flask, for trying it out; ``openbroker serve`` is for production.

    Works in a thread and in a forked process: it sets no signal handlers. The arguments of 0.3.6, with the port in the
    fourth place and ``debug`` in the fifth, are taken as such.
    """
    if isinstance(authenticator, int):
        debug = host if isinstance(host, bool) else debug
        port, authenticator, host = authenticator, None, _DEFAULT_HOST
    from .web import flask

    blueprint = get_blueprint(service_broker, credentials, logger, authenticator=authenticator)
    logger.info("Serving on %s:%d", host, port)
    flask.serve(blueprint, host, port, debug=debug)


def serve_multiple(
    service_brokers: list[Any],
    credentials: BrokerCredentials | Iterable[BrokerCredentials] | None,
    logger: logging.Logger = logging.root,
    host: str = _DEFAULT_HOST,
    port: int = 5000,
    debug: bool = False,
) -> None:
    """Serve several brokers as one, for trying them out."""
    serve(Router(*service_brokers), credentials, logger, host=host, port=port, debug=debug)
