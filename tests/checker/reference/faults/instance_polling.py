"""Faults in what a poll of an instance is answered with."""

from __future__ import annotations

from urllib.parse import quote

from tests.checker.reference.app import Reference
from tests.checker.reference.faults import fault, fault_before, fault_catalog, fault_setting
from tests.checker.reference.faults.bind_request import concerns
from tests.checker.reference.state import Operation
from tests.checker.reference.wire import Call, Reply

DATE = "Fri, 31 Dec 2049 23:59:59 GMT"


def is_spare(call: Call, broker: Reference) -> bool:
    """Tell whether a request is about an instance of the slow plan on which no check but the watches depends."""
    return concerns(call, broker, "reference-slow", "patient-locked")


def latest(call: Call, broker: Reference) -> Operation | None:
    """Return the latest operation on an instance, where there is one."""
    instance = broker.find_instance(call)
    return instance.operations[-1] if instance is not None and instance.operations else None


def has_failed(call: Call, reply: Reply, broker: Reference, kind: str) -> bool:
    """Tell whether an answer says that an operation of this kind has failed."""
    operation = latest(call, broker)
    return reply.status == 200 and reply.body["state"] == "failed" and operation is not None and operation.kind == kind


fault_setting(
    "LOI-04",
    "answers 400 to a poll of a change of plan that names the plan before",
    at="poll_instance",
    accept_old_plan_in_poll=False,
)


@fault_before("LOI-06", "does not decode the operation of a poll", at="poll_instance", also={"PROV-30", "URL-01"})
def leave_operation_encoded(call: Call, broker: Reference) -> Call | None:
    operation = call.query.get("operation")
    return call.asking(operation=quote(operation, safe="")) if isinstance(operation, str) else None


fault_setting(
    "LOI-08", "answers 400 to a poll of an instance without a query", at="poll_instance", require_poll_query=True
)


@fault("LOI-09", "writes the state of an instance in capital letters", at="poll_instance")
def shout_state(call: Call, reply: Reply, broker: Reference) -> Reply:
    if reply.status != 200 or not is_spare(call, broker):
        return reply
    return reply.with_fields(state=reply.body["state"].upper())


@fault("LOI-09", "leaves out the state while an operation runs", at="poll_instance")
def leave_out_state(call: Call, reply: Reply, broker: Reference) -> Reply:
    running = reply.status == 200 and reply.body["state"] == "in progress"
    return reply.without_fields("state") if running and is_spare(call, broker) else reply


@fault_before("LOI-10", "takes an empty operation for none", at="poll_instance")
def pass_over_empty(call: Call, broker: Reference) -> Call | None:
    return call.asking(operation=None) if call.query.get("operation") == "" else None


@fault_before("LOI-10", "passes over what it cannot decode in the query of a poll", at="poll_instance")
def pass_over_malformed(call: Call, broker: Reference) -> Reply | None:
    return Reply(200, {"state": "succeeded"}) if call.malformed else None


@fault("LOI-11", "breaks on the poll of an operation that it does not know", at="poll_instance")
def break_on_unknown_operation(call: Call, reply: Reply, broker: Reference) -> Reply:
    unknown = reply.status == 400 and call.query.get("operation") and not call.malformed
    return reply.having(status=500) if unknown else reply


@fault("LOI-11", "answers 410 to the poll of an operation that it does not know", at="poll_instance")
def forget_instance(call: Call, reply: Reply, broker: Reference) -> Reply:
    unknown = reply.status == 400 and call.query.get("operation") and not call.malformed
    return reply.having(status=410) if unknown else reply


fault_setting(
    "LOI-12", "answers 410 to the poll of an instance that never was", at="poll_instance", poll_unknown_as_gone=True
)


@fault("LOI-13", "answers 410 when a change of plan is over", at="poll_instance")
def lose_updated(call: Call, reply: Reply, broker: Reference) -> Reply:
    instance, operation = broker.find_instance(call), latest(call, broker)
    over = reply.status == 200 and reply.body["state"] == "succeeded"
    if instance is None or operation is None or operation.kind != "update" or not over:
        return reply
    return reply.having(status=410) if instance.plan.id != instance.wanted["plan"] else reply


@fault("LOI-17", "answers polls of an instance with an empty description", at="poll_instance")
def describe_nothing(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.with_fields(description="") if reply.status == 200 and is_spare(call, broker) else reply


@fault("LOI-18", "says in words whether the instance is usable", at="poll_instance")
def answer_yes(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.with_fields(instance_usable="yes") if "instance_usable" in reply.body else reply


@fault("LOI-19", "says of a failed provision that the instance is not usable", at="poll_instance")
def tell_of_no_instance(call: Call, reply: Reply, broker: Reference) -> Reply:
    failed = has_failed(call, reply, broker, "create")
    return reply.with_fields(instance_usable=False) if failed else reply


@fault("LOI-20", "says with a number whether an update can be repeated", at="poll_instance")
def answer_zero(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.with_fields(update_repeatable=0) if "update_repeatable" in reply.body else reply


@fault("LOI-21", "says of a failed deprovision whether an update can be repeated", at="poll_instance")
def tell_of_update_after_deletion(call: Call, reply: Reply, broker: Reference) -> Reply:
    failed = has_failed(call, reply, broker, "delete")
    return reply.with_fields(update_repeatable=True) if failed else reply


@fault("LOI-21", "says of a failed provision whether an update can be repeated", at="poll_instance")
def tell_of_update_after_creation(call: Call, reply: Reply, broker: Reference) -> Reply:
    failed = has_failed(call, reply, broker, "create")
    return reply.with_fields(update_repeatable=True) if failed else reply


@fault("LOI-22", "says in words when to poll an instance again", at="poll_instance", also={"LOI-23"})
def wait_a_little(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.with_header("retry-after", "soon") if "retry-after" in reply.headers else reply


@fault("LOI-23", "names a date at which to poll an instance again", at="poll_instance")
def wait_until(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.with_header("retry-after", DATE) if "retry-after" in reply.headers else reply


fault_setting(
    "LOI-25", "forgets the end of an operation when it has told of it", at="poll_instance", keep_terminal_states=False
)


@fault("LOI-25", "says of a failed update that it has succeeded, when asked again", at="poll_instance")
def forgive(call: Call, reply: Reply, broker: Reference) -> Reply:
    if not has_failed(call, reply, broker, "update"):
        return reply
    told: set[str] = broker.memory.setdefault("told", set())
    again = call.instance_id in told
    told.add(call.instance_id)
    return reply.having(body={"state": "succeeded"}) if again else reply


fault_setting(
    "LOI-27",
    "tells of the latest operation on an instance, whichever a poll names",
    at="poll_instance",
    answer_by_operation=False,
)


@fault_before("LOI-27", "tells of the first operation on an instance where a poll names none", at="poll_instance")
def tell_of_the_first(call: Call, broker: Reference) -> Call | None:
    instance = broker.find_instance(call)
    if instance is None or not instance.operations or "operation" in call.query:
        return None
    return call.asking(operation=instance.operations[0].id or None)


@fault_catalog("POL-04", "takes longer for its operations than it says to the platform")
def promise_too_much(catalog: dict[str, list[dict[str, list[dict[str, int]]]]]) -> None:
    for service in catalog["services"]:
        for plan in service["plans"]:
            if "maximum_polling_duration" in plan:
                plan["maximum_polling_duration"] = 1
