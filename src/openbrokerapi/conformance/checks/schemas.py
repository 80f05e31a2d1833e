"""The schemas of parameters in the catalog."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs

from openbrokerapi.conformance.catalog_spots import Spot, inside, is_object, is_text, judge, plans_with, some
from openbrokerapi.conformance.check import check
from openbrokerapi.conformance.conversation import Conversation

#: 64 kB; who counts in thousands is stricter, but the specification does not say that one has to.
_LARGEST = 64 * 1024

#: Whose meta-schemas are known here. Others are not fetched: a checker asks nobody but the broker.
_KNOWN_DRAFTS = re.compile(r"https?://json-schema\.org/(draft-0[467]/schema|draft/20(19-09|20-12)/schema)#?")

#: What holds values as they are, not schemas.
_DATA = {"const", "default", "enum", "example", "examples"}

#: What holds schemas by names that the author chose.
_NAMED = {"properties", "patternProperties", "definitions", "$defs", "dependentSchemas", "dependencies"}


def _parameters(talk: Conversation) -> list[Spot]:
    """List all schemas of parameters."""
    schemas = plans_with(talk, "schemas")
    resources = inside(schemas, "service_instance", "service_binding")
    return some(talk, inside(inside(resources, "create", "update"), "parameters"), "no plan has a schema of parameters")


def _objects(talk: Conversation) -> list[Spot]:
    return [spot for spot in _parameters(talk) if isinstance(spot.value, dict)]


@check("SCH-01")
async def the_schemas_of_instances_are_objects_for_create_and_update(talk: Conversation) -> None:
    found = some(talk, inside(plans_with(talk, "schemas"), "service_instance"), "no plan has schemas of instances")
    # EXT-01: other fields may be there; `parameters` is not marked as required.
    judge(talk, "SCH-01", [*found, *inside(found, "create", "update")], is_object, "an object")


@check("SCH-02")
async def the_schemas_of_bindings_are_an_object_for_create(talk: Conversation) -> None:
    found = some(talk, inside(plans_with(talk, "schemas"), "service_binding"), "no plan has schemas of bindings")
    judge(talk, "SCH-02", [*found, *inside(found, "create")], is_object, "an object")


@check("SCH-03")
async def the_parameters_are_a_schema_of_an_object(talk: Conversation) -> None:
    judge(talk, "SCH-03", _parameters(talk), describes_an_object, "a JSON Schema, valid by its own draft, of an object")


@check("SCH-04")
async def each_schema_says_which_draft_it_is_of(talk: Conversation) -> None:
    judge(talk, "SCH-04", [spot.at("$schema") for spot in _objects(talk)], is_text, "a URI")


@check("SCH-05")
async def no_schema_refers_to_anything_outside_of_itself(talk: Conversation) -> None:
    judge(talk, "SCH-05", _objects(talk), is_self_contained, 'a schema whose every $ref begins with "#"')


@check("SCH-06")
async def no_schema_is_larger_than_64_kb(talk: Conversation) -> None:
    judge(talk, "SCH-06", _parameters(talk), lambda schema: _size(schema) <= _LARGEST, "a schema of at most 64 kB")


def describes_an_object(schema: Any) -> bool:
    """Say whether it is a valid schema of objects; of a draft that is not known here, whether it may be."""
    if not isinstance(schema, dict):
        return False
    kinds = schema.get("type", "object")
    if "object" not in (kinds if isinstance(kinds, list) else [kinds]):
        return False
    draft = schema.get("$schema")
    if not isinstance(draft, str) or not _KNOWN_DRAFTS.fullmatch(draft):
        return True
    return bool(jsonschema_rs.meta.is_valid(schema))


def is_self_contained(schema: Any) -> bool:
    """Say whether all references in a schema lead to places in it."""
    inner = {identity.partition("#")[0] for identity in _texts_of(schema, "$id", "id")}
    references = _texts_of(schema, "$ref", "$dynamicRef", "$recursiveRef")
    return all(reference.partition("#")[0] in {"", *inner} for reference in references)


def _texts_of(schema: Any, *keywords: str) -> Iterator[str]:
    """Go through the texts of these keywords, of a schema and of those in it."""
    if isinstance(schema, list):
        for item in schema:
            yield from _texts_of(item, *keywords)
    if not isinstance(schema, dict):
        return
    for keyword, value in schema.items():
        if keyword in keywords and isinstance(value, str):
            yield value
        elif keyword in _NAMED and isinstance(value, dict):
            yield from _texts_of(list(value.values()), *keywords)
        elif keyword not in _DATA:
            yield from _texts_of(value, *keywords)


def _size(schema: Any) -> int:
    """Count the bytes of a schema, written as short as can be."""
    return len(json.dumps(schema, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))
