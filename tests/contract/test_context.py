"""Context, bind resource and originating identity as the profile has them, and their typed views."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from tests.contract import ten
from tests.contract.brokers import BIND, BINDING, INSTANCE, RecordingBroker
from tests.contract.hosts import Platform

from openbrokerapi.context import (
    CloudFoundryContext,
    CloudFoundryIdentity,
    KubernetesContext,
    KubernetesIdentity,
    OtherContext,
    OtherIdentity,
)

CLOUD_FOUNDRY = {
    "platform": "cloudfoundry",
    "organization_guid": "1113aa0-124e-4af2-1526-6bfacf61b111",
    "organization_name": "system",
    "organization_annotations": {"prefix-here.org/name-here": "value"},
    "space_guid": "aaaa1234-da91-4f12-8ffa-b51d0336aaaa",
    "space_name": "development",
    "space_annotations": {"prefix-here.org/name-here": "value"},
    "instance_name": "my-db",
    "instance_annotations": {"prefix-here.org/name-here": "value"},
}
KUBERNETES = {
    "platform": "kubernetes",
    "namespace": "development",
    "namespace_annotations": {"prefix-here.org/name-here": "value"},
    "clusterid": "8263feae-9ad1-11e8-b0d2-07f4f1a2a2a2",
    "instance_name": "my-db",
    "instance_annotations": {"prefix-here.org/name-here": "value"},
}
IDENTITY = "X-Broker-API-Originating-Identity"


def identity(platform: str, value: Any) -> dict[str, str | None]:
    return {IDENTITY: f"{platform} {base64.b64encode(json.dumps(value).encode()).decode()}"}


def sent_with(sent: ten.Sent, context: Any, platform: Platform) -> int:
    return platform.send(sent.method, sent.target, {**sent.body, "context": context}).status


@pytest.mark.rule("CTX-02", "CTX-04", "CTX-05", "CTX-06", "CTX-07", "CTX-08")
@ten.of(ten.WITH_BODY)
def test_the_context_of_cloud_foundry_has_a_typed_view(
    platform: Platform, recording: RecordingBroker, sent: ten.Sent
) -> None:
    assert sent_with(sent, {**CLOUD_FOUNDRY, "x-acme": [1]}, platform) == sent.made
    assert recording.details.context == {**CLOUD_FOUNDRY, "x-acme": [1]}
    known = {name: value for name, value in CLOUD_FOUNDRY.items() if name != "platform"}
    assert recording.details.typed_context == CloudFoundryContext(**known, others={"x-acme": [1]})  # type: ignore[arg-type]
    assert recording.details.typed_context.platform == "cloudfoundry"


@pytest.mark.rule("CTX-02", "CTX-09", "CTX-10", "CTX-11", "CTX-12")
@ten.of(ten.WITH_BODY)
def test_the_context_of_kubernetes_has_a_typed_view(
    platform: Platform, recording: RecordingBroker, sent: ten.Sent
) -> None:
    assert sent_with(sent, {**KUBERNETES, "x-acme": [1]}, platform) == sent.made
    assert recording.details.context == {**KUBERNETES, "x-acme": [1]}
    known = {name: value for name, value in KUBERNETES.items() if name != "platform"}
    assert recording.details.typed_context == KubernetesContext(**known, others={"x-acme": [1]})  # type: ignore[arg-type]


@pytest.mark.rule("CTX-02")
@ten.of(ten.WITH_BODY)
@pytest.mark.parametrize(
    ("context", "typed"),
    [
        ({"platform": "acme", "region": "eu"}, OtherContext("acme", {"region": "eu"})),
        ({"region": "eu"}, OtherContext(None, {"region": "eu"})),
        ({"platform": 7, "region": "eu"}, OtherContext(None, {"region": "eu"})),
        ({"platform": ["a"]}, OtherContext()),
        ({}, OtherContext()),
    ],
)
def test_the_context_of_another_platform_has_a_typed_view(
    platform: Platform, recording: RecordingBroker, sent: ten.Sent, context: dict[str, Any], typed: OtherContext
) -> None:
    assert sent_with(sent, context, platform) == sent.made
    assert recording.details.context == context
    assert recording.details.typed_context == typed


@ten.of(ten.WITH_BODY)
def test_without_a_context_there_is_no_view(platform: Platform, recording: RecordingBroker, sent: ten.Sent) -> None:
    assert sent.by(platform).status == sent.made
    assert recording.details.context is None
    assert recording.details.typed_context is None


@pytest.mark.rule("CTX-03")
@ten.of(ten.WITH_BODY)
@pytest.mark.parametrize("version", ["2.13", "2.14", "2.15", "2.16", "2.17", "2.18"])
def test_the_names_of_later_versions_are_never_demanded(
    platform: Platform, recording: RecordingBroker, sent: ten.Sent, version: str
) -> None:
    contexts = (
        {"platform": "cloudfoundry", "organization_guid": "o", "space_guid": "s"},
        {"platform": "kubernetes", "namespace": "n"},
    )
    for context in contexts:
        body = {**sent.body, "context": context}
        answer = platform.send(sent.method, sent.target, body, {"X-Broker-API-Version": version})
        assert answer.status == sent.made
        assert recording.details.typed_context.instance_name is None


@pytest.mark.rule("CTX-03")
@pytest.mark.parametrize("name", ["organization_guid", "space_name", "instance_annotations"])
def test_a_value_of_another_type_is_among_the_others(platform: Platform, recording: RecordingBroker, name: str) -> None:
    assert sent_with(ten.UPDATING, {**CLOUD_FOUNDRY, name: [7]}, platform) == 200
    typed = recording.details.typed_context
    assert getattr(typed, name) is None
    assert typed.others == {name: [7]}


@pytest.mark.rule("BR-01", "BR-02", "BR-03", "BR-06", "BIND-25", "BIND-27")
def test_the_whole_bind_resource_reaches_the_broker(platform: Platform, recording: RecordingBroker) -> None:
    resource = {
        "app_guid": "app-1",
        "route": "host/path",
        "space_guid": "space-1",
        "app_annotations": {"prefix-here.org/name-here": "value"},
        "credential_client_id": "client-1",
        "x-acme": {"a": [1]},
    }
    assert platform.send("PUT", BINDING, {**BIND, "bind_resource": resource}).status == 201
    assert vars(recording.details.bind_resource) == resource
    assert platform.send("PUT", BINDING, {**BIND, "bind_resource": {"credential_client_id": "c"}}).status == 201
    held = recording.details.bind_resource
    assert (held.credential_client_id, held.app_guid, held.space_guid, held.app_annotations) == ("c", None, None, None)


@pytest.mark.parametrize("name", ["self", "app_guid_", "__class__", "kwargs"])
def test_no_field_of_a_bind_resource_or_of_previous_values_brings_the_request_to_fall(
    platform: Platform, recording: RecordingBroker, name: str
) -> None:
    more = {name: "x", "app_guid": "app-1"}
    assert platform.send("PUT", BINDING, {**BIND, "bind_resource": more}).status == 201
    assert recording.details.app_guid == "app-1"
    for field in ("previous_values", "context"):
        assert platform.send("PATCH", INSTANCE, {**ten.UPDATING.body, field: {name: "x"}}).status == 200


@pytest.mark.rule("BR-05")
def test_credentials_may_be_a_reference_into_a_vault(platform: Platform, recording: RecordingBroker) -> None:
    reference = {"credhub-ref": "/c/broker/service/binding/credentials"}
    recording.answers["bind"].credentials = reference
    assert platform.send("PUT", BINDING, BIND).json == {"credentials": reference}


IDENTITIES = [
    ("cloudfoundry", {"user_id": "u-1", "x": 1}, CloudFoundryIdentity("u-1", {"x": 1})),
    ("cloudfoundry", {"user_id": 7}, CloudFoundryIdentity(None)),
    (
        "kubernetes",
        {"username": "duke", "uid": "c2dde242", "groups": ["admin", "dev"], "extra": {"k": ["v"]}, "x": 1},
        KubernetesIdentity("duke", "c2dde242", ("admin", "dev"), {"k": ("v",)}, {"x": 1}),
    ),
    ("kubernetes", {}, KubernetesIdentity()),
    ("kubernetes", {"groups": "admin", "extra": ["v"]}, KubernetesIdentity()),
    ("acme", {"a": 1}, OtherIdentity("acme", {"a": 1})),
]


@ten.of((*ten.WITH_BODY, ten.DEPROVISIONING, ten.UNBINDING))
@pytest.mark.parametrize(("name", "value", "typed"), IDENTITIES)
def test_who_caused_the_request_has_a_typed_view(
    platform: Platform, recording: RecordingBroker, sent: ten.Sent, name: str, value: dict[str, Any], typed: Any
) -> None:
    assert sent.by(platform, identity(name, value)).status == sent.made
    assert recording.details.originating_identity == {"platform": name, "value": value}
    assert recording.details.identity == typed
