"""Faults of what an update may ask for."""

from __future__ import annotations

from typing import Any

from tests.checker.reference.app import Reference
from tests.checker.reference.faults import fault, fault_before, fault_setting
from tests.checker.reference.plans import make_id
from tests.checker.reference.wire import MALFORMED, Call, Reply

QUICK = make_id("reference-db", "quick")
LARGE = make_id("reference-db", "large")


def fields(call: Call) -> dict[str, Any]:
    """Return the fields of a body, none where it is not an object."""
    return call.json if isinstance(call.json, dict) else {}


def names_own_plan(call: Call, broker: Reference) -> bool:
    """Tell whether an update names the plan that the instance has."""
    instance = broker.find_instance(call)
    return instance is not None and fields(call).get("plan_id") == instance.plan.id


@fault("UPD-01", "refuses an update of the context alone, though the offering declares it", at="update")
def refuse_context(call: Call, reply: Reply, broker: Reference) -> Reply:
    alone = reply.status == 200 and fields(call).keys() == {"service_id", "context"}
    return reply.having(status=422, body={"description": "The context cannot be updated."}) if alone else reply


@fault_before("UPD-02", "changes a plan that is not declared to be updateable", at="update")
def change_fixed_plan(call: Call, broker: Reference) -> Reply | None:
    instance = broker.find_instance(call)
    if instance is None or call.json != {**fields(call), "plan_id": make_id("fixed-plan", "other")}:
        return None
    instance.plan = broker.guess_plan(fields(call))
    return Reply(200, {})


fault_setting(
    "UPD-04",
    "refuses every update of a plan that is not updateable",
    at="update",
    gate_all_updates_by_plan_updateable=True,
)


@fault_before("UPD-08", "takes the service_id that an update lacks from the instance", at="update")
def guess_service(call: Call, broker: Reference) -> Call | None:
    instance = broker.find_instance(call)
    lacks = isinstance(call.json, dict) and not call.json.get("service_id")
    return call.saying(service_id=instance.plan.service_id) if instance is not None and lacks else None


fault_setting("UPD-09", "updates with the service_id of another offering", at="update", check_service_on_update=False)
fault_setting("UPD-09", "updates with a plan_id that it does not know", at="update", check_plan_on_update=False)


@fault_before("UPD-10", "takes an update without plan_id for one to the large plan", at="update")
def change_plan_unasked(call: Call, broker: Reference) -> Call | None:
    instance = broker.find_instance(call)
    bare = fields(call).keys() == {"service_id", "parameters"}
    return call.saying(plan_id=LARGE) if instance is not None and instance.plan.id == QUICK and bare else None


@fault_before("UPD-11", "clears the parameters by an update that names the plan and no parameters", at="update")
def clear_parameters(call: Call, broker: Reference) -> None:
    instance = broker.find_instance(call)
    if instance is not None and names_own_plan(call, broker) and "parameters" not in fields(call):
        instance.parameters = {}


fault_setting("UPD-12", "takes any parameters of an update", at="update", validate_update_parameters=False)


@fault("UPD-27", "answers 500 to an update with bad parameters", at="update")
def break_on_parameters(call: Call, reply: Reply, broker: Reference) -> Reply:
    bad = reply.status == 400 and "schema" in (reply.body or {}).get("description", "")
    return reply.having(status=500) if bad else reply


@fault_before("UPD-14", "asks for the context of an update that names a plan", at="update")
def ask_for_context(call: Call, broker: Reference) -> Reply | None:
    lacks = "plan_id" in fields(call) and "context" not in fields(call)
    return Reply(400, {"description": "The context is missing."}) if lacks else None


fault_setting(
    "UPD-15", "clears the parameters by an update of the context", at="update", keep_all_on_context_update=False
)


@fault_before("UPD-16", "asks for every one of the previous_values", at="update")
def ask_for_previous_values(call: Call, broker: Reference) -> Reply | None:
    previous = fields(call).get("previous_values")
    lacks = isinstance(previous, dict) and "service_id" not in previous
    return Reply(400, {"description": "previous_values lacks service_id."}) if lacks else None


@fault_before("UPD-16", "refuses an organization_id in previous_values", at="update")
def refuse_previous_values(call: Call, broker: Reference) -> Reply | None:
    previous = fields(call).get("previous_values")
    has = isinstance(previous, dict) and "organization_id" in previous
    return Reply(400, {"description": "organization_id belongs into the context."}) if has else None


fault_setting(
    "UPD-19", "updates with any version of maintenance_info", at="update", check_maintenance_version_on_update=False
)


@fault("UPD-19", "makes the change though it answers MaintenanceInfoConflict", at="update")
def change_despite_conflict(call: Call, reply: Reply, broker: Reference) -> Reply:
    instance = broker.find_instance(call)
    if instance is not None and isinstance(reply.body, dict) and reply.body.get("error") == "MaintenanceInfoConflict":
        instance.parameters = {**instance.parameters, **fields(call).get("parameters", {})}
    return reply


@fault_before("UPD-20", "compares the description of maintenance_info in an update", at="update")
def compare_description(call: Call, broker: Reference) -> Reply | None:
    if "description" not in fields(call).get("maintenance_info", {}):
        return None
    return Reply(422, {"error": "MaintenanceInfoConflict", "description": "It is not that of the catalog."})


@fault_before("UPD-26", "answers 422 to an update that is not JSON", at="update")
def refuse_malformed(call: Call, broker: Reference) -> Reply | None:
    malformed = call.json is MALFORMED or isinstance(call.json, list)
    return Reply(422, {"description": "The body is not a JSON object."}) if malformed else None
