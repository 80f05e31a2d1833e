"""What is done in the request, and what is not: ``accepts_incomplete``, 202, and how prompt an answer is."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qsl

from openbrokerapi.conformance.asking import Binding, Instance
from openbrokerapi.conformance.check import Watched, check, watch
from openbrokerapi.conformance.conversation import Conversation
from openbrokerapi.conformance.subjects import Subject, makeable
from openbrokerapi.conformance.wire import Answer, Endpoint, Request

#: Platforms usually give up after 60 seconds; this is well inside of it.
_PROMPT = 30.0
#: So many plans are looked at, where each may behave in its own way.
_SUBJECTS = 6
_SUCCESS = {
    Endpoint.PROVISION: (200, 201, 202),
    Endpoint.BIND: (200, 201, 202),
    Endpoint.UPDATE: (200, 202),
    Endpoint.UNBIND: (200, 202),
    Endpoint.DEPROVISION: (200, 202),
}


@watch("ASY-01")
def every_answer_is_prompt(answer: Answer, _: Watched) -> Iterator[tuple[str, bool, str]]:
    yield "ASY-01", answer.seconds <= _PROMPT, f"an answer within {_PROMPT:g} s: platforms give up after 60"


@watch("ASY-05")
def success_is_told_by_the_status_of_the_endpoint(answer: Answer, _: Watched) -> Iterator[tuple[str, bool, str]]:
    statuses = _SUCCESS.get(answer.request.endpoint)
    if statuses and 200 <= answer.status < 300:
        yield "ASY-05", answer.status in statuses, "status " + " or ".join(map(str, statuses))


@watch("ASY-09")
def nothing_is_asynchronous_without_the_flag(answer: Answer, _: Watched) -> Iterator[tuple[str, bool, str]]:
    flag = _flag(answer.request)
    if answer.ok and flag in ("", "false"):
        yield "ASY-09", answer.status != 202, "no 202, as the request has no accepts_incomplete=true"


def _flag(request: Request) -> str:
    query = request.query if request.raw_query is None else tuple(parse_qsl(request.raw_query))
    return dict(query).get("accepts_incomplete", "").lower()


@watch("ASY-11")
def the_description_of_an_AsyncRequired_is_a_text(answer: Answer, _: Watched) -> Iterator[tuple[str, bool, str]]:  # noqa: N802
    if answer.error == "AsyncRequired" and "description" in answer.fields:
        yield "ASY-11", isinstance(answer.fields["description"], str), "a text as description, or none"


@watch("ASY-13")
def the_description_of_a_progress_is_a_text(answer: Answer, _: Watched) -> Iterator[tuple[str, bool, str]]:
    if answer.fields.get("state") == "in progress" and "description" in answer.fields:
        yield "ASY-13", isinstance(answer.fields["description"], str), "a text as description, or none"


def _is_made_at_once(subject: Subject) -> bool:
    return not subject.life.asynchronous(Endpoint.PROVISION)


@check("ASY-05")
async def what_is_made_in_the_request_is_answered_with_201(talk: Conversation) -> None:
    subject = talk.subject(_is_made_at_once, "one that is made in the request")
    instance = await talk.instance(subject)
    made: list[Instance | Binding] = [instance]
    if subject.bindable:
        made.append(await talk.binding(instance))
    for thing in made:
        if thing.answer is not None:
            talk.expect_status(thing.answer, (201, 202), "ASY-05")


@check("ASY-06")
async def a_repeated_provision_without_the_flag_is_answered_with_200_or_as_a_conflict(talk: Conversation) -> None:
    subject = talk.subject(_is_made_at_once, "one that is made in the request")
    request = talk.ask.provision(subject).without_query()
    await talk.provisioned(request, subject)
    again = await talk.send(request)
    # 409 is what the specification recommends where eventual consistency rules (ASY-07).
    talk.expect("ASY-06", again.status in (200, 409), "200, or 409 for nothing to do", again)


@check("ASY-08")
async def the_flag_is_ignored_where_the_work_is_done_in_the_request(talk: Conversation) -> None:
    # The survey always sends the flag: a broker that refuses it has no plan that is usable.
    found = [each for each in talk.subjects if makeable(each) and each.parameters is not None]
    made_at_once = [each for each in found if _is_made_at_once(each)]
    if not made_at_once:
        talk.not_applicable("there is no plan that is made in the request")
    request = talk.ask.provision(made_at_once[0])
    answer = await _expect_flag_ignored(talk, request)
    instance = talk.named_instance(request, made_at_once[0], answer)
    await talk.done(answer, instance)
    await _expect_flag_ignored(talk, talk.ask.deprovision(instance))


async def _expect_flag_ignored(talk: Conversation, request: Request) -> Answer:
    """Send a request with the flag and, where that is refused, without it; return the answer that was none."""
    flagged = await talk.send(request)
    if flagged.ok:
        talk.expect("ASY-08", True, "success, as the flag is ignored", flagged)
        return flagged
    bare = await talk.send(request.without_query("accepts_incomplete"))
    if not bare.ok:
        talk.undecided(f"the {request.endpoint} was answered with {bare.status}, with the flag and without")
    talk.expect("ASY-08", False, "success, as without accepts_incomplete=true", bare, flagged)
    return bare


@check("ASY-03", "ASY-12")
async def what_is_answered_as_done_is_not_in_progress(talk: Conversation) -> None:
    at_once = [each for each in talk.usable() if _is_made_at_once(each)]
    if not at_once:
        talk.not_applicable("there is no plan that is made in the request")
    for subject in _one_of_each_offering(at_once)[:_SUBJECTS]:
        instance = await talk.instance(subject)
        if instance.answer is not None:
            await _expect_done(talk, instance, instance.answer, "ASY-03", "ASY-12")
        deleted = await talk.send(talk.ask.deprovision(instance))
        await _expect_done(talk, instance, deleted, "ASY-03", "ASY-12")
        if deleted.status == 202:
            await talk.finish(deleted, instance)


def _one_of_each_offering(subjects: list[Subject]) -> list[Subject]:
    return list({subject.offering.id: subject for subject in reversed(subjects)}.values())[::-1]


async def _expect_done(talk: Conversation, instance: Instance, answer: Answer, *rules: str) -> None:
    """Judge by a poll that what was answered as done is; what else a poll then says is left open."""
    if answer.status not in (200, 201):
        return
    runs = await talk.runs(answer, instance)
    for rule in rules:
        talk.expect(rule, not runs, "202, as a poll found the work in progress", answer)


@check("ASY-03", "ASY-09", "ASY-10")
async def what_cannot_be_done_in_the_request_is_refused_without_the_flag(talk: Conversation) -> None:
    talk.subject(asynchronous=Endpoint.PROVISION)
    found = [each for each in talk.usable() if each.life.asynchronous(Endpoint.PROVISION)]
    refused = [await _is_refused(talk, subject) for subject in found[:_SUBJECTS]]
    if not any(refused):
        talk.not_applicable("all instances are made without accepts_incomplete=true as well")


async def _is_refused(talk: Conversation, subject: Subject) -> bool:
    """Judge one plan; return whether a provision is refused where the flag is missing or false."""
    request = talk.ask.provision(subject)
    for unflagged in (request.without_query(), request.with_query(accepts_incomplete="false")):
        answer = await talk.send(unflagged)
        talk.expect("ASY-09", answer.status != 202, "no 202, as the request has no accepts_incomplete=true", answer)
        if answer.ok:
            instance = talk.named_instance(request, subject, answer)
            await _expect_done(talk, instance, answer, "ASY-03")
            await talk.done(answer, instance)
            return False
        required = answer.status == 422 and answer.error == "AsyncRequired"
        talk.expect("ASY-10", required, "422 with the error AsyncRequired", answer)
    return True
