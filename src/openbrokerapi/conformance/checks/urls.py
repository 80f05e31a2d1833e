"""Ids in URLs: any character may be in them."""

from __future__ import annotations

import re
from dataclasses import replace

from openbrokerapi.conformance.asking import Binding, Instance
from openbrokerapi.conformance.check import check
from openbrokerapi.conformance.conversation import Conversation
from openbrokerapi.conformance.cooperation import Trait
from openbrokerapi.conformance.wire import Answer, Request

_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]+\Z")
_ESCAPE = re.compile("%[0-9A-F]{2}")
_ANY = "to be served: an id may hold any character, percent-encoded"

#: After an id; what looks like percent-encoding is a part of the id, so that it is seen how often it is decoded.
_ODD = " a/b:ü%41"
_DECODED_TWICE = " a/b:üA"


def _respelled(request: Request) -> Request:
    """Write the same path with small letters in its percent-encoding."""
    path = _ESCAPE.sub(lambda escape: escape[0].lower(), request.path)
    return replace(request, path=path).noted("small letters in the percent-encoding, which mean the same")


@check("URL-01")
async def the_ids_of_instances_and_bindings_may_hold_any_character(talk: Conversation) -> None:
    bindable = any(each.bindable for each in talk.usable())
    subject = talk.bindable_subject() if bindable else talk.subject()
    given = talk.ask.new_id()
    request = talk.ask.provision(subject, given + _ODD)
    answer = await talk.send(request)
    if not talk.expect("URL-01", answer.ok, _ANY, answer):
        return
    instance = talk.named_instance(request, subject, answer)
    if await _look(talk, instance, answer):
        if bindable:
            await _bind(talk, instance)
        await _remove(talk, instance, replace(instance, id=given + _DECODED_TWICE))


async def _look(talk: Conversation, instance: Instance, made: Answer) -> bool:
    """Poll and fetch what was made; say whether it is there."""
    if made.status == 202:
        polled = await talk.send(_respelled(talk.poll_of(made, instance)))
        if not talk.expect("URL-01", polled.ok, _ANY, polled):
            return False
    await _ended(talk, made, instance)
    if instance.subject.offering.instances_retrievable:
        fetched = await talk.send(_respelled(talk.ask.fetch(instance)))
        talk.expect("URL-01", fetched.ok, _ANY, fetched)
    return True


async def _remove(talk: Conversation, instance: Instance, twin: Instance) -> None:
    other = await talk.send(talk.ask.deprovision(twin))
    talk.expect("URL-01", not other.ok, "not to be there: an id is decoded once, not twice", other)
    removed = await talk.send(_respelled(talk.ask.deprovision(instance)))
    talk.expect("URL-01", removed.ok, _ANY, removed)
    await _ended(talk, removed, instance)
    again = await talk.send(talk.ask.deprovision(instance))
    talk.expect("URL-01", not again.ok, "to be gone: it was deleted with the same id", removed, again)


async def _ended(talk: Conversation, answer: Answer, thing: Instance | Binding) -> None:
    """Wait until an operation has ended well, where one was begun."""
    if answer.status == 202 and (await talk.finish(answer, thing)).state == "failed":
        talk.undecided(f"the {answer.request.endpoint} ended failed")


async def _bind(talk: Conversation, instance: Instance) -> None:
    request = talk.ask.bind(instance, talk.ask.new_id() + _ODD)
    answer = await talk.send(request)
    if not talk.expect("URL-01", answer.ok, _ANY, answer):
        return
    binding = talk.named_binding(request, instance, answer)
    await _ended(talk, answer, binding)
    removed = await talk.send(_respelled(talk.ask.unbind(binding)))
    talk.expect("URL-01", removed.ok, _ANY, removed)
    await _ended(talk, removed, binding)
    again = await talk.send(talk.ask.unbind(binding))
    talk.expect("URL-01", not again.ok, "to be gone: it was deleted with the same id", removed, again)


@check("URL-01")
async def the_name_of_an_operation_may_hold_any_character(talk: Conversation) -> None:
    seen = [(each.life, endpoint) for each in talk.subjects for endpoint in each.life.ends]
    odd = [(life, endpoint) for life, endpoint in seen if not _needs_no_encoding(life.answers[endpoint])]
    if not odd:
        talk.not_applicable("the broker names no operation with characters that need encoding")
    for life, endpoint in odd:
        # The survey has polled it, percent-encoded.
        polled = life.ends[endpoint] in ("succeeded", "failed", "gone")
        text = "an operation that can be polled by its name, percent-encoded"
        talk.expect("URL-01", polled, text, life.answers[endpoint])


def _needs_no_encoding(answer: Answer) -> bool:
    return answer.operation is None or bool(_UNRESERVED.match(answer.operation))


@check("URL-02")
async def ids_that_the_broker_chooses_need_no_encoding(talk: Conversation) -> None:
    expected = "ids of letters, digits and -._~ only, which need no encoding in a URL"
    if talk.catalog_answer is not None:
        ids = [offering.id for offering in talk.catalog.offerings] + [plan.id for plan in talk.catalog.plans()]
        talk.expect("URL-02", all(map(_UNRESERVED.match, filter(None, ids))), expected, talk.catalog_answer)
    for subject in talk.subjects:
        # The file asks for odd operations of such a plan.
        odd = subject.has(Trait.HARD_OPERATION)
        for answer in subject.life.answers.values():
            if answer.operation is not None and not odd:
                talk.expect("URL-02", _needs_no_encoding(answer), expected, answer)
