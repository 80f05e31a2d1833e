"""Polling the last operation on a binding (``GET B/last_operation``)."""

from __future__ import annotations

from openbrokerapi.conformance.asking import Binding
from openbrokerapi.conformance.check import check
from openbrokerapi.conformance.conversation import Conversation
from openbrokerapi.conformance.cooperation import Trait
from openbrokerapi.conformance.subjects import Subject
from openbrokerapi.conformance.wire import Answer, Endpoint

from .polls import expect_unknown

#: For so many seconds at the least the operations of a plan with the trait ``slow`` run.
_SLOW = 2.0


@check("LOB-10")
async def the_poll_of_a_binding_that_does_not_exist_is_answered_with_404(talk: Conversation) -> None:
    instance = await talk.standing_instance(talk.bindable_subject())
    unknown = talk.ask.unknown_binding(instance)
    expect_unknown(talk, await talk.send(talk.ask.poll_binding(unknown)), "LOB-10")


@check("LOB-06", "LOB-07", "LOB-11", "LOB-18")
async def an_asynchronous_bind_can_be_polled_to_its_end_and_after_it(talk: Conversation) -> None:
    subject = talk.bindable_subject(asynchronous=Endpoint.BIND)
    binding, answer = await begin_bind(talk, subject)
    bare = await talk.send(talk.ask.poll_binding(binding).without_query())
    talk.expect("LOB-06", bare.status == 200, "status 200 also without query parameters: they are hints", bare)
    polls = await talk.polled(talk.poll_of(answer, binding))
    talk.expect_status(polls[0], 200, "LOB-07")
    again = await talk.send(talk.poll_of(answer, binding))
    for poll in (*polls, again):
        talk.expect("LOB-11", poll.status != 410, "never 410 while a bind is polled", poll)
    _expect_remembered(talk, polls[-1], again)


@check("LOB-18")
async def the_end_of_a_failed_bind_is_remembered(talk: Conversation) -> None:
    binding, answer = await begin_bind(talk, talk.subject_with(Trait.FAILS_BIND))
    end = await talk.finish(answer, binding)
    _expect_remembered(talk, end.last, await talk.send(talk.poll_of(answer, binding)))


@check("LOB-08", "LOB-09")
async def a_poll_of_a_binding_that_is_malformed_or_has_unknown_ids_is_refused(talk: Conversation) -> None:
    binding, _ = await begin_bind(talk, talk.bindable_subject(asynchronous=Endpoint.BIND))
    poll = talk.ask.poll_binding(binding)
    empty = await talk.send(poll.with_query(operation="").noted("the operation is empty"))
    talk.expect("LOB-08", empty.status == 400, "status 400: if present, operation must not be empty", empty)
    broken = await talk.send(poll.with_raw_query("operation=%zz").noted("the query is not percent-encoded"))
    talk.expect("LOB-08", broken.status == 400, "status 400: the query is not percent-encoded as it should be", broken)
    for name in ("operation", "service_id"):
        unknown = await talk.send(poll.with_query(**{name: talk.ask.new_id()}).noted(f"the {name} is unknown"))
        # 410 would make a platform forget a binding that is there.
        holds = unknown.status == 200 or (unknown.refused and unknown.status != 410)
        described = isinstance(unknown.fields.get("description", ""), str)
        talk.expect("LOB-09", holds and described, "status 400 (a description is a string), or 200", unknown)


@check("LOB-04")
async def without_names_of_operations_one_at_a_time_runs_on_a_binding(talk: Conversation) -> None:
    subject = talk.bindable_subject(
        _names_none, "a plan that names no operation when it answers 202 to bind and unbind"
    )
    if not subject.has(Trait.SLOW):
        talk.needs_help(f"if it is so, give the trait {Trait.SLOW} in the file to {subject.name}")
    binding = await talk.binding(await talk.instance(subject))
    began = talk.clock.now()
    ending = await talk.send(talk.ask.unbind(binding))
    anew = await talk.send(binding.request)
    if ending.status != 202 or talk.clock.now() - began >= _SLOW:
        talk.undecided("the unbind was over before the next request")
    two = anew.status == 202 and anew.operation is None
    talk.expect("LOB-04", not two, "a refusal: no poll could tell this bind from the unbind that runs", ending, anew)


async def begin_bind(talk: Conversation, subject: Subject) -> tuple[Binding, Answer]:
    """Bind a new instance of a plan that does so asynchronously; return with the 202."""
    instance = await talk.instance(subject)
    request = talk.ask.bind(instance)
    answer = await talk.send(request)
    if answer.status != 202:
        talk.undecided(f"the bind was answered with {answer.status}, not with 202")
    return talk.named_binding(request, instance, answer), answer


def _names_none(subject: Subject) -> bool:
    answers = [subject.life.answers.get(each) for each in (Endpoint.BIND, Endpoint.UNBIND)]
    return all(answer is not None and answer.status == 202 and answer.operation is None for answer in answers)


def _expect_remembered(talk: Conversation, end: Answer, again: Answer) -> None:
    state = end.fields.get("state")
    if end.status == 200 and state in ("succeeded", "failed"):
        same = again.status == 200 and again.fields.get("state") == state
        talk.expect("LOB-18", same, "the same end as before: it is remembered for a while", end, again)
