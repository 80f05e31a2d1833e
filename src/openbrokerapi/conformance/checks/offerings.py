"""The offerings of the catalog."""

from __future__ import annotations

import re
from typing import Any

from openbrokerapi.conformance.catalog_spots import (
    are_texts,
    inside,
    is_boolean,
    is_object,
    is_text,
    judge,
    judge_unique,
    offerings,
    offerings_with,
    plans,
)
from openbrokerapi.conformance.check import check
from openbrokerapi.conformance.conversation import Conversation

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_PERMISSIONS = {"syslog_drain", "route_forwarding", "volume_mount"}


def is_guid(value: Any) -> bool:
    """Say whether it is a GUID, by its form."""
    return isinstance(value, str) and bool(_GUID.fullmatch(value))


def are_permissions(value: Any) -> bool:
    """Say whether it is an array of the permissions that the specification knows."""
    return are_texts(value) and set(value) <= _PERMISSIONS


@check("SVC-01", "SVC-03", "SVC-06")
async def each_offering_has_a_name_an_id_and_a_description(talk: Conversation) -> None:
    for rule, name in (("SVC-01", "name"), ("SVC-03", "id"), ("SVC-06", "description")):
        judge(talk, rule, [spot.at(name) for spot in offerings(talk)], is_text, "a string that is not empty")


@check("SVC-02")
async def no_two_offerings_have_the_same_name(talk: Conversation) -> None:
    judge_unique(talk, "SVC-02", inside(offerings(talk), "name"), "a name that no other offering has")


@check("SVC-04", "SVC-05")
async def the_id_of_an_offering_is_a_guid_that_nothing_else_has(talk: Conversation) -> None:
    ids = inside(offerings(talk), "id")
    of_plans = {spot.value for spot in inside(plans(talk), "id") if is_text(spot.value)}
    judge_unique(talk, "SVC-04", ids, "an id that no other offering and no plan has", of_plans)
    judge(talk, "SVC-05", [spot for spot in ids if is_text(spot.value)], is_guid, "a GUID")


@check("SVC-07")
async def the_tags_of_an_offering_are_an_array_of_strings(talk: Conversation) -> None:
    judge(talk, "SVC-07", offerings_with(talk, "tags"), are_texts, "an array of strings")


@check("SVC-08")
async def an_offering_requires_only_permissions_that_there_are(talk: Conversation) -> None:
    known = ", ".join(sorted(_PERMISSIONS))
    judge(talk, "SVC-08", offerings_with(talk, "requires"), are_permissions, f"an array of some of {known}")


@check("SVC-09")
async def each_offering_says_whether_it_can_be_bound(talk: Conversation) -> None:
    judge(talk, "SVC-09", [spot.at("bindable") for spot in offerings(talk)], is_boolean, "true or false, not a string,")


# That true is kept to, GETI-01 and GETB-01 say.
@check("SVC-10")
async def the_instances_retrievable_of_an_offering_is_true_or_false(talk: Conversation) -> None:
    judge(talk, "SVC-10", offerings_with(talk, "instances_retrievable"), is_boolean, "true or false")


@check("SVC-11")
async def the_bindings_retrievable_of_an_offering_is_true_or_false(talk: Conversation) -> None:
    judge(talk, "SVC-11", offerings_with(talk, "bindings_retrievable"), is_boolean, "true or false")


@check("SVC-12")
async def the_allow_context_updates_of_an_offering_is_true_or_false(talk: Conversation) -> None:
    judge(talk, "SVC-12", offerings_with(talk, "allow_context_updates"), is_boolean, "true or false")


@check("SVC-13")
async def the_metadata_of_an_offering_is_an_object(talk: Conversation) -> None:
    judge(talk, "SVC-13", offerings_with(talk, "metadata"), is_object, "an object")


@check("SVC-14")
async def the_dashboard_client_of_an_offering_is_an_object(talk: Conversation) -> None:
    judge(talk, "SVC-14", offerings_with(talk, "dashboard_client"), is_object, "an object")


@check("SVC-15")
async def the_plan_updateable_of_an_offering_is_true_or_false(talk: Conversation) -> None:
    judge(talk, "SVC-15", offerings_with(talk, "plan_updateable"), is_boolean, "true or false")


@check("SVC-16")
async def each_offering_has_a_plan(talk: Conversation) -> None:
    judge(
        talk,
        "SVC-16",
        [spot.at("plans") for spot in offerings(talk)],
        lambda value: isinstance(value, list) and value != [] and all(map(is_object, value)),
        "an array of one object or more",
    )
