"""Faults of how an update is answered."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.checker.reference.app import Reference
from tests.checker.reference.faults import fault, fault_before, fault_setting
from tests.checker.reference.faults.update_request import QUICK, fields
from tests.checker.reference.plans import make_id
from tests.checker.reference.wire import Call, Reply

LOCKED = make_id("reference-db", "locked")


def plan_name(call: Call, broker: Reference) -> str:
    """Return the name of the plan of the instance that a call is about."""
    instance = broker.find_instance(call)
    return "" if instance is None else instance.plan.name


def error(reply: Reply) -> Any:
    """Return the error code of an answer."""
    return reply.body.get("error") if isinstance(reply.body, dict) else None


@fault("UPD-05", "does not say why a change of plan is refused", at="update")
def say_nothing(call: Call, reply: Reply, broker: Reference) -> Reply:
    locked = reply.status == 422 and fields(call).get("plan_id") == LOCKED
    return reply.without_fields("description") if locked else reply


@fault("UPD-07", "names no error code where an update needs the flag", at="update")
def name_no_code(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.without_fields("error") if error(reply) == "AsyncRequired" else reply


@fault("UPD-21", "gives a number as the dashboard of an instance whose parameters were updated", at="update")
def number_dashboard(call: Call, reply: Reply, broker: Reference) -> Reply:
    made = reply.status == 200 and "parameters" in fields(call)
    return reply.with_fields(dashboard_url=7) if made else reply


@fault_before("UPD-21", "answers 200 to an update that it has not made", at="update")
def forget_update(call: Call, broker: Reference) -> Reply | None:
    instance = broker.find_instance(call)
    bare = fields(call).keys() == {"service_id", "context", "parameters"} and call.json["parameters"] == {"size": 7}
    return Reply(200, {}) if bare and instance is not None and instance.plan.id == QUICK else None


@fault("UPD-22", "breaks on an update to the parameters that there are", at="update")
def break_on_nothing(call: Call, reply: Reply, broker: Reference) -> Reply:
    instance = broker.find_instance(call)
    seen = broker.memory.setdefault("changes", {})
    if instance is None or reply.status != 200 or "parameters" not in fields(call):
        return reply
    changes, seen[instance.id] = seen.get(instance.id), instance.changes
    nothing = changes == instance.changes
    return reply.having(status=500, body={"description": "There is nothing to do."}) if nothing else reply


@fault("UPD-23", "gives a number as the dashboard of an instance that is being updated", at="update")
def number_coming_dashboard(call: Call, reply: Reply, broker: Reference) -> Reply:
    begun = reply.status == 202 and "parameters" in fields(call)
    return reply.with_fields(dashboard_url=7) if begun else reply


@fault("UPD-23", "answers 200 to an update in progress, from the second one on", at="update")
def claim_done(call: Call, reply: Reply, broker: Reference) -> Reply:
    if reply.status != 202 or plan_name(call, broker) != "patient":
        return reply
    seen: Counter[str] = broker.memory.setdefault("seen", Counter())
    seen["updates"] += 1
    return reply.having(status=200).without_fields("operation") if seen["updates"] > 1 else reply


def is_repeat(reply: Reply, broker: Reference) -> bool:
    """Tell whether an update has begun before."""
    operation = reply.body.get("operation") if reply.status == 202 and isinstance(reply.body, dict) else None
    begun: set[str] = broker.memory.setdefault("begun", set())
    if operation is None or operation in begun:
        return operation is not None
    begun.add(operation)
    return False


@fault("UPD-24", "answers 200 to an update that is repeated while it is in progress", at="update")
def repeat_is_done(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(status=200) if is_repeat(reply, broker) else reply


@fault("UPD-25", "names another operation when an update is repeated", at="update")
def rename_operation(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.with_fields(operation="another") if is_repeat(reply, broker) else reply


@fault("UPD-28", "answers 400 to a change of plan that it does not support", at="update")
def refuse_as_bad(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(status=400) if reply.status == 422 and fields(call).get("plan_id") == LOCKED else reply


@fault_before("UPD-28", "makes a change of plan that the file says it does not support", at="update")
def unlock(call: Call, broker: Reference) -> Reply | None:
    instance = broker.find_instance(call)
    if instance is None or fields(call).get("plan_id") != LOCKED:
        return None
    instance.plan = broker.guess_plan(fields(call))
    return Reply(200, {})


fault_setting("UPD-29", "makes an update that the quota forbids", at="update", refuse_over_quota_update=False)


@fault("UPD-29", "answers 409 to an update that the quota forbids", at="update")
def refuse_as_conflict(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(status=409) if error(reply) == "QuotaExceeded" else reply


@fault("UPD-31", "takes the parameters of an update that it refuses for them", at="update")
def take_bad_parameters(call: Call, reply: Reply, broker: Reference) -> Reply:
    instance = broker.find_instance(call)
    if instance is not None and reply.status == 400 and "schema" in (reply.body or {}).get("description", ""):
        instance.parameters = {**instance.parameters, **fields(call)["parameters"]}
    return reply


@fault("UPD-31", "changes the plan before it looks at the parameters, and refuses these", at="update")
def change_plan_first(call: Call, reply: Reply, broker: Reference) -> Reply:
    instance = broker.find_instance(call)
    plan_id = fields(call).get("plan_id")
    refused = reply.status == 400 and "schema" in (reply.body or {}).get("description", "")
    if instance is not None and refused and plan_id:
        instance.plan = broker.guess_plan(fields(call))
    return reply


@fault("UPD-31", "changes the plan though it refuses to", also={"ERR-16"}, at="update")
def take_locked_plan(call: Call, reply: Reply, broker: Reference) -> Reply:
    instance = broker.find_instance(call)
    if instance is not None and reply.status == 422 and fields(call).get("plan_id") == LOCKED:
        instance.plan = broker.guess_plan(fields(call))
    return reply


fault_setting(
    "UPD-31", "makes an update that it answers with 500", also={"ERR-17"}, at="update", apply_broken_update=True
)


@fault_before("UPD-32", "takes an update that failed for one that is in progress", at="update")
def hold_for_ever(call: Call, broker: Reference) -> Reply | None:
    instance = broker.find_instance(call)
    failed = instance is not None and any(each.fails and each.state == "failed" for each in instance.operations)
    return Reply(422, {"error": "ConcurrencyError", "description": "An update is in progress."}) if failed else None


@fault("UPD-35", "tells of a new dashboard only when the update is over", at="update")
def hide_dashboard(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.without_fields("dashboard_url") if reply.status == 202 else reply


@fault("UPD-37", "does not know the operation that it named, from the second update on", at={"update", "poll_instance"})
def lose_operation(call: Call, reply: Reply, broker: Reference) -> Reply:
    seen: Counter[str] = broker.memory.setdefault("seen", Counter())
    lost: set[str] = broker.memory.setdefault("lost", set())
    begun = call.endpoint == "update" and reply.status == 202 and "plan_id" not in fields(call)
    if begun and plan_name(call, broker) == "patient":
        seen["updates"] += 1
        if seen["updates"] > 1:
            lost.add(reply.body["operation"])
    if call.endpoint == "poll_instance" and call.query.get("operation") in lost:
        return reply.having(status=400, body={"description": "There is no such operation."})
    return reply


@fault("UPD-38", "names the operation of an update by a number", at="update")
def number_operation(call: Call, reply: Reply, broker: Reference) -> Reply:
    odd = reply.status == 202 and plan_name(call, broker) == "patient-locked"
    return reply.with_fields(operation=7) if odd else reply


@fault("UPD-38", "names the operation of an update by an empty text", at="update")
def empty_operation(call: Call, reply: Reply, broker: Reference) -> Reply:
    odd = reply.status == 202 and plan_name(call, broker) == "patient-locked"
    return reply.with_fields(operation="") if odd else reply


@fault("UPD-40", "gives a list as the metadata of an updated instance", at="update")
def list_metadata(call: Call, reply: Reply, broker: Reference) -> Reply:
    odd = reply.status == 200 and fields(call).get("service_id") == make_id("unbindable")
    return reply.with_fields(metadata=["small"]) if odd else reply
