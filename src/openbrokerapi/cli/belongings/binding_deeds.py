"""What is done with bindings: the request, what may be left behind of it, and what the record gets."""

from __future__ import annotations

import uuid
from typing import Any

import click

from openbrokerapi.platform import Binding as Fetched
from openbrokerapi.platform import Bound, Call, Offering, Plan, calls

from .choosing import ChoiceError, find_offering, find_plan
from .desk import Desk, recorded_binding, recorded_instance
from .instance_deeds import given_parameters, orphan_of
from .nature import BIND, UNBIND
from .record import Binding, Instance, State
from .undertaking import Outcome, Undertaking


def bind(desk: Desk, name: str, key: str) -> tuple[Undertaking, Outcome, Bound | Fetched | None]:
    """Make a binding, and record it before the broker hears of it.

    Args:
        desk: What to work with.
        name: The instance.
        key: What the operator calls the binding.

    Returns:
        The undertaking, what came of it, and what the broker says of the binding, if it has ended.
    """
    instance, offering, plan = _bindable(desk, name)
    parameters = given_parameters(desk, plan, "bind")
    binding = _new_binding(desk, instance, key)
    route = desk.options["route"]
    call = calls.bind(
        instance.id,
        binding.id,
        instance.offering.id,
        instance.plan.id,
        parameters=parameters,
        context=desk.context(instance).of_binding(),
        app_guid=desk.options["app"],
        bind_resource={"route": route} if route else None,
        accepts_incomplete=desk.options["accepts_incomplete"],
    )
    return _made(desk, instance, offering, binding, call)


def rotate(desk: Desk, name: str, key: str, successor: str) -> tuple[Undertaking, Outcome, Bound | Fetched | None]:
    """Make the successor of a binding; both are valid from then on (ROT-01).

    Args:
        desk: What to work with.
        name: The instance.
        key: The binding that is there.
        successor: What the operator calls the new one.
    """
    instance, offering, plan = _bindable(desk, name)
    predecessor = recorded_binding(instance, key)
    if not plan.binding_rotatable:
        raise ChoiceError(f"bindings of the plan {plan.name} cannot be rotated: the catalog says so")
    binding = _new_binding(desk, instance, successor)
    call = calls.rotate(
        instance.id,
        binding.id,
        predecessor.id,
        service_id=instance.offering.id,
        plan_id=instance.plan.id,
        context=desk.context(instance).of_binding(),
        accepts_incomplete=desk.options["accepts_incomplete"],
    )
    return _made(desk, instance, offering, binding, call)


def unbind(desk: Desk, name: str, key: str) -> tuple[Undertaking, Outcome]:
    """Delete a binding.

    Args:
        desk: What to work with.
        name: The instance.
        key: The binding.
    """
    instance = recorded_instance(desk, name)
    binding = recorded_binding(instance, key)
    undertaking = Undertaking(
        nature=UNBIND,
        subject=desk.about(instance.name, binding.name),
        orphan=orphan_of(instance, binding),
        before=binding,
    )
    call = calls.unbind(
        instance.id,
        binding.id,
        instance.offering.id,
        instance.plan.id,
        accepts_incomplete=desk.options["accepts_incomplete"],
    )
    return undertaking, desk.pursuer().carry_out(undertaking, call, undertaking.asked(binding))


def _bindable(desk: Desk, name: str) -> tuple[Instance, Offering, Plan]:
    instance = recorded_instance(desk, name)
    offering = find_offering(desk.catalog(), instance.offering.id)
    plan = find_plan(offering, instance.plan.id)
    if not plan.bindable:  # BIND-01
        raise ChoiceError(f"the plan {plan.name} is not bindable: the catalog says so")
    if not instance.usable:  # UPD-33, DEP-19
        raise ChoiceError(f"{instance.name} is not usable, the broker says; update it or delete it")
    _refuse_to_lose_credentials(desk, offering)
    return instance, offering, plan


def _refuse_to_lose_credentials(desk: Desk, offering: Offering) -> None:
    kept = desk.options["show_credentials"] or desk.options["write_credentials"] or desk.options.get("route")
    if not offering.bindings_retrievable and not kept:
        raise click.UsageError(
            f"bindings of {offering.name} cannot be fetched later: give --write-credentials FILE or --show-credentials"
        )


def _new_binding(desk: Desk, instance: Instance, key: str) -> Binding:
    known = instance.binding(key)
    if known is None:
        return Binding(name=key, id=desk.options["binding_id"] or str(uuid.uuid4()), state=State.CREATING)
    if known.state is State.CREATING and known.pending and not known.pending.accepted:
        return known  # a request without an answer is sent again as it was
    raise ChoiceError(
        f"there is {key} of {instance.name} already ({known.state}); take another name, or delete it first"
    )


def _made(
    desk: Desk, instance: Instance, offering: Offering, binding: Binding, call: Call[Bound]
) -> tuple[Undertaking, Outcome, Bound | Fetched | None]:
    undertaking = Undertaking(
        nature=BIND,
        subject=desk.about(instance.name, binding.name),
        orphan=orphan_of(instance, binding),
        before=instance.binding(binding.name),
    )
    outcome = desk.pursuer().carry_out(undertaking, call, undertaking.asked(binding))
    return undertaking, outcome, None if outcome.in_progress else _details(desk, instance, offering, binding, outcome)


def _details(
    desk: Desk, instance: Instance, offering: Offering, binding: Binding, outcome: Outcome
) -> Bound | Fetched | None:
    answer: Any = outcome.answer
    if isinstance(answer, Bound) and not answer.in_progress:
        return answer
    if not offering.bindings_retrievable:
        return None
    # LOB-19: now it can be had, and the 202 did not bring it.
    return desk.client.fetch_binding(instance.id, binding.id, service_id=instance.offering.id, plan_id=instance.plan.id)
