"""The ten endpoints: what each request holds, and what its answer is read as; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import reading
from .answers import (
    Binding,
    Bound,
    Deprovisioned,
    Instance,
    LastOperation,
    MaintenanceInfo,
    Provisioned,
    Unbound,
    Updated,
)
from .catalog import Catalog
from .reading import Call
from .request import Endpoint, Request, binding_path, instance_path

#: What is sent where the caller names no organization and no space: both are required (PROV-05, PROV-06).
NO_ORGANIZATION = "none"
NO_SPACE = "none"

_Object = Mapping[str, Any]


def catalog() -> Call[Catalog]:
    """Fetch the catalog (section "Catalog Management").

    Returns:
        The catalog.
    """
    return Call(Request(Endpoint.CATALOG, "/v2/catalog"), reading.catalog)


def provision(
    instance_id: str,
    service_id: str,
    plan_id: str,
    *,
    parameters: _Object | None = None,
    context: _Object | None = None,
    organization_guid: str | None = None,
    space_guid: str | None = None,
    maintenance_info: MaintenanceInfo | None = None,
    accepts_incomplete: bool = True,
) -> Call[Provisioned]:
    """Make an instance (section "Provisioning").

    Args:
        instance_id: A new, globally unique id that you choose (URL-04).
        service_id: The id of the offering.
        plan_id: The id of the plan.
        parameters: What the user has set; checked by the broker.
        context: The platform's context; ``platform`` is required in it (CTX-01).
        organization_guid: Unless given, the one in the context, or ``none``.
        space_guid: Unless given, the one in the context, or ``none``.
        maintenance_info: The catalog's, to be refused where it has changed (PROV-13).
        accepts_incomplete: Whether the broker may answer 202.

    Returns:
        The answer; it may be in progress.
    """
    known = context or {}
    body = _present(
        service_id=service_id,
        plan_id=plan_id,
        # PROV-09: both, the context and what it replaces.
        organization_guid=organization_guid or known.get("organization_guid") or NO_ORGANIZATION,
        space_guid=space_guid or known.get("space_guid") or NO_SPACE,
        context=context,
        parameters=parameters,
        maintenance_info=_version(maintenance_info),
    )
    query = _incomplete(accepts_incomplete)
    return Call(Request(Endpoint.PROVISION, instance_path(instance_id), query, body), reading.provisioned)


def update(
    instance_id: str,
    service_id: str,
    *,
    plan_id: str | None = None,
    parameters: _Object | None = None,
    context: _Object | None = None,
    previous_values: _Object | None = None,
    maintenance_info: MaintenanceInfo | None = None,
    accepts_incomplete: bool = True,
) -> Call[Updated]:
    """Change an instance (section "Updating a Service Instance"). What is None stays as it is.

    Args:
        instance_id: The instance.
        service_id: The id of its offering (UPD-08).
        plan_id: The id of the new plan.
        parameters: Only what the user has set now (UPD-13).
        context: The platform's context.
        previous_values: What the instance was before (UPD-17).
        maintenance_info: The version to bring the instance to (UPD-18).
        accepts_incomplete: Whether the broker may answer 202.

    Returns:
        The answer; it may be in progress.
    """
    body = _present(
        service_id=service_id,
        plan_id=plan_id,
        parameters=parameters,
        context=context,
        previous_values=previous_values,
        maintenance_info=_version(maintenance_info),
    )
    query = _incomplete(accepts_incomplete)
    return Call(Request(Endpoint.UPDATE, instance_path(instance_id), query, body), reading.updated)


def deprovision(
    instance_id: str, service_id: str, plan_id: str, *, accepts_incomplete: bool = True, caused_by_user: bool = True
) -> Call[Deprovisioned]:
    """Delete an instance (section "Deprovisioning").

    Args:
        instance_id: The instance; its bindings must be gone (DEP-02).
        service_id: The id of its offering.
        plan_id: The id of its plan.
        accepts_incomplete: Whether the broker may answer 202.
        caused_by_user: False leaves out the originating identity (OID-02).

    Returns:
        The answer; it may be in progress.
    """
    query = {"service_id": service_id, "plan_id": plan_id, **_incomplete(accepts_incomplete)}
    request = Request(Endpoint.DEPROVISION, instance_path(instance_id), query, caused_by_user=caused_by_user)
    return Call(request, reading.deprovisioned)


def fetch_instance(instance_id: str, *, service_id: str | None = None, plan_id: str | None = None) -> Call[Instance]:
    """Fetch an instance; only where the offering says ``instances_retrievable`` (GETI-03).

    Args:
        instance_id: The instance.
        service_id: The id of its offering, a hint.
        plan_id: The id of its plan, a hint.

    Returns:
        The instance.
    """
    query = _hints(service_id, plan_id)
    return Call(Request(Endpoint.FETCH_INSTANCE, instance_path(instance_id), query), reading.instance)


def poll_instance(
    instance_id: str,
    *,
    service_id: str | None = None,
    plan_id: str | None = None,
    operation: str | None = None,
    caused_by_user: bool = True,
) -> Call[LastOperation]:
    """Ask once for the state of an instance's last operation (section "Polling Last Operation for Service Instances").

    Args:
        instance_id: The instance.
        service_id: The id of its offering; should be sent (LOI-07).
        plan_id: The id of its plan; of the old plan while it is being changed (LOI-03).
        operation: What the broker answered, verbatim (LOI-05).
        caused_by_user: False leaves out the originating identity (OID-02).

    Returns:
        The state.
    """
    query = _hints(service_id, plan_id, operation)
    path = f"{instance_path(instance_id)}/last_operation"
    request = Request(Endpoint.POLL_INSTANCE, path, query, caused_by_user=caused_by_user)
    return Call(request, reading.last_operation)


def bind(
    instance_id: str,
    binding_id: str,
    service_id: str,
    plan_id: str,
    *,
    parameters: _Object | None = None,
    context: _Object | None = None,
    app_guid: str | None = None,
    bind_resource: _Object | None = None,
    accepts_incomplete: bool = True,
) -> Call[Bound]:
    """Make a binding (section "Binding").

    Args:
        instance_id: The instance.
        binding_id: A new, globally unique id that you choose (URL-04).
        service_id: The id of the instance's offering.
        plan_id: The id of the instance's plan.
        parameters: What the user has set.
        context: The platform's context.
        app_guid: The application; it is sent in both places where brokers look for it.
        bind_resource: Further resources, such as ``route``.
        accepts_incomplete: Whether the broker may answer 202.

    Returns:
        The answer, with the credentials unless it is in progress.
    """
    resource = {**({"app_guid": app_guid} if app_guid else {}), **(bind_resource or {})}
    body = _present(
        service_id=service_id,
        plan_id=plan_id,
        context=context,
        app_guid=app_guid or None,  # BIND-23
        bind_resource=resource or bind_resource,
        parameters=parameters,
    )
    query = _incomplete(accepts_incomplete)
    return Call(Request(Endpoint.BIND, binding_path(instance_id, binding_id), query, body), reading.bound)


def rotate(
    instance_id: str,
    binding_id: str,
    predecessor_binding_id: str,
    *,
    service_id: str | None = None,
    plan_id: str | None = None,
    context: _Object | None = None,
    accepts_incomplete: bool = True,
) -> Call[Bound]:
    """Make the successor of a binding (section "Binding Rotation"); only where the plan says so (ROT-01).

    Args:
        instance_id: The instance.
        binding_id: The new, globally unique id of the successor (ROT-09).
        predecessor_binding_id: A binding of the same instance that has not expired (ROT-02).
        service_id: The id of the instance's offering. The text does not ask for it, the OpenAPI document does.
        plan_id: The id of the instance's plan, likewise.
        context: The platform's context.
        accepts_incomplete: Whether the broker may answer 202.

    Returns:
        The answer, with the credentials unless it is in progress. Both bindings are valid now.
    """
    body = _present(
        predecessor_binding_id=predecessor_binding_id, service_id=service_id, plan_id=plan_id, context=context
    )
    query = _incomplete(accepts_incomplete)
    return Call(Request(Endpoint.BIND, binding_path(instance_id, binding_id), query, body), reading.bound)


def unbind(
    instance_id: str,
    binding_id: str,
    service_id: str,
    plan_id: str,
    *,
    accepts_incomplete: bool = True,
    caused_by_user: bool = True,
) -> Call[Unbound]:
    """Delete a binding (section "Unbinding").

    Args:
        instance_id: The instance.
        binding_id: The binding.
        service_id: The id of the instance's offering.
        plan_id: The id of the instance's plan.
        accepts_incomplete: Whether the broker may answer 202.
        caused_by_user: False leaves out the originating identity (OID-02).

    Returns:
        The answer; it may be in progress.
    """
    query = {"service_id": service_id, "plan_id": plan_id, **_incomplete(accepts_incomplete)}
    request = Request(Endpoint.UNBIND, binding_path(instance_id, binding_id), query, caused_by_user=caused_by_user)
    return Call(request, reading.unbound)


def fetch_binding(
    instance_id: str, binding_id: str, *, service_id: str | None = None, plan_id: str | None = None
) -> Call[Binding]:
    """Fetch a binding; only where the offering says ``bindings_retrievable``.

    Args:
        instance_id: The instance.
        binding_id: The binding.
        service_id: The id of the instance's offering, a hint.
        plan_id: The id of the instance's plan, a hint.

    Returns:
        The binding, with its credentials.
    """
    query = _hints(service_id, plan_id)
    return Call(Request(Endpoint.FETCH_BINDING, binding_path(instance_id, binding_id), query), reading.binding)


def poll_binding(
    instance_id: str,
    binding_id: str,
    *,
    service_id: str | None = None,
    plan_id: str | None = None,
    operation: str | None = None,
    caused_by_user: bool = True,
) -> Call[LastOperation]:
    """Ask once for the state of a binding's last operation (section "Polling Last Operation for Service Bindings").

    Args:
        instance_id: The instance.
        binding_id: The binding.
        service_id: The id of the instance's offering; should be sent (LOB-05).
        plan_id: The id of the instance's plan.
        operation: What the broker answered, verbatim (LOB-03).
        caused_by_user: False leaves out the originating identity (OID-02).

    Returns:
        The state.
    """
    query = _hints(service_id, plan_id, operation)
    path = f"{binding_path(instance_id, binding_id)}/last_operation"
    request = Request(Endpoint.POLL_BINDING, path, query, caused_by_user=caused_by_user)
    return Call(request, reading.last_operation)


def _incomplete(accepted: bool) -> dict[str, str]:
    return {"accepts_incomplete": "true"} if accepted else {}


def _hints(service_id: str | None, plan_id: str | None, operation: str | None = None) -> dict[str, str]:
    # LOI-05, LOB-02, GETI-05, GETB-03: what is empty must not be sent.
    given = {"service_id": service_id, "plan_id": plan_id, "operation": operation}
    return {name: value for name, value in given.items() if value}


def _version(info: MaintenanceInfo | None) -> dict[str, str] | None:
    # PROV-15, UPD-20: the broker looks at no other field.
    return None if info is None else {"version": info.version}


def _present(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
