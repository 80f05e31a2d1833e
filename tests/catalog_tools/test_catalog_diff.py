"""What a new catalog breaks for the instances of the old one."""

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.catalog_tools.test_catalog_rules import ANY_JSON
from tests.catalog_tools.valid_catalog import DRAFT_4, changed, valid_catalog, with_value, without

from openbrokerapi.protocol.catalog_diff import Change, diff
from openbrokerapi.protocol.catalog_rules.finding import Place
from openbrokerapi.protocol.schema_diff import narrowed

OFFERING = ("services", 0)
OTHER = ("services", 1)
PLAN = ("services", 0, "plans", 0)
SECOND = ("services", 0, "plans", 1)
SCHEMA = (*PLAN, "schemas", "service_instance", "create", "parameters")
IN_PLAN = "services[fake-service].plans[fake-plan-1]"
IN_SCHEMA = f"{IN_PLAN}.schemas.service_instance.create.parameters"
NEW_ID = "7f0c5b4e-1111-4111-8111-1f7a2d1b9c33"


def compare(*changes: Any) -> list[tuple[str, bool, str]]:
    found = diff(valid_catalog(), changed(*changes))
    assert all(change.message for change in found)
    return [(change.kind, change.breaking, change.where) for change in found]


def back(*changes: Any) -> list[tuple[str, bool, str]]:
    return [(change.kind, change.breaking, change.where) for change in diff(changed(*changes), valid_catalog())]


BREAKING = [
    ("offering-removed", "services[Fake.service]", without(*OTHER)),
    ("plan-removed", "services[fake-service].plans[fake-plan-2]", without(*SECOND)),
    ("bindable-withdrawn", f"{IN_PLAN}.bindable", with_value(False, *PLAN, "bindable")),
    ("plan_updateable-withdrawn", "services[fake-service].plans[fake-plan-2].plan_updateable",
     with_value(False, *OFFERING, "plan_updateable")),
    ("binding_rotatable-withdrawn", f"{IN_PLAN}.binding_rotatable", without(*PLAN, "binding_rotatable")),
    ("free-withdrawn", "services[fake-service].plans[fake-plan-2].free", with_value(False, *SECOND, "free")),
    ("instances_retrievable-withdrawn", "services[fake-service].instances_retrievable",
     with_value(False, *OFFERING, "instances_retrievable")),
    ("bindings_retrievable-withdrawn", "services[fake-service].bindings_retrievable",
     without(*OFFERING, "bindings_retrievable")),
    ("requires-added", "services[fake-service].requires",
     with_value(["volume_mount", "route_forwarding"], *OFFERING, "requires")),
    ("requires-removed", "services[fake-service].requires", without(*OFFERING, "requires")),
    ("dashboard-client-changed", "services[fake-service].dashboard_client",
     with_value("another", *OFFERING, "dashboard_client", "secret")),
    ("dashboard-client-changed", "services[fake-service].dashboard_client", without(*OFFERING, "dashboard_client")),
    ("schema-stricter", f"{IN_SCHEMA}.required", with_value(["size"], *SCHEMA, "required")),
    ("schema-stricter", f"{IN_SCHEMA}.properties.size", without(*SCHEMA, "properties", "size")),
    ("schema-stricter", f"{IN_SCHEMA}.properties.size.type",
     with_value("string", *SCHEMA, "properties", "size", "type")),
    ("schema-stricter", f"{IN_SCHEMA}.properties.owner.enum",
     with_value(["me", "you"], *SCHEMA, "definitions", "owner", "enum")),
    ("schema-stricter", f"{IN_SCHEMA}.properties.size.minimum",
     with_value(2, *SCHEMA, "properties", "size", "minimum")),
]  # fmt: skip
NOTES = [
    ("offering-renamed", "services[fake-service].name", with_value("new-name", *OFFERING, "name")),
    ("plan-renamed", f"{IN_PLAN}.name", with_value("new-name", *PLAN, "name")),
    ("bindable-granted", "services[fake-service].plans[fake-plan-2].bindable", without(*SECOND, "bindable")),
    ("free-granted", f"{IN_PLAN}.free", without(*PLAN, "free")),
    ("allow_context_updates-withdrawn", "services[fake-service].allow_context_updates",
     without(*OFFERING, "allow_context_updates")),
    ("instances_retrievable-granted", "services[Fake.service].instances_retrievable",
     with_value(True, *OTHER, "instances_retrievable")),
    ("dashboard-client-added", "services[Fake.service].dashboard_client",
     with_value({"id": "a", "secret": "b"}, *OTHER, "dashboard_client")),
    ("maximum-polling-duration-lowered", f"{IN_PLAN}.maximum_polling_duration",
     with_value(60, *PLAN, "maximum_polling_duration")),
    ("maximum-polling-duration-raised", f"{IN_PLAN}.maximum_polling_duration",
     with_value(7200, *PLAN, "maximum_polling_duration")),
    ("maximum-polling-duration-changed", f"{IN_PLAN}.maximum_polling_duration",
     without(*PLAN, "maximum_polling_duration")),
    ("maintenance-version-changed", f"{IN_PLAN}.maintenance_info.version",
     with_value("2.1.2", *PLAN, "maintenance_info", "version")),
    ("maintenance-version-changed", f"{IN_PLAN}.maintenance_info.version", without(*PLAN, "maintenance_info")),
    ("description-changed", f"{IN_PLAN}.description", with_value("Other.", *PLAN, "description")),
    ("tags-changed", "services[fake-service].tags", with_value(["sql"], *OFFERING, "tags")),
    ("metadata-changed", f"{IN_PLAN}.metadata", without(*PLAN, "metadata", "bullets")),
    ("schema-removed", IN_SCHEMA, without(*PLAN, "schemas", "service_instance", "create")),
    ("schema-changed", f"{IN_SCHEMA}.properties.region",
     with_value({"type": "string"}, *SCHEMA, "properties", "region")),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "where", "change"), BREAKING)
def test_what_takes_something_from_instances_is_breaking(kind, where, change):
    assert compare(change) == [(kind, True, where)]


@pytest.mark.parametrize(("kind", "where", "change"), NOTES)
def test_what_leaves_instances_as_they_are_is_a_note(kind, where, change):
    assert compare(change) == [(kind, False, where)]


def test_bindable_is_withdrawn_by_inheritance_where_the_plan_says_nothing():
    old = changed(without(*SECOND, "bindable"))
    new = changed(without(*SECOND, "bindable"), with_value(False, *OFFERING, "bindable"))
    assert [(change.kind, change.where) for change in diff(old, new)] == [
        ("bindable-withdrawn", "services[fake-service].plans[fake-plan-2].bindable")
    ]


def test_what_is_said_explicitly_now_and_was_the_default_is_no_change():
    explicit = (
        with_value(False, *OTHER, "plan_updateable"),
        with_value(False, *OTHER, "instances_retrievable"),
        with_value(True, *OTHER, "plans", 0, "free"),
        with_value(False, *OTHER, "plans", 0, "binding_rotatable"),
        with_value(False, *OTHER, "plans", 0, "bindable"),
    )
    assert compare(*explicit) == []
    assert back(*explicit) == []


def test_the_order_of_permissions_is_no_change():
    two = [with_value(order, *OFFERING, "requires") for order in (["a", "b"], ["b", "a"])]
    assert diff(changed(two[0]), changed(two[1])) == []


def test_an_offering_name_with_a_new_id_is_breaking_twice():
    assert compare(with_value(NEW_ID, *OTHER, "id")) == [
        ("offering-removed", True, "services[Fake.service]"),
        ("plan-moved", True, "services[Fake.service].plans[fake-plan-1]"),
        ("offering-added", False, "services[Fake.service]"),
        ("offering-name-reused", True, "services[Fake.service].name"),
    ]


def test_a_plan_name_with_a_new_id_is_breaking():
    assert compare(with_value(NEW_ID, *PLAN, "id")) == [
        ("plan-removed", True, IN_PLAN),
        ("plan-added", False, IN_PLAN),
        ("plan-name-reused", True, f"{IN_PLAN}.name"),
    ]


def test_two_plans_that_swap_their_names_are_breaking():
    swap = (with_value("fake-plan-2", *PLAN, "name"), with_value("fake-plan-1", *SECOND, "name"))
    assert [kind for kind, breaking, _ in compare(*swap) if breaking] == ["plan-name-reused", "plan-name-reused"]


def test_a_plan_that_moves_to_another_offering_is_breaking_and_neither_removed_nor_added():
    catalog = valid_catalog()
    moved = catalog["services"][0]["plans"].pop(1)
    catalog["services"][1]["plans"].append({**moved, "plan_updateable": True})
    assert [(change.kind, change.breaking) for change in diff(valid_catalog(), catalog)] == [("plan-moved", True)]


def test_additions_are_notes():
    assert back(without(*SECOND)) == [("plan-added", False, "services[fake-service].plans[fake-plan-2]")]
    assert back(without(*OTHER)) == [("offering-added", False, "services[Fake.service]")]


def test_a_schema_where_there_was_none_is_a_note_and_breaking_where_it_refuses():
    assert back(without(*PLAN, "schemas", "service_binding")) == [
        ("schema-added", False, f"{IN_PLAN}.schemas.service_binding.create.parameters"),
        ("schema-changed", False, f"{IN_PLAN}.schemas.service_binding.create.parameters.properties.size"),
        ("schema-changed", False, f"{IN_PLAN}.schemas.service_binding.create.parameters.properties.owner"),
        ("schema-stricter", True, f"{IN_PLAN}.schemas.service_binding.create.parameters.additionalProperties"),
    ]


def test_no_message_holds_the_secret_of_a_dashboard():
    found = diff(valid_catalog(), changed(with_value("s3cr3t-new", *OFFERING, "dashboard_client", "secret")))
    assert "secret" in found[0].message
    assert "s3cr3t-new" not in str(found)
    assert "277cabb0" not in str(found)


STRICTER = [
    ({}, {"type": "string"}),
    ({"type": ["string", "null"]}, {"type": "string"}),
    ({"type": "number"}, {"type": "integer"}),
    ({"enum": ["a", "b"]}, {"enum": ["a"]}),
    ({"enum": [1]}, {"enum": [True]}),
    ({"type": "string"}, {"const": "a"}),
    ({"maximum": 10}, {"maximum": 9}),
    ({"minimum": 1}, {"minimum": 1, "exclusiveMinimum": True}),
    ({}, {"maxLength": 5}),
    ({"maxItems": 5}, {"maxItems": 4}),
    ({}, {"minLength": 1}),
    ({}, {"pattern": "^a"}),
    ({"pattern": "^a"}, {"pattern": "^b"}),
    ({}, {"format": "email"}),
    ({}, {"uniqueItems": True}),
    ({}, {"not": {"type": "null"}}),
    ({"anyOf": [{"type": "string"}, {"type": "null"}]}, {"anyOf": [{"type": "string"}]}),
    ({"items": {"type": "number"}}, {"items": {"type": "integer"}}),
    ({}, {"items": {"type": "integer"}}),
    ({"type": "array", "items": {"enum": [1, 2]}}, {"type": "array", "items": [{"enum": [1]}]}),
    ({"additionalProperties": {"maximum": 9}}, {"additionalProperties": {"maximum": 8}}),
    ({}, {"additionalProperties": {"maximum": 8}}),
    ({}, False),
    ({"properties": {"x": {}}}, {"properties": {"x": {"required": ["y"]}}}),
    ({"properties": {"x": {"type": "string"}}}, {"additionalProperties": {"type": "integer"}}),
]
WIDER = [
    ({"type": "string"}, {}),
    ({"type": "string"}, {"type": ["string", "null"]}),
    ({"type": "integer"}, {"type": "number"}),
    ({"type": "integer"}, {"type": ["integer", "number"]}),
    ({"enum": ["a"]}, {"enum": ["b", "a"]}),
    ({"enum": ["a"]}, {"enum": ["a"], "type": "string"}),
    ({"enum": ["a"]}, {"type": "string"}),
    ({"const": 1}, {"enum": [1, 2]}),
    ({"maximum": 10}, {"maximum": 11}),
    ({"minimum": 1, "exclusiveMinimum": True}, {"exclusiveMinimum": 1}),
    ({"maxLength": 5}, {"maxLength": 6}),
    ({"maxLength": 5}, {}),
    ({}, {"minLength": 0}),
    ({"pattern": "^a"}, {}),
    ({}, {"uniqueItems": False}),
    ({"additionalProperties": False}, {"additionalProperties": {"type": "integer"}}),
    ({"additionalProperties": False, "properties": {"a": {}}}, {"properties": {"a": {}, "b": {}}}),
    (False, {"type": "string"}),
    ({"items": {"type": "integer"}}, {"items": {"type": "number"}}),
    ({"required": ["a", "b"]}, {"required": ["b"]}),
    ({"title": "a"}, {"title": "b", "description": "c", "default": 5}),
]


def breaking_of(old: object, new: object) -> list[str]:
    schemas = [{"$schema": DRAFT_4, "properties": {"p": schema}} for schema in (old, new)]
    return [str(found.place) for found in narrowed(schemas[0], schemas[1], Place("s")) if found.breaking]


@pytest.mark.parametrize(("old", "new"), STRICTER)
def test_a_schema_that_refuses_what_was_accepted_is_stricter(old, new):
    assert breaking_of(old, new)


@pytest.mark.parametrize(("old", "new"), WIDER)
def test_a_schema_that_refuses_nothing_more_is_not_stricter(old, new):
    assert breaking_of(old, new) == []


def test_circular_references_are_compared_once():
    old = {"$ref": "#/definitions/a", "definitions": {"a": {"properties": {"a": {"$ref": "#/definitions/a"}}}}}
    new = {"$ref": "#/definitions/a", "definitions": {"a": {"properties": {"a": {"$ref": "#"}}, "required": ["a"]}}}
    assert [found.breaking for found in narrowed(old, new, Place("s"))] == [True]
    loop = {"$ref": "#/definitions/a", "definitions": {"a": {"$ref": "#/definitions/a"}}}
    assert list(narrowed(loop, loop, Place("s"))) == []


NAMES = st.sampled_from(["a", "b"])
LEAVES = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["integer", "number", "string", "object", "array", "null", "boolean"])
        | st.lists(st.sampled_from(["integer", "number", "string", "null"]), min_size=1, max_size=2, unique=True),
        "enum": st.lists(st.sampled_from([0, 1, 2, "x", "yy", None]), min_size=1, max_size=3, unique=True),
        "minimum": st.integers(0, 3),
        "exclusiveMinimum": st.integers(0, 3),
        "maximum": st.integers(0, 3),
        "minLength": st.integers(0, 2),
        "maxLength": st.integers(0, 2),
        "pattern": st.sampled_from(["^x", "y"]),
    },
)
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(NAMES, inner, max_size=2),
            "required": st.lists(NAMES, unique=True, max_size=2),
            "additionalProperties": st.booleans() | inner,
            "items": inner,
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "not": inner,
        },
    ),
    max_leaves=4,
)
VALUES = st.recursive(
    st.sampled_from([0, 1, 2, 3, 1.5, "", "x", "yy", None, True]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=4,
)


def near(schema: Any, draw: Any) -> Any:
    """A schema with some keywords of another one, or without some of its own, at some depth."""
    if not isinstance(schema, dict):
        return schema
    kept = {
        key: {name: near(inner, draw) for name, inner in value.items()} if key == "properties" else near(value, draw)
        for key, value in schema.items()
        if draw(st.integers(0, 3))
    }
    return {**kept, **draw(LEAVES)} if not draw(st.integers(0, 3)) else kept


@given(st.data(), SCHEMAS, st.lists(st.dictionaries(NAMES, VALUES, max_size=2), min_size=4, max_size=12))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_a_schema_accepted_is_refused_by_none_that_is_not_stricter(data, old, instances):
    """The oracle is a validator: whatever it accepts by the old schema and refuses by the new must have been found.

    Left out are parameters that the old schema accepted without describing them: a new description is a note.
    """
    new = near(old, data.draw)
    found = list(narrowed(old, new, Place("s")))
    if any(change.breaking or change.message == "is new" for change in found):
        return
    before, after = jsonschema_rs.Draft202012Validator(old), jsonschema_rs.Draft202012Validator(new)
    assert not [value for value in instances if before.is_valid(value) and not after.is_valid(value)]


@given(SCHEMAS)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_schema_is_not_stricter_than_itself(schema):
    assert list(narrowed(schema, schema, Place("s"))) == []


@given(ANY_JSON, ANY_JSON)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_json_is_survived_and_is_no_change_of_itself(old, new):
    assert all(isinstance(change, Change) for change in diff(old, new))
    assert diff(old, old) == []


def services(plans: object) -> dict[str, Any]:
    return {"services": [{"id": "s", "plans": plans}]}


@given(st.lists(st.fixed_dictionaries({"id": st.sampled_from("ab")}, optional={"name": ANY_JSON, "schemas": ANY_JSON})))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_plans_are_no_change_of_themselves(plans):
    assert diff(services(plans), services(plans)) == []
