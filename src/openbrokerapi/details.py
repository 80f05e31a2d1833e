"""What a request asks for, as the broker's methods get it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import settings
from .context import Context, Identity, typed_context, typed_identity
from .protocol.bodies import ProvisionBody, organization_required


class MaintenanceInfo:
    """The maintenance version that a request names."""

    def __init__(self, /, version: str | None = None, description: str | None = None, **kwargs: Any) -> None:
        self.version = version
        self.description = description


class _Details:
    """What all details objects have.

    Attributes:
        originating_identity: Who caused the request: ``{"platform": str, "value": dict}`` or None.
        authorization_username: Who sent it: the user of the basic authentication, or None.
        request_identity: The value of ``X-Broker-API-Request-Identity``, or None.
    """

    originating_identity: dict[str, Any] | None = None
    authorization_username: str | None = None
    request_identity: str | None = None

    def _take(self, kwargs: dict[str, Any]) -> None:
        # Details objects are rebuilt from vars() by brokers with job queues; fields that nobody knows are dropped.
        for name in ("originating_identity", "authorization_username", "request_identity"):
            if name in kwargs:
                setattr(self, name, kwargs[name])

    @property
    def identity(self) -> Identity | None:
        """Give the typed view of ``originating_identity``."""
        return typed_identity(self.originating_identity)

    def __repr__(self) -> str:
        # Parameters and context may hold secrets.
        service_id, plan_id = getattr(self, "service_id", None), getattr(self, "plan_id", None)
        return f"<{type(self).__name__} service_id={service_id!r} plan_id={plan_id!r}>"


class _ContextDetails(_Details):
    context: dict[str, Any] | None = None

    @property
    def typed_context(self) -> Context | None:
        """Give the typed view of ``context``: of Cloud Foundry, of Kubernetes, or of another platform."""
        return typed_context(self.context)


def _maintenance(given: Any) -> MaintenanceInfo | None:
    return MaintenanceInfo(**given) if isinstance(given, Mapping) else given


class ProvisionDetails(_ContextDetails):
    """What to provision (section "Provisioning").

    Raises:
        TypeError: ``organization_guid`` or ``space_guid`` is missing, and the context is Cloud Foundry's or missing;
            ``settings.DISABLE_SPACE_ORG_GUID_CHECK`` switches that off.
    """

    def __init__(
        self,
        service_id: str,
        plan_id: str,
        organization_guid: str | None = None,
        space_guid: str | None = None,
        parameters: dict[str, Any] | None = None,
        context: dict[str, Any] | None = None,
        *,
        maintenance_info: MaintenanceInfo | Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self.service_id = service_id
        self.plan_id = plan_id
        self.organization_guid = organization_guid
        self.space_guid = space_guid
        self.parameters = parameters
        self.context = context
        self.maintenance_info = _maintenance(maintenance_info)
        if kwargs:
            self._take(kwargs)
        missing = organization_guid is None or space_guid is None
        if missing and not settings.DISABLE_SPACE_ORG_GUID_CHECK and organization_required(context):
            raise TypeError("Organization and space guid are required.")

    @classmethod
    def of(cls, body: ProvisionBody, maintenance_info: MaintenanceInfo | None) -> ProvisionDetails:
        """Make the details of a request that has been checked already, by the rules of its application."""
        self = cls.__new__(cls)
        self.service_id = body.service_id
        self.plan_id = body.plan_id
        self.organization_guid = body.organization_guid
        self.space_guid = body.space_guid
        self.parameters = body.parameters
        self.context = body.context
        self.maintenance_info = maintenance_info
        return self


class PreviousValues:
    """What an instance had before an update, as the platform remembers it (section "Previous Values Object")."""

    def __init__(
        self,
        plan_id: str | None = None,
        service_id: str | None = None,
        organization_id: str | None = None,
        space_id: str | None = None,
        *,
        maintenance_info: MaintenanceInfo | Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self.plan_id = plan_id
        self.service_id = service_id
        self.organization_id = organization_id
        self.space_id = space_id
        self.maintenance_info = _maintenance(maintenance_info)


class UpdateDetails(_ContextDetails):
    """What to change (section "Updating a Service Instance"); what is None stays as it is (UPD-10, UPD-11)."""

    def __init__(
        self,
        service_id: str,
        plan_id: str | None = None,
        parameters: dict[str, Any] | None = None,
        previous_values: PreviousValues | Mapping[str, Any] | None = None,
        context: dict[str, Any] | None = None,
        *,
        maintenance_info: MaintenanceInfo | Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self.service_id = service_id
        self.plan_id = plan_id
        self.parameters = parameters
        previous = PreviousValues(**previous_values) if isinstance(previous_values, Mapping) else previous_values
        self.previous_values = previous
        self.context = context
        self.maintenance_info = _maintenance(maintenance_info)
        if kwargs:
            self._take(kwargs)


class BindResource:
    """What is bound (section "Bind Resource Object").

    Attributes:
        app_guid: The application.
        route: The route's URL, for route services.
        space_guid, app_annotations, credential_client_id: Cloud Foundry's (profile). Whatever else the platform
            sends is an attribute, too.
    """

    space_guid: str | None = None
    app_annotations: dict[str, Any] | None = None
    credential_client_id: str | None = None

    def __init__(self, /, app_guid: str | None = None, route: str | None = None, **kwargs: Any) -> None:
        self.app_guid = app_guid
        self.route = route
        self.__dict__.update(kwargs)


class BindDetails(_ContextDetails):
    """What to bind (section "Binding").

    Attributes:
        app_guid: The application, from ``bind_resource`` or from the deprecated field (BIND-22).
        predecessor_binding_id: Of a rotation: the binding that this one takes over from (2.17). Then ``service_id`` and
            ``plan_id`` may be None: they are the predecessor's (ROT-07).
    """

    def __init__(
        self,
        service_id: str,
        plan_id: str,
        app_guid: str | None = None,
        bind_resource: BindResource | Mapping[str, Any] | None = None,
        parameters: dict[str, Any] | None = None,
        context: dict[str, Any] | None = None,
        *,
        predecessor_binding_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.service_id = service_id
        self.plan_id = plan_id
        resource = BindResource(**bind_resource) if isinstance(bind_resource, Mapping) else bind_resource
        self.app_guid = app_guid or (resource.app_guid if resource is not None else None)
        self.bind_resource = resource
        self.parameters = parameters
        self.context = context
        self.predecessor_binding_id = predecessor_binding_id
        if kwargs:
            self._take(kwargs)


class _DeleteDetails(_Details):
    def __init__(self, service_id: str, plan_id: str, **kwargs: Any) -> None:
        self.service_id = service_id
        self.plan_id = plan_id
        if kwargs:
            self._take(kwargs)


class UnbindDetails(_DeleteDetails):
    """Which offering and plan the binding to delete is of (section "Unbinding")."""


class DeprovisionDetails(_DeleteDetails):
    """Which offering and plan the instance to delete is of (section "Deprovisioning")."""
