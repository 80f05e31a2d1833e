"""What the reference broker's catalog has no room for: all that is right, and catalogs that are no use at all."""

import asyncio
import json
from typing import Any

import pytest
from tests.checker.playing import failed

from openbrokerapi.conformance import Checker, Credentials, Options, Report
from openbrokerapi.conformance.asgi_sender import AsgiSender
from openbrokerapi.conformance.checks.offerings import is_guid
from openbrokerapi.conformance.checks.plans import is_duration, is_semantic_version
from openbrokerapi.conformance.checks.schemas import describes_an_object, is_self_contained
from openbrokerapi.conformance.clocks import MovedClock

GROUPS = ("CAT", "SVC", "PLAN", "SCH", "MNT", "META", "DSH")
DRAFT_4 = "http://json-schema.org/draft-04/schema#"
DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"


def check_catalog(catalog: Any) -> Report:
    """Check a broker that has this catalog and nothing else."""
    body = json.dumps(catalog).encode()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        found = scope["path"] == "/v2/catalog"
        await send({"type": "http.response.start", "status": 200 if found else 400, "headers": []})
        await send({"type": "http.response.body", "body": body if found else b'{"description": "No."}'})

    clock = MovedClock()
    sender = AsgiSender(application, clock)
    return asyncio.run(Checker(sender, Credentials("u", "p"), options=Options(only=GROUPS), clock=clock).check())


def write_catalog(offering: dict[str, Any], plan: dict[str, Any]) -> dict[str, Any]:
    """Write a catalog of one offering with one plan, with what is required and these fields."""
    required = {"name": "one", "id": "f0b1d3a8-93a2-4a4c-8e58-7f2f6a1f0001", "description": "One."}
    plan = {**required, "id": "f0b1d3a8-93a2-4a4c-8e58-7f2f6a1f0002", **plan}
    return {"services": [{**required, "bindable": True, "plans": [plan], **offering}]}


def test_a_catalog_may_be_empty():
    report = check_catalog({"services": []})
    assert (failed(report), report.troubles) == (set(), ())


def test_a_catalog_may_have_no_more_than_what_is_required():
    report = check_catalog(write_catalog({}, {}))
    assert (failed(report), report.troubles) == (set(), ())


def test_fields_of_the_author_are_no_fault_wherever_they_are():
    more = {"x-of-the-author": ["anything"]}
    schemas = {"service_instance": {"create": {**more}, **more}, "service_binding": {**more}, **more}
    plan = {"schemas": schemas, "maintenance_info": {"version": "1.0.0", **more}, "metadata": {**more}, **more}
    report = check_catalog(write_catalog({"metadata": {**more}, **more}, plan))
    assert failed(report) == set()


def test_an_image_may_be_longer_than_other_strings():
    images = {"metadata": {"imageUrl": "data:image/png;base64," + "QUJD" * 100}}
    assert failed(check_catalog(write_catalog(images, {}))) == set()


@pytest.mark.parametrize("odd", [None, 7, "x", [], [None], {}, {"version": {}, "service_instance": [None]}, [[{}]]])
def test_no_check_breaks_on_a_value_that_should_be_another(odd: Any):
    names = ("id", "name", "description", "plans", "tags", "requires", "metadata", "dashboard_client", "bindable")
    offering = dict.fromkeys(names, odd)
    plan = dict.fromkeys((*names, "schemas", "maintenance_info", "maximum_polling_duration"), odd)
    for catalog in (write_catalog(offering, plan), write_catalog({}, plan), {"services": odd}, {"services": [odd]}):
        assert check_catalog(catalog).troubles == ()


@pytest.mark.parametrize(
    "version", ["0.0.0", "2.1.1+abcdef", "1.0.0-alpha.1", "1.0.0-0A.is.legal", "1.0.0--+0.build.1-rc"]
)
def test_a_semantic_version_is_one(version: str):
    assert is_semantic_version(version)


@pytest.mark.parametrize(
    "version", ["", "1", "1.0", "v1.0.0", "01.0.0", "1.0.0-01", "1.0.0-", "1.0.0+", "1.0.0\n", 2.1]
)
def test_any_other_version_is_none(version: Any):
    assert not is_semantic_version(version)


@pytest.mark.parametrize(
    ("value", "holds"), [(0, True), (60, True), (60.0, True), (0.5, False), (-1, False), (True, False)]
)
def test_a_duration_is_a_whole_number_of_seconds(value: Any, holds: bool):
    assert is_duration(value) is holds


def test_a_guid_may_be_in_capital_letters():
    assert is_guid("F0B1D3A8-93A2-4A4C-8E58-7F2F6A1F0001")
    assert not is_guid("F0B1D3A893A24A4C8E587F2F6A1F0001")


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"$schema": DRAFT_4, "properties": {"size": {"type": "integer"}}},
        {"$schema": DRAFT_2020, "type": ["object", "null"]},
        {"$schema": DRAFT_4, "$ref": "#/definitions/all", "definitions": {"all": {"type": "object"}}},
        {"$schema": "https://schemas.example.com/mine", "type": "object", "required": "of my own"},
    ],
)
def test_what_may_be_a_schema_of_an_object_is_taken_for_one(schema: Any):
    assert describes_an_object(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"$id": "https://schemas.example.com/mine", "$ref": "https://schemas.example.com/mine#/$defs/all"},
        {"properties": {"$ref": {"type": "string"}}},
        {"properties": {"a": {"default": {"$ref": "https://schemas.example.com/data"}}}},
        {"definitions": {"default": {"$ref": "#"}}},
    ],
)
def test_a_schema_that_refers_to_itself_only_is_self_contained(schema: Any):
    assert is_self_contained(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": {"$ref": "https://schemas.example.com/a"}}},
        {"definitions": {"default": {"$ref": "other.json"}}},
        {"anyOf": [{"not": {"$ref": "//schemas.example.com/a"}}]},
    ],
)
def test_a_schema_that_refers_to_another_is_not_self_contained(schema: Any):
    assert not is_self_contained(schema)
