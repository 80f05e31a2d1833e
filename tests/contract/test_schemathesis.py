"""Schemathesis against the specification's own OpenAPI document: 10,200 requests, and every host answers the same.

A case is generated once and sent to each host, each with a broker of its own behind it, so that the answers can be
compared: that is a third of the time, and finds more than three runs apart. The cases are the same in every run.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.contract.brokers import LARGE, OTHER_PLAN, OTHER_SERVICE, SERVICE, SMALL, MemoryBroker
from tests.contract.hosts import HOSTS, VERSION, Platform, Serving, serving

DOCUMENT: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "openapi.yaml").read_text(encoding="utf-8"))
CHECKS: list[Callable[..., Any]] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
INSTANCE = "/v2/service_instances/{instance_id}"
BINDING = f"{INSTANCE}/service_bindings/{{binding_id}}"
SEED = 217

#: What the specification's text knows, and its OpenAPI document forgot; the text is the authority (line 3 of it).
FORGOTTEN = {
    "400": "a malformed header, id or query is a malformed request at every endpoint (VER-05, URL-03)",
    "412": "an API version that is not served (VER-03)",
}
#: A broker has to say something about an instance that it does not know; the tables of these two name no status.
FORGOTTEN_AT = {(INSTANCE, "patch"): "404", (BINDING, "put"): "404"}

#: How many cases of each kind an operation gets; each case is sent to each host.
KINDS = {"as it is": 60, "right version": 100, "ids of the catalog": 180}
SENT = sum(KINDS.values()) * 10 * len(HOSTS)


def amended() -> dict[str, Any]:
    """Give the document with the statuses that it forgot."""
    document = copy.deepcopy(DOCUMENT)
    error = {
        "description": "Error",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            more = [FORGOTTEN_AT[path, method]] if (path, method) in FORGOTTEN_AT else []
            for status in (*FORGOTTEN, *more):
                operation["responses"].setdefault(status, error)
    return document


def narrowed(document: dict[str, Any]) -> dict[str, Any]:
    """Give the document with few ids to choose from, so that requests come past the checks, and meet each other."""
    ids = {
        "service_id": [SERVICE, SERVICE, OTHER_SERVICE],
        "plan_id": [SMALL, LARGE, OTHER_PLAN],
        "instance_id": ["i-1", "i/2", "ï 3"],
        "binding_id": ["b-1", "b/2"],
    }
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation["parameters"]:
                if parameter.get("name") in ids:
                    parameter["schema"] = {"type": "string", "enum": ids[parameter["name"]]}
    for name in ("ServiceInstanceProvisionRequestBody", "ServiceInstanceUpdateRequestBody", "ServiceBindingRequest"):
        properties = document["components"]["schemas"][name]["properties"]
        for field in ("service_id", "plan_id"):
            properties[field] = {"type": "string", "enum": ids[field]}
        properties["parameters"] = {"type": "object", "maxProperties": 0}
    return document


SCHEMAS = {
    "as it is": schemathesis.openapi.from_dict(amended()),
    "right version": schemathesis.openapi.from_dict(amended()),
    "ids of the catalog": schemathesis.openapi.from_dict(narrowed(amended())),
}


def operations() -> Iterator[Any]:
    for kind, schema in SCHEMAS.items():
        for result in schema.get_all_operations():
            assert isinstance(result, Ok)
            yield pytest.param(kind, result.ok(), id=f"{result.ok().label} {kind}")


OPERATIONS = list(operations())


@pytest.fixture(scope="module")
def servers() -> Iterator[list[Serving]]:
    with ExitStack() as running:
        yield [running.enter_context(serving(host)) for host in HOSTS]


@pytest.fixture
def platforms(servers: list[Serving]) -> list[Platform]:
    """A platform for each host, and behind each the same broker with the same past."""
    platforms = [serve(MemoryBroker()) for serve in servers]
    for platform in platforms:
        begin(platform)
    return platforms


def begin(platform: Platform) -> None:
    ids = {"service_id": SERVICE, "plan_id": SMALL}
    body = {**ids, "organization_guid": "org-1", "space_guid": "space-1"}
    made = platform.send("PUT", "/v2/service_instances/i-1", body)
    bound = platform.send("PUT", "/v2/service_instances/i-1/service_bindings/b-1", ids)
    assert (made.status, bound.status) == (201, 201)


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "operation"), OPERATIONS)
def test_no_request_of_the_document_brings_any_host_to_fall(
    kind: str, operation: Any, platforms: list[Platform], session: requests.Session
) -> None:
    headers = {} if kind == "as it is" else {"X-Broker-API-Version": VERSION}

    sent = 0

    @seed(SEED)
    @settings(
        max_examples=KINDS[kind],
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def attempt(case: Any) -> None:
        nonlocal sent
        answers = set()
        for platform in platforms:
            sent += 1
            target = f"http://127.0.0.1:{platform.port}"
            response = case.call(base_url=target, session=session, headers={**platform.authorization(), **headers})
            case.validate_response(response, checks=CHECKS)
            answers.add((response.status_code, tuple(response.headers["content-type"]), response.content))
        assert len(answers) == 1

    attempt()
    assert sent >= KINDS[kind] * len(platforms)


def test_the_requests_are_as_many_as_promised() -> None:
    assert len(OPERATIONS) == len(KINDS) * 10
    assert SENT >= 10_000
