"""Polling the last operation on an instance (``GET I/last_operation``)."""

from __future__ import annotations

from urllib.parse import quote

from openbrokerapi.conformance.asking import Instance
from openbrokerapi.conformance.check import check
from openbrokerapi.conformance.conversation import Conversation
from openbrokerapi.conformance.cooperation import Trait
from openbrokerapi.conformance.subjects import Subject
from openbrokerapi.conformance.wire import Answer, Endpoint

from .polls import expect_unknown


@check("LOI-12")
async def the_poll_of_an_instance_that_does_not_exist_is_answered_with_404(talk: Conversation) -> None:
    unknown = talk.ask.unknown_instance(talk.subject())
    expect_unknown(talk, await talk.send(talk.ask.poll(unknown)), "LOI-12")


@check("LOI-08", "LOI-09", "LOI-13", "LOI-25")
async def an_asynchronous_provision_can_be_polled_to_its_end_and_after_it(talk: Conversation) -> None:
    subject = talk.subject(asynchronous=Endpoint.PROVISION)
    instance, answer = await _provision(talk, subject)
    bare = await talk.send(talk.ask.poll(instance).without_query())
    talk.expect("LOI-08", bare.status == 200, "status 200 also without query parameters: they are optional", bare)
    polls = await talk.polled(talk.poll_of(answer, instance))
    talk.expect_status(polls[0], 200, "LOI-09")
    again = await talk.send(talk.poll_of(answer, instance))
    _expect_never_gone(talk, *polls, again)
    _expect_remembered(talk, polls[-1], again)


@check("LOI-10")
async def a_malformed_poll_of_an_instance_is_answered_with_400(talk: Conversation) -> None:
    instance = await talk.standing_instance(talk.subject(asynchronous=Endpoint.PROVISION))
    poll = talk.ask.poll(instance)
    empty = await talk.send(poll.with_query(operation="").noted("the operation is empty"))
    talk.expect("LOI-10", empty.status == 400, "status 400: if present, operation must not be empty", empty)
    broken = await talk.send(poll.with_raw_query("operation=%zz").noted("the query is not percent-encoded"))
    talk.expect("LOI-10", broken.status == 400, "status 400: the query is not percent-encoded as it should be", broken)


@check("LOI-11")
async def a_poll_of_an_instance_with_unknown_ids_is_served_or_refused(talk: Conversation) -> None:
    instance = await talk.standing_instance(talk.subject(asynchronous=Endpoint.PROVISION))
    for name in ("operation", "service_id"):
        poll = talk.ask.poll(instance).with_query(**{name: talk.ask.new_id()})
        answer = await talk.send(poll.noted(f"the {name} is unknown"))
        # 410 would make a platform forget an instance that is there.
        holds = answer.status == 200 or (answer.refused and answer.status != 410)
        talk.expect("LOI-11", holds and _describes(answer), "status 400 (a description is a string), or 200", answer)


@check("LOI-04", "LOI-13")
async def a_change_of_plan_is_polled_with_the_plan_before(talk: Conversation) -> None:
    subject = talk.subject(_may_change_slowly, "a plan from which an instance can change to another, asynchronously")
    instance = await talk.instance(subject)
    answer = await talk.send(talk.ask.update(instance, plan_id=subject.target.id if subject.target else None))
    if answer.status != 202:
        talk.not_applicable(f"the change of plan is answered with {answer.status}, not with 202")
    polls = await talk.polled(talk.poll_of(answer, instance))
    served = all(poll.status in (200, 410) for poll in polls)
    talk.expect("LOI-04", served, "status 200: a poll names the plan before the change", polls[-1])
    _expect_never_gone(talk, *polls)


@check("LOI-06")
async def an_operation_of_any_characters_comes_back_percent_encoded(talk: Conversation) -> None:
    hard = [each for each in talk.usable() if _is_hard(each.life.answers.get(Endpoint.PROVISION))]
    if not hard:
        talk.subject(asynchronous=Endpoint.PROVISION)
    instance, answer = await _provision(talk, hard[0] if hard else talk.subject_with(Trait.HARD_OPERATION))
    if not _is_hard(answer):
        talk.undecided("the operation of this provision has letters and digits only")
    polls = await talk.polled(talk.poll_of(answer, instance))
    served = all(poll.status in (200, 410) for poll in polls)
    talk.expect("LOI-06", served, "status 200: the operation is the one of the 202, percent-encoded", polls[-1])


@check("LOI-18", "LOI-20", "LOI-25")
async def the_poll_of_a_failed_update_may_say_whether_the_instance_is_usable(talk: Conversation) -> None:
    subject = talk.subject_with(Trait.FAILS_UPDATE)
    instance = await talk.instance(subject)
    answer = await talk.send(talk.ask.update(instance, parameters=subject.update_parameters))
    failed = await _failed(talk, answer, instance)
    _expect_flag(talk, "LOI-18", "instance_usable", failed)
    _expect_flag(talk, "LOI-20", "update_repeatable", failed)
    _expect_remembered(talk, failed, await talk.send(talk.poll_of(answer, instance)))


@check("LOI-18", "LOI-21")
async def the_poll_of_a_failed_deprovision_may_say_whether_the_instance_is_usable(talk: Conversation) -> None:
    instance = await talk.instance(talk.subject_with(Trait.FAILS_DEPROVISION))
    failed = await _failed(talk, await talk.send(talk.ask.deprovision(instance)), instance)
    _expect_flag(talk, "LOI-18", "instance_usable", failed)
    _expect_absent(talk, "LOI-21", "update_repeatable", failed)


@check("LOI-19", "LOI-21")
async def the_poll_of_a_failed_provision_says_nothing_of_an_instance_that_is_not_there(talk: Conversation) -> None:
    instance, answer = await _provision(talk, talk.subject_with(Trait.FAILS_PROVISION))
    failed = await _failed(talk, answer, instance)
    _expect_absent(talk, "LOI-19", "instance_usable", failed)
    _expect_absent(talk, "LOI-21", "update_repeatable", failed)


@check("LOI-25", "LOI-27")
async def a_poll_is_about_the_operation_that_it_names_or_the_latest(talk: Conversation) -> None:
    subject = talk.subject(
        lambda each: each.life.asynchronous(Endpoint.PROVISION),
        "a plan that answers 202 to provision",
        asynchronous=Endpoint.DEPROVISION,
    )
    instance, first = await _provision(talk, subject)
    await talk.finish(first, instance)
    second = await talk.send(talk.ask.deprovision(instance))
    named = await talk.send(talk.ask.poll(instance, first.operation)) if first.operation else None
    latest = await talk.send(talk.ask.poll(instance))
    await talk.still_in_progress(second, instance)
    if named is not None and first.operation != second.operation:
        over = named.fields.get("state") != "in progress"
        talk.expect("LOI-27", over, "the end of the provision, whose operation the poll names", second, named)
    running = latest.status == 200 and latest.fields.get("state") == "in progress"
    talk.expect("LOI-27", running, "'in progress' for the deprovision, the latest operation", second, latest)
    end = await talk.finish(second, instance)
    _expect_remembered(talk, end.last, await talk.send(talk.poll_of(second, instance)))


async def _provision(talk: Conversation, subject: Subject) -> tuple[Instance, Answer]:
    request = talk.ask.provision(subject)
    answer = await talk.send(request)
    if answer.status != 202:
        talk.undecided(f"the provision was answered with {answer.status}, not with 202")
    return talk.named_instance(request, subject, answer), answer


def _may_change_slowly(subject: Subject) -> bool:
    """Say whether a change of plan may be asynchronous: the survey may have known no parameters to update with."""
    late = subject.life.asynchronous
    surveyed = Endpoint.UPDATE in subject.life.answers
    return subject.target is not None and late(Endpoint.UPDATE if surveyed else Endpoint.PROVISION)


def _is_hard(answer: Answer | None) -> bool:
    return answer is not None and answer.operation is not None and quote(answer.operation, safe="") != answer.operation


def _describes(answer: Answer) -> bool:
    return isinstance(answer.fields.get("description", ""), str)


async def _failed(talk: Conversation, answer: Answer, instance: Instance) -> Answer:
    """Poll to the end that the file promises; return the answer that says ``failed``."""
    if answer.status != 202:
        talk.undecided(f"the {answer.request.endpoint} was answered with {answer.status}, not with 202")
    end = await talk.finish(answer, instance)
    if end.state != "failed":
        talk.undecided(f"by the file this {answer.request.endpoint} fails, but it ended {end.state}")
    return end.last


def _expect_never_gone(talk: Conversation, *polls: Answer) -> None:
    for poll in polls:
        talk.expect("LOI-13", poll.status != 410, "never 410 while a provision or an update is polled", poll)


def _expect_remembered(talk: Conversation, end: Answer, again: Answer) -> None:
    """Judge a poll after the end; where the end was none, others judge it."""
    state = end.fields.get("state")
    if end.status == 410 or (end.status == 200 and state in ("succeeded", "failed")):
        same = again.status == end.status and again.fields.get("state") == state
        # Both say that a deletion has succeeded.
        gone = again.status == 410 and state == "succeeded"
        talk.expect("LOI-25", same or gone, "the same end as before: it is remembered for a while", end, again)


def _expect_flag(talk: Conversation, rule: str, name: str, failed: Answer) -> None:
    talk.expect(rule, isinstance(failed.fields.get(name, True), bool), f"no {name}, or a boolean", failed)


def _expect_absent(talk: Conversation, rule: str, name: str, failed: Answer) -> None:
    talk.expect(rule, name not in failed.fields, f"no {name}: it does not belong to this operation", failed)
