"""Vendor extension fields, and fields that nobody knows yet (section "Vendor Extension Fields")."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract.brokers import (
    BIND,
    BINDING,
    INSTANCE,
    PROVISION,
    SERVICE,
    SMALL,
    RecordingBroker,
)
from tests.contract.hosts import Platform, Serving
from tests.contract.ten import (
    CATALOG,
    NINE,
    TEN,
    WITH_BODY,
    WORKING,
    Sent,
    of,
)

from openbrokerapi.service_broker import (
    Binding,
    BindState,
    DeprovisionServiceSpec,
    GetBindingSpec,
    GetInstanceDetailsSpec,
    LastOperation,
    OperationState,
    ProvisionedServiceSpec,
    ProvisionState,
    Service,
    ServicePlan,
    UnbindSpec,
    UpdateServiceSpec,
)

MORE: dict[str, Any] = {"acme.example/rank": 7, "acme.example/more": {"deep": [None, "ä"]}}
ANSWERS: dict[str, Any] = {
    "provision": ProvisionedServiceSpec(extensions=MORE),
    "update": UpdateServiceSpec(extensions=MORE),
    "deprovision": DeprovisionServiceSpec(extensions=MORE),
    "bind": Binding(credentials={}, extensions=MORE),
    "unbind": UnbindSpec(extensions=MORE),
    "last_operation": LastOperation(OperationState.IN_PROGRESS, extensions=MORE),
    "last_binding_operation": LastOperation(OperationState.SUCCEEDED, extensions=MORE),
    "get_instance": GetInstanceDetailsSpec(SERVICE, SMALL, extensions=MORE),
    "get_binding": GetBindingSpec({}, extensions=MORE),
}
ACCEPTED: dict[str, Any] = {
    "provision": ProvisionedServiceSpec(ProvisionState.IS_ASYNC, operation="op", extensions=MORE),
    "update": UpdateServiceSpec(True, "op", extensions=MORE),
    "deprovision": DeprovisionServiceSpec(True, "op", extensions=MORE),
    "bind": Binding(BindState.IS_ASYNC, operation="op", extensions=MORE),
    "unbind": UnbindSpec(True, "op", extensions=MORE),
}


@pytest.mark.rule("EXT-01")
@of(NINE)
def test_an_author_can_add_fields_to_every_response(serve: Serving, sent: Sent) -> None:
    answer = sent.by(serve(RecordingBroker(**ANSWERS)))
    assert (answer.status, {name: answer.json[name] for name in MORE}) == (sent.made, MORE)


@pytest.mark.rule("EXT-01")
@of(WORKING)
def test_an_author_can_add_fields_to_every_202(serve: Serving, sent: Sent) -> None:
    answer = sent.by(serve(RecordingBroker(**ACCEPTED)), accepts_incomplete="true")
    assert (answer.status, answer.json) == (202, {"operation": "op", **MORE})


@pytest.mark.rule("EXT-01")
def test_an_author_can_add_fields_to_the_catalog(serve: Serving) -> None:
    recording = RecordingBroker()
    plan = ServicePlan("p", "plan", "A plan", **MORE)
    recording.offerings = Service("s", "service", "A service", bindable=True, plans=[plan], **MORE)
    service = CATALOG.by(serve(recording)).json["services"][0]
    assert {name: service[name] for name in MORE} == MORE
    assert {name: service["plans"][0][name] for name in MORE} == MORE


@pytest.mark.rule("EXT-01")
def test_an_extension_never_takes_the_place_of_a_field_of_the_specification(serve: Serving) -> None:
    spec = GetInstanceDetailsSpec(SERVICE, SMALL, extensions={"service_id": "another", "x": 1})
    answer = serve(RecordingBroker(get_instance=spec)).send("GET", INSTANCE)
    assert answer.json == {"service_id": SERVICE, "plan_id": SMALL, "x": 1}


FOO = {"x-acme-foo": {"a": [1, {"b": None}]}}
EXTENDED = {
    "provision": {
        **PROVISION,
        **FOO,
        "context": {"platform": "cloudfoundry", **FOO},
        "maintenance_info": {"version": "2.1.1+abcdef", **FOO},
    },
    "update": {
        "service_id": SERVICE,
        **FOO,
        "plan_id": SMALL,
        "context": {**FOO},
        "previous_values": {"plan_id": SMALL, **FOO},
        "maintenance_info": {"version": "2.1.1+abcdef", **FOO},
    },
    "bind": {**BIND, **FOO, "bind_resource": {"app_guid": "app", **FOO}, "context": {**FOO}},
}


@pytest.mark.rule("EXT-03", "EXT-07")
@of(WITH_BODY)
def test_unknown_request_fields_at_any_depth_change_nothing(
    platform: Platform, recording: RecordingBroker, sent: Sent
) -> None:
    answer = platform.send(sent.method, sent.target, EXTENDED[sent.name])
    assert (answer.status, recording.calls[-1][0]) == (sent.made, sent.name)
    assert recording.details.context["x-acme-foo"] == FOO["x-acme-foo"]


@pytest.mark.rule("EXT-03", "EXT-07")
@of(TEN)
def test_unknown_query_parameters_and_headers_change_nothing(platform: Platform, sent: Sent) -> None:
    headers: dict[str, str | None] = {"X-Broker-API-Later": "3", "X-Acme": "é"}
    assert sent.by(platform, headers, later="field", instance_id="x").status == sent.made


@pytest.mark.rule("EXT-04")
def test_an_unknown_field_does_not_make_a_repeated_request_another(living: Platform) -> None:
    assert living.send("PUT", INSTANCE, PROVISION).status == 201
    assert living.send("PUT", INSTANCE, {**PROVISION, "x-acme-foo": 2}).status == 200
    assert living.send("PUT", BINDING, BIND).status == 201
    assert living.send("PUT", BINDING, {**BIND, "x-acme-foo": 2}).status == 200
