"""How work begins, is repeated and is refused: the same for instances and bindings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.checker.reference.plans import Mode
from tests.checker.reference.state import OVER, Operation, Resource
from tests.checker.reference.wire import Call, RefusalError, Reply, refuse

if TYPE_CHECKING:
    from tests.checker.reference.app import Reference


def decide(broker: Reference, call: Call, mode: Mode) -> bool:
    """Tell whether work is done asynchronously; refuse when it must be and may not (ASY-08 to ASY-12)."""
    conduct = broker.conduct
    if conduct.always_asynchronous and call.flag:
        return True
    if conduct.refuse_flag and mode == "sync" and call.flag:
        raise refuse(400, "This plan does nothing asynchronously.")
    if mode == "async" and not call.flag and conduct.require_flag:
        raise refuse(422, "This plan can only do it asynchronously: send accepts_incomplete=true.", "AsyncRequired")
    return mode == "async" or (mode == "either" and (call.flag or not conduct.require_flag))


def begin(
    broker: Reference,
    resource: Resource,
    kind: str,
    request: str,
    wanted: Any,
    apply: Callable[[], None],
    **fields: Any,
) -> Reply:
    """Begin an operation and answer 202; `fields` go into its body beside `operation`."""
    behaviour = resource.plan.behaviour
    number = broker.count()
    fails = request in behaviour.fails
    if request in behaviour.fails_once and not resource.failed_once:
        resource.failed_once = fails = True
    ends_at = broker.now() + broker.conduct.operation_seconds
    name = behaviour.operation.format(kind=kind, number=number)
    resource.begin(Operation(kind, name, ends_at, wanted, fails, apply, fields))
    if broker.conduct.answer_before_work_is_done:
        return Reply(201 if kind == "create" else 200, fields)
    return accept(name, fields)


def accept(operation: str, fields: dict[str, Any]) -> Reply:
    """Answer 202; a plan that names no operations sends none."""
    return Reply(202, {**fields, "operation": operation} if operation else fields)


def repeat(broker: Reference, call: Call, operation: Operation) -> Reply:
    """Answer a request that repeats the one whose operation runs (PROV-21, PROV-22, UPD-24, DEP-12 and their like)."""
    conduct = broker.conduct
    if not call.flag and conduct.require_flag:
        raise refuse(422, "It is being done asynchronously: send accepts_incomplete=true.", "AsyncRequired")
    if not conduct.repeats_are_asynchronous:
        return Reply(200, operation.fields)
    if conduct.repeat_begins_anew:
        operation.ends_at = broker.now() + conduct.operation_seconds
    if not conduct.same_operation_on_repeat and operation.id:
        return accept(f"{operation.id}-{broker.count()}", operation.fields)
    return accept(operation.id, operation.fields)


def refuse_concurrent(broker: Reference, resource: Resource) -> RefusalError:
    """Return the refusal of a request that another one stands in the way of; that one goes on (BLK-02, BLK-06)."""
    operation = resource.running
    if operation is not None and broker.conduct.refusal_disturbs_operation:
        operation.fails = True
    return refuse(422, "Another operation is in progress.", "ConcurrencyError")


def delete(broker: Reference, call: Call, resource: Resource | None, request: str) -> Reply:
    """Delete an instance or a binding: the mode is that of the request's name in the plan's behaviour."""
    if resource is None or resource.status in OVER:
        # DEP-16, UNB-14
        return gone() if broker.conduct.deletion_of_unknown_is_gone else Reply(200, {})
    mode: Mode = getattr(resource.plan.behaviour, request)
    running = resource.running
    if running is not None and running.kind == "delete":
        return repeat(broker, call, running)
    try:
        asynchronous = decide(broker, call, mode)
    except RefusalError:
        if broker.conduct.delete_on_async_required:
            resource.remove()
        raise
    if running is not None and running.kind == "update" and broker.conduct.refuse_delete_while_updating:
        raise refuse_concurrent(broker, resource)
    if running is not None and running.kind == "create":
        return delete_while_creating(broker, resource, request, asynchronous)
    return start_deletion(broker, resource, request, asynchronous)


def delete_while_creating(broker: Reference, resource: Resource, request: str, asynchronous: bool) -> Reply:
    """Halt a creation and remove what it made (DEP-04 to DEP-06, UNB-03 to UNB-05), or refuse (DEP-17, UNB-15)."""
    conduct = broker.conduct
    if not resource.plan.behaviour.halts_creation:
        raise refuse_concurrent(broker, resource)
    if not conduct.halt_creation_on_delete and not asynchronous:
        return Reply(200, {})
    resource.halt(conduct)
    reply = start_deletion(broker, resource, request, asynchronous, removes=conduct.halt_creation_on_delete)
    if asynchronous and not conduct.report_deletion_after_halt:
        resource.operations[-1].by_name_only = True
    return reply


def start_deletion(
    broker: Reference, resource: Resource, request: str, asynchronous: bool, removes: bool = True
) -> Reply:
    """Delete in the request, or begin to."""
    conduct = broker.conduct
    stays = not (conduct.remove_on_delete if request == "deprovision" else conduct.remove_on_unbind)

    def apply() -> None:
        if removes and not stays:
            resource.remove()
        else:
            resource.status = "ready"

    if asynchronous:
        return begin(broker, resource, "delete", request, None, apply)
    apply()
    return Reply(200, {})


def gone() -> Reply:
    """Answer that it is not there any more, or never was."""
    return Reply(410, {"description": "There is nothing with this id."})
