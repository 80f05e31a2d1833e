"""Requests that meet: one waits for another, or is refused, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator

from openbrokerapi.conformance.asking import Binding, Instance
from openbrokerapi.conformance.check import Watched, check, watch
from openbrokerapi.conformance.checks.update_subjects import real_change, to_update, to_update_slowly
from openbrokerapi.conformance.conversation import Conversation
from openbrokerapi.conformance.cooperation import Trait
from openbrokerapi.conformance.wire import Answer, Endpoint

_MADE = (201, 202)


def _is_concurrency_error(answer: Answer) -> bool:
    return answer.status == 422 and answer.error == "ConcurrencyError"


@watch("BLK-03")
def the_description_of_a_ConcurrencyError_is_a_text(answer: Answer, _: Watched) -> Iterator[tuple[str, bool, str]]:  # noqa: N802
    if answer.error == "ConcurrencyError" and "description" in answer.fields:
        yield "BLK-03", isinstance(answer.fields["description"], str), "a text as description, or none"


async def _settle(talk: Conversation, answer: Answer, thing: Instance | Binding) -> None:
    """Wait until what an answer has begun is over, whatever its end."""
    if answer.status == 202:
        await talk.finish(answer, thing)


@check("BLK-01")
async def updates_that_meet_are_done_or_refused(talk: Conversation) -> None:
    subject = to_update(talk)
    instance = await talk.instance(subject)
    same_plan = talk.ask.update(instance, plan_id=subject.plan.id)
    answers = await talk.race(talk.ask.update(instance, **real_change(subject)), same_plan)
    for answer in answers:
        talk.expect("BLK-01", answer.ok or answer.refused, "success, or 422 with the error ConcurrencyError", answer)
    for answer in answers:
        await _settle(talk, answer, instance)


@check("UPD-41", "BLK-02", "BLK-06")
async def what_an_update_in_progress_stands_in_the_way_of_is_refused_and_disturbs_nothing(talk: Conversation) -> None:
    subject = to_update_slowly(talk)
    instance = await talk.instance(subject)
    running = await talk.begin(talk.ask.update(instance, parameters=subject.update_parameters))
    # Only the file knows a change of plan that is surely not refused for another reason.
    target = subject.target if subject.help.update_to is not None else None
    answers = [await talk.send(talk.ask.update(instance, plan_id=(target or subject.plan).id))]
    if subject.bindable:
        answers.append(await talk.send(talk.ask.bind(instance)))
    await talk.still_in_progress(running, instance)
    refused = [answer for answer in answers if answer.status >= 400]
    for answer in refused:
        rules = ["BLK-02", "UPD-41"] if answer.request.endpoint is Endpoint.UPDATE else ["BLK-02"]
        for rule in rules:
            expected = "422 with the error ConcurrencyError, as an update is in progress"
            talk.expect(rule, _is_concurrency_error(answer), expected, running, answer)
    end = await talk.finish(running, instance)
    if len(refused) == len(answers):
        expected = "the state succeeded, as without the requests that were refused meanwhile"
        talk.expect("BLK-06", end.state == "succeeded", expected, *refused, end.last)
    talk.not_applicable("the broker does not refuse such a request while an update is in progress")


@check("BLK-05")
async def a_bind_that_waits_for_another_one_works_after_it(talk: Conversation) -> None:
    subject = talk.subject_with(Trait.SERIAL_BINDS, lambda each: each.bindable)
    instance = await talk.instance(subject)
    requests = [talk.ask.bind(instance), talk.ask.bind(instance)]
    answers = await talk.race(*requests)
    for request, answer in zip(requests, answers, strict=True):
        taken = answer.ok or _is_concurrency_error(answer)
        talk.expect("BLK-05", taken, "success, or 422 with the error ConcurrencyError", answer)
        await _settle(talk, answer, talk.named_binding(request, instance, answer))
    for request, answer in zip(requests, answers, strict=True):
        if not answer.ok:
            again = await talk.send(request)
            talk.expect("BLK-05", again.ok, "success, as the other bind is over", answer, again)
            await _settle(talk, again, talk.named_binding(request, instance, again))


@check("BLK-07")
async def identical_provisions_that_meet_make_one_instance(talk: Conversation) -> None:
    subject = talk.subject()
    request = talk.ask.provision(subject)
    answers = await talk.race(request, request)
    for answer in answers:
        await _settle(talk, answer, talk.named_instance(request, subject, answer))
    _expect_one(talk, answers, await talk.send(request))


@check("BLK-07")
async def identical_binds_that_meet_make_one_binding(talk: Conversation) -> None:
    instance = await talk.instance(talk.bindable_subject())
    request = talk.ask.bind(instance)
    answers = await talk.race(request, request)
    for answer in answers:
        await _settle(talk, answer, talk.named_binding(request, instance, answer))
    _expect_one(talk, answers, await talk.send(request))


def _expect_one(talk: Conversation, answers: list[Answer], later: Answer) -> None:
    """Judge two answers to one request: one has made it, or has begun to, the other says the same or waits."""
    # Who answers 409 to any repeat says so that there is nothing to do (ASY-07); PROV-17 and BIND-29 are about it.
    nothing_to_do = (409,) if later.status == 409 else ()
    first, second = sorted(answers, key=lambda answer: (answer.status not in _MADE, answer.status))
    holds = first.status in _MADE and (second.status in (200, 202, *nothing_to_do) or _is_concurrency_error(second))
    expected = "201 or 202 once, and 200, 202 or 422 with the error ConcurrencyError for the other"
    talk.expect("BLK-07", holds, expected, first, second)
