"""Faults of what a provision has to hold."""

from __future__ import annotations

from typing import Any

from tests.checker.reference.app import Reference
from tests.checker.reference.faults import fault, fault_before, fault_setting
from tests.checker.reference.wire import Call, Reply


def lacks(call: Call, name: str) -> bool:
    """Tell whether a body is an object in which a field is absent or empty."""
    return isinstance(call.json, dict) and not call.json.get(name)


@fault("PROV-02", "answers 400 where it could only provision asynchronously", also={"ASY-10"}, at="provision")
def async_required_is_bad(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(status=400) if code_of(reply) == "AsyncRequired" else reply


fault_setting(
    "PROV-02",
    "answers AsyncRequired, and provisions all the same",
    at="provision",
    keep_async_required_creation=True,
)


def code_of(reply: Reply) -> Any:
    """Return an answer's error code, None where it has none."""
    return reply.body.get("error") if isinstance(reply.body, dict) else None


@fault_before("PROV-03", "provisions without a service_id", at="provision")
def guess_service(call: Call, broker: Reference) -> Call | None:
    if not isinstance(call.json, dict) or call.json.get("service_id"):
        return None
    return call.saying(service_id=broker.guess_plan(call.json).service_id)


@fault_before("PROV-03", "answers 422 to a provision whose service_id is a number", at="provision")
def number_as_service(call: Call, broker: Reference) -> Reply | None:
    number = isinstance(call.json, dict) and isinstance(call.json.get("service_id"), int)
    return Reply(422, {"description": "The service_id is not known."}) if number else None


@fault_before("PROV-04", "provisions without a plan_id", at="provision")
def guess_plan(call: Call, broker: Reference) -> Call | None:
    return call.saying(plan_id=broker.guess_plan({}).id) if lacks(call, "plan_id") else None


@fault_before("PROV-05", "provisions without an organization_guid", at="provision")
def guess_organization(call: Call, broker: Reference) -> Call | None:
    return call.saying(organization_guid="default") if lacks(call, "organization_guid") else None


@fault_before("PROV-06", "provisions without a space_guid", at="provision")
def guess_space(call: Call, broker: Reference) -> Call | None:
    return call.saying(space_guid="default") if lacks(call, "space_guid") else None


fault_setting("PROV-07", "provisions a plan whatever the service_id beside it is", at="provision", check_service=False)
fault_setting("PROV-08", "provisions some plan where the catalog has no such one", at="provision", check_plan=False)
fault_setting("PROV-08", "provisions a plan of another offering", at="provision", check_plan_belongs_to_service=False)


@fault_before("PROV-10", "refuses a provision without a context", at="provision")
def require_context(call: Call, broker: Reference) -> Reply | None:
    return Reply(400, {"description": "context is missing."}) if lacks(call, "context") else None


fault_setting("PROV-10", "takes a text as the context", at="provision", check_context_is_object=False)
fault_setting("PROV-11", "takes a list as the parameters", at="provision", check_parameters_are_object=False)
fault_setting("PROV-12", "does not look into the schema of the parameters", at="provision", validate_parameters=False)


@fault("PROV-24", "answers 500 to parameters that the schema does not allow", also={"PROV-12"}, at="provision")
def break_on_bad_parameters(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(status=500) if is_about_schema(reply) else reply


@fault("PROV-24", "describes what is wrong with parameters in a list", also={"ERR-04"}, at="provision")
def list_as_description(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.with_fields(description=[reply.body["description"]]) if is_about_schema(reply) else reply


def is_about_schema(reply: Reply) -> bool:
    """Tell whether an answer refuses parameters."""
    return reply.status == 400 and "do not fit the plan's schema" in str(reply.body)


fault_setting(
    "PROV-14", "does not compare the version of maintenance_info", at="provision", check_maintenance_version=False
)
fault_setting(
    "PROV-14",
    "answers MaintenanceInfoConflict, and provisions all the same",
    at="provision",
    keep_maintenance_conflict_creation=True,
)


@fault_before("PROV-15", "compares the description of maintenance_info", at="provision")
def compare_description(call: Call, broker: Reference) -> Reply | None:
    info = call.json.get("maintenance_info") if isinstance(call.json, dict) else None
    if not isinstance(info, dict) or "description" not in info:
        return None
    known = broker.guess_plan(call.json).says.get("maintenance_info", {})
    if info["description"] == known.get("description"):
        return None
    return Reply(422, {"error": "MaintenanceInfoConflict", "description": "The description is another one."})


@fault_before("PROV-16", "requires maintenance_info of a platform of its own version", at="provision")
def require_maintenance(call: Call, broker: Reference) -> Reply | None:
    asked = isinstance(call.json, dict) and call.headers.get("x-broker-api-version") == "2.17"
    if not asked or "maintenance_info" in call.json or broker.guess_plan(call.json).version is None:
        return None
    return Reply(400, {"description": "maintenance_info is missing."})


@fault_before("PROV-23", "answers 422 to a provision without a body", also={"CT-05"}, at="provision")
def no_body_is_unprocessable(call: Call, broker: Reference) -> Reply | None:
    return None if call.body else Reply(422, {"description": "The body is missing."})


@fault_before("PROV-23", "breaks on a JSON text as the body of a provision", also={"CT-05"}, at="provision")
def break_on_text(call: Call, broker: Reference) -> Reply | None:
    return Reply(500, {"description": "It broke."}) if isinstance(call.json, str) else None
