"""Faults of what is done in the request and what is not."""

from __future__ import annotations

from tests.checker.reference.app import Reference
from tests.checker.reference.faults import fault, fault_before, fault_setting, register
from tests.checker.reference.plans import make_id
from tests.checker.reference.wire import Call, Reply

QUICK = make_id("reference-db", "quick")
EITHER = make_id("reference-slow", "either")

fault_setting("ASY-01", "takes 45 seconds for the catalog", at="catalog", linger=45.0)


@fault("ASY-05", "answers 201 to the unbinding from a route", at="unbind")
def unbound_is_created(call: Call, reply: Reply, broker: Reference) -> Reply:
    proxies = {make_id("proxy"), make_id("out-of-band")}
    return reply.having(status=201) if reply.status == 200 and call.query.get("service_id") in proxies else reply


@fault("ASY-05", "answers 200 to a bind that is done at once", also={"BIND-31", "BLK-07"}, at="bind")
def bound_is_ok(call: Call, reply: Reply, broker: Reference) -> Reply:
    is_quick = isinstance(call.json, dict) and call.json.get("plan_id") == QUICK
    return reply.having(status=200) if reply.status == 201 and is_quick else reply


@fault("ASY-06", "answers 201 to a repeated provision that has no accepts_incomplete", at="provision")
def repeat_is_created(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(status=201) if reply.status == 200 and not call.query else reply


fault_setting("ASY-08", "refuses accepts_incomplete=true to provision at once", at="provision", refuse_flag=True)


@fault_before("ASY-09", "provisions a plan later that it could provision at once, without the flag", at="provision")
def hurry_not(call: Call, broker: Reference) -> Call | None:
    is_either = isinstance(call.json, dict) and call.json.get("plan_id") == EITHER
    return call.asking(accepts_incomplete="true") if is_either else None


@fault("ASY-10", "says no error code where accepts_incomplete is false", at="provision")
def leave_code_out(call: Call, reply: Reply, broker: Reference) -> Reply:
    is_false = call.query.get("accepts_incomplete") == "false" and reply.status == 422
    return reply.without_fields("error") if is_false else reply


@fault("ASY-11", "describes AsyncRequired by a list", also={"ERR-04"})
def list_reasons(call: Call, reply: Reply, broker: Reference) -> Reply:
    required = isinstance(reply.body, dict) and reply.body.get("error") == "AsyncRequired"
    return reply.with_fields(description=["Send the flag."]) if required else reply


@fault("ASY-13", "describes a progress by a number", also={"LOI-17"}, at="poll_instance")
def count_progress(call: Call, reply: Reply, broker: Reference) -> Reply:
    runs = isinstance(reply.body, dict) and reply.body.get("state") == "in progress"
    return reply.with_fields(description=50) if runs else reply


def set_flag(call: Call, broker: Reference) -> Call | None:
    """Do later what was to be done in the request."""
    is_either = isinstance(call.json, dict) and call.json.get("plan_id") == EITHER
    return None if call.flag or not is_either else call.asking(accepts_incomplete="true", unflagged="yes")


def claim_done(call: Call, reply: Reply, broker: Reference) -> Reply:
    """Answer that it has been done."""
    return reply.having(status=201) if reply.status == 202 and "unflagged" in call.query else reply


register(
    "ASY-03",
    "answers 201 to a provision without the flag, and goes on with it",
    (),
    at="provision",
    settings={},
    before=set_flag,
    after=claim_done,
)


@fault(
    "ASY-12",
    "answers 200 to a deprovision while it goes on with it",
    also={"ASY-03"},
    at={"deprovision", "poll_instance"},
)
def go_on_deleting(call: Call, reply: Reply, broker: Reference) -> Reply:
    goes_on = broker.memory.setdefault("deleting", set())
    if call.endpoint == "poll_instance":
        is_told = call.instance_id in goes_on
        return reply.having(status=200, body={"state": "in progress"}) if is_told else reply
    if reply.status == 200 and call.query.get("service_id") == make_id("log-drain"):
        goes_on.add(call.instance_id)
    return reply
