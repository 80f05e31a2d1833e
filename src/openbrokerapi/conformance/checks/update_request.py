"""What an update (``PATCH I``) may ask for."""

from __future__ import annotations

from openbrokerapi.conformance.check import check
from openbrokerapi.conformance.checks.update_subjects import (
    can_be_updated,
    fetched,
    is_shown,
    own_plan,
    real_change,
    same,
    sent,
    takes_context,
    takes_parameters,
    to_update,
    updated,
)
from openbrokerapi.conformance.conversation import Conversation
from openbrokerapi.conformance.subjects import Subject

_SHOWN = "and which can be fetched"
_NO_SUCH_VERSION = "0.0.0-conformance"


@check("UPD-08")
async def an_update_without_a_service_id_is_answered_with_400(talk: Conversation) -> None:
    instance = await talk.standing_instance(to_update(talk))
    request = talk.ask.update(instance)
    for wrong in (request.without_fields("service_id"), request.with_fields(service_id="")):
        talk.expect_status(await sent(talk, wrong, instance), 400, "UPD-08")


@check("UPD-26")
async def an_update_with_a_malformed_body_is_answered_with_400(talk: Conversation) -> None:
    instance = await talk.standing_instance(to_update(talk))
    request = talk.ask.update(instance)
    for wrong in (request.with_body(b'{"service_id": '), request.with_body(b"[]")):
        talk.expect_status(await sent(talk, wrong, instance), 400, "UPD-26")


@check("UPD-09")
async def an_update_with_ids_that_are_not_those_of_the_instance_does_not_succeed(talk: Conversation) -> None:
    subject = to_update(talk)
    instance = await talk.instance(subject)
    request, foreign = talk.ask.update(instance), subject.foreign_plan
    wrong = [request.with_fields(service_id=talk.ask.new_id()), request.with_fields(plan_id=talk.ask.new_id())]
    if foreign is not None:
        wrong += [request.with_fields(service_id=foreign.offering.id), request.with_fields(plan_id=foreign.id)]
    for each in wrong:
        answer = await sent(talk, each, instance)
        talk.expect("UPD-09", answer.status >= 400, "a refusal, such as 400", answer)


@check("UPD-10")
async def an_update_that_names_no_plan_keeps_the_plan(talk: Conversation) -> None:
    subject = to_update(talk, is_shown, _SHOWN)
    instance = await talk.instance(subject)
    before = await fetched(talk, instance)
    if "plan_id" not in before.fields:
        talk.not_applicable("a fetch does not show the plan of the instance")
    request = talk.ask.update(instance, **real_change(subject))
    if takes_parameters(subject):
        request = request.without_fields("context")
    answer = await updated(talk, request, instance)
    after = await fetched(talk, instance)
    kept = after.fields.get("plan_id") == before.fields["plan_id"]
    talk.expect("UPD-10", kept, "the plan_id from before the update, which named none", answer, after)


@check("UPD-11")
async def an_update_without_parameters_keeps_the_parameters(talk: Conversation) -> None:
    subject = to_update(talk, lambda each: is_shown(each) and bool(_some_parameters(each)), _SHOWN)
    instance = await talk.instance(subject, parameters=_some_parameters(subject))
    before = await fetched(talk, instance)
    if not before.fields.get("parameters"):
        talk.not_applicable("a fetch does not show the parameters of the instance")
    answer = await own_plan(talk, instance)
    after = await fetched(talk, instance)
    kept = after.fields.get("parameters") == before.fields["parameters"]
    talk.expect("UPD-11", kept, "the parameters from before the update, which had none", answer, after)


def _some_parameters(subject: Subject) -> dict[str, object] | None:
    return subject.other_parameters or subject.parameters


@check("UPD-12", "UPD-27")
async def an_update_with_bad_parameters_is_refused(talk: Conversation) -> None:
    subject = to_update(
        talk,
        lambda each: each.bad_update_parameters is not None,
        "with parameters that an update has to refuse (bad_update_parameters in the file)",
    )
    instance = await talk.instance(subject)
    answer = await sent(talk, talk.ask.update(instance, parameters=subject.bad_update_parameters), instance)
    talk.expect("UPD-12", answer.status >= 400, "a refusal: the schema of the plan does not allow these", answer)
    if answer.ok:
        talk.not_applicable("the broker does not refuse parameters of an update")
    talk.expect("UPD-27", answer.refused, "a status of 4xx such as 400: the request is wrong, not the broker", answer)


@check("UPD-14")
async def the_context_of_an_update_may_be_left_out(talk: Conversation) -> None:
    subject = to_update(talk)
    instance = await talk.instance(subject)
    usual = await own_plan(talk, instance)
    request = usual.request
    bare = await sent(talk, request.without_fields("context"), instance)
    talk.expect("UPD-14", bare.ok, "200 or 202, as with a context", usual, bare)


@check("UPD-16")
async def an_update_works_with_any_previous_values_and_with_none(talk: Conversation) -> None:
    subject = to_update(talk)
    instance = await talk.instance(subject)
    usual = await own_plan(talk, instance)
    request = usual.request
    full = {
        "service_id": subject.offering.id,
        "plan_id": subject.plan.id,
        "organization_id": talk.ask.organization,
        "space_id": talk.ask.space,
    }
    maintenance = (instance.request.fields or {}).get("maintenance_info")
    if maintenance is not None:
        full["maintenance_info"] = maintenance
    variants = [request.with_fields(previous_values=each) for each in (full, {"plan_id": full["plan_id"]})]
    for answer in (usual, *[await sent(talk, each, instance) for each in variants]):
        talk.expect("UPD-16", answer.ok, "200 or 202, whatever of previous_values is sent", answer)


@check("UPD-01")
async def an_update_of_the_context_alone_is_accepted_where_the_offering_says_so(talk: Conversation) -> None:
    subject = talk.subject(takes_context, "one whose offering says allow_context_updates")
    instance = await talk.instance(subject)
    answer = await sent(talk, talk.ask.update(instance), instance)
    talk.expect("UPD-01", answer.ok, "200 or 202: the offering says allow_context_updates", answer)


@check("UPD-15")
async def an_update_of_the_context_alone_changes_nothing_else(talk: Conversation) -> None:
    subject = talk.subject(
        lambda each: takes_context(each) and is_shown(each),
        f"one whose offering says allow_context_updates {_SHOWN}",
    )
    instance = await talk.instance(subject, parameters=_some_parameters(subject))
    before = await fetched(talk, instance)
    request = talk.ask.update(instance)
    context = {**(request.fields or {}).get("context", {}), "instance_name": "renamed"}
    answer = await updated(talk, request.with_fields(context=context), instance)
    after = await fetched(talk, instance)
    talk.expect("UPD-15", same(before, after), "the plan and the parameters as before the update", answer, after)


@check("UPD-02")
async def a_change_of_plan_is_not_made_where_no_plan_updateable_is_declared(talk: Conversation) -> None:
    subject = talk.subject(
        lambda each: not each.plan.updateable and each.another_plan is not None,
        "one that is not plan_updateable, of an offering with another plan",
    )
    instance = await talk.instance(subject)
    target = subject.another_plan.id if subject.another_plan else ""
    answer = await sent(talk, talk.ask.update(instance, plan_id=target), instance)
    expected = "a refusal such as 422, or plan_updateable: true in the catalog"
    if not answer.ok:
        talk.expect("UPD-02", True, expected, answer)
        return
    if not is_shown(subject):
        talk.undecided("the broker accepts a change of plan, but does not show whether it made it")
    after = await fetched(talk, instance)
    talk.expect("UPD-02", after.fields.get("plan_id") != target, expected, answer, after)


@check("UPD-04")
async def an_update_of_a_plan_that_is_not_updateable_may_change_all_but_the_plan(talk: Conversation) -> None:
    subject = talk.subject(
        lambda each: not each.plan.updateable and each.update_parameters is not None and can_be_updated(each),
        "one that is not plan_updateable, whose parameters can be updated",
    )
    instance = await talk.instance(subject)
    answer = await sent(talk, talk.ask.update(instance, parameters=subject.update_parameters), instance)
    talk.expect("UPD-04", answer.ok, "200 or 202: plan_updateable is about changes of plan only", answer)


@check("UPD-19")
async def an_update_with_another_maintenance_version_is_answered_with_a_conflict(talk: Conversation) -> None:
    subject = talk.subject(lambda each: each.plan.maintenance_version is not None, "one with maintenance_info")
    instance = await talk.instance(subject)
    before = await fetched(talk, instance) if is_shown(subject) else None
    request = talk.ask.update(instance, maintenance_info={"version": _NO_SUCH_VERSION}, **real_change(subject))
    answer = await sent(talk, request, instance)
    refused = answer.status == 422 and answer.error == "MaintenanceInfoConflict"
    talk.expect("UPD-19", refused, "422 with the error MaintenanceInfoConflict", answer)
    if before is not None and answer.refused:
        after = await fetched(talk, instance)
        talk.expect("UPD-19", same(before, after), "an instance that is as before", answer, after)


@check("UPD-20")
async def only_the_version_of_the_maintenance_info_of_an_update_counts(talk: Conversation) -> None:
    subject = talk.subject(lambda each: each.plan.maintenance_version is not None, "one with maintenance_info")
    instance = await talk.instance(subject)
    info = {"version": subject.plan.maintenance_version}
    request = talk.ask.update(instance, maintenance_info=info)
    usual = await updated(talk, request, instance)
    wordy = request.with_fields(maintenance_info={**info, "description": "not the words of the catalog"})
    answer = await sent(talk, wordy, instance)
    talk.expect("UPD-20", answer.ok, "200 or 202, as without a description", usual, answer)
