"""The catalog as a whole (``GET /v2/catalog``): its strings, its ids over time, its validators, its changes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from functools import partial
from typing import Any

from openbrokerapi.conformance.asking import Binding, Instance
from openbrokerapi.conformance.catalog_spots import (
    Spot,
    all_offerings,
    all_plans,
    every_text,
    first_catalog,
    inside,
    is_object,
    is_text,
    judge,
    offerings,
    plans,
)
from openbrokerapi.conformance.check import check
from openbrokerapi.conformance.conversation import Conversation
from openbrokerapi.conformance.subjects import Subject
from openbrokerapi.conformance.wire import Answer, Request

_LONGEST = 255  # characters
_FRIENDLY = re.compile(r"[A-Za-z0-9.-]+", re.ASCII)


@check("CAT-01", "CAT-03")
async def the_catalog_fetched_again_is_an_object_with_the_same_ids(talk: Conversation) -> None:
    first, again = first_catalog(talk), await talk.send(talk.ask.catalog())
    for answer in (first, again):
        talk.expect("CAT-01", answer.status == 200 and answer.is_object, "status 200 and a JSON object", answer)
    _expect_same_ids(talk, first, again)


@check("CAT-03", alone=True)
async def the_ids_of_the_catalog_are_the_same_after_a_restart(talk: Conversation) -> None:
    await talk.switch("restart")
    _expect_same_ids(talk, first_catalog(talk), await talk.send(talk.ask.catalog()))


def _expect_same_ids(talk: Conversation, first: Answer, again: Answer) -> None:
    """Judge the ids of what has a name by which it can be found in both catalogs."""
    if not again.is_object:
        talk.undecided(f"the catalog was answered with {again.status} and no object")
    before, after = _ids_by_name(first), _ids_by_name(again)
    for name in sorted(before.keys() & after.keys()):
        talk.expect("CAT-03", before[name] == after[name], f"for {name} the id {before[name]} as before", first, again)


def _ids_by_name(catalog: Answer) -> dict[str, str]:
    named = _offerings_and_plans(catalog)
    known = [spot for spot in named if is_text(spot.value.get("name")) and is_text(spot.value.get("id"))]
    times = Counter(spot.owner for spot in known)
    return {spot.owner: spot.value["id"] for spot in known if times[spot.owner] == 1}


@check("CAT-02")
async def the_services_of_the_catalog_are_an_array_of_objects(talk: Conversation) -> None:
    services = Spot("the body", "", first_catalog(talk).json).at("services")
    judge(talk, "CAT-02", [services], _are_objects, "an array of objects")


def _are_objects(value: Any) -> bool:
    return isinstance(value, list) and all(map(is_object, value))


@check("CAT-08")
async def the_strings_of_the_catalog_have_at_most_255_characters(talk: Conversation) -> None:
    # META-02: an image may be written into its URL.
    texts = [spot for each in offerings(talk) for spot in _every_text(each) if not spot.value.startswith("data:")]
    judge(talk, "CAT-08", texts, lambda text: len(text) <= _LONGEST, f"at most {_LONGEST} characters")


def _every_text(offering: Spot) -> Iterable[Spot]:
    """Go through the strings of an offering, those of a plan with the plan's name."""
    own = {name: value for name, value in offering.value.items() if name != "plans"}
    yield from every_text(Spot(offering.path, offering.owner, own))
    for plan in offering.at("plans").items():
        yield from every_text(plan.owned(offering.owner) if is_object(plan.value) else plan)


@check("CAT-13", "CAT-14")
async def the_names_of_offerings_and_plans_can_be_typed_on_a_command_line(talk: Conversation) -> None:
    names = [spot for spot in inside([*offerings(talk), *plans(talk)], "name") if is_text(spot.value)]
    judge(talk, "CAT-13", names, lambda name: bool(_FRIENDLY.fullmatch(name)), "letters, digits, periods and hyphens")
    judge(talk, "CAT-14", names, lambda name: any(map(str.isalnum, name)), "a word")


@check("CAT-09")
async def a_catalog_that_is_known_by_its_etag_is_not_sent_again(talk: Conversation) -> None:
    tag = (await talk.send(talk.ask.catalog())).header("ETag")
    if tag is None:
        talk.not_applicable("the catalog has no ETag")
    known = await talk.send(talk.ask.catalog().with_header("If-None-Match", tag))
    # A catalog that has changed between the two requests is sent, with another tag.
    holds = _is_unchanged(known) or (_is_catalog(known) and known.header("ETag") != tag)
    talk.expect("CAT-09", holds, "status 304 without a body to the ETag that was just sent", known)
    other = await talk.send(talk.ask.catalog().with_header("If-None-Match", '"of-no-catalog-at-all"'))
    talk.expect("CAT-09", _is_catalog(other), "status 200 with the catalog to an ETag that it never had", other)


@check("CAT-10")
async def a_catalog_that_is_newer_than_the_one_that_is_known_is_sent(talk: Conversation) -> None:
    modified = (await talk.send(talk.ask.catalog())).header("Last-Modified")
    if modified is None:
        talk.not_applicable("the catalog has no Last-Modified")
    known = await talk.send(talk.ask.catalog().with_header("If-Modified-Since", modified))
    # RFC 7232 section 3.3: to answer 304 is a SHOULD.
    holds = _is_unchanged(known) or _is_catalog(known)
    talk.expect("CAT-10", holds, "status 304 without a body, or 200 with the catalog", known)
    older = await talk.send(talk.ask.catalog().with_header("If-Modified-Since", _day_before(talk, modified)))
    talk.expect("CAT-10", _is_catalog(older), "status 200 with the catalog, which is newer than that date", older)


def _day_before(talk: Conversation, date: str) -> str:
    try:
        return format_datetime(parsedate_to_datetime(date) - timedelta(days=1), usegmt=True)
    except (ValueError, OverflowError):
        talk.undecided("the Last-Modified of the catalog is not a date as HTTP writes it")


def _is_unchanged(answer: Answer) -> bool:
    return answer.status == 304 and answer.body == b""


def _is_catalog(answer: Answer) -> bool:
    return answer.status == 200 and "services" in answer.fields


@asynccontextmanager
async def _changed_catalog(talk: Conversation) -> AsyncIterator[Answer]:
    """Let the catalog be another one for a while; give the answer with it."""
    if talk.help.change_catalog is not None and talk.help.restore_catalog is None:
        talk.needs_help("say under broker.restore_catalog in the file how to do it")
    before = await talk.send(talk.ask.catalog())
    await talk.switch("change_catalog")
    try:
        changed = await talk.send(talk.ask.catalog())
        if changed.status == 200 and changed.json == before.json:
            talk.undecided("the catalog is the same after broker.change_catalog")
        yield changed
    finally:
        await talk.switch("restore_catalog")


@check("CAT-04", alone=True)
async def a_catalog_that_has_changed_is_a_catalog_still(talk: Conversation) -> None:
    async with _changed_catalog(talk) as changed:
        holds = changed.status == 200 and isinstance(changed.fields.get("services"), list)
        if not talk.expect("CAT-04", holds, "status 200 and an array of services", changed):
            return
    # What was there before is judged by other rules.
    before = [spot.value for spot in _offerings_and_plans(first_catalog(talk))]
    for spot in _offerings_and_plans(changed):
        if spot.value not in before:
            named = is_text(spot.value.get("id")) and is_text(spot.value.get("name"))
            talk.expect("CAT-04", named, f"an id and a name in {spot.path} ({spot.owner})", changed)


def _offerings_and_plans(answer: Answer) -> list[Spot]:
    return [*all_offerings(answer.json), *all_plans(answer.json)]


@check("CAT-11", alone=True)
async def the_validator_of_an_old_catalog_is_not_taken_for_the_new_one(talk: Conversation) -> None:
    first = await talk.send(talk.ask.catalog())
    tag, modified = first.header("ETag"), first.header("Last-Modified")
    if tag is None and modified is None:
        talk.not_applicable("the catalog has neither ETag nor Last-Modified")
    name, value = ("If-None-Match", tag) if tag is not None else ("If-Modified-Since", str(modified))
    async with _changed_catalog(talk):
        again = await talk.send(talk.ask.catalog().with_header(name, value))
    if talk.expect("CAT-11", _is_catalog(again), "status 200 with the new catalog", first, again) and tag is not None:
        talk.expect("CAT-11", again.header("ETag") != tag, "another ETag than that of the old catalog", first, again)


@check("CAT-07", alone=True)
async def instances_of_a_plan_that_has_left_the_catalog_can_be_looked_at_and_removed(talk: Conversation) -> None:
    async with _changed_catalog(talk) as changed:
        left = {plan.id for plan in talk.catalog.plans()} - _ids_of_plans(changed)
    subject = talk.subject(lambda each: each.plan.id in left, "a plan that leaves the catalog by broker.change_catalog")
    instance = await talk.instance(subject)
    binding = await talk.binding(instance) if subject.bindable else None
    async with _changed_catalog(talk):
        if subject.offering.instances_retrievable:
            _expect_served(talk, subject, await talk.send(talk.ask.fetch(instance)), 200)
        if binding is not None:
            await _expect_removed(talk, talk.ask.unbind(binding), binding)
        await _expect_removed(talk, talk.ask.deprovision(instance), instance)


async def _expect_removed(talk: Conversation, request: Request, thing: Instance | Binding) -> None:
    subject = (thing.instance if isinstance(thing, Binding) else thing).subject
    answer = await talk.send(request)
    _expect_served(talk, subject, answer, 200, 202)
    if answer.status == 202:
        _expect_served(talk, subject, await talk.send(talk.poll_of(answer, thing)), 200, 410)
        await talk.finish(answer, thing)


def _ids_of_plans(catalog: Answer) -> set[str]:
    return {spot.value["id"] for spot in all_plans(catalog.json) if is_text(spot.value.get("id"))}


def _expect_served(talk: Conversation, subject: Subject, answer: Answer, *statuses: int) -> None:
    wanted = " or ".join(map(str, statuses))
    expected = f"status {wanted} though {subject.name} is in the catalog no longer"
    talk.expect("CAT-07", answer.status in statuses, expected, answer)


@check("CAT-12")
async def two_names_that_differ_in_capital_letters_are_two_names(talk: Conversation) -> None:
    twins = {_twin(each) for each in talk.usable() if each.offering.instances_retrievable} - {""}
    if not twins:
        talk.not_applicable("no two names that differ in capital letters only are of plans that can be fetched")
    for twin in sorted(twins):
        subject = talk.subject(partial(_is_twin, twin))
        instance = await talk.standing_instance(subject)
        fetched = await talk.send(talk.ask.fetch(instance))
        if fetched.status != 200:
            talk.undecided(f"the instance could not be fetched: it was answered with {fetched.status}")
        shown = fetched.fields.get("service_id"), fetched.fields.get("plan_id")
        expected = f"the service_id and plan_id of {subject.name}, not of its namesake"
        talk.expect("CAT-12", shown in _shown_of(subject), expected, instance.answer or fetched, fetched)


def _is_twin(twin: str, subject: Subject) -> bool:
    return subject.offering.instances_retrievable and _twin(subject) == twin


def _twin(subject: Subject) -> str:
    """Return the id of the offering, or of the plan, whose name another one has in other capital letters."""
    offering = subject.offering
    if _is_among(offering.name, {each.name for each in subject.catalog.offerings} - {offering.name}):
        return offering.id
    is_twin = _is_among(subject.plan.name, {each.name for each in offering.plans} - {subject.plan.name})
    return subject.plan.id if is_twin else ""


def _is_among(name: str, others: set[str]) -> bool:
    return name != "" and name.casefold() in {other.casefold() for other in others}


def _shown_of(subject: Subject) -> list[tuple[str | None, str | None]]:
    """List what a fetch may show; both ids may be left out (GETI-07)."""
    services, plan_ids = (subject.offering.id, None), (subject.plan.id, None)
    return [(service, plan) for service in services for plan in plan_ids]
