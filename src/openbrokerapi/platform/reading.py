"""From the bytes of an answer to a value or an error; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from . import errors
from .answers import (
    FAILED,
    IN_PROGRESS,
    SUCCEEDED,
    Binding,
    BindingMetadata,
    Bound,
    Deprovisioned,
    Instance,
    InstanceMetadata,
    LastOperation,
    MaintenanceInfo,
    NetworkEndpoint,
    Provisioned,
    Unbound,
    Updated,
)
from .catalog import Catalog, Offering, Plan
from .fields import Fields, WrongFieldError, read_object
from .request import Endpoint, Request, Response

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
_Common = Mapping[str, Any]
_LONGEST_SHOWN = 500

_PUT, _CHANGE, _GET = frozenset({200, 201, 202}), frozenset({200, 202}), frozenset({200})
_SUCCESS = {
    Endpoint.CATALOG: _GET,
    Endpoint.PROVISION: _PUT,
    Endpoint.FETCH_INSTANCE: _GET,
    Endpoint.UPDATE: _CHANGE,
    Endpoint.DEPROVISION: _CHANGE,
    Endpoint.POLL_INSTANCE: _GET,
    Endpoint.BIND: _PUT,
    Endpoint.FETCH_BINDING: _GET,
    Endpoint.UNBIND: _CHANGE,
    Endpoint.POLL_BINDING: _GET,
}


@dataclass(frozen=True)
class Call(Generic[T_co]):
    """A request, and how its answer is read.

    Attributes:
        request: What to send.
        build: Makes the value from the fields of the body and what every answer has.
    """

    request: Request
    build: Callable[[Fields, _Common], T_co]

    def read(self, response: Response) -> T_co:
        """Read the answer to this request.

        Args:
            response: The answer.

        Raises:
            BrokerError: it is no success, or not what the specification asks for.
        """
        if response.status not in _SUCCESS[self.request.endpoint]:
            raise error_of(self.request.endpoint, response)
        try:
            body = read_object(response.body)
            common = {
                "status": response.status,
                "body": body,
                "retry_after": response.retry_after,
                "request_identity": response.request_identity,
            }
            return self.build(Fields(body), common)
        except WrongFieldError as wrong:
            raise _malformed(self.request.endpoint, response, wrong) from None


# --- success ---


def catalog(fields: Fields, common: _Common) -> Catalog:
    """Read a catalog (section "Catalog Management")."""
    return Catalog(**common, offerings=tuple(_offering(each) for each in fields.needed_objects("services")))


def _offering(fields: Fields) -> Offering:
    bindable = fields.flag("bindable", default=False)
    updateable = fields.flag("plan_updateable", default=False)
    return Offering(
        id=fields.needed_text("id"),
        name=fields.needed_text("name"),
        description=fields.text("description") or "",
        plans=tuple(_plan(each, bindable, updateable) for each in fields.needed_objects("plans")),
        bindable=bindable,
        plan_updateable=updateable,
        tags=fields.texts("tags"),
        requires=fields.texts("requires"),
        instances_retrievable=fields.flag("instances_retrievable", default=False),
        bindings_retrievable=fields.flag("bindings_retrievable", default=False),
        allow_context_updates=fields.flag("allow_context_updates", default=False),
        metadata=fields.mapping("metadata") or {},
        fields=fields.given,
    )


def _plan(fields: Fields, bindable: bool, updateable: bool) -> Plan:
    return Plan(
        id=fields.needed_text("id"),
        name=fields.needed_text("name"),
        description=fields.text("description") or "",
        free=fields.flag("free", default=True),
        bindable=fields.flag("bindable", default=bindable),
        binding_rotatable=fields.flag("binding_rotatable", default=False),
        plan_updateable=fields.flag("plan_updateable", default=updateable),
        metadata=fields.mapping("metadata") or {},
        schemas=fields.mapping("schemas") or {},
        maximum_polling_duration=fields.integer("maximum_polling_duration"),
        maintenance_info=_maintenance_info(fields),
        fields=fields.given,
    )


def provisioned(fields: Fields, common: _Common) -> Provisioned:
    """Read the answer to a provision."""
    return Provisioned(**common, **_changed(fields))


def updated(fields: Fields, common: _Common) -> Updated:
    """Read the answer to an update."""
    return Updated(**common, **_changed(fields))


def _changed(fields: Fields) -> dict[str, Any]:
    return {
        "operation": _operation(fields),
        "dashboard_url": fields.text("dashboard_url"),
        "metadata": _instance_metadata(fields),
    }


def deprovisioned(fields: Fields, common: _Common) -> Deprovisioned:
    """Read the answer to a deprovision."""
    return Deprovisioned(**common, operation=_operation(fields))


def unbound(fields: Fields, common: _Common) -> Unbound:
    """Read the answer to an unbind."""
    return Unbound(**common, operation=_operation(fields))


def bound(fields: Fields, common: _Common) -> Bound:
    """Read the answer to a bind; a 202 holds no more than the operation (BIND-34)."""
    begun = Bound(**common, operation=_operation(fields))
    return begun if begun.in_progress else Bound(**common, operation=begun.operation, **_connection(fields))


def binding(fields: Fields, common: _Common) -> Binding:
    """Read a fetched binding."""
    return Binding(**common, **_connection(fields), parameters=fields.mapping("parameters"))


def instance(fields: Fields, common: _Common) -> Instance:
    """Read a fetched instance."""
    return Instance(
        **common,
        service_id=fields.text("service_id"),
        plan_id=fields.text("plan_id"),
        dashboard_url=fields.text("dashboard_url"),
        parameters=fields.mapping("parameters"),
        maintenance_info=_maintenance_info(fields),
        metadata=_instance_metadata(fields),
    )


def last_operation(fields: Fields, common: _Common) -> LastOperation:
    """Read the answer to a poll."""
    state = fields.needed_text("state")
    if state not in {IN_PROGRESS, SUCCEEDED, FAILED}:
        raise WrongFieldError('state is none of "in progress", "succeeded" and "failed"')
    return LastOperation(
        **common,
        state=state,
        description=fields.text("description") or None,
        # ERR-09
        instance_usable=fields.flag("instance_usable", default=True),
        update_repeatable=fields.flag("update_repeatable", default=True),
    )


def _operation(fields: Fields) -> str | None:
    # LOI-05, LOB-03: an empty one must not be sent, so it is as good as none.
    return fields.sendable_text("operation") or None


def _instance_metadata(fields: Fields) -> InstanceMetadata | None:
    inner = fields.inner("metadata")
    if inner is None:
        return None
    return InstanceMetadata(labels=inner.mapping("labels") or {}, attributes=inner.mapping("attributes") or {})


def _maintenance_info(fields: Fields) -> MaintenanceInfo | None:
    inner = fields.inner("maintenance_info")
    if inner is None:
        return None
    return MaintenanceInfo(version=inner.needed_text("version"), description=inner.text("description"))


def _connection(fields: Fields) -> dict[str, Any]:
    mounts, endpoints = fields.objects("volume_mounts"), fields.objects("endpoints")
    return {
        "credentials": fields.mapping("credentials"),
        "syslog_drain_url": fields.text("syslog_drain_url"),
        "route_service_url": fields.text("route_service_url"),
        "volume_mounts": None if mounts is None else tuple(each.given for each in mounts),
        "endpoints": None if endpoints is None else tuple(_network_endpoint(each) for each in endpoints),
        "metadata": _binding_metadata(fields),
    }


def _network_endpoint(fields: Fields) -> NetworkEndpoint:
    host, protocol = fields.needed_text("host"), fields.text("protocol")
    return NetworkEndpoint(host=host, ports=tuple(fields.ports("ports")), protocol=protocol or "tcp")


def _binding_metadata(fields: Fields) -> BindingMetadata | None:
    inner = fields.inner("metadata")
    if inner is None:
        return None
    return BindingMetadata(
        expires_at=_moment(inner.text("expires_at")), renew_before=_moment(inner.text("renew_before"))
    )


def _moment(text: str | None) -> datetime | None:
    # A moment that cannot be read is no reason to throw a binding away; the text stays in the body.
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


# --- failure ---

_BY_STATUS = {
    401: errors.Unauthorized,
    404: errors.NotFound,
    410: errors.Gone,
    412: errors.VersionRefused,
}
_BY_CODE = {
    "AsyncRequired": errors.AsyncRequired,
    "ConcurrencyError": errors.ConcurrencyError,
    "RequiresApp": errors.RequiresApp,
    "MaintenanceInfoConflict": errors.MaintenanceInfoConflict,
}
_BY_STATUS_WITHOUT_CODE = {400: errors.BadRequest, 409: errors.Conflict}


def error_of(endpoint: Endpoint, response: Response) -> errors.BrokerError:
    """Make the error that an answer is (section "Service Broker Errors"); whatever its body is, there is one."""
    try:
        given = read_object(response.body)
    except WrongFieldError:
        given = {}
    code, description = (_said(given, name) for name in ("error", "description"))
    said = ": ".join(part for part in (code, description) if part)
    message = f"{endpoint.value}: the broker answered {response.status}"
    return _class_of(response.status, code)(
        f"{message} {said[:_LONGEST_SHOWN]}".rstrip(),
        error=code,
        description=description,
        # ERR-09
        instance_usable=given.get("instance_usable") is not False,
        update_repeatable=given.get("update_repeatable") is not False,
        **_common(endpoint, response),
    )


def _class_of(status: int, code: str | None) -> type[errors.BrokerError]:
    if 400 <= status < 500:
        found = _BY_STATUS.get(status) or _BY_CODE.get(code or "") or _BY_STATUS_WITHOUT_CODE.get(status)
        return found or errors.Refused
    return errors.Failed if status >= 500 else errors.UnexpectedStatus


def _malformed(endpoint: Endpoint, response: Response, wrong: WrongFieldError) -> errors.MalformedAnswer:
    message = f"{endpoint.value}: the broker answered {response.status}, but {wrong}"
    return errors.MalformedAnswer(message, **_common(endpoint, response))


def _common(endpoint: Endpoint, response: Response) -> dict[str, Any]:
    return {
        "status": response.status,
        "retry_after": response.retry_after,
        "endpoint": endpoint,
        "request_identity": response.request_identity,
    }


def _said(given: Mapping[str, Any], name: str) -> str | None:
    found = given.get(name)
    return found if isinstance(found, str) and found else None
