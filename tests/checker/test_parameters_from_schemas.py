"""Parameters are guessed from a plan's schema: good ones, different ones, bad ones; or it is said that none can be."""

from __future__ import annotations

from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it has none
import pytest

from openbrokerapi.conformance import parameters

_DRAFT_4 = "http://json-schema.org/draft-04/schema#"
_DRAFT_7 = "http://json-schema.org/draft-07/schema#"


def _object(required: list[str] | None = None, **properties: Any) -> dict[str, Any]:
    return {"$schema": _DRAFT_7, "type": "object", "properties": properties, "required": required or []}


_SCHEMAS = {
    "numbers": _object(["size"], size={"type": "integer", "minimum": 3, "maximum": 9}),
    "multiples": _object(["size"], size={"type": "integer", "minimum": 10, "multipleOf": 5}),
    "beyond": _object(["size"], size={"type": "number", "exclusiveMinimum": 2}),
    "texts": _object(["name"], name={"type": "string", "minLength": 12, "maxLength": 20}),
    "enum": _object(["kind"], kind={"enum": ["a", "b"]}),
    "const and enum": _object(["v", "kind"], v={"const": 2}, kind={"type": "string", "enum": ["a", "b"]}),
    "defaults": _object(["kind"], kind={"type": "string", "default": "a"}),
    "formats": _object(["at", "mail"], at={"type": "string", "format": "date-time"}, mail={"format": "email"}),
    "nested": _object(["node"], node=_object(["cpu"], cpu={"type": "integer", "minimum": 1})),
    "arrays": _object(["zones"], zones={"type": "array", "minItems": 2, "items": {"type": "string"}}),
    "types": _object(["size"], size={"type": ["integer", "null"]}),
    "nothing required": _object(None, flag={"type": "boolean"}),
    "references": {
        **_object(["node"], node={"$ref": "#/definitions/node"}),
        "definitions": {"node": _object(["cpu"], cpu={"type": "integer", "minimum": 2})},
    },
    "one of": {**_object(["kind"], kind={"type": "string"}), "oneOf": [_object(["kind"], kind={"enum": ["a", "b"]})]},
    "all of": {**_object(["a"], a={"type": "integer"}), "allOf": [_object(["b"], b={"type": "boolean"})]},
    "draft 4": {
        "$schema": _DRAFT_4,
        "type": "object",
        "properties": {"size": {"type": "integer", "minimum": 3, "exclusiveMinimum": True}},
        "required": ["size"],
    },
}


@pytest.fixture(params=list(_SCHEMAS.values()), ids=list(_SCHEMAS))
def schema(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = request.param
    return found


def _is_good(schema: dict[str, Any], value: Any) -> bool:
    """Ask another implementation."""
    return bool(jsonschema.validators.validator_for(schema)(schema).is_valid(value))


def test_good_parameters_are_good(schema: dict[str, Any]):
    made = parameters.good(schema)
    assert made is not None
    assert _is_good(schema, made)


def test_different_parameters_are_good_and_different(schema: dict[str, Any]):
    first = parameters.good(schema)
    assert first is not None
    made = parameters.different(schema, first)
    assert made is not None
    assert made != first
    assert _is_good(schema, made)


def test_bad_parameters_are_bad(schema: dict[str, Any]):
    first = parameters.good(schema)
    assert first is not None
    made = parameters.bad(schema, first)
    assert made is not None
    assert not _is_good(schema, made)


def test_no_more_than_is_required_is_sent():
    assert parameters.good(_SCHEMAS["nothing required"]) == {}
    assert parameters.good(None) == {}


@pytest.mark.parametrize(
    "schema",
    [
        _object(["name"], name={"type": "string", "pattern": "^[0-9]{3}-[a-f]{4}$"}),
        {"type": "object", "required": 5},
        {"type": "object", "properties": [], "required": ["a"]},
        {"$ref": "https://elsewhere.example.com/schema"},
        _object(["node"], node={"$ref": "#/definitions/missing"}),
    ],
)
def test_what_cannot_be_guessed_is_nothing(schema: dict[str, Any]):
    assert parameters.good(schema) is None
    assert parameters.different(schema, {}) is None


def test_a_schema_that_refers_to_itself_comes_to_an_end():
    node = {"type": "object", "properties": {"next": {"$ref": "#/definitions/node"}}}
    assert parameters.good({**_object(["next"], next={"$ref": "#/definitions/node"}), "definitions": {"node": node}})


def test_a_schema_that_refuses_nothing_has_no_bad_parameters():
    assert parameters.bad({"$schema": _DRAFT_7}, {}) is None
    assert parameters.bad(None, {}) is None
