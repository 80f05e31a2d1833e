"""Errors: their statuses and codes, and that they change nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openbrokerapi.conformance.asking import Instance
from openbrokerapi.conformance.check import check
from openbrokerapi.conformance.conversation import Conversation
from openbrokerapi.conformance.cooperation import Trait
from openbrokerapi.conformance.subjects import Subject
from openbrokerapi.conformance.wire import Answer, Endpoint, Request

#: What an update may change, as a fetch shows it.
_CHANGEABLE = ("service_id", "plan_id", "parameters", "maintenance_info")


# -- statuses and codes


@check("ERR-01")
async def a_provision_beyond_the_quota_is_refused_with_4xx(talk: Conversation) -> None:
    answer = await talk.send(talk.ask.provision(talk.subject_with(Trait.OVER_QUOTA)))
    if answer.ok:
        talk.undecided(f"the provision beyond the quota was answered with {answer.status}")
    talk.expect("ERR-01", answer.refused, "a status of 400 to 499: the quota is used up, the broker is well", answer)


@check("ERR-08")
async def an_update_that_is_not_repeatable_fails_again(talk: Conversation) -> None:
    subject = talk.subject_with(Trait.OVER_QUOTA_UPDATE, lambda each: each.usable)
    request = _forbidden_update(talk, await talk.instance(subject))
    answer = await talk.send(request)
    if answer.status < 400:
        talk.undecided(f"the update beyond the quota was answered with {answer.status}")
    if answer.fields.get("update_repeatable") is not False:
        talk.not_applicable("the broker does not say that the update cannot be repeated")
    again = await talk.send(request)
    talk.expect("ERR-08", again.status >= 400, "to fail again: update_repeatable was false", answer, again)


def _forbidden_update(talk: Conversation, instance: Instance) -> Request:
    """Write the update that the file says is beyond the quota."""
    help_, target = instance.subject.help, instance.subject.target
    if help_.update_parameters is not None or target is None:
        return talk.ask.update(instance, parameters=instance.subject.update_parameters)
    return talk.ask.update(instance, plan_id=target.id)


@check("ERR-10")
async def the_code_for_a_missing_flag_is_AsyncRequired(talk: Conversation) -> None:  # noqa: N802
    subject = talk.subject(asynchronous=Endpoint.PROVISION)
    request = talk.ask.provision(subject).without_query("accepts_incomplete").noted("no accepts_incomplete")
    text = "the error AsyncRequired: the request lacks nothing but accepts_incomplete=true"
    _judge_code(talk, "ERR-10", "AsyncRequired", text, [await talk.send(request)])


def _judge_code(talk: Conversation, rule: str, code: str, text: str, answers: list[Answer]) -> None:
    """Judge the error code of those requests that were not served."""
    failed = [answer for answer in answers if answer.status >= 400]
    if not failed:
        talk.not_applicable(f"the broker serves what could be refused with {code}")
    for answer in failed:
        talk.expect(rule, answer.error == code, text, answer)


@check("ERR-11")
async def the_code_for_concurrent_requests_is_ConcurrencyError(talk: Conversation) -> None:  # noqa: N802
    subject = talk.subject_with(Trait.SLOW, lambda each: each.usable and each.life.asynchronous(Endpoint.PROVISION))
    request = talk.ask.provision(subject)
    instance = talk.named_instance(request, subject, await talk.send(request))
    answers = await _during_creation(talk, instance)
    if all(answer.ok for answer in answers):
        answers += await _during_update(talk, instance)
    # Other statuses say that the instance is not there yet, or that it is another one, which may be so.
    concurrent = [answer for answer in answers if answer.ok or answer.status == 422 or answer.status >= 500]
    text = "status 422 and the error ConcurrencyError: the request is refused only because another one is in progress"
    _judge_code(talk, "ERR-11", "ConcurrencyError", text, concurrent)


async def _during_creation(talk: Conversation, instance: Instance) -> list[Answer]:
    """Send what changes an instance while it is being made, and wait until it is there."""
    if instance.answer is None or instance.answer.status != 202:
        talk.undecided(f"the provision was not answered with 202, as before, but with {_status(instance.answer)}")
    requests = [instance.request]
    if instance.subject.life.worked(Endpoint.UPDATE):
        requests.append(talk.ask.update(instance, parameters=instance.subject.update_parameters))
    if instance.subject.bindable:
        requests.append(talk.ask.bind(instance))
    answers = [await talk.send(request) for request in requests]
    await talk.finish(instance.answer, instance)
    return answers


def _status(answer: Answer | None) -> int | str:
    return "nothing" if answer is None else answer.status


async def _during_update(talk: Conversation, instance: Instance) -> list[Answer]:
    """Send another update while one is in progress, where updates take their time."""
    if not instance.subject.life.asynchronous(Endpoint.UPDATE):
        return []
    first = await talk.send(talk.ask.update(instance, parameters=instance.subject.update_parameters))
    if first.status != 202:
        return []
    second = await talk.send(talk.ask.update(instance, parameters=instance.subject.parameters or {}))
    await talk.finish(first, instance)
    return [second]


@check("ERR-12")
async def the_code_for_a_missing_application_is_RequiresApp(talk: Conversation) -> None:  # noqa: N802
    instance = await talk.instance(talk.subject_with(Trait.REQUIRES_APP, lambda each: each.bindable))
    request = talk.ask.bind(instance, app_guid=None, bind_resource=None)
    text = "the error RequiresApp: the bind lacks nothing but an application"
    _judge_code(talk, "ERR-12", "RequiresApp", text, [await talk.send(request.noted("no application"))])


@check("ERR-13")
async def the_code_for_another_version_of_a_plan_is_MaintenanceInfoConflict(talk: Conversation) -> None:  # noqa: N802
    subject = talk.subject(lambda each: each.plan.maintenance_version is not None, "a plan with maintenance_info")
    request = talk.ask.provision(subject, maintenance_info={"version": "0.0.0-conformance"})
    text = "the error MaintenanceInfoConflict: the request lacks nothing but the catalog's version"
    answer = await talk.send(request.noted("another version of the plan"))
    _judge_code(talk, "ERR-13", "MaintenanceInfoConflict", text, [answer])


# -- what is left behind


def _refused_provisions(talk: Conversation, subject: Subject) -> Iterator[Request]:
    yield talk.ask.provision(subject, plan_id=None).noted("no plan")
    yield talk.ask.provision(subject, service_id=talk.ask.new_id()).noted("an offering that does not exist")
    yield talk.ask.provision(subject).with_fields(parameters=[]).noted("parameters that are no object")
    if subject.bad_parameters is not None:
        yield talk.ask.provision(subject, parameters=subject.bad_parameters).noted("bad parameters")


@check("ERR-16")
async def a_provision_that_is_refused_leaves_nothing(talk: Conversation) -> None:
    subject = talk.subject()
    judged = False
    for request in _refused_provisions(talk, subject):
        answer = await talk.send(request)
        if answer.refused:
            judged = True
            gone = await talk.send(talk.ask.deprovision(talk.named_instance(request, subject, answer)))
            talk.expect("ERR-16", not gone.ok, f"nothing to be there after a {answer.status}", answer, gone)
    if not judged:
        talk.undecided("the broker refuses no provision, whatever is wrong with it")


@check("ERR-16")
async def a_bind_that_is_refused_leaves_nothing(talk: Conversation) -> None:
    instance = await talk.standing_instance(talk.bindable_subject())
    request = talk.ask.bind(instance, service_id=None, plan_id=None).noted("no service_id and no plan_id")
    answer = await talk.send(request)
    if not answer.refused:
        talk.undecided(f"a bind without service_id and plan_id was answered with {answer.status}")
    gone = await talk.send(talk.ask.unbind(talk.named_binding(request, instance, answer)))
    talk.expect("ERR-16", not gone.ok, f"nothing to be there after a {answer.status}", answer, gone)


def _shown(subject: Subject) -> bool:
    return subject.offering.instances_retrievable and subject.usable


@check("ERR-16")
async def an_update_that_is_refused_changes_nothing(talk: Conversation) -> None:
    subject = talk.subject(
        lambda each: _shown(each) and (each.forbidden_target or each.bad_update_parameters) is not None,
        "a plan whose instances can be fetched, and an update that it refuses",
    )
    instance = await talk.instance(subject)
    fields: dict[str, Any] = {"parameters": subject.bad_update_parameters}
    if subject.forbidden_target is not None:
        # Good parameters beside it: not even they may be taken.
        fields = {"plan_id": subject.forbidden_target.id, "parameters": subject.update_parameters}
    await _judge_unchanged(talk, "ERR-16", instance, talk.ask.update(instance, **fields), range(400, 500))


@check("ERR-16")
async def an_update_beyond_the_quota_changes_nothing(talk: Conversation) -> None:
    instance = await talk.instance(talk.subject_with(Trait.OVER_QUOTA_UPDATE, _shown))
    await _judge_unchanged(talk, "ERR-16", instance, _forbidden_update(talk, instance), range(400, 500))


@check("ERR-17")
async def an_update_that_breaks_changes_nothing(talk: Conversation) -> None:
    instance = await talk.instance(talk.subject_with(Trait.BREAKS_UPDATE, _shown))
    request = talk.ask.update(instance, parameters=instance.subject.update_parameters)
    await _judge_unchanged(talk, "ERR-17", instance, request, range(500, 600))


async def _judge_unchanged(
    talk: Conversation, rule: str, instance: Instance, request: Request, statuses: range
) -> None:
    """Judge that an instance is the same after a request that was answered with one of these statuses."""
    before = await talk.send(talk.ask.fetch(instance))
    answer = await talk.send(request)
    if before.status != 200 or answer.status not in statuses:
        talk.undecided(f"the fetch was answered with {before.status}, the {request.endpoint} with {answer.status}")
    after = await talk.send(talk.ask.fetch(instance))
    same = after.status == 200 and _changeable(after) == _changeable(before)
    talk.expect(rule, same, f"the same as before the {answer.status}", before, answer, after)


def _changeable(answer: Answer) -> dict[str, Any]:
    return {name: answer.fields.get(name) for name in _CHANGEABLE}


@check("ERR-17")
async def a_provision_that_breaks_leaves_nothing(talk: Conversation) -> None:
    subject = talk.subject_with(Trait.BREAKS_PROVISION)
    request = talk.ask.provision(subject)
    answer = await talk.send(request)
    if answer.status < 500:
        talk.undecided(f"the provision that is to break was answered with {answer.status}")
    gone = await talk.send(talk.ask.deprovision(talk.named_instance(request, subject, answer)))
    text = f"nothing to be there after a {answer.status}, as far as it can be undone"
    talk.expect("ERR-17", not gone.ok, text, answer, gone)
