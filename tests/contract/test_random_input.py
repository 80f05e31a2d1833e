"""Random bytes through the protocol: always a response below 500 with a JSON object, whatever they are."""

from __future__ import annotations

import base64
import json
import logging
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.contract.brokers import BIND, IDS, PROVISION, RecordingBroker
from tests.contract.hosts import CREDENTIALS

from openbrokerapi.auth import BasicBrokerAuthenticator
from openbrokerapi.protocol.request import Request, Response
from openbrokerapi.web.exchange import Exchange, Progress
from openbrokerapi.web.waiting import wait_in_thread

AUTHORIZATION = b"Basic " + base64.b64encode(f"{CREDENTIALS.username}:{CREDENTIALS.password}".encode())
EXCHANGE = Exchange(RecordingBroker(), BasicBrokerAuthenticator(CREDENTIALS), logger=logging.getLogger("random"))

part = st.binary(max_size=20) | st.sampled_from([b"", b"%", b"%2F", b"%00", b"%ff", b"\xff", b"i", b"..", b"a%20b"])
prefix = st.sampled_from([b"/v2/service_instances/", b"/v2/", b"/", b"", b"//v2/service_instances/"])
after = st.sampled_from(
    [b"", b"/", b"/last_operation", b"/service_bindings/b", b"/service_bindings/%zz/last_operation"]
)
path = st.binary(max_size=60) | st.builds(lambda *found: b"".join(found), prefix, part, after) | st.just(b"/v2/catalog")
method = st.sampled_from(["GET", "PUT", "PATCH", "DELETE", "HEAD", "POST", "", "\x00"])
pair = st.builds(
    lambda name, value: name + b"=" + value,
    st.sampled_from([b"service_id", b"plan_id", b"operation", b"accepts_incomplete", b"x"]) | part,
    part | st.sampled_from([b"true", b"+", PROVISION["plan_id"].encode()]),
)
query = st.binary(max_size=60) | st.lists(pair, max_size=5).map(b"&".join)
names = [
    b"content-type",
    b"x-broker-api-version",
    b"x-broker-api-originating-identity",
    b"x-broker-api-request-identity",
]
names += [b"if-none-match", b"if-modified-since", b"authorization", b"content-length"]
values = st.binary(max_size=40) | st.sampled_from(
    [
        b"2.17",
        b"application/json",
        b"cloudfoundry e30=",
        b"cloudfoundry WzFd",
        b"Thu, 01 Jan 1970 00:00:00 GMT",
        b'"x", *',
    ]
)
headers = st.dictionaries(st.sampled_from(names) | st.binary(max_size=10), values, max_size=6)
leaf = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)
)
fields = [*PROVISION, "parameters", "context", "bind_resource", "previous_values", "maintenance_info", "app_guid"]
fields += ["predecessor_binding_id", "version", "size", "name", "role", "platform"]
tree = st.recursive(
    leaf,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(fields) | st.text(max_size=4), inner, max_size=5)
    ),
)


def _body(known: dict[str, Any], more: Any) -> bytes:
    return json.dumps({**known, **more} if isinstance(more, dict) else more).encode()


body = st.binary(max_size=80) | st.builds(_body, st.sampled_from([{}, PROVISION, BIND, IDS]), tree)


def answered(request: Request, raw: bytes) -> Response:
    def no_awaitable(awaitable: Any) -> Any:
        raise AssertionError("a plain broker has nothing to await")

    return wait_in_thread(EXCHANGE.converse(Progress(request)), lambda limit: raw, no_awaitable)


def assert_polite(response: Response) -> None:
    assert 200 <= response.status < 500
    if response.status != 304:
        assert isinstance(json.loads(response.body), dict)
        assert (b"content-type", b"application/json") in response.headers
    for name, value in response.headers:
        assert not {*b"\r\n\x00"} & {*name, *value}


GOOD = {b"authorization": AUTHORIZATION, b"x-broker-api-version": b"2.17"}


@pytest.mark.rule("ERR-18", "CT-05", "OID-09")
@settings(max_examples=1500, deadline=None)
@given(method, path, query, headers, body)
@example("PUT", b"/v2/service_instances/i", b"", {}, b'{"parameters":' * 3000)
def test_random_bytes_behind_the_authentication_are_answered_below_500(
    method: str, path: bytes, query: bytes, headers: dict[bytes, bytes], body: bytes
) -> None:
    sent = {**headers, b"authorization": AUTHORIZATION}
    sent.setdefault(b"x-broker-api-version", b"2.17")
    assert_polite(answered(Request(method, path, query, sent), body))


@settings(max_examples=500, deadline=None)
@given(method, path, query, headers, body)
def test_random_bytes_in_front_of_the_authentication_are_answered_with_401(
    method: str, path: bytes, query: bytes, headers: dict[bytes, bytes], body: bytes
) -> None:
    response = answered(Request(method, path, query, headers), body)
    assert_polite(response)
    assert response.status == 401


@pytest.mark.rule("CT-05")
@settings(max_examples=1500, deadline=None)
@given(st.sampled_from(["PUT", "PATCH"]), st.sampled_from([b"", b"/service_bindings/b"]), body, query)
def test_random_bodies_are_answered_below_500(method: str, below: bytes, body: bytes, query: bytes) -> None:
    assert_polite(answered(Request(method, b"/v2/service_instances/i" + below, query, GOOD), body))
