"""Unbinding (``DELETE B``)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from openbrokerapi.conformance.asking import Binding
from openbrokerapi.conformance.check import Watched, check, watch
from openbrokerapi.conformance.conversation import Conversation
from openbrokerapi.conformance.cooperation import Trait
from openbrokerapi.conformance.subjects import Subject
from openbrokerapi.conformance.wire import LONGEST_OPERATION, Answer, Endpoint, Request

from .binding_polling import begin_bind
from .fetch_binding import retrievable

#: A bind of a plan with one of these cannot be over before the next request.
_SURELY_SLOW = frozenset({Trait.SLOW, Trait.SERIAL_BINDS})

#: With so many plans it is tried whether they refuse, or do at once, what is asked while a bind runs.
_PLANS = 3


def _at_once(subject: Subject) -> bool:
    return not subject.life.asynchronous(Endpoint.UNBIND)


@check("UNB-01")
async def every_plan_that_can_be_bound_can_be_unbound(talk: Conversation) -> None:
    answers = [answer for each in talk.usable() if (answer := each.life.answers.get(Endpoint.UNBIND))]
    if not answers:
        talk.not_applicable("nothing can be bound")
    for answer in answers:
        missing = answer.status in (404, 405, 501)
        talk.expect("UNB-01", not missing, "that there is this endpoint, as the plan can be bound", answer)


@check("UNB-06", "UNB-07")
async def an_unbind_without_service_id_or_plan_id_is_answered_with_400(talk: Conversation) -> None:
    instance = await talk.instance(talk.bindable_subject())
    for rule, name in (("UNB-06", "service_id"), ("UNB-07", "plan_id")):
        request = talk.ask.unbind(await talk.binding(instance))
        missing = await talk.send(request.without_query(name).noted(f"there is no {name}"))
        if talk.expect(rule, missing.status == 400, f"status 400: the query has to have {name}", missing):
            empty = await talk.send(request.with_query(**{name: ""}).noted(f"the {name} is empty"))
            talk.expect(rule, empty.status == 400, f"status 400: {name} must not be empty", empty)


@check("UNB-12", "UNB-13")
async def an_unbind_that_is_malformed_or_has_unknown_ids_is_refused(talk: Conversation) -> None:
    binding = await talk.binding(await talk.instance(talk.bindable_subject()))
    request = talk.ask.unbind(binding)
    broken = request.with_raw_query("service_id=%zz&plan_id=%zz&accepts_incomplete=true")
    answer = await talk.send(broken.noted("the query is not percent-encoded"))
    talk.expect("UNB-12", answer.status == 400, "status 400: the query is not percent-encoded as it should be", answer)
    unknown = await talk.send(request.with_query(service_id=talk.ask.new_id()).noted("the service_id is unknown"))
    holds = unknown.status in (200, 202) or unknown.refused
    described = isinstance(unknown.fields.get("description", ""), str)
    talk.expect("UNB-13", holds and described, "status 400 (a description is a string), or a deletion", unknown)


@check("UNB-02", "UNB-09", "UNB-14")
async def an_unbind_that_is_done_at_once_is_answered_with_200_and_the_binding_is_gone(talk: Conversation) -> None:
    instance = await talk.instance(talk.bindable_subject(_at_once, "a plan whose bindings are removed in the request"))
    binding = await talk.binding(instance)
    removed = await talk.send(talk.ask.unbind(binding))
    done = removed.status == 200 and removed.is_object
    talk.expect("UNB-09", done, "status 200 with the body {}: the binding is deleted", removed)
    again = await talk.send(talk.ask.unbind(binding))
    talk.expect("UNB-14", again.status == 410, "status 410: the binding is already unbound", removed, again)
    if retrievable(instance.subject):
        await _expect_nothing_left(talk, "UNB-02", binding)
    talk.not_applicable("its bindings cannot be fetched")


@check("UNB-14")
async def the_unbind_of_a_binding_that_does_not_exist_is_answered_with_410(talk: Conversation) -> None:
    instance = await talk.standing_instance(talk.bindable_subject())
    unknown = talk.ask.unknown_binding(instance)
    talk.expect_status(await talk.send(talk.ask.unbind(unknown)), 410, "UNB-14")


@check("UNB-14")
async def the_unbind_of_a_binding_of_another_instance_is_answered_with_410(talk: Conversation) -> None:
    subject = talk.bindable_subject()
    binding = await talk.binding(await talk.instance(subject))
    elsewhere = replace(binding, instance=await talk.standing_instance(subject))
    answer = await talk.send(talk.ask.unbind(elsewhere).noted("the binding is of another instance"))
    talk.expect_status(answer, 410, "UNB-14")
    if answer.status == 202:
        await talk.finish(answer, elsewhere)


@check("UNB-08")
async def an_unbind_that_must_be_asynchronous_and_may_not_is_refused_with_AsyncRequired(  # noqa: N802
    talk: Conversation,
) -> None:
    binding = await talk.binding(await talk.instance(talk.bindable_subject(asynchronous=Endpoint.UNBIND)))
    answer = await talk.send(_without_flag(talk.ask.unbind(binding)))
    if answer.status == 200:
        talk.not_applicable("it can be done in the request, too")
    required = answer.status == 422 and answer.error == "AsyncRequired"
    talk.expect("UNB-08", required, "status 422 with the error AsyncRequired", answer)


@check("UNB-02", "UNB-10", "UNB-11", "LOB-18")
async def an_asynchronous_unbind_is_answered_with_202_until_the_binding_is_gone(talk: Conversation) -> None:
    binding = await talk.binding(await talk.instance(talk.bindable_subject(asynchronous=Endpoint.UNBIND)))
    first = await talk.send(talk.ask.unbind(binding))
    if not first.ok:
        talk.undecided(f"the unbind was answered with {first.status}")
    again = await talk.send(talk.ask.unbind(binding))
    poll = await talk.send(talk.poll_of(first, binding))
    running = poll.status == 200 and poll.fields.get("state") == "in progress"
    known = first.status == 202 and poll.status in (200, 410)
    told = known or (first.status == 200 and not running)
    talk.expect("UNB-10", told, "status 202, and an operation that can be polled, if any, while it runs", poll, first)
    if running and first.status == 202:
        same = again.status == 202 and again.fields.get("operation") == first.fields.get("operation")
        talk.expect("UNB-11", same, "status 202 with the operation of the first answer", first, again)
    end = await talk.finish(first, binding)
    if end.state == "failed":
        talk.undecided("the unbind failed")
    if end.state == "succeeded":
        last = await talk.send(talk.poll_of(first, binding))
        told = last.status == 410 or (last.status == 200 and last.fields.get("state") == "succeeded")
        talk.expect("LOB-18", told, "'succeeded' again, or 410: the end is remembered for a while", end.last, last)
    await _expect_nothing_left(talk, "UNB-02", binding)
    talk.needs_help(f"give the trait {Trait.SLOW} in the file to a plan whose unbinds take two seconds or more")


@check("UNB-03", "UNB-04")
async def an_unbind_while_the_bind_runs_halts_it(talk: Conversation) -> None:
    # Where operations have no names, a poll can only be about the latest.
    nameless = [each for each in _late(talk) if _operation(each) is None]
    subject = talk.bindable_subject(lambda each: each in (nameless or _late(talk)), asynchronous=Endpoint.BIND)
    binding, made = await begin_bind(talk, subject)
    await talk.still_in_progress(made, binding)
    halted = await talk.send(talk.ask.unbind(binding))
    if not halted.ok:
        talk.not_applicable("a binding that is being made is not unbound")
    polls = await talk.polled(talk.poll_of(halted if halted.status == 202 else made, binding))
    if halted.status == 202:
        ended = polls[-1].status == 410 or polls[-1].fields.get("state") == "succeeded"
        talk.expect("UNB-04", ended, "'succeeded' or 410: the poll is about the unbind", halted, polls[-1])
    await _expect_nothing_left(talk, "UNB-03", binding)
    talk.not_applicable("it is unbound in the request")


@check("UNB-05")
async def a_bind_that_is_halted_in_the_request_has_failed(talk: Conversation) -> None:
    for subject in _handy(talk):
        binding, made = await begin_bind(talk, subject)
        halted = await talk.send(_without_flag(talk.ask.unbind(binding)))
        if halted.status == 200:
            poll = await talk.send(talk.poll_of(made, binding))
            # LOB-10: there may be nothing left to poll.
            holds = poll.status == 404 or poll.fields.get("state") == "failed"
            if not holds and subject.help.traits.isdisjoint(_SURELY_SLOW):
                talk.needs_help(f"if binding takes two seconds or more, give the trait {Trait.SLOW} to {subject.name}")
            talk.expect("UNB-05", holds, "the state 'failed': the bind was halted by an unbind", halted, poll)
            return
    talk.not_applicable("no plan unbinds in the request what is being bound")


@check("UNB-15")
async def an_unbind_that_cannot_be_done_while_the_bind_runs_is_refused_with_ConcurrencyError(  # noqa: N802
    talk: Conversation,
) -> None:
    for subject in _handy(talk):
        binding, made = await begin_bind(talk, subject)
        answer = await talk.send(talk.ask.unbind(binding))
        if not answer.ok:
            await talk.still_in_progress(made, binding)
            refused = answer.status == 422 and answer.error == "ConcurrencyError"
            talk.expect("UNB-15", refused, "status 422 with the error ConcurrencyError, or a deletion", made, answer)
            return
    talk.not_applicable("a binding that is being made can be unbound")


@watch("UNB-17")
def the_operation_of_an_unbind_is_a_string_that_is_not_too_long(
    answer: Answer, _: Watched
) -> Iterator[tuple[str, bool, str]]:
    if answer.request.endpoint is Endpoint.UNBIND and answer.status == 202 and "operation" in answer.fields:
        operation = answer.fields["operation"]
        holds = isinstance(operation, str) and len(operation) <= LONGEST_OPERATION
        yield "UNB-17", holds, f"a string of at most {LONGEST_OPERATION:,} characters as operation, or none"


def _without_flag(request: Request) -> Request:
    return request.without_query("accepts_incomplete").noted("accepts_incomplete is absent")


def _late(talk: Conversation) -> list[Subject]:
    """List the plans whose bindings are made asynchronously."""
    return [each for each in talk.usable() if each.bindable and each.life.asynchronous(Endpoint.BIND)]


def _handy(talk: Conversation) -> list[Subject]:
    """List a few of those: first the ones whose instances, and whose ends of bindings, take no time."""
    found = sorted(_late(talk), key=lambda each: (each.life.asynchronous(Endpoint.PROVISION), not _at_once(each)))
    if not found:
        talk.not_applicable("no plan answers 202 to bind")
    return found[:_PLANS]


def _operation(subject: Subject) -> str | None:
    answer = subject.life.answers.get(Endpoint.UNBIND)
    return None if answer is None else answer.operation


async def _expect_nothing_left(talk: Conversation, rule: str, binding: Binding) -> None:
    """Judge whether a binding is gone; where it cannot be fetched, its DELETE says it."""
    if retrievable(binding.instance.subject):
        left = await talk.send(talk.ask.fetch_binding(binding))
        talk.expect(rule, left.status != 200, "status 404: the binding is unbound", left)
    else:
        left = await talk.send(talk.ask.unbind(binding))
        talk.expect(rule, left.status == 410, "status 410: the binding is unbound", left)
