"""GET of a binding (section "Fetching a Service Binding"); what must not be sent: test_bind.py."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract.brokers import BIND, BINDING, IDS, INSTANCE, LARGE, PROVISION, SERVICE, SMALL, RecordingBroker
from tests.contract.expectations import assert_answered, assert_refused
from tests.contract.hosts import Platform

from openbrokerapi import errors
from openbrokerapi.service_broker import BindingMetadata, Endpoint, GetBindingSpec, SharedDevice, VolumeMount


@pytest.mark.rule("GETB-01", "GETB-05", "GETB-06")
def test_a_binding_of_each_bindable_plan_can_be_fetched_as_long_as_it_exists(living: Platform) -> None:
    assert_refused(living.send("GET", BINDING), 404)
    for plan in (SMALL, LARGE):
        ids = {"service_id": SERVICE, "plan_id": plan}
        living.send("PUT", INSTANCE, {**PROVISION, "plan_id": plan})
        made = living.send("PUT", BINDING, ids)
        assert_answered(living.send("GET", BINDING), 200, {**made.json, "parameters": {}})
        living.send("DELETE", BINDING, query=ids)
        assert_refused(living.send("GET", BINDING), 404)
        living.send("DELETE", INSTANCE, query=ids)


@pytest.mark.rule("GETB-04")
@pytest.mark.parametrize(
    "query",
    [{}, IDS, {"service_id": SERVICE}, {"plan_id": SMALL}, {"service_id": "", "plan_id": ""}, {"service_id": "gone"}],
)
def test_the_query_parameters_are_hints(platform: Platform, recording: RecordingBroker, query: dict[str, str]) -> None:
    assert_answered(platform.send("GET", BINDING, query=query), 200, {"credentials": {"uri": "db://host"}})
    ids = {"instance_id": "instance-1", "binding_id": "binding-1"}
    assert recording.calls == [("get_binding", {**ids, **query})]


@pytest.mark.rule("GETB-05", "GETB-09", "GETB-10", "GETB-11", "GETB-13", "GETB-14", "ORPH-09")
def test_the_whole_answer_is_what_the_broker_gave(platform: Platform, recording: RecordingBroker) -> None:
    mount = VolumeMount("nfs", "/data", "rw", "shared", SharedDevice("v-1"))
    recording.answers["get_binding"] = GetBindingSpec(
        {"uri": "db://u:p@host"},
        "syslog://host",
        "https://route",
        [mount],
        {"role": "reader"},
        metadata=BindingMetadata("2030-01-02T00:00:00.0Z"),
        endpoints=[Endpoint("host", [443])],
    )
    sent = {"driver": "nfs", "container_dir": "/data", "mode": "rw", "device_type": "shared"}
    expected = {
        "credentials": {"uri": "db://u:p@host"},
        "syslog_drain_url": "syslog://host",
        "route_service_url": "https://route",
        "volume_mounts": [{**sent, "device": {"volume_id": "v-1"}}],
        "parameters": {"role": "reader"},
        "metadata": {"expires_at": "2030-01-02T00:00:00.0Z"},
        "endpoints": [{"host": "host", "ports": ["443"]}],
    }
    assert_answered(platform.send("GET", BINDING), 200, expected)


@pytest.mark.rule("GETB-05", "GETB-12")
@pytest.mark.parametrize(("parameters", "expected"), [(None, {}), ({}, {"parameters": {}})])
def test_what_the_broker_withholds_is_absent(
    platform: Platform, recording: RecordingBroker, parameters: Any, expected: dict[str, Any]
) -> None:
    recording.answers["get_binding"] = GetBindingSpec(parameters=parameters)
    assert_answered(platform.send("GET", BINDING), 200, expected)


@pytest.mark.rule("GETB-11")
@pytest.mark.parametrize("parameters", [[1], "role", 7, True])
def test_parameters_that_are_no_object_are_never_sent(
    platform: Platform, recording: RecordingBroker, parameters: Any
) -> None:
    recording.answers["get_binding"] = GetBindingSpec({}, parameters=parameters)
    assert_refused(platform.send("GET", BINDING), 500)


@pytest.mark.rule("GETB-06", "GETB-07")
@pytest.mark.parametrize("kind", [errors.ErrBindingDoesNotExist, errors.ErrInstanceDoesNotExist])
def test_what_is_unknown_or_not_yet_there_is_404(
    platform: Platform, recording: RecordingBroker, kind: type[Exception]
) -> None:
    recording.answers["get_binding"] = kind()
    assert_refused(platform.send("GET", BINDING), 404)
    assert_refused(platform.send("GET", BINDING, query=IDS), 404)


@pytest.mark.rule("GETB-06")
def test_a_binding_of_another_instance_is_unknown(living: Platform) -> None:
    living.send("PUT", INSTANCE, PROVISION)
    living.send("PUT", BINDING, BIND)
    assert_refused(living.send("GET", BINDING.replace("instance-1", "instance-2")), 404)
