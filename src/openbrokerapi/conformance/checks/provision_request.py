"""What a provision (``PUT I``) has to hold: which requests are taken, and which are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openbrokerapi.conformance.check import check
from openbrokerapi.conformance.conversation import Conversation
from openbrokerapi.conformance.subjects import Subject
from openbrokerapi.conformance.wire import Answer, Endpoint, Request

#: A version of maintenance_info that no catalog has.
_STALE = "0.0.0-conformance"


async def _expect_refused(talk: Conversation, rule: str, name: str, *wrong: Any) -> None:
    """Judge that a PUT is answered with 400 where a field is missing, or has one of the `wrong` values."""
    subject = talk.subject()
    requests = [talk.ask.provision(subject).without_fields(name).noted(f"without {name}")]
    requests += [talk.ask.provision(subject).with_fields(**{name: value}) for value in wrong]
    for request in requests:
        talk.expect_status(await talk.send(request), 400, rule)


async def _sent(talk: Conversation, subject: Subject, request: Request, taken: Callable[[Answer], bool]) -> Answer:
    """Send a request; if it is not taken, send it once more, as another check may have used up a quota meanwhile.

    Raises:
        SetAside: A provision as usual is refused too, so the refusal has another reason.
    """
    answer = await talk.send(request)
    if taken(answer):
        return answer
    control = talk.ask.provision(subject)
    usual = await talk.send(control)
    if not usual.ok:
        talk.undecided(f"a provision as usual was answered with {usual.status} just as well")
    await talk.send(talk.ask.deprovision(talk.named_instance(control, subject, usual)))
    return await talk.send(request)


async def _expect_taken(talk: Conversation, rule: str, subject: Subject, why: str, **fields: Any) -> None:
    answer = await _sent(talk, subject, talk.ask.provision(subject, **fields), lambda answer: answer.ok)
    talk.expect(rule, answer.ok, f"status 201 or 202: {why}", answer)


async def _expect_nothing_made(talk: Conversation, rule: str, subject: Subject, refused: Answer) -> None:
    instance = talk.named_instance(refused.request, subject, refused)
    trace = await talk.trace_of(instance)
    shown = (refused,) if trace is None else (refused, trace)
    talk.expect(rule, trace is None, "no instance: the PUT before was refused", *shown)


@check("PROV-02")
async def a_provision_that_has_to_be_asynchronous_and_may_not_is_refused_with_AsyncRequired(  # noqa: N802
    talk: Conversation,
) -> None:
    first = talk.subject(asynchronous=Endpoint.PROVISION)
    others = [each for each in talk.usable() if each.life.asynchronous(Endpoint.PROVISION) and each is not first]
    for subject in (first, *others):
        request = talk.ask.provision(subject).without_query("accepts_incomplete")
        answer = await _sent(talk, subject, request, lambda answer: answer.ok or _is_async_required(answer))
        if answer.status == 201:
            continue
        proper = _is_async_required(answer)
        talk.expect("PROV-02", proper, "status 422 with the error AsyncRequired, or 201", answer)
        if answer.refused:
            await _expect_nothing_made(talk, "PROV-02", subject, answer)
        return
    talk.not_applicable("every plan can be provisioned in the request")


def _is_async_required(answer: Answer) -> bool:
    return answer.status == 422 and answer.error == "AsyncRequired"


@check("PROV-03")
async def a_provision_without_service_id_is_refused(talk: Conversation) -> None:
    await _expect_refused(talk, "PROV-03", "service_id", "", 7)


@check("PROV-04")
async def a_provision_without_plan_id_is_refused(talk: Conversation) -> None:
    await _expect_refused(talk, "PROV-04", "plan_id", "", 7)


@check("PROV-05")
async def a_provision_without_organization_guid_is_refused(talk: Conversation) -> None:
    await _expect_refused(talk, "PROV-05", "organization_guid", "")


@check("PROV-06")
async def a_provision_without_space_guid_is_refused(talk: Conversation) -> None:
    await _expect_refused(talk, "PROV-06", "space_guid", "")


@check("PROV-07")
async def a_provision_of_an_offering_that_is_not_in_the_catalog_is_refused(talk: Conversation) -> None:
    answer = await talk.send(talk.ask.provision(talk.subject(), service_id=talk.ask.new_id()))
    talk.expect("PROV-07", answer.refused, "a status of 4xx, such as 400: the catalog has no such service_id", answer)


@check("PROV-08")
async def a_provision_of_a_plan_that_the_offering_does_not_have_is_refused(talk: Conversation) -> None:
    subject = talk.subject()
    unknown = await talk.send(talk.ask.provision(subject, plan_id=talk.ask.new_id()))
    talk.expect("PROV-08", unknown.refused, "a status of 4xx, such as 400: the catalog has no such plan_id", unknown)
    if subject.foreign_plan is None:
        return
    foreign = await talk.send(talk.ask.provision(subject, plan_id=subject.foreign_plan.id, maintenance_info=None))
    talk.expect("PROV-08", foreign.refused, "a status of 4xx, such as 400: it is another offering's plan", foreign)


@check("PROV-10")
async def the_context_of_a_provision_is_optional_and_an_object(talk: Conversation) -> None:
    subject = talk.subject()
    await _expect_taken(talk, "PROV-10", subject, "context is optional", context=None)
    for wrong in ("cloudfoundry", ["cloudfoundry"]):
        talk.expect_status(await talk.send(talk.ask.provision(subject, context=wrong)), 400, "PROV-10")


@check("PROV-11")
async def the_parameters_of_a_provision_are_an_object(talk: Conversation) -> None:
    subject = talk.subject()
    for wrong in (["size", 5], "size=5", 5):
        talk.expect_status(await talk.send(talk.ask.provision(subject, parameters=wrong)), 400, "PROV-11")


@check("PROV-12", "PROV-24")
async def a_provision_with_parameters_that_the_schema_does_not_allow_is_refused(talk: Conversation) -> None:
    subjects = {each.offering.id: each for each in reversed(talk.usable()) if each.bad_parameters is not None}
    if not subjects:
        talk.needs_help("give bad_parameters in the file to a plan that can be provisioned, or give the plan a schema")
    for subject in subjects.values():
        answer = await talk.send(talk.ask.provision(subject, parameters=subject.bad_parameters))
        # 400 is a MAY (PROV-24): that they are refused is what counts.
        refused = answer.refused or await _failed(talk, subject, answer)
        talk.expect("PROV-12", refused, "a refusal with 4xx, best with status 400", answer)
        text = answer.fields.get("description")
        described = text is None or (isinstance(text, str) and text != "")
        proper = answer.ok or (answer.refused and described)
        talk.expect("PROV-24", proper, "status 400, and as description, if there is one, a text", answer)


async def _failed(talk: Conversation, subject: Subject, answer: Answer) -> bool:
    """Say whether what was accepted came to a bad end."""
    instance = talk.named_instance(answer.request, subject, answer)
    return answer.status == 202 and (await talk.finish(answer, instance)).state == "failed"


def _with_maintenance(talk: Conversation) -> tuple[Subject, str]:
    subject = talk.subject(lambda each: each.plan.maintenance_version is not None, "a plan with maintenance_info")
    return subject, subject.plan.maintenance_version or ""


@check("PROV-14")
async def a_provision_with_another_version_of_maintenance_info_is_refused(talk: Conversation) -> None:
    subject, _ = _with_maintenance(talk)
    answer = await talk.send(talk.ask.provision(subject, maintenance_info={"version": _STALE}))
    holds = answer.status == 422 and answer.error == "MaintenanceInfoConflict"
    talk.expect("PROV-14", holds, "status 422 with the error MaintenanceInfoConflict", answer)
    if answer.refused:
        await _expect_nothing_made(talk, "PROV-14", subject, answer)


@check("PROV-15")
async def a_provision_with_another_description_of_maintenance_info_is_taken(talk: Conversation) -> None:
    subject, version = _with_maintenance(talk)
    info = {"version": version, "description": "What a platform remembers, which is not compared."}
    await _expect_taken(talk, "PROV-15", subject, "of maintenance_info only version counts", maintenance_info=info)


@check("PROV-16")
async def a_provision_without_maintenance_info_is_taken(talk: Conversation) -> None:
    subject, _ = _with_maintenance(talk)
    await _expect_taken(talk, "PROV-16", subject, "maintenance_info is optional", maintenance_info=None)


def _malformed(talk: Conversation) -> list[Request]:
    subject = talk.subject()
    bodies = {"not JSON": b'{"service_id": ', "a JSON array": b"[]", "a JSON text": b'"instance"', "none": None}
    return [talk.ask.provision(subject).with_body(raw).noted(f"the body is {what}") for what, raw in bodies.items()]


@check("PROV-23")
async def a_provision_whose_body_is_not_a_JSON_object_is_refused(talk: Conversation) -> None:  # noqa: N802
    for request in _malformed(talk):
        talk.expect_status(await talk.send(request), 400, "PROV-23")
