"""API version, originating identity and request identity (section "Headers")."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from tests.contract.brokers import IDS, INSTANCE, PROVISION, RecordingBroker
from tests.contract.hosts import Platform, Serving
from tests.contract.ten import CATALOG, NINE, PROVISIONING, TEN, Sent, of
from tests.contract.wire import exchange, head

from openbrokerapi import errors
from openbrokerapi.service_broker import ProvisionedServiceSpec, ProvisionState
from openbrokerapi.settings import Settings

VERSION = "X-Broker-API-Version"
ORIGIN = "X-Broker-API-Originating-Identity"
REQUEST = "X-Broker-API-Request-Identity"
GUID = "e26cee84-6b38-4456-b34e-d1a9f002c956"
# The value of the specification's example, letter for letter.
SAMPLE = "cloudfoundry eyANCiAgInVzZXJfaWQiOiAiNjgzZWE3NDgtMzA5Mi00ZmY0LWI2NTYtMzljYWNjNGQ1MzYwIg0KfQ=="


@pytest.fixture
def recording() -> RecordingBroker:
    """A plain broker is enough: what is looked at here happens before any method is called."""
    return RecordingBroker()


def encoded(value: Any, platform: str = "cloudfoundry") -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return f"{platform} {base64.b64encode(text).decode()}"


@pytest.mark.rule("VER-02")
@pytest.mark.parametrize(("version", "status"), [("2.9", 412), ("2.10", 200), ("2.11", 200), ("2.17", 200)])
def test_versions_are_compared_as_numbers(serve: Serving, version: str, status: int) -> None:
    platform = serve(RecordingBroker(), settings=Settings(minimum_version=(2, 10)))
    assert CATALOG.by(platform, {VERSION: version}).status == status


@pytest.mark.rule("VER-03")
@of(TEN)
def test_a_version_that_is_too_old_is_refused_with_412_and_the_version_to_use(
    platform: Platform, recording: RecordingBroker, sent: Sent
) -> None:
    answer = sent.by(platform, {VERSION: "2.12"})
    assert answer.status == 412
    assert "2.13" in answer.json["description"]
    assert recording.calls == []


@pytest.mark.rule("VER-04")
@pytest.mark.parametrize(("version", "status"), [("2.99", 200), ("3.0", 412), ("1.14", 412), ("12.17", 412)])
def test_a_later_minor_version_is_served_and_another_major_is_not(
    platform: Platform, version: str, status: int
) -> None:
    assert CATALOG.by(platform, {VERSION: version}).status == status


@pytest.mark.rule("VER-05")
@of(TEN)
def test_a_request_without_a_version_is_refused_with_400_and_says_why(platform: Platform, sent: Sent) -> None:
    answer = sent.by(platform, {VERSION: None})
    assert answer.status == 400
    assert VERSION in answer.json["description"]


@pytest.mark.rule("VER-05")
def test_a_missing_version_can_be_412_by_setting(serve: Serving) -> None:
    platform = serve(RecordingBroker(), settings=Settings(missing_version_status=412))
    answer = CATALOG.by(platform, {VERSION: None})
    assert answer.status == 412
    assert VERSION in answer.json["description"]


def test_any_version_and_none_are_served_where_the_check_is_off(serve: Serving) -> None:
    platform = serve(RecordingBroker(), settings=Settings(check_version=False))
    assert [CATALOG.by(platform, {VERSION: each}).status for each in (None, "1.0", "nonsense")] == [200, 200, 200]


@pytest.mark.rule("VER-06")
@pytest.mark.parametrize("name", ["x-broker-api-version", "X-Broker-Api-Version", "X-BROKER-API-VERSION"])
def test_the_name_of_the_version_header_is_read_in_any_case(platform: Platform, name: str) -> None:
    assert CATALOG.by(platform, {name: "2.17"}).status == 200


@pytest.mark.rule("VER-02")
@pytest.mark.parametrize(
    "version", ["2", "2.", ".17", "2.x", "2.17.1", "-2.17", "2,17", "two.seventeen", "2.²", "9" * 5000]
)
def test_a_version_that_is_not_two_numbers_is_refused_with_400(platform: Platform, version: str) -> None:
    answer = CATALOG.by(platform, {VERSION: version})
    assert answer.status == 400
    assert answer.json["description"]


@pytest.mark.rule("OID-03", "RID-07")
@of(TEN)
def test_every_request_is_served_without_the_two_identities(platform: Platform, sent: Sent) -> None:
    answer = sent.by(platform)
    assert answer.status == sent.made
    assert REQUEST.lower() not in answer.headers


@pytest.mark.rule("OID-03")
def test_details_say_that_no_identity_was_sent(platform: Platform, recording: RecordingBroker) -> None:
    PROVISIONING.by(platform)
    assert recording.details.originating_identity is None
    assert recording.details.identity is None


@pytest.mark.rule("OID-09")
@pytest.mark.parametrize(
    "value",
    [
        "cloudfoundry",
        "cloudfoundry ",
        " " + SAMPLE.split(" ")[1],
        "cloudfoundry not*base64",
        "cloudfoundry e30",  # `{}` without its padding
        "cloudfoundry " + "ÿ" * 4,
        encoded(["a", "list"]),
        encoded("text"),
        encoded(None),
        encoded(b"{broken"),
        encoded(b'{"user_id": "\xff"}'),
        encoded(b"[" * 5000),
    ],
)
def test_an_identity_that_cannot_be_read_is_refused_with_400(
    platform: Platform, recording: RecordingBroker, value: str
) -> None:
    answer = PROVISIONING.by(platform, {ORIGIN: value})
    assert answer.status == 400
    assert ORIGIN in answer.json["description"]
    assert recording.calls == []


@pytest.mark.rule("OID-09")
@of(TEN)
def test_an_unreadable_identity_is_refused_at_every_endpoint(platform: Platform, sent: Sent) -> None:
    assert sent.by(platform, {ORIGIN: "cloudfoundry ???"}).status == 400


@pytest.mark.rule("OID-10")
def test_the_identity_of_the_specifications_example_is_read(platform: Platform, recording: RecordingBroker) -> None:
    assert PROVISIONING.by(platform, {ORIGIN: SAMPLE}).status == 201
    assert recording.details.originating_identity == {
        "platform": "cloudfoundry",
        "value": {"user_id": "683ea748-3092-4ff4-b656-39cacc4d5360"},
    }
    assert recording.details.identity.user_id == "683ea748-3092-4ff4-b656-39cacc4d5360"


@pytest.mark.rule("OID-10", "OID-13")
def test_unknown_properties_of_the_identity_are_kept(platform: Platform, recording: RecordingBroker) -> None:
    value = {"user_id": "u", "x-acme": {"deep": [1, {"er": None}]}}
    PROVISIONING.by(platform, {ORIGIN: encoded(value)})
    assert recording.details.originating_identity["value"] == value
    assert recording.details.identity.others == {"x-acme": {"deep": [1, {"er": None}]}}


@pytest.mark.rule("OID-12", "OID-13")
def test_the_identity_of_kubernetes_has_a_typed_view(platform: Platform, recording: RecordingBroker) -> None:
    value = {"username": "duke", "uid": "c2dde242", "groups": ["admin", "dev"], "extra": {"k": ["v"]}, "more": 1}
    PROVISIONING.by(platform, {ORIGIN: encoded(value, "kubernetes")})
    view = recording.details.identity
    assert (view.platform, view.username, view.uid) == ("kubernetes", "duke", "c2dde242")
    assert (view.groups, view.extra, view.others) == (("admin", "dev"), {"k": ("v",)}, {"more": 1})


@of(tuple(each for each in NINE if each.method in ("PUT", "PATCH", "DELETE")))
def test_identities_and_user_reach_every_method_with_details(
    platform: Platform, recording: RecordingBroker, sent: Sent
) -> None:
    sent.by(platform, {ORIGIN: SAMPLE, REQUEST: GUID})
    assert recording.details.originating_identity["platform"] == "cloudfoundry"
    assert recording.details.request_identity == GUID
    assert recording.details.authorization_username == "platform"


@pytest.mark.rule("RID-03")
@of(TEN)
def test_the_request_identity_is_repeated_on_success(platform: Platform, sent: Sent) -> None:
    answer = sent.by(platform, {REQUEST: GUID})
    assert (answer.status, answer.headers[REQUEST.lower()]) == (sent.made, GUID)


@pytest.mark.rule("RID-03")
def test_the_request_identity_is_repeated_on_202(serve: Serving) -> None:
    accepted = ProvisionedServiceSpec(ProvisionState.IS_ASYNC, operation="op")
    answer = PROVISIONING.by(serve(RecordingBroker(provision=accepted)), {REQUEST: GUID}, accepts_incomplete="true")
    assert (answer.status, answer.headers[REQUEST.lower()]) == (202, GUID)


REFUSED: list[tuple[int, dict[str, Any]]] = [
    (400, {"body": b"{"}),
    (401, {"headers": {"Authorization": None}}),
    (404, {"target": "/v2/nowhere"}),
    (405, {"method": "POST"}),
    (412, {"headers": {VERSION: "2.1"}}),
    (413, {"body": b" " * (1024 * 1024 + 1)}),
]


@pytest.mark.rule("RID-03")
@pytest.mark.parametrize(("status", "changes"), REFUSED, ids=lambda value: str(value) if isinstance(value, int) else "")
def test_the_request_identity_is_repeated_on_refusals(platform: Platform, status: int, changes: dict[str, Any]) -> None:
    request = {"method": "PUT", "target": INSTANCE, "body": PROVISION, **changes}
    headers = {REQUEST: GUID, **request.pop("headers", {})}
    answer = platform.send(request["method"], request["target"], request["body"], headers)
    assert (answer.status, answer.headers.get(REQUEST.lower())) == (status, GUID)


@pytest.mark.rule("RID-03")
@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.ErrInstanceDoesNotExist(), 410),
        (errors.ErrAsyncRequired(), 422),
        (errors.ErrBadRequest("no"), 400),
        (NotImplementedError(), 501),
        (RuntimeError("unexpected"), 500),
    ],
)
def test_the_request_identity_is_repeated_on_the_brokers_errors(serve: Serving, error: Exception, status: int) -> None:
    answer = serve(RecordingBroker(deprovision=error)).send("DELETE", INSTANCE, headers={REQUEST: GUID}, query=IDS)
    assert (answer.status, answer.headers[REQUEST.lower()]) == (status, GUID)


@pytest.mark.rule("RID-03")
@pytest.mark.parametrize("value", ["no guid at all", "é ÿ ~", "x" * 4000, 'a,b;c="d"'])
def test_any_request_identity_is_repeated_as_it_is(platform: Platform, value: str) -> None:
    answer = CATALOG.by(platform, {REQUEST: value})
    assert (answer.status, answer.headers[REQUEST.lower()]) == (200, value)


@pytest.mark.parametrize("value", [b"one\n two", b"one\r\n two", b"one\rSet-Cookie: a=b", b"one\x00two", b"\x0b\x1c"])
def test_no_request_identity_adds_a_line_to_the_response(platform: Platform, value: bytes) -> None:
    answer = exchange(platform, head(platform, b"GET", b"/v2/catalog", REQUEST.encode() + b": " + value))
    if answer is not None:  # some servers refuse such a header themselves
        assert answer.status < 500
        assert "set-cookie" not in answer.headers


def test_an_identity_that_is_nested_deeply_is_read_or_refused(platform: Platform, recording: RecordingBroker) -> None:
    # How deep a value may be is the interpreter's to say; that it answers is ours.
    answer = PROVISIONING.by(platform, {ORIGIN: encoded(b'{"a":' * 5000 + b"1" + b"}" * 5000)})
    assert answer.status in (201, 400)
