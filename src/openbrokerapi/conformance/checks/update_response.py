"""How an update (``PATCH I``) is answered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openbrokerapi.conformance.asking import Instance
from openbrokerapi.conformance.check import Watched, check, watch
from openbrokerapi.conformance.checks.update_subjects import (
    fetched,
    is_shown,
    real_change,
    same,
    sent,
    takes_parameters,
    to_update,
    to_update_slowly,
    updated,
)
from openbrokerapi.conformance.conversation import Conversation
from openbrokerapi.conformance.cooperation import Trait
from openbrokerapi.conformance.subjects import Subject
from openbrokerapi.conformance.wire import Answer, Endpoint

_STATES = ("in progress", "succeeded", "failed")


@watch("UPD-38", "UPD-40")
def what_an_answer_to_an_update_holds_is_of_the_right_type(
    answer: Answer, _: Watched
) -> Iterator[tuple[str, bool, str]]:
    if answer.request.endpoint is not Endpoint.UPDATE or not answer.ok:
        return
    if "operation" in answer.fields:
        yield "UPD-38", answer.operation is not None, "a text that is not empty as operation, or none at all"
    metadata = answer.fields.get("metadata")
    if metadata is not None:
        yield "UPD-40", isinstance(metadata, dict), "an object as metadata"


@check("UPD-05", "UPD-28")
async def a_change_of_plan_that_is_not_supported_is_refused_with_422_and_a_reason(talk: Conversation) -> None:
    subject, target = _refusing(talk)
    instance = await talk.instance(subject)
    answer = await sent(talk, talk.ask.update(instance, plan_id=target), instance)
    talk.expect_status(answer, 422, "UPD-28")
    if answer.ok:
        talk.undecided("the broker does not refuse the change to the plan that the file names under update_not_to")
    reason = answer.fields.get("description")
    talk.expect("UPD-05", isinstance(reason, str) and bool(reason), "a description that says why", answer)


def _refusing(talk: Conversation) -> tuple[Subject, str]:
    """Find a plan, and the id of another one that its instances must not change to."""
    found = [
        (each, each.forbidden_target.id) for each in talk.usable() if each.plan.updateable and each.forbidden_target
    ]
    if not any(each.plan.updateable and each.another_plan for each in talk.usable()):
        talk.not_applicable("no plan may change to another one, by the catalog")
    if not found:
        talk.needs_help("name under update_not_to in the file a plan that instances of another one cannot change to")
    return found[0]


@check("UPD-29")
async def an_update_that_the_state_of_the_instance_forbids_is_answered_with_422(talk: Conversation) -> None:
    subject = talk.subject_with(Trait.OVER_QUOTA_UPDATE, lambda each: each.usable)
    instance = await talk.instance(subject)
    answer = await sent(talk, talk.ask.update(instance, **_told(talk, subject)), instance)
    talk.expect_status(answer, 422, "UPD-29")


def _told(talk: Conversation, subject: Subject) -> dict[str, Any]:
    """Return the fields of the update that the file says something of."""
    told: dict[str, Any] = {}
    # Guessed ones beside a change of plan might make it one that is allowed.
    if subject.help.update_parameters is not None:
        told["parameters"] = dict(subject.help.update_parameters)
    if subject.help.update_to is not None and subject.target is not None:
        told["plan_id"] = subject.target.id
    if not told:
        talk.needs_help(f"give {subject.name} an update_to or update_parameters in the file")
    return told


@check("UPD-31")
async def an_update_that_is_refused_changes_nothing(talk: Conversation) -> None:
    refusals = 0
    for subject, fields in _to_be_refused(talk):
        instance = await talk.instance(subject)
        refusals += await _expect_unchanged(talk, instance, fields)
    if not refusals:
        talk.not_applicable("no update is known that the broker refuses, of an instance that can be fetched")


def _to_be_refused(talk: Conversation) -> list[tuple[Subject, dict[str, Any]]]:
    """List updates with bad parameters, to a plan that is not to be had, or half good, where such are known."""
    shown = [each for each in talk.usable() if is_shown(each)]
    bad: list[tuple[Subject, dict[str, Any]]]
    both: list[tuple[Subject, dict[str, Any]]]
    bad = [(each, {"parameters": each.bad_update_parameters}) for each in shown if each.bad_update_parameters]
    plans = [(each, {"plan_id": each.forbidden_target.id}) for each in shown if each.forbidden_target]
    # The plan may be had, the parameters not: neither is to be taken.
    both = [
        (each, {"plan_id": each.target.id, "parameters": each.bad_update_parameters})
        for each in shown
        if each.target is not None and each.bad_update_parameters
    ]
    return bad[:1] + plans[:1] + both[:1]


async def _expect_unchanged(talk: Conversation, instance: Instance, fields: dict[str, Any]) -> bool:
    """Judge UPD-31 by one update; return whether it was refused at all."""
    before = await fetched(talk, instance)
    answer = await sent(talk, talk.ask.update(instance, **fields), instance)
    if answer.status < 400:
        return False
    after = await fetched(talk, instance)
    talk.expect("UPD-31", same(before, after), "an instance as before the update, which was refused", answer, after)
    return True


@check("UPD-31")
async def an_update_that_breaks_changes_nothing(talk: Conversation) -> None:
    subject = talk.subject_with(Trait.BREAKS_UPDATE, lambda each: each.usable and is_shown(each))
    instance = await talk.instance(subject)
    if not await _expect_unchanged(talk, instance, _told(talk, subject)):
        talk.undecided(f"an update of {subject.name} does not break")


@check("UPD-07")
async def an_update_that_is_only_asynchronous_needs_the_flag(talk: Conversation) -> None:
    talk.subject(takes_parameters, "one whose parameters can be updated", asynchronous=Endpoint.UPDATE)
    found = [each for each in talk.usable() if takes_parameters(each) and each.life.asynchronous(Endpoint.UPDATE)]
    refusals = 0
    for subject in found[:3]:
        instance = await talk.instance(subject)
        request = talk.ask.update(instance, parameters=subject.update_parameters)
        for unflagged in (request.without_query(), request.with_query(accepts_incomplete="false")):
            answer = await sent(talk, unflagged, instance)
            if answer.ok:
                break
            refusals += 1
            required = answer.status == 422 and answer.error == "AsyncRequired"
            talk.expect("UPD-07", required, "422 with the error AsyncRequired", answer)
        if refusals:
            return
    talk.not_applicable("all updates are made without accepts_incomplete=true as well")


@check("UPD-21")
async def an_update_that_is_answered_with_200_has_been_made(talk: Conversation) -> None:
    subject = to_update(
        talk,
        lambda each: takes_parameters(each) and not each.life.asynchronous(Endpoint.UPDATE),
        "whose parameters are changed at once",
    )
    instance = await talk.instance(subject)
    before = await fetched(talk, instance) if is_shown(subject) else None
    answer = await talk.send(talk.ask.update(instance, parameters=subject.update_parameters))
    if answer.status == 202:
        talk.undecided("the same update was made at once before, and is not now")
    well = answer.status == 200 and answer.is_object and _is_text_or_nothing(answer.fields.get("dashboard_url"))
    talk.expect("UPD-21", well, "200 with {}, or an object with a dashboard_url or metadata", answer)
    if before is not None and answer.status == 200:
        after = await fetched(talk, instance)
        made = _is_made(subject.update_parameters or {}, before, after)
        talk.expect("UPD-21", made, "the new parameters, as the update was answered with 200", answer, after)


def _is_made(asked: dict[str, Any], before: Answer, after: Answer) -> bool:
    """Say whether something that was asked for has changed; what a fetch does not show may have."""
    old, new = before.fields.get("parameters"), after.fields.get("parameters")
    if not isinstance(old, dict) or not isinstance(new, dict):
        return True
    visible = [name for name, value in asked.items() if name in old and old[name] != value]
    return not visible or any(new.get(name) != old[name] for name in visible)


def _is_text_or_nothing(value: object) -> bool:
    return value is None or isinstance(value, str)


@check("UPD-22")
async def an_update_that_changes_nothing_does_not_break(talk: Conversation) -> None:
    subject = to_update(talk)
    instance = await talk.instance(subject)
    request = talk.ask.update(instance, **(real_change(subject) or {"plan_id": subject.plan.id}))
    await updated(talk, request, instance)
    answer = await sent(talk, request, instance)
    holds = answer.status in (200, 202) or answer.refused
    talk.expect("UPD-22", holds, "200, as for an update whose changes have been made", answer)


@check("UPD-23", "UPD-24", "UPD-25", "UPD-37")
async def an_update_in_progress_is_answered_with_202_each_time(talk: Conversation) -> None:
    subject = to_update_slowly(talk)
    instance = await talk.instance(subject)
    request = talk.ask.update(instance, parameters=subject.update_parameters)
    first = await talk.send(request)
    if first.status != 202:
        runs = await talk.runs(first, instance)
        talk.expect("UPD-23", not runs, "202, as the update was in progress when it was polled", first)
        talk.undecided("the same update was asynchronous before, and is not now")
    well = first.is_object and _is_text_or_nothing(first.fields.get("dashboard_url"))
    talk.expect("UPD-23", well, "202 with an object: perhaps an operation, a dashboard_url, metadata", first)
    again = await talk.send(request)
    await _expect_pollable(talk, first, instance)
    await talk.still_in_progress(first, instance)
    talk.expect_status(again, 202, "UPD-24")
    if again.status == 202:
        operation = first.fields.get("operation")
        told = "the operation of the first answer" if operation is not None else "no operation, as in the first answer"
        talk.expect("UPD-25", again.fields.get("operation") == operation, told, first, again)
    await talk.finish(first, instance)


async def _expect_pollable(talk: Conversation, answer: Answer, instance: Instance) -> None:
    """Judge by a poll whether an operation that an update has named is known."""
    if answer.operation is None:
        return
    polled = await talk.send(talk.poll_of(answer, instance))
    told = polled.status == 200 and polled.fields.get("state") in _STATES
    talk.expect("UPD-37", told, "200 and a state: the operation is the one that the broker named", answer, polled)


@check("UPD-35")
async def a_new_dashboard_is_told_in_the_first_answer_to_the_update(talk: Conversation) -> None:
    subject = _with_dashboard(talk)
    instance = await talk.instance(subject)
    before = [(await fetched(talk, instance)).fields.get("dashboard_url") for _ in range(2)]
    target = subject.target.id if subject.target else None
    answer = await updated(talk, talk.ask.update(instance, plan_id=target), instance)
    after = await fetched(talk, instance)
    new = after.fields.get("dashboard_url")
    if before[0] != before[1] or new in (None, before[0]):
        talk.not_applicable("the dashboard_url stays the same when the plan changes")
    told = answer.fields.get("dashboard_url")
    expected = "the dashboard_url that a fetch shows afterwards, in the first answer"
    talk.expect("UPD-35", told == new, expected, after, answer)


def _with_dashboard(talk: Conversation) -> Subject:
    """Find a plan that can be changed and shows a dashboard, one that does so asynchronously where there is one."""

    def fits(subject: Subject) -> bool:
        fetched = subject.life.answers.get(Endpoint.FETCH_INSTANCE)
        return subject.target is not None and fetched is not None and bool(fetched.fields.get("dashboard_url"))

    to_update(talk, fits, "also to another plan, and which shows a dashboard_url")
    found = [each for each in talk.usable() if fits(each) and takes_parameters(each)]
    late = [each for each in found if each.life.asynchronous(Endpoint.UPDATE)]
    return (late or found or [to_update(talk, fits)])[0]


@check("UPD-32")
async def an_instance_whose_update_failed_can_be_updated_again(talk: Conversation) -> None:
    subject = talk.subject_with(Trait.FAILS_UPDATE, lambda each: each.usable)
    instance = await talk.instance(subject)
    first = await talk.begin(talk.ask.update(instance, **_told(talk, subject)))
    end = await talk.finish(first, instance)
    if end.state != "failed":
        talk.undecided(f"the update of {subject.name} did not fail")
    answer = await sent(talk, talk.ask.update(instance, plan_id=subject.plan.id), instance)
    taken = answer.ok or (answer.status in (400, 422) and answer.error != "ConcurrencyError")
    expected = "an update that is looked at again (200 or 202): no operation is in progress any more"
    talk.expect("UPD-32", taken, expected, end.last, answer)
