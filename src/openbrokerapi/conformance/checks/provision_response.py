"""What a provision (``PUT I``) is answered with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openbrokerapi.conformance.asking import Instance
from openbrokerapi.conformance.check import Watched, check, watch
from openbrokerapi.conformance.conversation import Conversation
from openbrokerapi.conformance.subjects import Subject, makeable
from openbrokerapi.conformance.wire import LONGEST_OPERATION, Answer, Endpoint

_ENDS = ("succeeded", "failed", "gone")


@watch("PROV-29", "PROV-30", "PROV-31", "PROV-33", "PROV-20")
def the_fields_of_an_answer_to_a_provision_have_their_types(
    answer: Answer, _: Watched
) -> Iterator[tuple[str, bool, str]]:
    if answer.request.endpoint is not Endpoint.PROVISION or not answer.ok:
        return
    fields = answer.fields
    if "dashboard_url" in fields:
        yield "PROV-29", isinstance(fields["dashboard_url"], str | None), "a text or null as dashboard_url"
    if "metadata" in fields:
        yield "PROV-33", isinstance(fields["metadata"], dict), "an object as metadata"
    if answer.status == 202:
        yield "PROV-20", answer.is_object, "a JSON object as the body of a 202"
        yield "PROV-30", isinstance(fields.get("operation"), str | None), "a text or null as operation"
        yield "PROV-31", len(answer.operation or "") <= LONGEST_OPERATION, "an operation of at most 10,000 characters"


def surveyed(talk: Conversation, endpoint: Endpoint) -> Iterator[tuple[Subject, Answer]]:
    """Go through what this endpoint answered in the survey, plan by plan."""
    for subject in talk.subjects:
        answer = subject.life.answers.get(endpoint)
        if answer is not None:
            yield subject, answer


@check("PROV-01")
async def what_a_provision_creates_can_be_bound_and_deleted(talk: Conversation) -> None:
    _expect_provisioned(talk)
    for subject in talk.usable():
        bound = subject.life.answers.get(Endpoint.BIND)
        if bound is not None:
            known = bound.status not in (404, 410)
            talk.expect("PROV-01", known, "a binding: the instance has been provisioned", bound)
        deleted = subject.life.answers.get(Endpoint.DEPROVISION)
        # What becomes of an instance with bindings is left open (DEP-03).
        if deleted is not None and (bound is None or subject.life.worked(Endpoint.UNBIND)):
            taken = 200 <= deleted.status < 300
            talk.expect("PROV-01", taken, "status 200 or 202: the instance has been provisioned", deleted)


def _expect_provisioned(talk: Conversation) -> None:
    """Where no plan at all can be provisioned, the broker's own errors are breaches."""
    if talk.usable():
        return
    broken = [
        answer for subject, answer in surveyed(talk, Endpoint.PROVISION) if makeable(subject) and answer.status >= 500
    ]
    for answer in broken:
        talk.expect("PROV-01", False, "status 201 or 202: the request is a good one", answer)
    if not broken:
        talk.subject()


@check("PROV-19")
async def a_provision_that_is_done_at_once_is_answered_with_201(talk: Conversation) -> None:
    talk.subject(lambda each: not each.life.asynchronous(Endpoint.PROVISION), "a plan that is provisioned at once")
    for _, answer in surveyed(talk, Endpoint.PROVISION):
        if answer.ok and answer.status != 202:
            proper = answer.status == 201 and answer.is_object
            talk.expect("PROV-19", proper, "status 201 with a JSON object: it was created by this request", answer)


@check("PROV-30")
async def the_operation_of_a_provision_can_be_polled(talk: Conversation) -> None:
    found = [each for each in surveyed(talk, Endpoint.PROVISION) if each[1].status == 202 and each[1].operation]
    if not found:
        talk.not_applicable("no provision is answered with 202 and an operation")
    for subject, answer in found:
        if subject.life.ends.get(Endpoint.PROVISION) in _ENDS:
            talk.expect("PROV-30", True, "an operation that can be polled", answer)
        else:
            await _poll_anew(talk, subject)


async def _poll_anew(talk: Conversation, subject: Subject) -> None:
    """Look whether it is the operation that the broker does not know again in a poll."""
    begun = await talk.begin(talk.ask.provision(subject))
    instance = talk.named_instance(begun.request, subject, begun)
    plain = await talk.send(talk.ask.poll(instance))
    named = await talk.send(talk.poll_of(begun, instance))
    holds = named.status == 200 or plain.status != 200
    talk.expect("PROV-30", holds, "status 200: the operation is the one that the 202 named", begun, plain, named)


def _dashboard(answer: Answer | None) -> Any:
    return answer.fields.get("dashboard_url") if answer is not None else None


@check("PROV-28")
async def a_dashboard_url_does_not_come_later_than_the_first_answer(talk: Conversation) -> None:
    instance = await talk.instance(talk.subject(asynchronous=Endpoint.PROVISION))
    later = await _later_answer(talk, instance)
    first = instance.answer
    holds = _dashboard(later) is None or _dashboard(first) is not None
    shown = tuple(answer for answer in (first, later) if answer is not None)
    talk.expect("PROV-28", holds, "no dashboard_url: the first answer, a 202, had none", *shown)


async def _later_answer(talk: Conversation, instance: Instance) -> Answer:
    again = await talk.send(instance.request)
    if again.status == 200:
        return again
    if not instance.subject.offering.instances_retrievable:
        talk.undecided(f"there is no later answer to look at: the same PUT again was answered with {again.status}")
    return await talk.send(talk.ask.fetch(instance))


@check("PROV-29")
async def two_instances_have_two_dashboards(talk: Conversation) -> None:
    subject = talk.subject(
        lambda each: isinstance(_dashboard(each.life.answers.get(Endpoint.PROVISION)), str),
        "a plan whose instances have a dashboard_url",
    )
    first = subject.life.answers[Endpoint.PROVISION]
    second = (await talk.standing_instance(subject)).answer
    if second is not None and _dashboard(second) is not None:
        differ = _dashboard(first) != _dashboard(second)
        talk.expect("PROV-29", differ, "a dashboard_url that no other instance has", first, second)
