"""Instances to update, and what a fetch shows of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openbrokerapi.conformance.asking import Instance
from openbrokerapi.conformance.conversation import Conversation
from openbrokerapi.conformance.cooperation import Trait
from openbrokerapi.conformance.subjects import Subject
from openbrokerapi.conformance.wire import Answer, Endpoint, Request

#: Updates of these plans do not come to a good end, and are not to.
_SPOILED = frozenset({Trait.FAILS_UPDATE, Trait.BREAKS_UPDATE, Trait.OVER_QUOTA_UPDATE})


def can_be_updated(subject: Subject) -> bool:
    """Say whether the catalog or the survey shows that instances can be updated in some way."""
    if subject.help.traits & _SPOILED:
        return False
    declared = subject.plan.updateable or subject.plan.schema("service_instance", "update") is not None
    return declared or takes_context(subject) or takes_parameters(subject)


def takes_parameters(subject: Subject) -> bool:
    """Say whether the survey has seen parameters of an instance change."""
    return subject.life.worked(Endpoint.UPDATE) and not subject.help.traits & _SPOILED


def takes_context(subject: Subject) -> bool:
    """Say whether the offering declares that its instances take a new context (UPD-01)."""
    return subject.offering.raw.get("allow_context_updates") is True


def is_shown(subject: Subject) -> bool:
    """Say whether the survey could fetch an instance; it does where the catalog and the version have that."""
    return subject.life.worked(Endpoint.FETCH_INSTANCE)


def to_update(talk: Conversation, where: Callable[[Subject], bool] = lambda _: True, wanted: str = "") -> Subject:
    """Find a plan whose instances can be updated in some way.

    Raises:
        SetAside: There is none.
    """
    words = "one whose instances can be updated" + (f", {wanted}" if wanted else "")
    return talk.subject(lambda each: can_be_updated(each) and where(each), words)


def to_update_slowly(talk: Conversation) -> Subject:
    """Find a plan whose updates are asynchronous, one that the file calls slow where there is one.

    Raises:
        SetAside: No update is asynchronous.
    """
    # Without a slow one the update may be over too soon: `still_in_progress` then asks for it.
    slow = [each for each in talk.usable() if _is_asynchronous(each) and each.has(Trait.SLOW)]
    wanted = "one whose parameters can be updated"
    return slow[0] if slow else talk.subject(_is_asynchronous, wanted, asynchronous=Endpoint.UPDATE)


def _is_asynchronous(subject: Subject) -> bool:
    return takes_parameters(subject) and subject.life.asynchronous(Endpoint.UPDATE)


def real_change(subject: Subject) -> dict[str, Any]:
    """Return fields of an update that change something, where such are known; else none."""
    return {"parameters": subject.update_parameters} if takes_parameters(subject) else {}


async def own_plan(talk: Conversation, instance: Instance) -> Answer:
    """Send an update that names the plan that the instance has, and wait until it is done.

    Raises:
        SetAside: The broker takes no plan at all, as the catalog says that it does not change; or the update failed.
    """
    answer = await talk.send(talk.ask.update(instance, plan_id=instance.subject.plan.id))
    if answer.refused and not instance.subject.plan.updateable:
        talk.not_applicable("the broker takes no update that names a plan, and the catalog does not say that it does")
    await talk.done(answer, instance)
    return answer


async def updated(talk: Conversation, request: Request, instance: Instance) -> Answer:
    """Send an update that is to work, and wait until it is done.

    Raises:
        SetAside: It was refused, or it failed.
    """
    answer = await talk.send(request)
    await talk.done(answer, instance)
    return answer


async def sent(talk: Conversation, request: Request, instance: Instance) -> Answer:
    """Send an update that may be refused, and wait until nothing goes on any more."""
    answer = await talk.send(request)
    if answer.status == 202:
        await talk.finish(answer, instance)
    return answer


async def fetched(talk: Conversation, instance: Instance) -> Answer:
    """Fetch an instance, whatever its plan now is.

    Raises:
        SetAside: The broker does not show it.
    """
    answer = await talk.send(talk.ask.fetch(instance).without_query("plan_id", "service_id"))
    if answer.status != 200 or not answer.is_object:
        talk.undecided(f"the fetch that this check looks into was answered with {answer.status}")
    return answer


def same(before: Answer, after: Answer) -> bool:
    """Say whether two fetches show the same plan, parameters and maintenance."""
    names = ("plan_id", "parameters", "maintenance_info")
    return all(before.fields.get(name) == after.fields.get(name) for name in names)
