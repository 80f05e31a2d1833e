"""The update of an instance: what may change, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.checker.reference.catalog import is_offered
from tests.checker.reference.instances import check_retired, read_size, show, write_dashboard
from tests.checker.reference.operations import begin, decide, refuse_concurrent, repeat
from tests.checker.reference.plans import Plan
from tests.checker.reference.requests import check_maintenance, read_body, read_object, read_parameters, read_text
from tests.checker.reference.state import OVER, Instance
from tests.checker.reference.wire import Call, RefusalError, Reply, refuse

if TYPE_CHECKING:
    from tests.checker.reference.app import Reference


@dataclass(frozen=True)
class Change:
    """What an update asks for; None for what is to stay."""

    plan: Plan
    parameters: dict[str, Any] | None
    context: dict[str, Any] | None
    version: str | None
    clears: bool = False  # by a fault: parameters that are absent are taken for empty ones


def update(broker: Reference, call: Call) -> Reply:
    """Update an instance (PATCH)."""
    body = read_body(broker, call)
    service_id = read_text(body, "service_id")
    previous = read_object(body, "previous_values")
    if previous is None and broker.conduct.require_previous_values:
        raise refuse(400, "previous_values is missing.")
    instance = broker.find_instance(call)
    if instance is None or instance.status in OVER:
        raise refuse(404, "There is no instance with this id.")
    if service_id != instance.plan.service_id and broker.conduct.check_service_on_update:
        raise refuse(400, "The service_id is not that of the instance.")
    check_retired(broker, instance.plan)
    change = read_change(broker, body, instance)
    try:
        return change_instance(broker, call, instance, change)
    except RefusalError as error:
        if is_applied_all_the_same(broker, error.reply.status):
            apply(broker, instance, change)
        raise


def is_applied_all_the_same(broker: Reference, status: int) -> bool:
    """Tell whether, by a fault, a change is made though the answer is an error."""
    conduct = broker.conduct
    return conduct.apply_broken_update if status >= 500 else conduct.apply_refused_update


def read_change(broker: Reference, body: dict[str, Any], instance: Instance) -> Change:
    """Return what an update asks for."""
    conduct = broker.conduct
    plan = find_target(broker, body, instance)
    parameters = read_parameters(broker, body, plan, "service_instance", "update")
    context = read_object(body, "context", conduct.check_context_is_object)
    context_only = context is not None and not body.keys() - {"service_id", "context"}
    clears = (parameters is None and not conduct.keep_parameters_when_absent) or (
        context_only and not conduct.keep_all_on_context_update
    )
    version = check_maintenance(broker, body, plan, conduct.check_maintenance_version_on_update)
    return Change(plan, parameters, context, version, clears)


def mix(instance: Instance, change: Change) -> dict[str, Any]:
    """Return the parameters as they are after a change; those not named in it stay (UPD-11)."""
    return {} if change.clears else {**instance.parameters, **(change.parameters or {})}


def find_target(broker: Reference, body: dict[str, Any], instance: Instance) -> Plan:
    """Return the plan that an update asks for: without `plan_id` the one the instance has (UPD-10)."""
    plans = broker.catalog.offerings[instance.plan.service_id].plans
    if "plan_id" not in body:
        return instance.plan if broker.conduct.keep_plan_when_absent else next(iter(plans.values()))
    target = plans.get(read_text(body, "plan_id"))
    if target is instance.plan:
        return target
    if target is None or not is_offered(target, broker.catalog.changed):
        if broker.conduct.check_plan_on_update:
            raise refuse(400, "The offering has no plan with this plan_id.")
        return instance.plan
    return target


def change_instance(broker: Reference, call: Call, instance: Instance, change: Change) -> Reply:
    """Make a change in the request, or begin to."""
    mode = instance.plan.behaviour.update
    running = instance.running
    if running is not None and running.kind == "update" and running.wanted == change:
        return repeat(broker, call, running)
    asynchronous = decide(broker, call, mode)
    if running is not None:
        check_running(broker, instance, running.kind)
    check_transition(broker, instance, change)
    if not is_change(instance, change):
        # UPD-22
        apply_context(broker, instance, change)
        return Reply(200, show(instance))
    check_quota(broker, instance, change)
    if "update" in instance.plan.behaviour.breaks:
        raise refuse(
            500, "The update broke, and was undone.", "UpdateBroke", instance_usable=True, update_repeatable=False
        )
    if asynchronous:
        return begin_update(broker, instance, change)
    apply(broker, instance, change)
    return Reply(200, show(instance))


def begin_update(broker: Reference, instance: Instance, change: Change) -> Reply:
    """Begin an update; a new dashboard is told of at once (UPD-35)."""
    later = Instance(instance.id, change.plan, instance.wanted, number=instance.number, changes=instance.changes + 1)
    later.parameters = mix(instance, change)
    later.dashboard_url = write_dashboard(later)
    fields = show(later if "update" not in instance.plan.behaviour.fails else instance)
    return begin(broker, instance, "update", "update", change, lambda: apply(broker, instance, change), **fields)


def check_running(broker: Reference, instance: Instance, kind: str) -> None:
    """Refuse an update while another operation runs (UPD-41)."""
    conduct = broker.conduct
    refused = {
        "create": conduct.refuse_update_while_creating,
        "update": conduct.refuse_update_while_updating,
        "delete": conduct.refuse_update_while_deleting,
    }
    if refused[kind]:
        raise refuse_concurrent(broker, instance)


def check_transition(broker: Reference, instance: Instance, change: Change) -> None:
    """Refuse a change of plan that is not supported (UPD-28); other changes are not asked about (UPD-04)."""
    conduct = broker.conduct
    offering = broker.catalog.offerings[instance.plan.service_id]
    fixed = not instance.plan.says.get("plan_updateable", offering.says.get("plan_updateable", False))
    if fixed and conduct.gate_all_updates_by_plan_updateable:
        raise refuse(422, "Instances of this plan cannot be updated.")
    if change.plan is instance.plan or not conduct.refuse_locked_plans:
        return
    if fixed or change.plan.behaviour.locked:
        raise refuse(422, f"An instance cannot change to the plan {change.plan.name}.", instance_usable=True)


def check_quota(broker: Reference, instance: Instance, change: Change) -> None:
    """Refuse what is above the quota of the plan (UPD-29)."""
    size = read_size(mix(instance, change))
    if size > change.plan.behaviour.quota and broker.conduct.refuse_over_quota_update:
        raise refuse(
            422,
            "The size is above the quota of the plan.",
            "QuotaExceeded",
            instance_usable=True,
            update_repeatable=False,
        )


def is_change(instance: Instance, change: Change) -> bool:
    """Tell whether an update changes anything but the context."""
    return (
        change.plan is not instance.plan
        or mix(instance, change) != instance.parameters
        or change.version not in (None, instance.version)
    )


def apply(broker: Reference, instance: Instance, change: Change) -> None:
    """Make a change."""
    instance.parameters = mix(instance, change)
    if change.plan is not instance.plan:
        instance.plan = change.plan
        instance.version = broker.catalog.version_of(change.plan)
        instance.dashboard_url = write_dashboard(instance)
    if change.version is not None:
        instance.version = change.version
    instance.changes += 1
    apply_context(broker, instance, change)


def apply_context(broker: Reference, instance: Instance, change: Change) -> None:
    """Take the new context, where the offering declares that it may change (UPD-01)."""
    if change.context is not None and broker.catalog.offerings[instance.plan.service_id].says.get(
        "allow_context_updates"
    ):
        instance.context = change.context
