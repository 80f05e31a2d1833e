"""The catalog: service offerings, plans, and what belongs to them (section "Catalog Management").

The attributes of these objects are the fields of the JSON, under the specification's names. They may be changed in
place at any time: the next request for the catalog shows the change. Any further keyword becomes a field, too.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional  # noqa: F401, UP035 - brokers of 4.7.3 get them by `import *`

from .observed import Observed


class ServiceMetadata(Observed):
    """What user interfaces show of an offering (profile, section "Service Metadata")."""

    def __init__(
        self,
        displayName: str | None = None,
        imageUrl: str | None = None,
        longDescription: str | None = None,
        providerDisplayName: str | None = None,
        documentationUrl: str | None = None,
        supportUrl: str | None = None,
        shareable: bool | None = None,
        **kwargs: Any,
    ) -> None:
        self.displayName = displayName
        self.imageUrl = imageUrl
        self.longDescription = longDescription
        self.providerDisplayName = providerDisplayName
        self.documentationUrl = documentationUrl
        self.supportUrl = supportUrl
        self.shareable = shareable
        self.__dict__.update(kwargs)


class ServicePlanCost(Observed):
    """What a plan costs.

    Args:
        amount: Price by currency code, such as ``{"usd": 99.0}``.
        unit: What the price is for, such as ``"MONTHLY"``.
    """

    def __init__(self, amount: dict[str, float], unit: str, **kwargs: Any) -> None:
        self.amount = amount
        self.unit = unit
        self.__dict__.update(kwargs)


class ServicePlanMetadata(Observed):
    """What user interfaces show of a plan (profile, section "Plan Metadata Fields")."""

    def __init__(
        self,
        displayName: str | None = None,
        bullets: list[str] | None = None,
        costs: list[ServicePlanCost] | None = None,
        **kwargs: Any,
    ) -> None:
        self.displayName = displayName
        self.bullets = bullets
        self.costs = costs
        self.__dict__.update(kwargs)


#: The name of 0.3.6.
ServicePlanMetaData = ServicePlanMetadata


class Schemas(Observed):
    """The JSON Schemas of a plan's parameters (section "Schemas Object").

    Args:
        service_instance: ``{"create": {"parameters": schema}, "update": {"parameters": schema}}``
        service_binding: ``{"create": {"parameters": schema}}``
    """

    def __init__(
        self,
        service_instance: dict[str, Any] | None = None,
        service_binding: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self.service_instance = service_instance
        self.service_binding = service_binding
        self.__dict__.update(kwargs)


class MaintenanceInfo(Observed):
    """The maintenance that a plan offers (section "Maintenance Info Object").

    Args:
        version: A version by Semantic Versioning 2.0, such as ``"2.1.1+abcdef"``.
        description: What the maintenance does to an instance.
    """

    def __init__(self, version: str, description: str | None = None, **kwargs: Any) -> None:
        self.version = version
        self.description = description
        self.__dict__.update(kwargs)


class ServicePlan(Observed):
    """A plan of an offering (section "Service Plan Object").

    Args:
        bindable: Overrides the offering's; None inherits it.
        plan_updateable: Whether an instance may leave this plan for another; None inherits the offering's.
        binding_rotatable: Whether a binding may take over from another (2.17).
        maximum_polling_duration: Seconds that the platform polls before it gives up.
        maintenance_info: The maintenance version that instances of the plan should have.
    """

    def __init__(
        self,
        id: str,
        name: str,
        description: str,
        metadata: ServicePlanMetadata | dict[str, Any] | None = None,
        free: bool | None = None,
        bindable: bool | None = None,
        schemas: Schemas | dict[str, Any] | None = None,
        *,
        plan_updateable: bool | None = None,
        binding_rotatable: bool | None = None,
        maximum_polling_duration: int | None = None,
        maintenance_info: MaintenanceInfo | dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self.id = id
        self.name = name
        self.description = description
        self.metadata = metadata
        self.free = free
        self.bindable = bindable
        self.schemas = schemas
        self.plan_updateable = plan_updateable
        self.binding_rotatable = binding_rotatable
        self.maximum_polling_duration = maximum_polling_duration
        self.maintenance_info = maintenance_info
        self.__dict__.update(kwargs)


class ServiceDashboardClient(Observed):
    """The OAuth client of an offering's dashboard (profile, section "Dashboard Client Object")."""

    def __init__(
        self,
        id: str,
        secret: str | None = None,
        redirect_uri: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.id = id
        self.secret = secret
        self.redirect_uri = redirect_uri
        self.__dict__.update(kwargs)


class Service(Observed):
    """A service offering (section "Service Offering Object").

    Args:
        bindable: Whether instances can be bound, unless a plan says otherwise.
        tags: Words for search, such as ``["mysql", "relational"]``.
        requires: Of ``syslog_drain``, ``route_forwarding``, ``volume_mount``: what bindings return.
        plan_updateable: Whether an instance may change its plan, unless a plan says otherwise.
        instances_retrievable: Whether ``get_instance`` works for all plans.
        bindings_retrievable: Whether ``get_binding`` works for all bindable plans.
        allow_context_updates: Whether an update may carry nothing but a new context (2.15).
    """

    def __init__(
        self,
        id: str,
        name: str,
        description: str,
        bindable: bool,
        plans: list[ServicePlan],
        tags: list[str] | None = None,
        requires: list[str] | None = None,
        metadata: ServiceMetadata | dict[str, Any] | None = None,
        dashboard_client: ServiceDashboardClient | dict[str, Any] | None = None,
        plan_updateable: bool | None = False,
        instances_retrievable: bool = False,
        bindings_retrievable: bool = False,
        *,
        allow_context_updates: bool | None = None,
        **kwargs: Any,
    ) -> None:
        self.id = id
        self.name = name
        self.description = description
        self.bindable = bindable
        self.plans = plans
        self.tags = tags
        self.requires = requires
        self.metadata = metadata
        self.dashboard_client = dashboard_client
        # Always said, as 4.7.3 does; None is how 0.3.6 spelled "no".
        self.plan_updateable = bool(plan_updateable)
        self.instances_retrievable = instances_retrievable
        self.bindings_retrievable = bindings_retrievable
        self.allow_context_updates = allow_context_updates
        self.__dict__.update(kwargs)
