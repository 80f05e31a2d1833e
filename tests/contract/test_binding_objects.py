"""The objects that a binding consists of: metadata, volume mounts, endpoints (section "Binding", its objects)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from tests.contract.brokers import BIND, BINDING, RecordingBroker
from tests.contract.expectations import assert_answered
from tests.contract.hosts import Platform

from openbrokerapi.service_broker import (
    Binding,
    BindingMetadata,
    Endpoint,
    GetBindingSpec,
    SharedDevice,
    VolumeMount,
)

MOUNT = VolumeMount("nfs", "/data", "rw", "shared", SharedDevice("v-1", {"key": "value"}))
MOUNT_SENT = {
    "driver": "nfs",
    "container_dir": "/data",
    "mode": "rw",
    "device_type": "shared",
    "device": {"volume_id": "v-1", "mount_config": {"key": "value"}},
}


@pytest.mark.rule("BMD-03", "BMD-04")
@pytest.mark.parametrize(
    ("moment", "sent"),
    [
        (datetime(2030, 1, 2, 3, 4, 5, 678_901, UTC), "2030-01-02T03:04:05.6Z"),
        (datetime(2030, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2))), "2030-01-02T01:04:05.0Z"),
        ("2030-01-02T03:04:05.6Z", "2030-01-02T03:04:05.6Z"),
        ("2030-01-02T03:04:05Z", "2030-01-02T03:04:05.0Z"),
        ("2030-01-02T03:04:05.678901+02:00", "2030-01-02T01:04:05.6Z"),
    ],
)
@pytest.mark.parametrize("name", ["expires_at", "renew_before"])
@pytest.mark.parametrize("make", [BindingMetadata, dict])
def test_a_moment_is_sent_in_the_form_of_the_specification(
    platform: Platform, recording: RecordingBroker, moment: Any, sent: str, name: str, make: Any
) -> None:
    recording.answers["bind"] = Binding(metadata=make(**{name: moment}))
    recording.answers["get_binding"] = GetBindingSpec(metadata=make(**{name: moment}))
    assert_answered(platform.send("PUT", BINDING, BIND), 201, {"metadata": {name: sent}})
    assert_answered(platform.send("GET", BINDING), 200, {"metadata": {name: sent}})


@pytest.mark.rule("BMD-03", "BMD-04")
@pytest.mark.parametrize("moment", ["tomorrow", "", 1_900_000_000, "2030-01-02T03:04:05", datetime(2030, 1, 2)])  # noqa: DTZ001
@pytest.mark.parametrize("name", ["expires_at", "renew_before"])
def test_what_is_no_moment_in_time_cannot_be_sent(moment: Any, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        BindingMetadata(**{name: moment})
    for kind in (Binding, GetBindingSpec):
        with pytest.raises(ValueError, match=name):
            kind(metadata={name: moment})


@pytest.mark.rule("BMD-05")
def test_a_binding_is_renewed_before_it_expires_at_the_latest() -> None:
    early, late = "2030-01-02T03:04:05.0+02:00", "2030-01-02T01:04:05.1Z"
    assert vars(BindingMetadata(late, early))["renew_before"] == "2030-01-02T01:04:05.0Z"
    assert BindingMetadata(late, late)
    with pytest.raises(ValueError, match="renew_before"):
        BindingMetadata(early, late)
    with pytest.raises(ValueError, match="renew_before"):
        Binding(metadata={"expires_at": early, "renew_before": late})


def test_metadata_keeps_what_the_broker_adds(platform: Platform, recording: RecordingBroker) -> None:
    recording.answers["bind"] = Binding(metadata={"x-acme": 1, "expires_at": "2030-01-02T03:04:05Z"})
    expected = {"metadata": {"x-acme": 1, "expires_at": "2030-01-02T03:04:05.0Z"}}
    assert_answered(platform.send("PUT", BINDING, BIND), 201, expected)


@pytest.mark.rule("VOL-01", "VOL-02", "VOL-03", "VOL-04", "VOL-05", "VOL-06")
def test_a_volume_mount_has_every_field_of_the_specification(platform: Platform, recording: RecordingBroker) -> None:
    plain = VolumeMount("cephfs", "/a", "r", "shared", SharedDevice("v-2"))
    recording.answers["bind"] = Binding(volume_mounts=[MOUNT, plain])
    second = {"driver": "cephfs", "container_dir": "/a", "mode": "r", "device_type": "shared"}
    mounts = [MOUNT_SENT, {**second, "device": {"volume_id": "v-2"}}]
    assert_answered(platform.send("PUT", BINDING, BIND), 201, {"volume_mounts": mounts})


@pytest.mark.rule("VOL-01", "VOL-02", "VOL-03", "VOL-04", "VOL-05")
@pytest.mark.parametrize("missing", ["driver", "container_dir", "mode", "device_type", "device"])
def test_a_volume_mount_cannot_be_made_without_a_field(missing: str) -> None:
    with pytest.raises(TypeError, match=missing):
        VolumeMount(**{name: value for name, value in vars(MOUNT).items() if name != missing})
    with pytest.raises(TypeError, match="volume_id"):
        SharedDevice()  # type: ignore[call-arg]  # that is the point


@pytest.mark.rule("EPT-01", "EPT-02", "EPT-03")
@pytest.mark.parametrize(
    "wrong",
    [
        {"host": ""},
        {"host": None},
        {"host": ["a"]},
        {"ports": []},
        {"ports": "443"},
        {"ports": None},
        {"ports": ["https"]},
        {"ports": ["1-"]},
        {"ports": [""]},
        {"ports": [-1]},
        {"protocol": "icmp"},
        {"protocol": ""},
    ],
)
def test_what_is_no_endpoint_cannot_be_sent(wrong: dict[str, Any]) -> None:
    given = {"host": "a", "ports": ["443"], **wrong}
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Endpoint(**given)
    for kind in (Binding, GetBindingSpec):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            kind(endpoints=[given])


@pytest.mark.rule("EPT-01", "EPT-02", "EPT-03")
@pytest.mark.parametrize("protocol", [None, "tcp", "udp", "all"])
def test_ports_are_sent_as_text(platform: Platform, recording: RecordingBroker, protocol: str | None) -> None:
    given = {"host": "::1", "ports": [443, "9000-9010"], "protocol": protocol}
    more = {} if protocol is None else {"protocol": protocol}
    for endpoint in (Endpoint(**given), {name: value for name, value in given.items() if value is not None}):  # type: ignore[arg-type]
        recording.answers["bind"] = Binding(endpoints=[endpoint])
        sent = {"host": "::1", "ports": ["443", "9000-9010"], **more}
        assert_answered(platform.send("PUT", BINDING, BIND), 201, {"endpoints": [sent]})
