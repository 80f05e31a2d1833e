"""Conventions of the profile: metadata in the catalog, and the client of a dashboard."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from openbrokerapi.conformance.catalog_spots import (
    Spot,
    are_texts,
    inside,
    is_boolean,
    is_object,
    is_text,
    judge,
    offerings_with,
    plans_with,
    some,
)
from openbrokerapi.conformance.check import check
from openbrokerapi.conformance.conversation import Conversation

_Holds = Callable[[Any], bool]

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s]+", re.ASCII)
_IMAGE = re.compile(r"(https?://[^\s/]|data:)[^\s]*", re.IGNORECASE)


def _is_string(value: Any) -> bool:
    return isinstance(value, str)


def _are_objects(value: Any) -> bool:
    return isinstance(value, list) and all(map(is_object, value))


def _is_amount(value: Any) -> bool:
    """Say whether it maps codes of currencies to numbers."""
    prices = value.values() if isinstance(value, dict) else [None]
    return all(isinstance(price, (int, float)) and not isinstance(price, bool) for price in prices)


def _is_uri(value: Any) -> bool:
    return isinstance(value, str) and bool(_URI.fullmatch(value))


def _is_image(value: Any) -> bool:
    return isinstance(value, str) and bool(_IMAGE.fullmatch(value))


#: What the profile calls the metadata of an offering and of a plan: the test of each, and what it is in words.
_OF_OFFERINGS: Mapping[str, tuple[_Holds, str]] = {
    "displayName": (_is_string, "a string"),
    "imageUrl": (_is_string, "a string"),
    "longDescription": (_is_string, "a string"),
    "providerDisplayName": (_is_string, "a string"),
    "documentationUrl": (_is_string, "a string"),
    "supportUrl": (_is_string, "a string"),
}
_OF_PLANS: Mapping[str, tuple[_Holds, str]] = {
    "displayName": (_is_string, "a string"),
    "bullets": (are_texts, "an array of strings"),
    "costs": (_are_objects, "an array of objects"),
}


@check("META-01")
async def the_metadata_of_offerings_keeps_to_the_conventions(talk: Conversation) -> None:
    _judge_conventions(talk, "META-01", offerings_with(talk, "metadata"), _OF_OFFERINGS)


@check("META-02")
async def the_image_of_an_offering_is_at_a_url(talk: Conversation) -> None:
    images = inside(offerings_with(talk, "metadata"), "imageUrl")
    some(talk, images, "no offering has an imageUrl in its metadata")
    judge(talk, "META-02", images, _is_image, "a URL of http, https or data")


@check("META-03")
async def the_metadata_of_plans_keeps_to_the_conventions(talk: Conversation) -> None:
    _judge_conventions(talk, "META-03", plans_with(talk, "metadata"), _OF_PLANS)


@check("META-04", "META-05")
async def each_cost_has_an_amount_and_a_unit(talk: Conversation) -> None:
    costs = [item for spot in inside(plans_with(talk, "metadata"), "costs") for item in spot.items()]
    found = some(talk, [cost for cost in costs if is_object(cost.value)], "no plan has costs in its metadata")
    judge(talk, "META-04", [cost.at("amount") for cost in found], _is_amount, "an object of numbers by currency code")
    judge(talk, "META-05", [cost.at("unit") for cost in found], is_text, "a string that is not empty")


@check("META-07")
async def the_shareable_of_an_offering_is_true_or_false(talk: Conversation) -> None:
    found = inside(offerings_with(talk, "metadata"), "shareable")
    some(talk, found, "no offering has shareable in its metadata")
    # Version 2.14 called it a string.
    holds = (lambda value: isinstance(value, (bool, str))) if talk.version == "2.14" else is_boolean
    judge(talk, "META-07", found, holds, "true or false")


@check("DSH-01", "DSH-02")
async def a_dashboard_client_has_an_id_and_a_secret(talk: Conversation) -> None:
    clients = _clients(talk)
    judge(talk, "DSH-01", [client.at("id") for client in clients], is_text, "a string that is not empty")
    judge(talk, "DSH-02", [client.at("secret") for client in clients], is_text, "a string that is not empty")


@check("DSH-03")
async def the_redirect_uri_of_a_dashboard_client_is_a_uri(talk: Conversation) -> None:
    found = some(talk, inside(_clients(talk), "redirect_uri"), "no dashboard_client has a redirect_uri")
    judge(talk, "DSH-03", found, _is_uri, "a URI")


def _clients(talk: Conversation) -> list[Spot]:
    found = [spot for spot in offerings_with(talk, "dashboard_client") if is_object(spot.value)]
    return some(talk, found, "no offering has a dashboard_client that is an object")


def _judge_conventions(
    talk: Conversation, rule: str, found: Iterable[Spot], known: Mapping[str, tuple[_Holds, str]]
) -> None:
    """Judge what the profile has a name for, also where it stands under another spelling of that name."""
    metadata = [spot for spot in found if is_object(spot.value)]
    misspelt = [(spot, name) for each in metadata for spot, name in _misspelt(each, known)]
    if not misspelt and not inside(metadata, *known):
        talk.not_applicable(f"no metadata says any of {', '.join(known)}")
    for name, (holds, expected) in known.items():
        judge(talk, rule, inside(metadata, name), holds, expected)
    for spot, name in misspelt:
        judge(talk, rule, [spot], lambda _: False, f"the name {name} for what is there")


def _misspelt(metadata: Spot, known: Iterable[str]) -> list[tuple[Spot, str]]:
    """List what stands under a name that differs from the profile's by capital letters, `_` and `-` only."""
    wanted = {_plain(name): name for name in known if name not in metadata.value}
    return [(metadata.at(key), wanted[_plain(key)]) for key in metadata.value if _plain(key) in wanted]


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()
