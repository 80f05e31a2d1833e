"""Faults of requests that meet."""

from __future__ import annotations

from tests.checker.reference.app import Reference
from tests.checker.reference.faults import fault, fault_before, fault_setting
from tests.checker.reference.faults.update_response import error, plan_name
from tests.checker.reference.wire import Call, Reply

MOMENT = 0.001
"""Seconds: long enough that two requests meet."""


@fault("UPD-41", "answers 409 to an update while another one is in progress", also={"BLK-02"}, at="update")
def refuse_as_conflict(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(status=409).without_fields("error") if error(reply) == "ConcurrencyError" else reply


@fault_before("BLK-01", "breaks where two updates of an instance meet", at="update", linger=MOMENT)
def break_on_meeting(call: Call, broker: Reference) -> Reply | None:
    met = broker.in_flight[call.method, call.raw_path] > 1
    return Reply(500, {"description": "The instance is locked."}) if met else None


@fault("BLK-02", "gives no error code to a bind while an update is in progress", at="bind")
def leave_code_out(call: Call, reply: Reply, broker: Reference) -> Reply:
    instance = broker.find_instance(call)
    updated = instance is not None and instance.status == "updating"
    return reply.without_fields("error") if updated and error(reply) == "ConcurrencyError" else reply


@fault("BLK-03", "describes ConcurrencyError by a list", also={"ERR-04"})
def list_reasons(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.with_fields(description=["Wait."]) if error(reply) == "ConcurrencyError" else reply


@fault("BLK-05", "refuses a bind for ever that once had to wait", at="bind")
def remember_refusal(call: Call, reply: Reply, broker: Reference) -> Reply:
    refused: dict[str, Reply] = broker.memory.setdefault("refused", {})
    if plan_name(call, broker) != "serial-binds":
        return reply
    if error(reply) == "ConcurrencyError":
        refused[call.binding_id] = reply
    return refused.get(call.binding_id, reply)


fault_setting(
    "BLK-06", "lets an operation fail when it refuses a request meanwhile", at="update", refusal_disturbs_operation=True
)


def make_twice(call: Call, reply: Reply, broker: Reference) -> Reply:
    """Answer 201 also to the second one of two requests that met."""
    met = broker.memory.setdefault("met", set())
    if call.raw_path in met and reply.status == 200:
        return reply.having(status=201)
    if broker.in_flight[call.method, call.raw_path] > 1:
        met.add(call.raw_path)
    return reply


fault("BLK-07", "provisions twice where two identical requests meet", at="provision", linger=MOMENT)(make_twice)
fault("BLK-07", "binds twice where two identical requests meet", at="bind", linger=MOMENT)(make_twice)
