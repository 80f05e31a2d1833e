"""Every rule of the catalog: one catalog that keeps to all, and for each rule catalogs that break this one alone."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.catalog_tools.valid_catalog import DRAFT_4, changed, valid_catalog, with_value, without

from openbrokerapi.protocol.catalog_rules import LEVELS, Finding, check

OFFERING = ("services", 0)
PLAN = ("services", 0, "plans", 0)
CREATE = (*PLAN, "schemas", "service_instance", "create")
SCHEMA = (*CREATE, "parameters")
PROPERTY = (*SCHEMA, "properties", "size")
PLAN_ID = "d3031751-1111-4111-8111-a42377d3320e"
OFFERING_ID = "acb56d7c-1111-4111-8111-feb140a59a66"
MISSING = object()
BIG_SCHEMA = {"$schema": DRAFT_4, "type": "object", "description": "x" * 65_536}


def broken(rule: str, value: object, *path: str | int, level: str = "MUST", inside: str = "", where: str = "") -> Any:
    """One case: a value at a path breaks the rule (or its absence); the finding is there, inside it, or where said."""
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
    change = without(*path) if value is MISSING else with_value(value, *path)
    place = where or place + inside
    return pytest.param(rule, level, place, change, id=f"{rule}-{place}", marks=pytest.mark.rule(rule))


CASES = [
    broken("CAT-02", MISSING, "services"),
    broken("CAT-02", None, "services"),
    broken("CAT-02", {}, "services"),
    broken("CAT-02", "offering", "services", 1),
    broken("CAT-08", "x" * 256, *OFFERING, "description", level="SHOULD"),
    broken("CAT-08", "x" * 256, *OFFERING, "tags", 1, level="SHOULD"),
    broken("CAT-08", "x" * 256, *PLAN, "name", level="SHOULD"),
    broken("CAT-08", "x" * 256, *OFFERING, "metadata", "provider", "name", level="SHOULD"),
    broken("CAT-13", "fake service", *OFFERING, "name", level="SHOULD"),
    broken("CAT-13", "klein_ä", *PLAN, "name", level="SHOULD"),
    broken("CAT-13", "plan\n", *PLAN, "name", level="SHOULD"),
    broken("CAT-14", "-", *OFFERING, "name", level="SHOULD"),
    broken("CAT-14", "...", *PLAN, "name", level="SHOULD"),
    broken("CAT-14", "--force", *PLAN, "name", level="SHOULD"),
    broken("SVC-01", MISSING, *OFFERING, "name"),
    broken("SVC-01", "", *OFFERING, "name"),
    broken("SVC-01", 5, *OFFERING, "name"),
    broken("SVC-02", "fake-service", "services", 1, "name"),
    broken("SVC-03", MISSING, *OFFERING, "id"),
    broken("SVC-03", "", *OFFERING, "id"),
    broken("SVC-03", ["id"], *OFFERING, "id"),
    broken("SVC-04", OFFERING_ID, "services", 1, "id"),
    broken("SVC-04", PLAN_ID, "services", 1, "id"),
    broken("SVC-05", "fake-service-id", *OFFERING, "id", level="SHOULD"),
    broken("SVC-06", MISSING, *OFFERING, "description"),
    broken("SVC-06", "", *OFFERING, "description"),
    broken("SVC-07", "no-sql", *OFFERING, "tags"),
    broken("SVC-07", 1, *OFFERING, "tags", 1),
    broken("SVC-08", "syslog_drain", *OFFERING, "requires"),
    broken("SVC-08", "syslog-drain", *OFFERING, "requires", 0),
    broken("SVC-08", None, *OFFERING, "requires", 0),
    broken("SVC-09", MISSING, *OFFERING, "bindable"),
    broken("SVC-09", "true", *OFFERING, "bindable"),
    broken("SVC-09", 1, *OFFERING, "bindable"),
    broken("SVC-10", "yes", *OFFERING, "instances_retrievable"),
    broken("SVC-11", 0, *OFFERING, "bindings_retrievable"),
    broken("SVC-12", None, *OFFERING, "allow_context_updates"),
    broken("SVC-13", [], *OFFERING, "metadata"),
    broken("SVC-14", "id", *OFFERING, "dashboard_client"),
    broken("SVC-15", "true", *OFFERING, "plan_updateable"),
    broken("SVC-15", True, "services", 1, "plan_updatable", level="SHOULD"),
    broken("SVC-16", MISSING, *OFFERING, "plans"),
    broken("SVC-16", [], *OFFERING, "plans"),
    broken("SVC-16", {"small": {}}, *OFFERING, "plans"),
    broken("SVC-16", 7, *OFFERING, "plans", 1),
    broken("PLAN-01", MISSING, *PLAN, "id"),
    broken("PLAN-01", "", *PLAN, "id"),
    broken("PLAN-02", PLAN_ID, *OFFERING, "plans", 1, "id"),
    broken("PLAN-02", PLAN_ID, "services", 1, "plans", 0, "id"),
    broken("PLAN-03", "small", *PLAN, "id", level="SHOULD"),
    broken("PLAN-04", MISSING, *PLAN, "name"),
    broken("PLAN-04", False, *PLAN, "name"),
    broken("PLAN-05", "fake-plan-1", *OFFERING, "plans", 1, "name"),
    broken("PLAN-06", MISSING, *PLAN, "description"),
    broken("PLAN-07", "text", *PLAN, "metadata"),
    broken("PLAN-08", "false", *PLAN, "free"),
    broken("PLAN-09", None, *PLAN, "bindable"),
    broken("PLAN-10", "true", *PLAN, "binding_rotatable"),
    broken("PLAN-11", 1, *PLAN, "plan_updateable"),
    broken("PLAN-11", True, "services", 1, "plans", 0, "plan_updatable", level="SHOULD"),
    broken("PLAN-12", [], *PLAN, "schemas"),
    broken("PLAN-13", "60", *PLAN, "maximum_polling_duration"),
    broken("PLAN-13", 1.5, *PLAN, "maximum_polling_duration"),
    broken("PLAN-13", True, *PLAN, "maximum_polling_duration"),
    broken("PLAN-14", "1.0.0", *PLAN, "maintenance_info"),
    broken("PLAN-14", MISSING, *PLAN, "maintenance_info", "version"),
    broken("SCH-01", [], *PLAN, "schemas", "service_instance"),
    broken("SCH-01", "x", *CREATE),
    broken("SCH-01", {}, *CREATE, level="SHOULD"),
    broken("SCH-01", {}, *PLAN, "schemas", "service_instance", "delete", level="SHOULD"),
    broken("SCH-02", 1, *PLAN, "schemas", "service_binding"),
    broken("SCH-02", {}, *PLAN, "schemas", "service_binding", "update", level="SHOULD"),
    broken(
        "SCH-02",
        {"service_binding": {"create": {"parameters": {"$schema": DRAFT_4}}}},
        *OFFERING,
        "plans",
        1,
        "schemas",
        level="SHOULD",
        inside=".service_binding",
    ),
    broken("SCH-03", True, *SCHEMA),
    broken("SCH-03", "string", *SCHEMA, "type"),
    broken("SCH-03", "int", *PROPERTY, "type"),
    broken(
        "SCH-03",
        "#/definitions/nobody",
        *PROPERTY,
        "$ref",
        where="services[0].plans[0].schemas.service_instance.create.parameters",
    ),
    broken("SCH-04", MISSING, *SCHEMA, "$schema"),
    broken("SCH-04", 4, *SCHEMA, "$schema"),
    broken("SCH-04", "http://json-schema.org/draft-03/schema#", *SCHEMA, "$schema"),
    broken("SCH-05", "https://example.com/size.json", *PROPERTY, "$ref"),
    broken(
        "SCH-05",
        [{}, {"items": {"$ref": "size.json#/a"}}],
        *SCHEMA,
        "definitions",
        "owner",
        "anyOf",
        inside="[1].items.$ref",
    ),
    broken("SCH-06", BIG_SCHEMA, *SCHEMA),
    broken("MNT-01", "v1.0.0", *PLAN, "maintenance_info", "version"),
    broken("MNT-01", "1.0", *PLAN, "maintenance_info", "version"),
    broken("MNT-01", 2.1, *PLAN, "maintenance_info", "version"),
    broken("MNT-01", "1.02.3", *PLAN, "maintenance_info", "version"),
    broken("MNT-01", "1.2.3\n", *PLAN, "maintenance_info", "version"),
    broken("MNT-02", 1, *PLAN, "maintenance_info", "description", level="SHOULD"),
    broken(
        "META-01",
        ["https://example.com"],
        *OFFERING,
        "metadata",
        "supportUrl",
        level="SHOULD",
    ),
    broken(
        "META-01",
        {"display_name": "Fake"},
        "services",
        1,
        "metadata",
        level="SHOULD",
        inside=".display_name",
    ),
    broken("META-02", "cat.gif", *OFFERING, "metadata", "imageUrl", level="SHOULD"),
    broken(
        "META-02",
        "ftp://example.com/cat",
        *OFFERING,
        "metadata",
        "imageUrl",
        level="SHOULD",
    ),
    broken("META-03", 1, *PLAN, "metadata", "displayName", level="SHOULD"),
    broken("META-03", "cheap", *PLAN, "metadata", "bullets", level="SHOULD"),
    broken("META-03", {}, *PLAN, "metadata", "bullets", 0, level="SHOULD"),
    broken("META-03", 99.0, *PLAN, "metadata", "costs", 0, level="SHOULD"),
    broken("META-04", MISSING, *PLAN, "metadata", "costs", 1, "amount"),
    broken("META-04", [{"usd": 1}], *PLAN, "metadata", "costs", 1, "amount"),
    broken("META-04", {"usd": "1"}, *PLAN, "metadata", "costs", 1, "amount"),
    broken("META-05", MISSING, *PLAN, "metadata", "costs", 0, "unit"),
    broken("META-07", "true", *OFFERING, "metadata", "shareable", level="MAY"),
    broken("DSH-01", "", *OFFERING, "dashboard_client", "id"),
    broken("DSH-01", MISSING, *OFFERING, "dashboard_client", "id"),
    broken("DSH-02", MISSING, *OFFERING, "dashboard_client", "secret"),
    broken(
        "DSH-03",
        "not a uri",
        *OFFERING,
        "dashboard_client",
        "redirect_uri",
        level="MAY",
    ),
    broken("URL-02", "a/b", *OFFERING, "id", level="SHOULD"),
    broken("URL-02", "ä", *PLAN, "id", level="SHOULD"),
    broken("BIND-02", ["syslog_drain"], "services", 1, "requires", level="SHOULD"),
    broken("BIND-02", True, "services", 1, "bindings_retrievable", level="SHOULD"),
    broken("BIND-02", True, *OFFERING, "plans", 1, "binding_rotatable", level="SHOULD"),
]


def brief(finding: Finding) -> tuple[str, str, str]:
    return finding.rule, finding.level, finding.where.split(" (")[0]


@pytest.mark.parametrize(("rule", "level", "where", "change"), CASES)
def test_a_catalog_that_breaks_one_rule_yields_this_finding_alone(rule, level, where, change):
    findings = check(changed(change))

    assert [brief(finding) for finding in findings] == [(rule, level, where)]
    assert findings[0].message


def test_every_rule_has_a_catalog_that_breaks_it():
    assert {case.values[0] for case in CASES} == set(LEVELS)


def test_a_valid_catalog_yields_no_finding():
    assert check(valid_catalog()) == []


@pytest.mark.rule("CAT-02")
def test_an_empty_catalog_is_valid():
    assert check({"services": []}) == []


@pytest.mark.rule("CAT-02")
def test_what_is_no_object_is_no_catalog():
    assert [brief(finding) for finding in check([])] == [("CAT-02", "MUST", "the document")]  # type: ignore[arg-type]


@pytest.mark.rule("CAT-12", "SVC-02")
def test_names_that_differ_in_case_are_different_names():
    assert check(changed(with_value("Fake-Service", "services", 1, "name"))) == []


@pytest.mark.rule("PLAN-09", "SCH-02", "BIND-02")
def test_an_offering_that_is_not_bindable_may_have_a_plan_that_is():
    change = with_value(False, "services", 0, "bindable")
    assert check(changed(change)) == []


@pytest.mark.rule("SCH-06")
@pytest.mark.parametrize(("size", "findings"), [(65_536, 0), (65_537, 1)])
def test_a_schema_may_have_64_kilobytes_and_no_byte_more(size, findings):
    schema = {"$schema": DRAFT_4, "description": ""}
    schema["description"] = "ä" * ((size - len(json.dumps(schema, separators=(",", ":")))) // 2)
    schema["description"] += "x" * (size - len(json.dumps(schema, separators=(",", ":"), ensure_ascii=False).encode()))
    found = check(changed(with_value(schema, *SCHEMA)))
    assert [finding.rule for finding in found] == ["SCH-06"] * findings


@pytest.mark.rule("SCH-05")
@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"$ref": {"type": "string"}}},
        {"properties": {"a": {"enum": [{"$ref": "https://example.com"}]}}},
        {"properties": {"a": {"default": {"$ref": "https://example.com"}}}},
        {"properties": {"a": {"$ref": "#"}}},
    ],
)
def test_what_only_looks_like_an_outside_reference_is_none(schema):
    assert check(changed(with_value({"$schema": DRAFT_4, **schema}, *SCHEMA))) == []


@pytest.mark.rule("SCH-05")
def test_an_outside_reference_behind_a_local_one_is_found_and_not_fetched():
    schema = {
        "$schema": DRAFT_4,
        "properties": {"a": {"$ref": "#/x-types/a"}},
        "x-types": {"a": {"$ref": "http://localhost:9/"}},
    }
    assert [finding.rule for finding in check(changed(with_value(schema, *SCHEMA)))] == ["SCH-05"]  # fmt: skip


@pytest.mark.rule("SCH-05", "SCH-03")
def test_what_else_is_wrong_with_a_schema_is_found_beside_an_outside_reference():
    change = with_value({"$ref": "http://localhost:9/", "type": "int"}, *PROPERTY)
    assert [finding.rule for finding in check(changed(change))] == ["SCH-05", "SCH-03"]


@pytest.mark.rule("SCH-07", "SCH-08")
@pytest.mark.parametrize(
    "draft",
    [
        "http://json-schema.org/draft-04/schema",
        "http://json-schema.org/draft-06/schema#",
        "http://json-schema.org/draft-07/schema#",
        "https://json-schema.org/draft/2019-09/schema",
        "https://json-schema.org/draft/2020-12/schema",
    ],
)
def test_every_draft_from_4_on_is_known(draft):
    assert check(changed(with_value(draft, *SCHEMA, "$schema"))) == []


def test_a_finding_names_the_offering_and_the_plan():
    (finding,) = check(changed(without(*PLAN, "description")))
    assert finding.where == "services[0].plans[0].description (offering fake-service, plan fake-plan-1)"


def test_a_control_character_of_a_catalog_reaches_no_terminal():
    findings = check(changed(with_value("\x1b[2J\u202e", *OFFERING, "name"), without(*PLAN, "free")))
    assert findings
    assert all(finding.where.isprintable() and finding.message.isprintable() for finding in findings)


def test_no_message_holds_the_secret_of_a_dashboard():
    secret = {"secret": 918273645, "id": 5}
    assert "918273645" not in str(check(changed(with_value(secret, *OFFERING, "dashboard_client"))))


def test_the_same_catalog_yields_the_same_findings_in_the_same_order():
    broken = changed(without(*PLAN, "id"), without(*OFFERING, "name"), with_value(1, *PLAN, "free"))
    assert check(broken) == check(json.loads(json.dumps(broken)))
    assert len(check(broken)) == 3


def test_a_catalog_deeper_than_the_stack_is_survived():
    deep: dict[str, Any] = {}
    inner = deep
    for _ in range(3_000):
        inner["not"] = {}
        inner = inner["not"]
    broken = changed(with_value({"$schema": DRAFT_4, **deep}, *SCHEMA), with_value(deep, *OFFERING, "metadata", "x"))
    assert {finding.rule for finding in check(broken)} == {"SCH-03"}


WORDS = [
    "services", "plans", "name", "id", "description", "bindable", "metadata", "costs", "amount", "unit", "schemas",
    "service_instance", "service_binding", "create", "update", "parameters", "$schema", "$ref", "type", "properties",
    "maintenance_info", "version", "dashboard_client", "requires", "tags", "items", "allOf",
]  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from([DRAFT_4, ""])
ANY_JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=4), inner, max_size=6)
    ),
    max_leaves=40,
)


@given(ANY_JSON)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_json_is_survived(document):
    assert all(isinstance(finding, Finding) for finding in check(document))


def paths(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    members: list[tuple[str | int, object]] = []
    if isinstance(value, Mapping):
        members = list(value.items())
    elif isinstance(value, list):
        members = list(enumerate(value))
    return [found for key, inner in members for found in [(*path, key), *paths(inner, (*path, key))]]


@given(st.sampled_from(paths(valid_catalog())), ANY_JSON)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_json_at_any_place_of_a_catalog_is_survived(path, value):
    assert all(
        finding.level == "SHOULD" or finding.rule in LEVELS for finding in check(changed(with_value(value, *path)))
    )
