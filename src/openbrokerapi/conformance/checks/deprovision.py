"""Deprovisioning (``DELETE I``)."""

from __future__ import annotations

from collections.abc import Iterator

from openbrokerapi.conformance.asking import Instance
from openbrokerapi.conformance.check import Watched, check, watch
from openbrokerapi.conformance.conversation import Conversation
from openbrokerapi.conformance.subjects import Subject
from openbrokerapi.conformance.wire import LONGEST_OPERATION, Answer, Endpoint


@watch("DEP-10", "DEP-11", "DEP-20")
def the_answer_to_a_deprovision_that_succeeds_has_its_status_and_shape(
    answer: Answer, _: Watched
) -> Iterator[tuple[str, bool, str]]:
    if answer.request.endpoint is not Endpoint.DEPROVISION or not 200 <= answer.status < 300:
        return
    if answer.status != 202:
        yield "DEP-10", answer.status == 200 and answer.is_object, "status 200 with the body {}"
        return
    named = answer.fields.get("operation")
    proper = answer.is_object and isinstance(named, str | None)
    yield "DEP-11", proper, "a JSON object whose operation, if there is one, is a text"
    yield "DEP-20", len(answer.operation or "") <= LONGEST_OPERATION, "an operation of at most 10,000 characters"


@check("DEP-01")
async def what_was_deprovisioned_is_gone(talk: Conversation) -> None:
    talk.subject(lambda each: each.life.worked(Endpoint.DEPROVISION), "a plan whose instances can be deprovisioned")
    for subject in talk.usable():
        if subject.life.worked(Endpoint.DEPROVISION):
            deleted = subject.life.answers[Endpoint.DEPROVISION]
            instance = talk.named_instance(subject.life.answers[Endpoint.PROVISION].request, subject)
            trace = await talk.trace_of(instance)
            shown = (deleted,) if trace is None else (deleted, trace)
            talk.expect("DEP-01", trace is None, "404 to a GET and 410 to a DELETE: it has been deleted", *shown)


@check("DEP-03")
async def a_deprovision_of_an_instance_with_bindings_is_done_or_refused(talk: Conversation) -> None:
    instance = await talk.instance(talk.bindable_subject())
    binding = await talk.binding(instance)
    answer = await talk.send(talk.ask.deprovision(instance))
    talk.expect("DEP-03", answer.ok or answer.refused, "success, or a refusal with a status of 4xx", answer)
    if not answer.refused:
        return
    unbound = await talk.send(talk.ask.unbind(binding))
    talk.expect("DEP-03", unbound.ok, "the binding as it was: the DELETE of its instance was refused", answer, unbound)


@check("DEP-07")
async def a_deprovision_without_service_id_is_refused(talk: Conversation) -> None:
    await _expect_refused(talk, "DEP-07", "service_id")


@check("DEP-08")
async def a_deprovision_without_plan_id_is_refused(talk: Conversation) -> None:
    await _expect_refused(talk, "DEP-08", "plan_id")


async def _expect_refused(talk: Conversation, rule: str, name: str) -> None:
    for wrong in ("missing", "empty"):
        # A new one each time: one that was deleted is answered with 410, which may come before 400.
        instance = await talk.instance()
        whole = talk.ask.deprovision(instance)
        request = whole.without_query(name) if wrong == "missing" else whole.with_query(**{name: ""})
        talk.expect_status(await talk.send(request.noted(f"{name} is {wrong}")), 400, rule)
        await talk.send(whole)


@check("DEP-09")
async def a_deprovision_that_has_to_be_asynchronous_and_may_not_is_refused_with_AsyncRequired(  # noqa: N802
    talk: Conversation,
) -> None:
    first = talk.subject(asynchronous=Endpoint.DEPROVISION)
    others = [each for each in talk.usable() if each.life.asynchronous(Endpoint.DEPROVISION) and each is not first]
    for subject in (first, *others):
        instance = await talk.instance(subject)
        answer = await talk.send(talk.ask.deprovision(instance).without_query("accepts_incomplete"))
        if answer.status == 200:
            continue
        holds = answer.status == 422 and answer.error == "AsyncRequired"
        talk.expect("DEP-09", holds, "status 422 with the error AsyncRequired, or 200", answer)
        if answer.refused:
            trace = await talk.trace_of(instance)
            talk.expect("DEP-09", trace is not None, "the instance as it was: its DELETE was refused", answer)
        return
    talk.not_applicable("every instance can be deprovisioned in the request")


@check("DEP-12", "DEP-13")
async def a_deprovision_that_is_repeated_while_it_runs_is_answered_with_202(talk: Conversation) -> None:
    subject = talk.subject(asynchronous=Endpoint.DEPROVISION)
    instance = await talk.instance(subject)
    first = await talk.begin(talk.ask.deprovision(instance))
    again = await talk.send(first.request)
    raced = await talk.race(first.request, first.request)
    if not await talk.runs(first, instance):
        talk.ended_early(first)
    talk.expect("DEP-12", again.status == 202, "status 202: the deletion is in progress", first, again)
    for answer in raced:
        proper = answer.status == 202 or _is_concurrency_error(answer)
        talk.expect("DEP-12", proper, "status 202, or 422 with the error ConcurrencyError", first, answer)
    for answer in (again, *raced):
        if answer.status == 202:
            same = answer.fields.get("operation") == first.fields.get("operation")
            talk.expect("DEP-13", same, "the operation of the first answer", first, answer)


def _is_concurrency_error(answer: Answer) -> bool:
    return answer.status == 422 and answer.error == "ConcurrencyError"


@check("DEP-14")
async def a_malformed_deprovision_is_refused(talk: Conversation) -> None:
    request = talk.ask.deprovision(await talk.instance())
    # Whoever reads these queries with patience finds no service_id and no plan_id in them.
    for odd in (request.without_query().noted("no query at all"), request.with_raw_query("%zz=%&=").noted("no query")):
        talk.expect_status(await talk.send(odd), 400, "DEP-14")


@check("DEP-15")
async def a_deprovision_with_ids_that_are_not_the_instances_own_is_done_or_refused(talk: Conversation) -> None:
    instance = await talk.instance()
    request = talk.ask.deprovision(instance).with_query(service_id=talk.ask.new_id(), plan_id=talk.ask.new_id())
    answer = await talk.send(request)
    talk.expect("DEP-15", answer.ok or answer.refused, "success, or a status of 4xx such as 400", answer)
    if answer.refused:
        trace = await talk.trace_of(instance)
        talk.expect("DEP-15", trace is not None, "the instance as it was: its DELETE was refused", answer)


@check("DEP-16")
async def the_DELETE_of_an_instance_that_does_not_exist_is_answered_with_410(talk: Conversation) -> None:  # noqa: N802
    unknown = talk.ask.unknown_instance(talk.subject())
    talk.expect_status(await talk.send(talk.ask.deprovision(unknown)), 410, "DEP-16")

    instance = await talk.instance()
    await talk.remove(instance)
    talk.expect_status(await talk.send(talk.ask.deprovision(instance)), 410, "DEP-16")


@check("DEP-17")
async def a_deprovision_while_the_instance_is_updated_is_done_or_refused_with_ConcurrencyError(  # noqa: N802
    talk: Conversation,
) -> None:
    subject = talk.subject(asynchronous=Endpoint.UPDATE)
    instance = await talk.instance(subject)
    begun = await talk.begin(talk.ask.update(instance, parameters=subject.update_parameters))
    answer = await talk.send(talk.ask.deprovision(instance))
    if not answer.ok and not await talk.runs(begun, instance):
        talk.ended_early(begun)
    proper = answer.ok or _is_concurrency_error(answer)
    talk.expect("DEP-17", proper, "status 422 with the error ConcurrencyError, if not success", begun, answer)


# What is deleted while it is still being made.


def _slow_to_create(talk: Conversation) -> list[Subject]:
    """List the plans whose creations take time, plain ones first."""
    talk.subject(asynchronous=Endpoint.PROVISION)
    found = [each for each in talk.usable() if each.life.asynchronous(Endpoint.PROVISION)]
    return sorted(found, key=lambda each: len(each.help.traits))


def _of_each_kind(subjects: list[Subject]) -> list[Subject]:
    """Choose a plan whose operations have names, and one whose operations have none."""
    named = [each for each in subjects if each.life.answers[Endpoint.PROVISION].operation]
    nameless = [each for each in subjects if each not in named]
    return [*named[:1], *nameless[:1]]


async def _create(talk: Conversation, subject: Subject) -> tuple[Answer, Instance]:
    begun = await talk.begin(talk.ask.provision(subject))
    return begun, talk.named_instance(begun.request, subject, begun)


@check("DEP-04", "DEP-05", "DEP-17")
async def a_deprovision_halts_the_creation_that_runs(talk: Conversation) -> None:
    accepted = []
    for subject in _of_each_kind(_slow_to_create(talk)):
        begun, instance = await _create(talk, subject)
        answer = await talk.send(talk.ask.deprovision(instance))
        proper = answer.ok or _is_concurrency_error(answer)
        talk.expect("DEP-17", proper, "status 422 with the error ConcurrencyError, if not success", begun, answer)
        if answer.ok:
            accepted.append((instance, answer))
    for instance, answer in accepted:
        await _expect_halted(talk, instance, answer)
    if not accepted:
        talk.not_applicable("the broker takes no DELETE while the instance is being created")


async def _expect_halted(talk: Conversation, instance: Instance, answer: Answer) -> None:
    if answer.status == 202:
        end = await talk.finish(answer, instance)
        reported = end.state in ("succeeded", "gone")
        talk.expect("DEP-05", reported, "the end of the deletion, 'succeeded' or 410", answer, *end.polls)
    trace = await talk.trace_of(instance)
    shown = (answer,) if trace is None else (answer, trace)
    talk.expect("DEP-04", trace is None, "404 to a GET and 410 to a DELETE: it was deleted while it was made", *shown)


@check("DEP-06")
async def the_creation_that_was_halted_at_once_is_said_to_have_failed(talk: Conversation) -> None:
    for subject in _slow_to_create(talk):
        begun, instance = await _create(talk, subject)
        if not await talk.runs(begun, instance):
            talk.ended_early(begun)
        request = talk.ask.deprovision(instance)
        answer = await talk.send(request.without_query("accepts_incomplete"))
        if answer.status == 200:
            polled = await talk.send(talk.poll_of(begun, instance))
            failed = polled.status == 200 and polled.fields.get("state") == "failed"
            talk.expect("DEP-06", failed, "status 200 with the state 'failed' of the creation", begun, answer, polled)
            return
        # Begin to clean up, without waiting for the end.
        await talk.send(request)
    talk.not_applicable("the broker deletes nothing in the request while it is being created")
