"""Fields that the specification does not know."""

from __future__ import annotations

from typing import Any

from openbrokerapi.conformance.asking import Instance
from openbrokerapi.conformance.check import check
from openbrokerapi.conformance.conversation import Conversation
from openbrokerapi.conformance.subjects import Subject
from openbrokerapi.conformance.wire import Endpoint, Request

_EXTENSION: dict[str, Any] = {"x-acme-foo": {"a": 1}}
_LATER: dict[str, Any] = {"later_field": {"a": 1}, "later_flag": True}
_IGNORED = "to be served as without the field: fields that are not known are ignored"


def _extended(request: Request, *objects: str) -> Request:
    """Add an extension at the top of the body, and in these objects of it."""
    fields = request.fields or {}
    inner = {name: {**fields[name], **_EXTENSION} for name in objects if isinstance(fields.get(name), dict)}
    return request.with_fields(**inner, **_EXTENSION).noted("it has fields that the specification does not know")


def _changeable(subject: Subject) -> bool:
    return subject.life.worked(Endpoint.UPDATE)


@check("EXT-03")
async def unknown_fields_of_a_provision_are_ignored(talk: Conversation) -> None:
    subject = _subject(talk)
    request = _extended(talk.ask.provision(subject), "context", "maintenance_info")
    answer = await talk.send(request)
    if not talk.expect("EXT-03", answer.ok, _IGNORED, answer):
        return
    instance = talk.named_instance(request, subject, answer)
    if answer.status == 202:
        await talk.finish(answer, instance)
    await _bind(talk, instance)
    await _update(talk, instance)


def _subject(talk: Conversation) -> Subject:
    """Find a plan of which as much as possible can be seen."""
    found = [each for each in talk.usable() if each.bindable and _changeable(each)]
    found = found or [each for each in talk.usable() if each.bindable]
    return talk.subject(lambda each: not found or each in found)


async def _bind(talk: Conversation, instance: Instance) -> None:
    if not instance.subject.bindable:
        return
    request = _extended(talk.ask.bind(instance), "context", "bind_resource")
    answer = await talk.send(request)
    talk.expect("EXT-03", answer.ok, _IGNORED, answer)
    if answer.status == 202:
        await talk.finish(answer, talk.named_binding(request, instance, answer))


async def _update(talk: Conversation, instance: Instance) -> None:
    if not _changeable(instance.subject):
        return
    plan = instance.subject.plan
    request = talk.ask.update(
        instance,
        parameters=instance.subject.update_parameters,
        previous_values={"service_id": plan.offering.id, "plan_id": plan.id},
    )
    answer = await talk.send(_extended(request, "context", "previous_values"))
    talk.expect("EXT-03", answer.ok, _IGNORED, answer)
    if answer.status == 202:
        await talk.finish(answer, instance)


@check("EXT-04")
async def an_unknown_field_does_not_make_a_repeated_provision_another_one(talk: Conversation) -> None:
    instance = await talk.instance()
    usual = await talk.send(instance.request)
    if usual.status == 409:
        talk.not_applicable("the broker answers 409 to any repeated PUT, whatever is in it")
    if not usual.ok:
        talk.undecided(f"the same provision again was answered with {usual.status}")
    for fields in (_EXTENSION, {"x-acme-foo": 2}):
        answer = await talk.send(instance.request.with_fields(**fields).noted("one field is not known"))
        text = f"status {usual.status} as without the field: it does not count in the comparison"
        talk.expect("EXT-04", answer.status == usual.status, text, usual, answer)


@check("EXT-07")
async def fields_of_a_later_version_are_ignored(talk: Conversation) -> None:
    subject = talk.subject()
    request = talk.ask.provision(subject).with_fields(**_LATER)
    answer = await talk.send(request.noted("it has fields such as a later version may have"))
    text = "to be served as without the fields: a later version may add fields, and they are ignored"
    talk.expect("EXT-07", answer.ok, text, answer)
