"""Whatever arrives, the answer is a JSON object, no 5xx, and no text of Python's."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from tests.contract.brokers import BIND, BINDING, IDS, INSTANCE, PROVISION, SERVICE, RecordingBroker
from tests.contract.hosts import Answer, Platform, Serving
from tests.contract.ten import TEN, WITH_BODY, Sent, of
from tests.contract.wire import exchange, head

from openbrokerapi.settings import Settings

MEBIBYTE = 1024 * 1024
PYTHON = re.compile(r"Traceback|Error\b|Exception|<class|0x[0-9a-f]{6}|msgspec|expected `|NoneType|object at")


@pytest.fixture
def recording() -> RecordingBroker:
    """A plain broker is enough: what is looked at here happens before any method is called."""
    return RecordingBroker()


def polite(answer: Answer, *statuses: int) -> dict[str, Any]:
    assert answer.status in statuses
    assert answer.headers["content-type"] == "application/json"
    body = answer.json
    assert isinstance(body, dict)
    assert not PYTHON.search(body.get("description", ""))
    return body


FULL: dict[str, dict[str, Any]] = {
    "provision": {
        **PROVISION,
        "parameters": {"size": 1, "name": "n"},
        "context": {"platform": "cloudfoundry"},
        "maintenance_info": {"version": "2.1.1+abcdef"},
    },
    "update": {
        **IDS,
        "parameters": {"size": 1},
        "context": {"platform": "cloudfoundry"},
        "previous_values": {**IDS, "organization_id": "o", "space_id": "s", "maintenance_info": {"version": "1.0.0"}},
        "maintenance_info": {"version": "2.1.1+abcdef"},
    },
    "bind": {
        **BIND,
        "app_guid": "a",
        "bind_resource": {"app_guid": "a", "route": "r"},
        "parameters": {},
        "context": {},
    },
}
WRONG: list[Any] = [1, 1.5, True, [], ["x"], {"x": 1}, "", "text", None]
# By field: the values above of which the specification has no complaint.
RIGHT: dict[str, list[Any]] = {
    "service_id": [],
    "plan_id": [],
    "organization_guid": ["text"],
    "space_guid": ["text"],
    "app_guid": ["", "text", None],
    "parameters": [None],
    "context": [{"x": 1}, None],
    "bind_resource": [{"x": 1}, None],
    "previous_values": [{"x": 1}, None],
    "maintenance_info": [None],
}


@pytest.mark.rule("CT-05")
@of(WITH_BODY)
def test_a_field_of_the_wrong_type_is_400_and_the_answer_names_it(
    platform: Platform, recording: RecordingBroker, sent: Sent
) -> None:
    full = FULL[sent.name]
    assert platform.send(sent.method, sent.target, full).status == sent.made
    recording.calls.clear()
    for field in full:
        right = RIGHT[field] + ([None] if sent.name == "update" and field == "plan_id" else [])
        for value in WRONG:
            if any(type(value) is type(each) and value == each for each in right):
                continue
            unknown_id = field in ("service_id", "plan_id") and value == "text"
            body = polite(platform.send(sent.method, sent.target, {**full, field: value}), 400)
            names_it = field in body["description"] or (field == "parameters" and "Parameter" in body["description"])
            assert names_it or unknown_id
    assert recording.calls == []


NESTED = [
    ("bind", "bind_resource", "app_guid", 1),
    ("bind", "bind_resource", "route", {}),
    ("update", "previous_values", "plan_id", []),
    ("update", "previous_values", "maintenance_info", "x"),
    ("update", "maintenance_info", "version", 2.1),
    ("provision", "maintenance_info", "version", ""),
    ("provision", "maintenance_info", "description", 1),
]


@pytest.mark.rule("CT-05")
@pytest.mark.parametrize(("name", "outer", "inner", "value"), NESTED)
def test_a_nested_field_of_the_wrong_type_is_400_and_named(
    platform: Platform, name: str, outer: str, inner: str, value: Any
) -> None:
    sent = next(each for each in WITH_BODY if each.name == name)
    body = polite(platform.send(sent.method, sent.target, {**FULL[name], outer: {inner: value}}), 400)
    assert f"{outer}.{inner}" in body["description"]


@pytest.mark.rule("CT-05")
@pytest.mark.parametrize("field", ["service_id", "plan_id"])
@of(WITH_BODY)
def test_a_missing_field_is_400_and_named(platform: Platform, sent: Sent, field: str) -> None:
    if (sent.name, field) == ("update", "plan_id"):
        return
    body = {name: value for name, value in FULL[sent.name].items() if name != field}
    assert field in polite(platform.send(sent.method, sent.target, body), 400)["description"]


def nested(depth: int, opening: bytes = b'{"a":', closing: bytes = b"}") -> bytes:
    return opening * depth + b"1" + closing * depth


@pytest.mark.parametrize("depth", [50, 100, 200, 300, 500, 900, 1100, 5000, 100_000])
@pytest.mark.parametrize("field", [b"parameters", b"context", b"x-acme", b"bind_resource"])
@of(WITH_BODY)
def test_a_deeply_nested_body_is_served_or_refused(platform: Platform, sent: Sent, field: bytes, depth: int) -> None:
    inner = nested(depth) if field != b"x-acme" else nested(depth, b"[", b"]")
    raw = json.dumps(sent.body).encode()[:-1] + b', "' + field + b'": ' + inner + b"}"
    if len(raw) < MEBIBYTE:
        polite(platform.send(sent.method, sent.target, raw), sent.made, 400)


def test_a_deeply_nested_list_alone_is_refused(platform: Platform) -> None:
    for raw in (b"[" * 500_000, b'{"a":' * 100_000, nested(100_000), b'"' * 500_000):
        polite(platform.send("PUT", INSTANCE, raw), 400)


ODD_VALUES = [
    b"1e400",
    b"-1e400",
    b"1" * 400,
    b"1" * 5000,
    b"1" * 100_000,
    b"-0",
    b"1E-400",
    b"18446744073709551616",
    b'"\\ud800"',
    b'"\\udc00\\ud800"',
    b'"\\u0000"',
    b'"\x00"',
    b'"\xff"',
    b'"\xc3\x28"',
    b"NaN",
    b"Infinity",
    b"01",
    b".5",
    b"'x'",
    b"{,}",
    b"[1,]",
    b'{"a":1,"a":2}',
    b'{"\\ud800":1}',
    b'"' + b"x" * 500_000 + b'"',
    b"\xef\xbb\xbf1",
]


@pytest.mark.parametrize("value", ODD_VALUES, ids=lambda value: repr(value[:20]))
@pytest.mark.parametrize("field", [b"size", b"name", b"other"])
@of(WITH_BODY)
def test_odd_values_of_parameters_are_served_or_refused(
    platform: Platform, sent: Sent, field: bytes, value: bytes
) -> None:
    raw = json.dumps(sent.body).encode()[:-1] + b', "plan_id": "%s"' % PROVISION["plan_id"].encode()
    raw += b', "parameters": {"' + field + b'": ' + value + b"}}"
    polite(platform.send(sent.method, sent.target, raw), sent.made, 400)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig", "cp037"])
def test_a_body_in_another_encoding_is_refused(platform: Platform, encoding: str) -> None:
    polite(platform.send("PUT", INSTANCE, json.dumps(PROVISION).encode(encoding)), 400)


@of(WITH_BODY)
def test_a_body_of_the_limit_is_served_and_one_byte_more_is_413(
    platform: Platform, recording: RecordingBroker, sent: Sent
) -> None:
    text = json.dumps(sent.body).encode()
    padded = text + b" " * (MEBIBYTE - len(text))
    assert platform.send(sent.method, sent.target, padded).status == sent.made
    recording.calls.clear()
    assert str(MEBIBYTE) in polite(platform.send(sent.method, sent.target, padded + b" "), 413)["description"]
    assert recording.calls == []


def chunked(platform: Platform, body: bytes, size: int) -> Answer | None:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    raw = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    start = head(platform, b"PUT", INSTANCE.encode(), b"Content-Type: application/json", b"Transfer-Encoding: chunked")
    return exchange(platform, start + raw)


@pytest.mark.parametrize("size", [7, 64, 100_000])
def test_a_chunked_body_counts_as_it_comes(serve: Serving, recording: RecordingBroker, size: int) -> None:
    platform = serve(recording, settings=Settings(body_limit=1000))
    text = json.dumps(PROVISION).encode()
    served = chunked(platform, text + b" " * (1000 - len(text)), size)
    assert served is not None
    assert served.status == 201
    recording.calls.clear()
    refused = chunked(platform, text + b" " * (1001 - len(text)), size)
    assert refused is not None
    polite(refused, 413)
    assert recording.calls == []


def test_a_body_that_is_announced_too_large_is_refused_before_it_is_sent(platform: Platform) -> None:
    answer = exchange(platform, head(platform, b"PUT", INSTANCE.encode(), b"Content-Length: 99999999999"))
    assert answer is not None
    polite(answer, 413)


LENGTHS = [
    b"9" * 5000,
    b"-1",
    b"+5",
    b"1_0",
    b"0x10",
    b"\xb2",
    b"\xb9\xb2",
    b"5.0",
    b"",
    b"5, 5",
    b"99999999999999999999",
]


@pytest.mark.parametrize("length", LENGTHS, ids=lambda value: repr(value[:20]))
def test_an_absurd_content_length_is_never_a_5xx(platform: Platform, length: bytes) -> None:
    start = head(platform, b"PUT", INSTANCE.encode(), b"Content-Length: " + length)
    answer = exchange(platform, start + json.dumps(PROVISION).encode())
    if answer is not None:  # some servers close the connection at once
        assert 400 <= answer.status < 500 or answer.status == 201


@pytest.mark.parametrize(
    "chunks", [b"zz\r\nabc\r\n0\r\n\r\n", b"-5\r\n", b"5\r\nab", b"\r\n\r\n", b"fffffffffffffffffff\r\nx"]
)
def test_broken_chunks_are_400(platform: Platform, recording: RecordingBroker, chunks: bytes) -> None:
    start = head(platform, b"PUT", INSTANCE.encode(), b"Transfer-Encoding: chunked")
    answer = exchange(platform, start + chunks, half_close=True)
    if answer is not None:
        # Not 413 either: no byte counts that was never sent.
        assert answer.status == 400
    assert recording.calls == []


def test_a_body_that_breaks_off_is_never_a_5xx(platform: Platform, recording: RecordingBroker) -> None:
    start = head(platform, b"PUT", INSTANCE.encode(), b"Content-Length: 500")
    answer = exchange(platform, start + b'{"service_id":', half_close=True)
    if answer is not None:
        polite(answer, 400)
    assert recording.calls == []


ABSURD = [
    b"X-Broker-API-Version: " + b"9" * 10_000,
    b"X-Broker-API-Version: \xff\xfe",
    b"X-Broker-API-Version: 2.17\r\nX-Broker-API-Version: 2.16",
    b"X-Broker-API-Originating-Identity: " + b"\xf0\x9f\x9a\x80 " * 100,
    b"X-Broker-API-Originating-Identity: cloudfoundry e30=\r\nX-Broker-API-Originating-Identity: kubernetes e30=",
    b"X-Broker-API-Originating-Identity: cloudfoundry " + b"QUJD" * 10_000,
    b"X-Broker-API-Request-Identity: \xff\x00\xfe",
    b"X-Broker-API-Request-Identity: " + b"x" * 30_000,
    b"X-Broker-API-Request-Identity: a\r\nX-Broker-API-Request-Identity: b",
    b"Content-Type: \xff\xff",
    b"Content-Type: application/json\r\nContent-Type: text/plain",
    b"Authorization: Basic " + b"Q" * 30_000,
    b"Authorization: \xff\xfe\xfd",
    b"Authorization: Basic eDp5\r\nAuthorization: Basic eDp5",
    b"If-None-Match: \xff" + b',"x"' * 5000,
    b"If-Modified-Since: \xff\x01",
    b"Expect: 200-maybe",
    b"\r\nX: y",
    b"X_Broker_API_Version: 2.17",
    b": empty",
    b"no colon at all",
    b"\xff\xff: \xff",
    b"\r\n".join(b"X-%d: y" % number for number in range(90)),
]


@pytest.mark.parametrize("line", ABSURD, ids=lambda value: repr(value[:40]))
@pytest.mark.parametrize(("method", "target"), [(b"GET", b"/v2/catalog"), (b"PUT", INSTANCE.encode())])
def test_absurd_headers_are_never_a_5xx(platform: Platform, line: bytes, method: bytes, target: bytes) -> None:
    text = json.dumps(PROVISION).encode()
    answer = exchange(platform, head(platform, method, target, b"Content-Length: %d" % len(text), line) + text)
    if answer is not None and answer.headers.get("content-type") == "application/json":
        polite(answer, 200, 201, 304, 400, 401, 412)
    elif answer is not None:  # the server has refused it by itself
        assert 400 <= answer.status < 500 or answer.status == 304


TARGETS = [
    b"/v2/service_instances/\xff\xfe",
    b"/v2/service_instances/%ff%fe",
    b"/v2/service_instances/%00",
    b"/v2/service_instances/" + b"a" * 8000,
    b"/v2/service_instances/" + b"%41" * 2000,
    b"/v2" + b"/x" * 3000,
    b"/v2/catalog?" + b"a=b&" * 2000,
    b"/v2/catalog?operation=%zz",
    b"/v2/catalog#fragment",
    b"//v2/catalog",
    b"/v2/../v2/catalog",
    b"/v2/%63atalog",
    b"/v2/catalog;x=y",
    b"/v2/service_instances/\\..\\..",
    b"/v2/service_instances/i/last_operation?operation=",
    b"/v2/service_instances/i/last_operation?operation=%00",
    b"http://broker/v2/catalog",
    b"http://broker/v2/service_instances/a%2Fb",
    b"/v2/service_instances/\xc3\xbc",
]


@pytest.mark.parametrize("target", TARGETS, ids=lambda value: repr(value[:40]))
@pytest.mark.parametrize("method", [b"GET", b"DELETE", b"OPTIONS", b"get"])
def test_absurd_targets_are_never_a_5xx(platform: Platform, method: bytes, target: bytes) -> None:
    answer = exchange(platform, head(platform, method, target))
    if answer is not None and answer.headers.get("content-type") == "application/json":
        polite(answer, 200, 400, 404, 405)
    elif answer is not None:  # the server, or for a path outside of /v2 the application, has answered by itself
        assert 400 <= answer.status < 500


@of(TEN)
@pytest.mark.parametrize("method", ["POST", "OPTIONS", "TRACE", "HEAD", "LOCK"])
def test_a_method_of_no_endpoint_is_405_with_allow(platform: Platform, sent: Sent, method: str) -> None:
    if (method, sent.name) == ("HEAD", "catalog"):
        return
    answer = platform.send(method, sent.target)
    assert (answer.status, sent.method in answer.headers["allow"].split(", ")) == (405, True)
    if method != "HEAD":
        polite(answer, 405)


@pytest.mark.parametrize(
    "query", ["", "service_id=", f"service_id={SERVICE}", "plan_id=x", "service_id=&plan_id=", "SERVICE_ID=a&PLAN_ID=b"]
)
def test_a_delete_without_its_query_is_400(platform: Platform, recording: RecordingBroker, query: str) -> None:
    for target in (INSTANCE, BINDING):
        assert "query parameter" in polite(platform.send("DELETE", f"{target}?{query}"), 400)["description"]
    assert recording.calls == []


def test_health_probes_answer_without_credentials(serve: Serving) -> None:
    if serve.name != "flask":  # there the application has its own paths
        platform = serve(RecordingBroker())
        for target in ("/healthz", "/readyz"):
            assert platform.send("GET", target, headers={"Authorization": None}).status == 200
