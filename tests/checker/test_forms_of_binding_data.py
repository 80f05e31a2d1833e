"""What the specification lets a binding hold is not found fault with; what it forbids is, in every form."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openbrokerapi.conformance.binding_data import named_ports, read_time
from openbrokerapi.conformance.check import Watched, all_watches
from openbrokerapi.conformance.wire import Answer, Endpoint, Request


def found(rule: str, body: dict[str, Any], requires: tuple[str, ...] | None = (), status: int = 201) -> list[bool]:
    """Return what the watches say of a rule for the answer to a bind."""
    request = Request(Endpoint.BIND, "PUT", "/v2/service_instances/i/service_bindings/b")
    answer = Answer(request, status, (), json.dumps(body).encode())
    looks = (each.look(answer, Watched("2.17", requires)) for each in all_watches() if rule in each.rules)
    return [holds for look in looks for name, holds, _ in look if name == rule]


def endpoint(**fields: Any) -> dict[str, Any]:
    return {"endpoints": [{"host": "db", "ports": ["5432"], **fields}]}


@pytest.mark.parametrize(
    "host", ["db", "db.example.com.", "a_b.example.com", "xn--bcher-kva.example", "192.0.2.1", "2001:db8::1", "[::1]"]
)
def test_a_host_is_a_name_or_an_address(host: str):
    assert found("EPT-01", endpoint(host=host)) == [True]


@pytest.mark.parametrize(
    "host",
    ["", "db:5432", "https://db.example.com", "*.example.com", "192.0.2.0/24", "300.1.1.1", "a..b", "a b", 7, None],
)
def test_other_texts_are_no_host(host: object):
    assert found("EPT-01", endpoint(host=host)) == [False]


@pytest.mark.parametrize("ports", [["443"], ["9000-9010"], ["1", "65535"], ["80-80"]])
def test_ports_are_texts_with_a_port_or_a_range(ports: object):
    assert found("EPT-02", endpoint(ports=ports)) == [True]


@pytest.mark.parametrize("ports", [[], None, "443", [443], ["65536"], ["2-1"], ["http"], ["80,443"], [" 80"], [None]])
def test_other_ports_are_wrong(ports: object):
    assert found("EPT-02", endpoint(ports=ports)) == [False]


def test_an_endpoint_that_is_no_object_and_endpoints_that_are_no_array_are_wrong():
    assert found("EPT-01", {"endpoints": ["db:5432"]}) == [False]
    assert found("EPT-01", {"endpoints": {"host": "db", "port": "5432"}}) == [False]


@pytest.mark.parametrize(
    "text", ["2019-12-31T23:59:59.0Z", "2019-12-31T23:59:59.00Z", "2024-02-29T00:00:00.123456789Z"]
)
def test_a_time_has_a_fraction_of_any_length(text: str):
    assert read_time(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "2019-12-31T23:59:59Z",
        "2019-12-31T23:59:59.Z",
        "2019-12-31 23:59:59.0Z",
        "2019-12-31T23:59:59.0",
        "2023-02-29T00:00:00.0Z",
    ],
)
def test_other_times_are_wrong(text: str):
    assert read_time(text) is None


def test_a_binding_may_be_renewed_up_to_its_very_end():
    times = {"expires_at": "2019-12-31T23:59:59.50Z", "renew_before": "2019-12-31T23:59:59.5Z"}
    assert found("BMD-05", {"metadata": times}) == [True]
    assert found("BMD-05", {"metadata": {**times, "renew_before": "2019-12-31T23:59:59.6Z"}}) == [False]


def test_a_field_that_is_null_is_absent():
    fields = ("syslog_drain_url", "route_service_url", "volume_mounts", "endpoints", "metadata", "credentials")
    nothing = dict.fromkeys(fields)
    for rule in ("BIND-46", "BIND-47", "BIND-48", "BIND-51", "BMD-01", "EPT-01", "VOL-01"):
        assert found(rule, nothing) == []
    assert found("BIND-34", nothing, status=202) == [True]


def test_a_permission_that_is_not_known_is_not_missed():
    assert found("BIND-46", {"syslog_drain_url": "syslog://a"}, requires=None) == [True]
    assert found("BIND-46", {"syslog_drain_url": "syslog://a"}, requires=("route_forwarding",)) == [False]


@pytest.mark.parametrize(
    ("credentials", "ports"),
    [
        ({"uri": "mongodb://u:p@a:27017,b:27018/db?replicaSet=r"}, {27017, 27018}),
        ({"uri": "postgres://u:p%40@[2001:db8::1]:5432/db", "port": "5432"}, {5432}),
        ({"uri": "https://example.com/path", "port": 8443}, {8443}),
        ({"uri": "jdbc:mysql://u:p@a:3306/db"}, set()),
        ({"uri": "http://[broken", "port": True}, set()),
        ({"token": "made-up"}, set()),
    ],
)
def test_the_ports_that_credentials_name_are_read(credentials: dict[str, Any], ports: set[int]):
    assert named_ports(credentials) == ports


def test_endpoints_have_every_port_that_the_credentials_name():
    body = {"credentials": {"uri": "mongodb://a:27017,b:27018/db"}, **endpoint(ports=["27000-27017"])}
    assert found("BIND-50", body) == [False]
    assert found("BIND-50", {**body, **endpoint(ports=["27000-27018"])}) == [True]


def test_metadata_may_have_short_words_of_the_credentials_but_not_long_ones():
    credentials = {"database": "prod", "password": "made-up-00000001"}
    assert found("BMD-02", {"credentials": credentials, "metadata": {"labels": {"environment": "prod"}}}) == [True]
    assert found("BMD-02", {"credentials": credentials, "metadata": {"labels": ["made-up-00000001"]}}) == [False]
