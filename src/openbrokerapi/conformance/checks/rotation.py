"""Rotating a binding (``PUT B`` with ``predecessor_binding_id``)."""

from __future__ import annotations

from openbrokerapi.conformance.asking import Binding, Instance
from openbrokerapi.conformance.check import check
from openbrokerapi.conformance.conversation import Conversation
from openbrokerapi.conformance.rules import all_rules
from openbrokerapi.conformance.subjects import Subject
from openbrokerapi.conformance.wire import Answer, Endpoint, Request

from .fetch_binding import retrievable


def _rotatable(talk: Conversation, *, asynchronous: Endpoint | None = None) -> Subject:
    if not all_rules()["ROT-03"].applies_to(talk.version):
        talk.not_applicable(f"version {talk.version} does not know predecessor_binding_id")
    return talk.bindable_subject(
        lambda each: each.plan.rotatable, "a plan whose bindings can be rotated", asynchronous=asynchronous
    )


def _successor(talk: Conversation, instance: Instance, predecessor_id: str) -> Request:
    """Ask for a binding in place of another; without parameters, which the platform may not have any more."""
    return talk.ask.bind(instance, parameters=None, predecessor_binding_id=predecessor_id)


@check("ROT-03", "ROT-04")
async def a_rotation_makes_a_second_binding_beside_the_first(talk: Conversation) -> None:
    old = await talk.binding(await talk.instance(_rotatable(talk)))
    request = _successor(talk, old.instance, old.id)
    new, answer = await _rotate(talk, old, request)
    made = answer.status in (201, 202)
    talk.expect("ROT-03", made, "status 201, or 202 while it is in progress: the binding is new", answer)
    if not answer.ok:
        talk.undecided("there is no second binding")
    again = await talk.send(request)
    holds = again.status in (200, 202) or again.refused
    talk.expect("ROT-03", holds, "status 200: the same request was sent before", answer, again)
    await _expect_there(talk, "status 200: both bindings are valid at the same time", old, new)
    gone = await talk.send(talk.ask.unbind(old))
    talk.expect("ROT-04", gone.status != 410, "a deletion: the predecessor stays until it is unbound", answer, gone)
    if gone.status == 202:
        await talk.finish(gone, old)
    await _expect_there(talk, "status 200: to unbind the predecessor leaves its successor as it is", new)
    last = await talk.send(talk.ask.unbind(new))
    talk.expect("ROT-04", last.status != 410, "a deletion: the successor stays until it is unbound", gone, last)


@check("ROT-05")
async def a_rotation_that_must_be_asynchronous_and_may_not_is_refused_with_AsyncRequired(  # noqa: N802
    talk: Conversation,
) -> None:
    old = await talk.binding(await talk.instance(_rotatable(talk, asynchronous=Endpoint.BIND)))
    request = _successor(talk, old.instance, old.id).without_query("accepts_incomplete")
    answer = await talk.send(request.noted("accepts_incomplete is absent"))
    if answer.status in (200, 201):
        talk.not_applicable("it can be done in the request, too")
    required = answer.status == 422 and answer.error == "AsyncRequired"
    talk.expect("ROT-05", required, "status 422 with the error AsyncRequired", answer)


@check("ROT-06")
async def a_rotation_without_a_predecessor_of_the_same_instance_is_refused(talk: Conversation) -> None:
    subject = _rotatable(talk)
    instance = await talk.instance(subject)
    elsewhere = await talk.binding(await talk.instance(subject))
    for predecessor_id, why in ((talk.ask.new_id(), "is unknown"), (elsewhere.id, "is of another instance")):
        request = _successor(talk, instance, predecessor_id).noted(f"the predecessor {why}")
        answer = await talk.send(request)
        if not talk.expect("ROT-06", answer.refused, f"status 400: the predecessor {why}", answer):
            return
        left = await _left(talk, talk.named_binding(request, instance))
        talk.expect("ROT-06", left is None, "that the refused rotation leaves no binding", answer, *_some(left))


@check("ROT-07", "ROT-08")
async def a_rotation_that_names_the_predecessor_only_takes_the_rest_from_it(talk: Conversation) -> None:
    old = await talk.binding(await talk.instance(_rotatable(talk)))
    before = await _fetch(talk, old)
    bare = talk.ask.bind(old.instance)
    bare = bare.without_fields(*(bare.fields or ())).with_fields(predecessor_binding_id=old.id)
    new, answer = await _rotate(talk, old, bare.noted("the body has predecessor_binding_id only"))
    talk.expect("ROT-07", answer.ok, "status 201 or 202: the body of a rotation need not have more", answer)
    after = await _fetch(talk, new) if answer.ok else None
    latest = new if answer.ok else old
    second, other = await _rotate(talk, latest, _successor(talk, old.instance, latest.id))
    talk.expect("ROT-07", other.ok, "status 201 or 202 also with service_id and plan_id", other)
    after = after or (await _fetch(talk, second) if other.ok else None)
    if before is None or after is None:
        talk.not_applicable("bindings cannot be fetched")
    wanted = before.fields.get("parameters")
    if not wanted:
        talk.not_applicable("a fetched binding shows no parameters: the file may have to give bind_parameters")
    same = after.fields.get("parameters") == wanted
    talk.expect("ROT-08", same, "the parameters of the predecessor", before, after)


async def _fetch(talk: Conversation, binding: Binding) -> Answer | None:
    """Fetch a binding, which shows its parameters; None where it cannot be fetched."""
    if not retrievable(binding.instance.subject):
        return None
    fetched = await talk.send(talk.ask.fetch_binding(binding))
    return fetched if fetched.status == 200 else None


async def _rotate(talk: Conversation, old: Binding, request: Request) -> tuple[Binding, Answer]:
    """Ask for a successor and wait until it is there."""
    answer = await talk.send(request)
    new = talk.named_binding(request, old.instance, answer)
    if answer.status == 202:
        end = await talk.finish(answer, new)
        if end.state != "succeeded":
            talk.undecided(f"the rotation ended {end.state}")
    return new, answer


async def _expect_there(talk: Conversation, expected: str, *bindings: Binding) -> None:
    for binding in bindings:
        if retrievable(binding.instance.subject):
            fetched = await talk.send(talk.ask.fetch_binding(binding))
            talk.expect("ROT-04", fetched.status == 200, expected, fetched)


async def _left(talk: Conversation, binding: Binding) -> Answer | None:
    """Return the answer that shows that a binding is there; None where it is not."""
    if retrievable(binding.instance.subject):
        answer = await talk.send(talk.ask.fetch_binding(binding))
        return answer if answer.status == 200 else None
    answer = await talk.send(talk.ask.unbind(binding))
    return answer if answer.ok else None


def _some(answer: Answer | None) -> tuple[Answer, ...]:
    return () if answer is None else (answer,)
