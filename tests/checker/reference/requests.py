"""Bodies and queries: what a request must hold, and of which type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.checker.reference.catalog import is_offered, read_schema
from tests.checker.reference.plans import Offering, Plan
from tests.checker.reference.schema import find_fault
from tests.checker.reference.wire import Call, refuse

if TYPE_CHECKING:
    from tests.checker.reference.app import Reference

KNOWN_FIELDS = {
    "provision": {"service_id", "plan_id", "context", "organization_guid", "space_guid", "parameters",
                  "maintenance_info"},
    "update": {"context", "service_id", "plan_id", "parameters", "previous_values", "maintenance_info"},
    "bind": {"context", "service_id", "plan_id", "app_guid", "bind_resource", "parameters", "predecessor_binding_id"},
}  # fmt: skip


def read_body(broker: Reference, call: Call) -> dict[str, Any]:
    """Return the JSON object of a body (CT-03 to CT-06)."""
    conduct = broker.conduct
    content_type = call.headers.get("content-type")
    if content_type is None:
        if conduct.require_content_type:
            raise refuse(400, "The header Content-Type is missing.")
    elif not (conduct.accept_charset or ";" not in content_type) or (
        conduct.check_content_type and content_type.partition(";")[0].strip().lower() != "application/json"
    ):
        raise refuse(400, "The header Content-Type is not application/json.")
    if not isinstance(call.json, dict):
        raise refuse(400, "The body is not a JSON object.")
    unknown = call.json.keys() - KNOWN_FIELDS[call.endpoint]
    if unknown and not conduct.ignore_unknown_fields:
        raise refuse(400, "The body holds a field that is not known.")
    return call.json


def read_text(body: dict[str, Any], name: str, required: bool = True) -> str:
    """Return a field that is a text and not empty; "" when it is absent and may be."""
    value = body.get(name)
    if value is None and not required:
        return ""
    if not isinstance(value, str) or not value:
        raise refuse(400, f"{name} is missing, empty, or not a string.")
    return value


def read_object(body: dict[str, Any], name: str, check: bool = True) -> dict[str, Any] | None:
    """Return a field that is an object; None when it is absent or null."""
    value = body.get(name)
    if isinstance(value, dict):
        return value
    if value is not None and check:
        raise refuse(400, f"{name} is not an object.")
    return None


def read_parameters(
    broker: Reference, body: dict[str, Any], plan: Plan, resource: str, request: str
) -> dict[str, Any] | None:
    """Return the parameters, None when they are absent, after a look into the plan's schema."""
    conduct = broker.conduct
    parameters = read_object(body, "parameters", conduct.check_parameters_are_object)
    validate = {
        ("service_instance", "create"): conduct.validate_parameters,
        ("service_instance", "update"): conduct.validate_update_parameters,
        ("service_binding", "create"): conduct.validate_bind_parameters,
    }
    schema = read_schema(plan, resource, request)
    if parameters and schema is not None and validate[resource, request] and (wrong := find_fault(schema, parameters)):
        raise refuse(400, f"The parameters do not fit the plan's schema: it {wrong}.")
    return parameters


def find_offering(broker: Reference, service_id: str) -> Offering:
    """Return the offering with this id."""
    offering = broker.catalog.offerings.get(service_id)
    if offering is None:
        raise refuse(400, "There is no offering with this service_id.")
    return offering


def find_plan(broker: Reference, body: dict[str, Any]) -> Plan:
    """Return the plan that a PUT of an instance names; it must be in the catalog now."""
    conduct = broker.conduct
    service_id, plan_id = read_text(body, "service_id"), read_text(body, "plan_id")
    if not conduct.check_plan_belongs_to_service or service_id not in broker.catalog.offerings:
        if conduct.check_service:
            find_offering(broker, service_id)
        found = next((o.plans[plan_id] for o in broker.catalog.offerings.values() if plan_id in o.plans), None)
    else:
        found = broker.catalog.offerings[service_id].plans.get(plan_id)
    if found is not None and is_offered(found, broker.catalog.changed):
        return found
    offering = broker.catalog.offerings.get(service_id)
    if conduct.check_plan or offering is None:
        raise refuse(400, "The offering has no plan with this plan_id.")
    return next(iter(offering.plans.values()))


def check_maintenance(broker: Reference, body: dict[str, Any], plan: Plan, check: bool) -> str | None:
    """Return the version of `maintenance_info`, None without; it must be the catalog's (PROV-14, UPD-19)."""
    info = read_object(body, "maintenance_info")
    if info is None:
        if broker.conduct.require_maintenance_info and plan.version is not None:
            raise refuse(400, "maintenance_info is missing.")
        return None
    version = read_text(info, "version")
    same = version == broker.catalog.version_of(plan)
    if broker.conduct.compare_maintenance_description:
        same = same and info.get("description") == plan.says.get("maintenance_info", {}).get("description")
    if check and not same:
        raise refuse(422, "The catalog has another version of this plan: fetch it.", "MaintenanceInfoConflict")
    return version


def read_ids(broker: Reference, call: Call) -> tuple[str, str]:
    """Return the two ids that a DELETE must name in its query (UNB-06, UNB-07, DEP-07, DEP-08)."""
    ids = call.query.get("service_id", ""), call.query.get("plan_id", "")
    if broker.conduct.require_delete_ids and not all(ids):
        raise refuse(400, "The query lacks service_id or plan_id.")
    return ids


def check_ids(broker: Reference, plan: Plan, service_id: str, plan_id: str) -> None:
    """Refuse ids in a query that are not those of the resource; any plan of its offering will do (LOI-03, CAT-07)."""
    if service_id and service_id != plan.service_id:
        raise refuse(400, "The service_id is not that of the instance.")
    if plan_id and plan_id not in broker.catalog.offerings[plan.service_id].plans:
        raise refuse(400, "The plan_id is none of the instance's offering.")
