"""A provision (``PUT I``) whose id is taken: the same again, another one, and one that another operation meets."""

from __future__ import annotations

from openbrokerapi.conformance.asking import Instance
from openbrokerapi.conformance.check import check
from openbrokerapi.conformance.conversation import Conversation
from openbrokerapi.conformance.subjects import Subject
from openbrokerapi.conformance.wire import Answer, Endpoint, Request

_COMPARED = ("service_id", "plan_id", "parameters")


@check("PROV-17")
async def a_provision_that_is_repeated_when_it_is_done_is_answered_with_200(talk: Conversation) -> None:
    instance = await talk.instance()
    again = await talk.send(instance.request)
    # 200 is for synchronous provisions only (2.17), so a broker without any may do as it likes.
    accepted = (200, 409) if instance.subject.life.asynchronous(Endpoint.PROVISION) else (200,)
    proper = again.status in accepted and (again.status != 200 or again.is_object)
    talk.expect("PROV-17", proper, "status 200 with a JSON object: the instance is there, and is the same", again)


@check("PROV-18", "PROV-21", "PROV-22")
async def a_provision_that_is_repeated_while_it_runs_is_answered_with_202(talk: Conversation) -> None:
    subject = talk.subject(asynchronous=Endpoint.PROVISION)
    first = await talk.begin(talk.ask.provision(subject))
    instance = talk.named_instance(first.request, subject, first)
    again = await talk.send(first.request)
    raced = await talk.race(first.request, first.request)
    if not await talk.runs(first, instance):
        talk.ended_early(first)
    talk.expect("PROV-21", again.status == 202, "status 202: the creation is in progress", first, again)
    for answer in (again, *raced):
        if answer.status == 202:
            _expect_same_operation(talk, first, answer)
    for answer in raced:
        proper = answer.status == 202 or _is_concurrency_error(answer)
        talk.expect("PROV-21", proper, "status 202, or 422 with the error ConcurrencyError", first, answer)
    # Without the flag a broker may wait for the end, and then say 200.
    silent = await talk.send(first.request.without_query("accepts_incomplete"))
    early = silent.status == 200 and await talk.runs(first, instance)
    talk.expect("PROV-18", not early, "not 200, which says that nothing is in progress", first, silent)


def _expect_same_operation(talk: Conversation, first: Answer, again: Answer) -> None:
    same = first.fields.get("operation") == again.fields.get("operation")
    talk.expect("PROV-22", same, "the operation of the first answer", first, again)


def _is_concurrency_error(answer: Answer) -> bool:
    return answer.status == 422 and answer.error == "ConcurrencyError"


def _sibling(talk: Conversation, subject: Subject) -> Subject | None:
    """Find another plan of the offering that can be provisioned."""
    siblings = [each for each in talk.usable() if each.offering.id == subject.offering.id]
    return next((each for each in siblings if each.plan.id != subject.plan.id), None)


def _can_differ(talk: Conversation, subject: Subject) -> bool:
    return subject.other_parameters is not None or _sibling(talk, subject) is not None


def _differing(talk: Conversation, instance: Instance) -> list[Request]:
    """Write provisions with the id of an instance and other attributes."""
    subject, made = instance.subject, []
    if subject.other_parameters is not None:
        made.append(instance.request.with_fields(parameters=subject.other_parameters).noted("other parameters"))
    sibling = _sibling(talk, subject)
    if sibling is not None:
        made.append(talk.ask.provision(sibling, instance.id).noted("another plan"))
    return made


@check("PROV-25")
async def a_provision_with_the_id_of_another_instance_is_refused_and_leaves_that_one_alone(
    talk: Conversation,
) -> None:
    subject = talk.subject(lambda each: _can_differ(talk, each), "a plan with another beside it, or other_parameters")
    instance = await talk.instance(subject)
    before = await _fetched(talk, instance)
    for request in _differing(talk, instance):
        talk.expect_status(await talk.send(request), 409, "PROV-25")
    after = await _fetched(talk, instance)
    if before is not None and after is not None:
        same = after.status == 200 and all(before.fields.get(name) == after.fields.get(name) for name in _COMPARED)
        talk.expect("PROV-25", same, "the instance as it was before the PUT that was refused", before, after)


async def _fetched(talk: Conversation, instance: Instance) -> Answer | None:
    if not instance.subject.offering.instances_retrievable:
        return None
    return await talk.send(talk.ask.fetch(instance))


@check("PROV-26")
async def a_provision_with_the_id_of_another_one_that_runs_is_refused(talk: Conversation) -> None:
    subject = talk.subject(
        lambda each: _can_differ(talk, each),
        "a plan with another beside it, or other_parameters",
        asynchronous=Endpoint.PROVISION,
    )
    first = await talk.begin(talk.ask.provision(subject))
    instance = talk.named_instance(first.request, subject, first)
    answers = [await talk.send(request) for request in _differing(talk, instance)]
    if not await talk.runs(first, instance):
        talk.ended_early(first)
    for answer in answers:
        talk.expect_status(answer, 409, "PROV-26")


@check("PROV-34")
async def a_provision_while_the_instance_is_deprovisioned_is_no_error_of_the_broker(talk: Conversation) -> None:
    instance = await talk.instance(talk.subject(asynchronous=Endpoint.DEPROVISION))
    await _provision_during(talk, instance, talk.ask.deprovision(instance))


@check("PROV-34")
async def a_provision_while_the_instance_is_updated_is_no_error_of_the_broker(talk: Conversation) -> None:
    instance = await talk.instance(talk.subject(asynchronous=Endpoint.UPDATE))
    await _provision_during(talk, instance, talk.ask.update(instance, parameters=instance.subject.update_parameters))


async def _provision_during(talk: Conversation, instance: Instance, request: Request) -> None:
    """Judge what a PUT is answered with while another operation on its id runs.

    The specification leaves open whether the broker can take it then. Only if it cannot, it has to say so.
    """
    begun = await talk.begin(request)
    answers = [await talk.send(each) for each in (instance.request, *_differing(talk, instance))]
    running = await talk.runs(begun, instance)
    if not running and not any(answer.status >= 500 for answer in answers):
        talk.ended_early(begun)
    for answer in answers:
        # 409: there still is an instance with this id.
        proper = answer.ok or answer.status == 409 or _is_concurrency_error(answer)
        if running or answer.status >= 500:
            talk.expect("PROV-34", proper, "status 422 with the error ConcurrencyError", begun, answer)


@check("PROV-34")
async def a_provision_and_a_deprovision_of_one_id_at_once_are_no_error_of_the_broker(talk: Conversation) -> None:
    instance = await talk.instance()
    again, deleted = await talk.race(instance.request, talk.ask.deprovision(instance))
    # Who came first is not known, so a refusal may mean that the broker does not let ids be used anew.
    proper = again.ok or again.refused
    talk.expect("PROV-34", proper, "status 422 with the error ConcurrencyError, if not success", deleted, again)
    if again.ok:
        # It may have been made anew after the DELETE.
        await talk.send(talk.ask.deprovision(instance))
