"""The plans of the catalog."""

from __future__ import annotations

import re
from typing import Any

from openbrokerapi.conformance.catalog_spots import (
    inside,
    is_boolean,
    is_object,
    is_text,
    judge,
    judge_unique,
    offerings,
    plans,
    plans_with,
    some,
)
from openbrokerapi.conformance.check import check
from openbrokerapi.conformance.checks.offerings import is_guid
from openbrokerapi.conformance.conversation import Conversation

_NUMBER = r"(0|[1-9][0-9]*)"
_BEFORE = r"(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_SEMANTIC_VERSION = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(-{_BEFORE}(\.{_BEFORE})*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?"
)


def is_semantic_version(value: Any) -> bool:
    """Say whether it is a version by Semantic Versioning 2.0.0."""
    return isinstance(value, str) and bool(_SEMANTIC_VERSION.fullmatch(value))


def is_duration(value: Any) -> bool:
    """Say whether it is a whole number of seconds; JSON does not tell 60.0 from 60."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return value >= 0 and value % 1 == 0


@check("PLAN-01", "PLAN-04", "PLAN-06")
async def each_plan_has_an_id_a_name_and_a_description(talk: Conversation) -> None:
    for rule, name in (("PLAN-01", "id"), ("PLAN-04", "name"), ("PLAN-06", "description")):
        judge(talk, rule, [spot.at(name) for spot in plans(talk)], is_text, "a string that is not empty")


@check("PLAN-02", "PLAN-03")
async def the_id_of_a_plan_is_a_guid_that_no_other_plan_has(talk: Conversation) -> None:
    ids = inside(plans(talk), "id")
    judge_unique(talk, "PLAN-02", ids, "an id that no other plan of any offering has")
    judge(talk, "PLAN-03", [spot for spot in ids if is_text(spot.value)], is_guid, "a GUID")


@check("PLAN-05")
async def no_two_plans_of_an_offering_have_the_same_name(talk: Conversation) -> None:
    for offering in offerings(talk):
        names = inside(offering.at("plans").items(), "name")
        judge_unique(talk, "PLAN-05", names, "a name that no other plan of the offering has")


@check("PLAN-07")
async def the_metadata_of_a_plan_is_an_object(talk: Conversation) -> None:
    judge(talk, "PLAN-07", plans_with(talk, "metadata"), is_object, "an object")


@check("PLAN-08")
async def the_free_of_a_plan_is_true_or_false(talk: Conversation) -> None:
    judge(talk, "PLAN-08", plans_with(talk, "free"), is_boolean, "true or false")


@check("PLAN-09")
async def the_bindable_of_a_plan_is_true_or_false(talk: Conversation) -> None:
    judge(talk, "PLAN-09", plans_with(talk, "bindable"), is_boolean, "true or false")


@check("PLAN-10")
async def the_binding_rotatable_of_a_plan_is_true_or_false(talk: Conversation) -> None:
    judge(talk, "PLAN-10", plans_with(talk, "binding_rotatable"), is_boolean, "true or false")


@check("PLAN-11")
async def the_plan_updateable_of_a_plan_is_true_or_false(talk: Conversation) -> None:
    judge(talk, "PLAN-11", plans_with(talk, "plan_updateable"), is_boolean, "true or false")


@check("PLAN-12")
async def the_schemas_of_a_plan_are_an_object(talk: Conversation) -> None:
    judge(talk, "PLAN-12", plans_with(talk, "schemas"), is_object, "an object")


@check("PLAN-13")
async def the_maximum_polling_duration_of_a_plan_is_a_number_of_seconds(talk: Conversation) -> None:
    judge(talk, "PLAN-13", plans_with(talk, "maximum_polling_duration"), is_duration, "a whole number of seconds")


@check("PLAN-14")
async def the_maintenance_info_of_a_plan_is_an_object_with_a_version(talk: Conversation) -> None:
    found = plans_with(talk, "maintenance_info")
    judge(talk, "PLAN-14", found, lambda info: is_object(info) and "version" in info, "an object with a version")


@check("MNT-01")
async def the_version_of_a_maintenance_info_is_a_semantic_version(talk: Conversation) -> None:
    versions = inside(plans_with(talk, "maintenance_info"), "version")
    some(talk, versions, "no maintenance_info has a version")
    judge(talk, "MNT-01", versions, is_semantic_version, "a Semantic Version 2.0.0, such as 2.1.1+abcdef,")


@check("MNT-02")
async def the_description_of_a_maintenance_info_is_a_string(talk: Conversation) -> None:
    found = inside(plans_with(talk, "maintenance_info"), "description")
    some(talk, found, "no maintenance_info has a description")
    judge(talk, "MNT-02", found, is_text, "a string that says what the maintenance does")
