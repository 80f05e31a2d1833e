"""What is done with instances: the request, what may be left behind of it, and what the record gets."""

from __future__ import annotations

import uuid
from typing import Any

import click
from msgspec.structs import replace

from openbrokerapi.platform import Call, MaintenanceInfo, Offering, Orphan, Plan, Updated, calls

from .choosing import ChoiceError, check_parameters, find_offering, find_plan
from .desk import Desk, recorded_instance
from .nature import DEPROVISION, PROVISION, UPDATE
from .parameter_flags import parameters_of
from .record import Binding, Instance, Named, State
from .subject import Subject
from .undertaking import Outcome, Undertaking


def orphan_of(instance: Instance, binding: Binding | None = None) -> Orphan:
    """Give what may be left behind of an instance, or of a binding of it."""
    return Orphan(
        instance_id=instance.id,
        binding_id=None if binding is None else binding.id,
        service_id=instance.offering.id,
        plan_id=instance.plan.id,
        maximum_polling_duration=instance.maximum_polling_duration,
    )


def given_parameters(desk: Desk, plan: Plan | None, endpoint: str) -> dict[str, Any] | None:
    """Read the parameters of the options, and compare them with the plan's schema."""
    parameters = parameters_of(desk.options["assignments"], desk.options["documents"])
    if plan is not None and not desk.options["no_check"]:
        check_parameters(plan, endpoint, parameters)
    return parameters


def provision(desk: Desk, name: str, offering: str, plan: str) -> tuple[Undertaking, Outcome]:
    """Make an instance, and record it under a name before the broker hears of it.

    Args:
        desk: What to work with.
        name: What the operator calls it.
        offering: The name or the id of the offering.
        plan: The name or the id of the plan.
    """
    subject = desk.about(name)
    before = subject.load()
    _refuse_known(subject, before)
    chosen = find_offering(desk.catalog(), offering)
    chosen_plan = find_plan(chosen, plan)
    parameters = given_parameters(desk, chosen_plan, "provision")
    entry = _new_instance(desk, subject, chosen, chosen_plan)
    if isinstance(before, Instance):
        entry = _repeated(before, entry)
    context = desk.context()
    call = calls.provision(
        entry.id,
        chosen.id,
        chosen_plan.id,
        parameters=parameters,
        context=context.of_instance(name),
        organization_guid=context.organization_guid,
        space_guid=context.space_guid,
        maintenance_info=_maintenance_info(entry.maintenance_version),
        accepts_incomplete=desk.options["accepts_incomplete"],
    )
    undertaking = Undertaking(nature=PROVISION, subject=subject, orphan=orphan_of(entry), before=before)
    return undertaking, desk.pursuer().carry_out(undertaking, call, undertaking.asked(entry))


def _refuse_known(subject: Subject, known: Instance | Binding | None) -> None:
    if known is None or (known.state is State.CREATING and known.pending and not known.pending.accepted):
        return  # a request without an answer is sent again as it was
    how = f": {subject.command('poll')} waits for its end" if known.pending else ""
    raise ChoiceError(f"there is {subject} already ({known.state}){how}; take another name, or delete it first")


def _new_instance(desk: Desk, subject: Subject, offering: Offering, plan: Plan) -> Instance:
    context = desk.context()
    version = desk.options["maintenance_version"] or (plan.maintenance_info and plan.maintenance_info.version)
    return Instance(
        name=subject.name,
        id=desk.options["instance_id"] or str(uuid.uuid4()),
        broker=desk.target.url,
        offering=Named(offering.id, offering.name),
        plan=Named(plan.id, plan.name),
        state=State.CREATING,
        platform=context.platform,
        organization=context.organization_guid,
        space=context.space_guid,
        maintenance_version=version or None,  # PROV-13
        maximum_polling_duration=plan.maximum_polling_duration,
    )


def _repeated(before: Instance, wanted: Instance) -> Instance:
    if (before.offering.id, before.plan.id) != (wanted.offering.id, wanted.plan.id):
        raise ChoiceError(
            f"{before.name} was asked for as {before.offering.name} {before.plan.name}, and never answered: "
            "ask for the same again, or delete it first"
        )
    return replace(wanted, id=before.id)


def _maintenance_info(version: str | None) -> MaintenanceInfo | None:
    return None if version is None else MaintenanceInfo(version=version)


def update(desk: Desk, name: str) -> tuple[Undertaking, Outcome]:
    """Change an instance as the options say.

    Args:
        desk: What to work with.
        name: The instance.
    """
    instance = recorded_instance(desk, name)
    subject = desk.about(instance.name)
    offering = find_offering(desk.catalog(), instance.offering.id)
    current = next((each for each in offering.plans if each.id == instance.plan.id), None)
    target = find_plan(offering, desk.options["plan"]) if desk.options["plan"] else current
    parameters = given_parameters(desk, target, "update")
    changes = target if target is not None and target.id != instance.plan.id else None
    version = desk.options["maintenance_version"]
    if changes is None and parameters is None and version is None:
        _refuse_empty(desk, offering)
    if changes is not None and current is not None and not current.plan_updateable:  # UPD-03
        raise ChoiceError(f"the plan {current.name} cannot be changed: the catalog says so")
    undertaking = Undertaking(nature=UPDATE, subject=subject, orphan=orphan_of(instance), before=instance)
    asked = undertaking.asked(
        instance, plan=None if changes is None else Named(changes.id, changes.name), maintenance_version=version
    )
    call = _update(desk, instance, changes, parameters)
    return undertaking, desk.pursuer().carry_out(undertaking, call, asked)


def _refuse_empty(desk: Desk, offering: Offering) -> None:
    if not desk.options["context"]:
        raise click.UsageError("what is to be changed? give --plan, -p, -P or --maintenance-version")
    if not offering.allow_context_updates:
        raise ChoiceError(f"{offering.name} takes no update of the context alone: the catalog says so")


def _update(desk: Desk, instance: Instance, plan: Plan | None, parameters: dict[str, Any] | None) -> Call[Updated]:
    known = instance.maintenance_version
    return calls.update(
        instance.id,
        instance.offering.id,
        plan_id=None if plan is None else plan.id,
        parameters=parameters,
        context=desk.context(instance).of_instance(instance.name),
        # UPD-17
        previous_values={
            "plan_id": instance.plan.id,
            **({"maintenance_info": {"version": known}} if known is not None else {}),
        },
        maintenance_info=_maintenance_info(desk.options["maintenance_version"]),
        accepts_incomplete=desk.options["accepts_incomplete"],
    )


def deprovision(desk: Desk, name: str) -> tuple[Undertaking, Outcome]:
    """Delete an instance, which must have no bindings any more (DEP-02).

    Args:
        desk: What to work with.
        name: The instance.
    """
    instance = recorded_instance(desk, name)
    if instance.bindings:
        names = ", ".join(each.name for each in instance.bindings)
        raise ChoiceError(f"{instance.name} has bindings: {names}; delete them first, or say --with-bindings")
    undertaking = Undertaking(
        nature=DEPROVISION, subject=desk.about(instance.name), orphan=orphan_of(instance), before=instance
    )
    call = calls.deprovision(
        instance.id,
        instance.offering.id,
        instance.plan.id,
        accepts_incomplete=desk.options["accepts_incomplete"],
    )
    return undertaking, desk.pursuer().carry_out(undertaking, call, undertaking.asked(instance))
