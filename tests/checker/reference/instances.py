"""The endpoints of an instance: provision, fetch, update, deprovision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.checker.reference.operations import begin, decide, delete, refuse_concurrent, repeat
from tests.checker.reference.plans import SECRETS, Plan
from tests.checker.reference.requests import (
    KNOWN_FIELDS,
    check_ids,
    check_maintenance,
    find_plan,
    read_body,
    read_ids,
    read_object,
    read_parameters,
    read_text,
)
from tests.checker.reference.state import OVER, Instance
from tests.checker.reference.wire import Call, Reply, refuse

if TYPE_CHECKING:
    from tests.checker.reference.app import Reference


def provision(broker: Reference, call: Call) -> Reply:
    """Create an instance (PUT)."""
    body = read_body(broker, call)
    plan = find_plan(broker, body)
    organization, space = read_text(body, "organization_guid"), read_text(body, "space_guid")
    context = read_object(body, "context", broker.conduct.check_context_is_object) or {}
    parameters = read_parameters(broker, body, plan, "service_instance", "create") or {}
    asynchronous = decide(broker, call, plan.behaviour.provision)
    check_maintenance(broker, body, plan, broker.conduct.check_maintenance_version)
    wanted = {"plan": plan.id, "guids": (organization, space), "parameters": parameters, "context": context}
    wanted["unknown"] = {name: value for name, value in body.items() if name not in KNOWN_FIELDS["provision"]}
    present = broker.find_instance(call)
    if present is not None and present.status not in OVER:
        return provision_again(broker, call, present, wanted)
    instance = Instance(call.instance_id, plan, wanted, organization_guid=organization, space_guid=space)
    instance.parameters, instance.context = parameters, context
    return create(broker, instance, asynchronous, call)


def create(broker: Reference, instance: Instance, asynchronous: bool, call: Call) -> Reply:
    """Create what is not there yet, unless the plan has no room or breaks."""
    plan = instance.plan
    if plan.behaviour.is_full or read_size(instance.parameters) > plan.behaviour.quota:
        raise refuse(422, "The quota of this plan is used up.")
    if "provision" in plan.behaviour.breaks:
        raise refuse(500, "The creation broke, and was undone.")
    instance.number = broker.count()
    instance.dashboard_url = write_dashboard(instance)
    instance.version = broker.catalog.version_of(plan)
    broker.instances(call)[instance.id] = instance
    if asynchronous:
        return begin(broker, instance, "create", "provision", instance.wanted, lambda: None, **show(instance))
    return Reply(201, show(instance))


def provision_again(broker: Reference, call: Call, instance: Instance, wanted: dict[str, Any]) -> Reply:
    """Answer a PUT whose id is taken: the same request, another one (PROV-25), or one at the wrong time (PROV-34)."""
    conduct = broker.conduct
    running = instance.running
    if running is not None and running.kind == "delete" and conduct.refuse_put_while_deleting:
        raise refuse_concurrent(broker, instance)
    check = running is None or conduct.compare_while_running
    if check and not (is_same(broker, instance, wanted) and conduct.recognise_repeat):
        if conduct.overwrite_on_conflict:
            instance.parameters = wanted["parameters"]
            instance.plan = broker.catalog.offerings[instance.plan.service_id].plans.get(wanted["plan"], instance.plan)
        raise refuse(409, "There is an instance with this id and other attributes.")
    if running is None:
        return Reply(200, show(instance))
    if running.kind != "create":
        raise refuse_concurrent(broker, instance)
    return repeat(broker, call, running)


def is_same(broker: Reference, instance: Instance, wanted: dict[str, Any]) -> bool:
    """Tell whether a repeated PUT asks for what is there; context and unknown fields do not count (EXT-04, CTX-13)."""
    conduct, first = broker.conduct, instance.wanted
    return (
        (not conduct.compare_plan or wanted["plan"] == instance.plan.id)
        and (not conduct.compare_parameters or wanted["parameters"] == instance.parameters)
        and (not conduct.compare_guids or wanted["guids"] == (instance.organization_guid, instance.space_guid))
        and (not conduct.compare_context or wanted["context"] == instance.context)
        and (not conduct.compare_unknown_fields or wanted["unknown"] == first["unknown"])
    )


def read_size(parameters: dict[str, Any]) -> int:
    """Return the size that parameters ask for; by a fault they may hold anything."""
    size = parameters.get("size")
    return size if isinstance(size, int) else 1


def write_dashboard(instance: Instance) -> str:
    """Return the address of an instance's dashboard, which its plan is a part of."""
    return f"https://dashboard.reference.example/{instance.plan.name}/{quote(instance.id, safe='')}"


def show(instance: Instance) -> dict[str, Any]:
    """Return what the answers to provision, update and fetch have in common."""
    return {
        "dashboard_url": instance.dashboard_url,
        "metadata": {
            "labels": {"plan": instance.plan.name},
            "attributes": {"size": read_size(instance.parameters), "changes": instance.changes},
        },
        # EXT-01, EXT-02
        "x-reference-number": instance.number,
    }


def fetch_instance(broker: Reference, call: Call) -> Reply:
    """Show an instance (GET)."""
    conduct = broker.conduct
    instance = broker.find_instance(call)
    visible = {"ready", "updating"}
    visible |= {"creating"} if conduct.fetch_while_creating else set()
    visible |= {"deleted"} if conduct.fetch_after_delete else set()
    if instance is None or instance.status not in visible:
        raise refuse(404, "There is no instance with this id.")
    offering = broker.catalog.offerings[instance.plan.service_id]
    if not offering.says.get("instances_retrievable"):
        raise refuse(404, "The instances of this offering are not shown.")
    if conduct.fetch_requires_query and not (call.query.get("service_id") and call.query.get("plan_id")):
        raise refuse(400, "The query lacks service_id or plan_id.")
    if instance.status == "updating" and not (
        instance.plan.behaviour.fetchable_while_updating or conduct.fetch_while_updating
    ):
        raise refuse_concurrent(broker, instance)
    return Reply(200, describe(broker, instance))


def describe(broker: Reference, instance: Instance) -> dict[str, Any]:
    """Return the body of a fetch; secrets among the parameters are left out (GETI-10)."""
    shown = {name: value for name, value in instance.parameters.items() if name not in SECRETS}
    plan_id = instance.plan.id if broker.conduct.fetch_shows_new_plan else instance.wanted["plan"]
    body = {**show(instance), "service_id": instance.plan.service_id, "plan_id": plan_id, "parameters": shown}
    if not broker.conduct.show_attribute_changes:
        body["metadata"] = {**body["metadata"], "attributes": {"size": 1, "changes": 0}}
    if instance.version is not None:
        body["maintenance_info"] = {"version": instance.version}
    return body


def deprovision(broker: Reference, call: Call) -> Reply:
    """Delete an instance (DELETE), and with it its bindings."""
    ids = read_ids(broker, call)
    instance = broker.find_instance(call)
    if instance is not None:
        check_ids(broker, instance.plan, *ids)
        check_retired(broker, instance.plan)
    return delete(broker, call, instance, "deprovision")


def check_retired(broker: Reference, plan: Plan) -> None:
    """Refuse, by a fault only, what is asked of a plan that is in the catalog no longer (CAT-07)."""
    if plan.behaviour.retired and broker.catalog.changed and not broker.conduct.serve_retired_plans:
        raise refuse(400, "The offering has no plan with this plan_id.")
