"""Faults in what a poll of a binding is answered with."""

from __future__ import annotations

from tests.checker.reference.app import Reference
from tests.checker.reference.faults import fault, fault_before, fault_setting
from tests.checker.reference.faults.bind_response import find
from tests.checker.reference.faults.instance_polling import DATE, is_spare
from tests.checker.reference.wire import Call, Reply


@fault_before("LOB-04", "binds anew, without naming the operation, while an unbind without a name runs", at="bind")
def bind_while_unbinding(call: Call, broker: Reference) -> Reply | None:
    binding = find(call, broker)
    running = None if binding is None else binding.running
    return Reply(202, {}) if running is not None and running.kind == "delete" and not running.id else None


fault_setting(
    "LOB-06", "answers 400 to a poll of a binding without a query", at="poll_binding", require_poll_query=True
)


@fault("LOB-07", "has a state of its own for bindings that are there", at="poll_binding")
def invent_state(call: Call, reply: Reply, broker: Reference) -> Reply:
    over = reply.status == 200 and reply.body["state"] == "succeeded"
    return reply.with_fields(state="bound") if over and is_spare(call, broker) else reply


@fault_before("LOB-08", "takes an empty operation on a binding for none", at="poll_binding")
def pass_over_empty(call: Call, broker: Reference) -> Call | None:
    return call.asking(operation=None) if call.query.get("operation") == "" else None


@fault_before("LOB-08", "passes over what it cannot decode in the query of a binding's poll", at="poll_binding")
def pass_over_malformed(call: Call, broker: Reference) -> Reply | None:
    return Reply(200, {"state": "succeeded"}) if call.malformed else None


@fault("LOB-09", "breaks on the poll of a binding's operation that it does not know", at="poll_binding")
def break_on_unknown_operation(call: Call, reply: Reply, broker: Reference) -> Reply:
    unknown = reply.status == 400 and call.query.get("operation") and not call.malformed
    return reply.having(status=500) if unknown else reply


@fault("LOB-09", "answers 410 to the poll of a binding with the ids of another service", at="poll_binding")
def forget_binding(call: Call, reply: Reply, broker: Reference) -> Reply:
    instance = broker.find_instance(call)
    foreign = instance is not None and call.query.get("service_id") not in (None, "", instance.plan.service_id)
    return reply.having(status=410) if reply.status == 400 and foreign else reply


fault_setting(
    "LOB-10", "answers 410 to the poll of a binding that never was", at="poll_binding", poll_unknown_as_gone=True
)


@fault("LOB-11", "answers 410 when a bind is over", at="poll_binding")
def lose_bound(call: Call, reply: Reply, broker: Reference) -> Reply:
    binding = find(call, broker)
    over = reply.status == 200 and reply.body["state"] == "succeeded"
    return reply.having(status=410) if over and binding is not None and len(binding.operations) == 1 else reply


@fault("LOB-15", "answers polls of a binding with a number as description", at="poll_binding")
def describe_with_number(call: Call, reply: Reply, broker: Reference) -> Reply:
    over = reply.status == 200 and reply.body["state"] == "succeeded"
    return reply.with_fields(description=100) if over and is_spare(call, broker) else reply


@fault("LOB-16", "says in words when to poll a binding again", at="poll_binding", also={"LOB-17"})
def wait_a_little(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.with_header("retry-after", "soon") if "retry-after" in reply.headers else reply


@fault("LOB-17", "names a date at which to poll a binding again", at="poll_binding")
def wait_until(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.with_header("retry-after", DATE) if "retry-after" in reply.headers else reply


fault_setting(
    "LOB-18",
    "forgets the end of an operation on a binding when it has told of it",
    at="poll_binding",
    keep_terminal_states=False,
)


@fault("LOB-20", "says of a failed bind that the instance is usable", at="poll_binding")
def tell_of_instance(call: Call, reply: Reply, broker: Reference) -> Reply:
    failed = reply.status == 200 and reply.body["state"] == "failed"
    return reply.with_fields(instance_usable=True) if failed else reply
