"""Fetching an instance (``GET I``)."""

from __future__ import annotations

from collections.abc import Iterator

from openbrokerapi.conformance.check import Watched, check, watch
from openbrokerapi.conformance.conversation import Conversation
from openbrokerapi.conformance.subjects import Subject
from openbrokerapi.conformance.wire import Answer, Endpoint

_WANTED = "a plan of an offering with instances_retrievable"


def _retrievable(subject: Subject) -> bool:
    return subject.offering.instances_retrievable


def _fetched(talk: Conversation) -> list[tuple[Subject, Answer]]:
    """List what the survey's GET of an instance of each plan was answered with.

    Raises:
        SetAside: No plan that can be provisioned is of an offering with ``instances_retrievable``.
    """
    talk.subject(_retrievable, _WANTED)
    found = [(each, each.life.answers.get(Endpoint.FETCH_INSTANCE)) for each in talk.usable()]
    return [(subject, answer) for subject, answer in found if answer is not None]


@watch("GETI-07", "GETI-09", "GETI-11", "GETI-13")
def the_fields_of_a_fetched_instance_have_their_types(answer: Answer, _: Watched) -> Iterator[tuple[str, bool, str]]:
    if answer.request.endpoint is not Endpoint.FETCH_INSTANCE or answer.status != 200:
        return
    fields = answer.fields
    yield "GETI-07", answer.is_object, "a JSON object as the body of a 200"
    if "parameters" in fields:
        yield "GETI-09", isinstance(fields["parameters"], dict), "an object as parameters"
    if "maintenance_info" in fields:
        info = fields["maintenance_info"]
        versioned = isinstance(info, dict) and isinstance(info.get("version"), str)
        yield "GETI-11", versioned, "an object with a text as version as maintenance_info"
    if "metadata" in fields:
        yield "GETI-13", _is_metadata(fields["metadata"]), "an object of the objects labels and attributes as metadata"


def _is_metadata(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(name, {}), dict) for name in ("labels", "attributes"))


@check("GETI-01", "GETI-02")
async def an_instance_of_every_plan_can_be_fetched_as_soon_as_it_is_there(talk: Conversation) -> None:
    for subject, answer in _fetched(talk):
        if not subject.life.asynchronous(Endpoint.PROVISION):
            talk.expect_status(answer, 200, "GETI-01")
            continue
        talk.expect("GETI-02", answer.status == 200, "status 200 as soon as a poll has said 'succeeded'", answer)
        late = answer
        if late.status != 200:
            late = await talk.send(talk.ask.fetch(await talk.instance(subject)))
            late = late if late.status == 200 else await talk.send(late.request)
        talk.expect_status(late, 200, "GETI-01")


@check("GETI-06")
async def an_instance_can_be_fetched_with_and_without_the_hints_of_the_query(talk: Conversation) -> None:
    request = talk.ask.fetch(await talk.standing_instance(talk.subject(_retrievable, _WANTED)))
    bare = (request.without_query(), request.without_query("service_id"), request.without_query("plan_id"))
    for each in (request, *bare):
        talk.expect_status(await talk.send(each), 200, "GETI-06")


@check("GETI-07")
async def a_fetched_instance_names_its_offering_and_plan(talk: Conversation) -> None:
    for subject, answer in _fetched(talk):
        if answer.status == 200:
            _expect_ids(talk, answer, subject.offering.id, subject.plan.id)
    subject = talk.subject(
        lambda each: _retrievable(each) and each.target is not None, "a retrievable plan that can be changed to another"
    )
    if subject.target is None:
        return
    instance = await talk.instance(subject)
    changed = await talk.send(talk.ask.update(instance, plan_id=subject.target.id))
    if changed.status == 200 or (changed.status == 202 and (await talk.finish(changed, instance)).state == "succeeded"):
        answer = await talk.send(talk.ask.fetch(instance))
        if answer.status == 200:
            _expect_ids(talk, answer, subject.offering.id, subject.target.id)


def _expect_ids(talk: Conversation, answer: Answer, service_id: str, plan_id: str) -> None:
    same = (
        answer.fields.get("service_id", service_id) == service_id and answer.fields.get("plan_id", plan_id) == plan_id
    )
    talk.expect("GETI-07", same, "the service_id and the plan_id that the instance has now", answer)


@check("GETI-08")
async def a_fetched_instance_shows_no_dashboard_that_the_provision_did_not_name(talk: Conversation) -> None:
    for subject, answer in _fetched(talk):
        first = subject.life.answers[Endpoint.PROVISION]
        if answer.status == 200 and first.is_object:
            holds = answer.fields.get("dashboard_url") is None or first.fields.get("dashboard_url") is not None
            talk.expect("GETI-08", holds, "no dashboard_url: the provision's answer had none", first, answer)


@check("GETI-11")
async def a_fetched_instance_has_the_version_of_maintenance_info_that_it_was_made_with(talk: Conversation) -> None:
    for subject, answer in _fetched(talk):
        version, info = subject.plan.maintenance_version, answer.fields.get("maintenance_info")
        if answer.status == 200 and version is not None and isinstance(info, dict):
            same = info.get("version") == version
            talk.expect("GETI-11", same, "the version that the provision named, as the catalog has it", answer)


@check("GETI-14")
async def an_instance_that_is_not_there_is_answered_with_404(talk: Conversation) -> None:
    subject = talk.subject(_retrievable, _WANTED)
    unknown = talk.ask.unknown_instance(subject)
    talk.expect_status(await talk.send(talk.ask.fetch(unknown)), 404, "GETI-14")
    instance = await talk.instance(subject)
    await talk.remove(instance)
    talk.expect_status(await talk.send(talk.ask.fetch(instance)), 404, "GETI-14")


@check("GETI-15")
async def an_instance_that_is_being_provisioned_is_answered_with_404(talk: Conversation) -> None:
    subject = talk.subject(_retrievable, _WANTED, asynchronous=Endpoint.PROVISION)
    begun = await talk.begin(talk.ask.provision(subject))
    instance = talk.named_instance(begun.request, subject, begun)
    answer = await talk.send(talk.ask.fetch(instance))
    if answer.status == 200 and not await talk.runs(begun, instance):
        talk.ended_early(begun)
    talk.expect_status(answer, 404, "GETI-15")


@check("GETI-16")
async def an_instance_that_is_being_updated_is_shown_or_refused_with_ConcurrencyError(  # noqa: N802
    talk: Conversation,
) -> None:
    subject = talk.subject(_retrievable, _WANTED, asynchronous=Endpoint.UPDATE)
    instance = await talk.instance(subject)
    await talk.begin(talk.ask.update(instance, parameters=subject.update_parameters))
    answer = await talk.send(talk.ask.fetch(instance))
    concurrent = answer.status == 422 and answer.error == "ConcurrencyError"
    talk.expect("GETI-16", answer.status == 200 or concurrent, "200, or 422 with the error ConcurrencyError", answer)
