"""The two endpoints that tell of an operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.checker.reference.requests import check_ids
from tests.checker.reference.state import Operation, Resource
from tests.checker.reference.wire import Call, RefusalError, Reply, refuse

if TYPE_CHECKING:
    from tests.checker.reference.app import Reference


def poll_instance(broker: Reference, call: Call) -> Reply:
    """Tell of an instance's operation."""
    check_query(broker, call)
    return tell(broker, call, broker.find_instance(call))


def poll_binding(broker: Reference, call: Call) -> Reply:
    """Tell of a binding's operation."""
    check_query(broker, call)
    instance = broker.find_instance(call)
    binding = None if instance is None else broker.find_binding(instance, call.binding_id)
    return tell(broker, call, binding)


def check_query(broker: Reference, call: Call) -> None:
    """Refuse a parameter that is there and empty (LOI-10, LOB-08); none is required (LOI-08, LOB-06)."""
    conduct = broker.conduct
    for name in ("service_id", "plan_id", "operation"):
        if call.query.get(name) == "" and conduct.check_operation_is_not_empty:
            raise refuse(400, f"{name} is empty.")
        if name not in call.query and name != "operation" and conduct.require_poll_query:
            raise refuse(400, f"{name} is missing.")


def tell(broker: Reference, call: Call, resource: Resource | None) -> Reply:
    """Answer with the state of the operation that is asked about."""
    conduct = broker.conduct
    if resource is None:
        raise refuse_unknown(broker)
    if conduct.check_poll_ids:
        check_poll_ids(broker, call, resource)
    operation = find_operation(broker, call, resource)
    if operation is None:
        return Reply(200, {"state": "succeeded"})
    if operation.state == "in progress":
        progress = {"state": "in progress", "description": "Half of it is done."}
        return Reply(200, progress, {"retry-after": "1"})
    if operation.told and not conduct.keep_terminal_states:
        raise refuse_unknown(broker)
    operation.told = True
    deletion = operation.kind == "delete" and operation.state == "succeeded"
    if (deletion and resource.plan.behaviour.gone_after_delete) or (not deletion and conduct.gone_after_creation):
        return Reply(410, {"description": "It is deleted."})
    return Reply(200, describe_end(resource, operation))


def check_poll_ids(broker: Reference, call: Call, resource: Resource) -> None:
    """Refuse ids of another offering (LOI-11); the plan may be the one before a change (LOI-04)."""
    plan_id = call.query.get("plan_id", "")
    check_ids(broker, resource.plan, call.query.get("service_id", ""), plan_id)
    if broker.conduct.accept_old_plan_in_poll or not plan_id:
        return
    running = resource.running
    target = getattr(running.wanted, "plan", None) if running is not None else None
    if plan_id != (target or resource.plan).id:
        raise refuse(400, "The plan_id is not that of the instance.")


def find_operation(broker: Reference, call: Call, resource: Resource) -> Operation | None:
    """Return the operation that a poll names, else the latest (LOI-27); None where all was done in the request."""
    conduct = broker.conduct
    name = call.query.get("operation")
    named = [operation for operation in resource.operations if operation.id == name]
    if named and conduct.answer_by_operation:
        return named[-1]
    if name is not None and not named and conduct.check_operation:
        raise refuse(400, "There is no such operation.")
    asked = [operation for operation in resource.operations if not operation.by_name_only]
    latest = asked[-1] if asked else None
    deleted_at_once = resource.status == "deleted" and not (latest and (latest.kind == "delete" or latest.halted))
    if deleted_at_once:
        raise refuse_unknown(broker)
    return latest


def refuse_unknown(broker: Reference) -> RefusalError:
    """Return the refusal of a poll for what is not known (LOI-12, LOB-10)."""
    return refuse(410 if broker.conduct.poll_unknown_as_gone else 404, "There is nothing with this id.")


def describe_end(resource: Resource, operation: Operation) -> dict[str, Any]:
    """Return the body about an operation that is over; the two flags only where they belong (LOI-18 to LOI-21)."""
    if operation.state == "succeeded":
        return {"state": "succeeded", "description": "All is done."}
    body: dict[str, Any] = {"state": "failed", "description": "It did not work."}
    is_instance = hasattr(resource, "bindings")
    if is_instance and operation.kind != "create":
        body["instance_usable"] = True
    if is_instance and operation.kind == "update":
        body["update_repeatable"] = False
    return body
