"""What a client makes of answers: values of good ones, errors of all others, whatever a broker sends."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.platform.odd import OFFERING, PLAN, Odd, answer, catalog, state

from openbrokerapi.platform import (
    AsyncRequired,
    BadRequest,
    BrokerError,
    Client,
    ConcurrencyError,
    Conflict,
    Failed,
    Gone,
    MaintenanceInfoConflict,
    MalformedAnswer,
    NotFound,
    PlatformError,
    Refused,
    RequiresApp,
    Response,
    Unauthorized,
    UnexpectedStatus,
    VersionRefused,
)

INSTANCE, BINDING = "instance-1", "binding-1"
Calls = dict[str, Callable[[Client], Any]]
CALLS: Calls = {
    "GET /v2/catalog": lambda client: client.catalog(),
    "PUT instance": lambda client: client.provision(INSTANCE, OFFERING, PLAN),
    "GET instance": lambda client: client.fetch_instance(INSTANCE),
    "PATCH instance": lambda client: client.update(INSTANCE, OFFERING),
    "DELETE instance": lambda client: client.deprovision(INSTANCE, OFFERING, PLAN),
    "GET instance poll": lambda client: client.poll_instance(INSTANCE),
    "PUT binding": lambda client: client.bind(INSTANCE, BINDING, OFFERING, PLAN),
    "GET binding": lambda client: client.fetch_binding(INSTANCE, BINDING),
    "DELETE binding": lambda client: client.unbind(INSTANCE, BINDING, OFFERING, PLAN),
    "GET binding poll": lambda client: client.poll_binding(INSTANCE, BINDING),
}
#: The statuses of success in the specification's tables of each endpoint.
SUCCESS = {
    "GET /v2/catalog": {200},
    "PUT instance": {200, 201, 202},
    "GET instance": {200},
    "PATCH instance": {200, 202},
    "DELETE instance": {200, 202},
    "GET instance poll": {200},
    "PUT binding": {200, 201, 202},
    "GET binding": {200},
    "DELETE binding": {200, 202},
    "GET binding poll": {200},
}


def result(odd: Odd, what: str, *answers: Any) -> Any:
    """Give what a call returns or raises."""
    odd.answers(what, *answers)
    try:
        return CALLS[what](odd.client)
    except PlatformError as error:
        return error


# --- values ---


@pytest.mark.rule("EXT-05")
def test_a_catalog_keeps_what_it_does_not_know(odd: Odd) -> None:
    plan = {
        "free": False,
        "bindable": False,
        "binding_rotatable": True,
        "plan_updateable": False,
        "maximum_polling_duration": 60,
        "maintenance_info": {"version": "1.0.0", "description": "New", "x-more": 1},
        "schemas": {"service_instance": {"create": {"parameters": {"type": "object"}}, "update": None}},
        "x-plan": [1],
    }
    found = result(odd, "GET /v2/catalog", answer(200, {**catalog(plan=plan, tags=["a"], new=[{}]), "x-top": 1}))

    offering = found.offering("name-of-offering")
    assert offering is found.offering(OFFERING)
    assert (offering.bindable, offering.plan_updateable, offering.tags) == (True, True, ("a",))
    assert (offering.fields["new"], found.body["x-top"]) == ([{}], 1)
    read = offering.plan(PLAN)
    assert (read.free, read.bindable, read.binding_rotatable, read.plan_updateable) == (False, False, True, False)
    assert (read.maximum_polling_duration, read.maintenance_info.version) == (60, "1.0.0")
    assert read.fields["x-plan"] == [1]
    assert read.schema("provision") == {"type": "object"}
    assert read.schema("update") is None
    assert read.schema("bind") is None


@pytest.mark.rule("CAT-06")
def test_a_catalog_is_searched_by_id_before_name(odd: Odd) -> None:
    services = [catalog(id="one", name="two")["services"][0], catalog(id="two", name="one")["services"][0]]
    found = result(odd, "GET /v2/catalog", answer(200, {"services": services}))

    assert found.offering("two").id == "two"
    with pytest.raises(LookupError, match="there is two, one"):
        found.offering("three")
    with pytest.raises(LookupError, match="name-of-plan-1"):
        found.offering("two").plan("large")


def test_what_a_catalog_leaves_out_has_the_values_of_the_specification(odd: Odd) -> None:
    plain = {"id": "p", "name": "p", "description": "p", "free": None, "bindable": None}
    bindable = {**plain, "id": "q", "bindable": True}
    offering = {"id": "o", "name": "o", "description": "o", "bindable": False, "plans": [plain, bindable]}
    found = result(odd, "GET /v2/catalog", answer(200, {"services": [offering]})).offerings[0]

    assert (found.instances_retrievable, found.bindings_retrievable, found.allow_context_updates) == (False,) * 3
    plan, bindable = found.plans
    assert bindable.bindable
    assert (plan.free, plan.bindable, plan.plan_updateable, plan.binding_rotatable) == (True, False, False, False)
    assert (plan.maximum_polling_duration, plan.maintenance_info, plan.metadata) == (None, None, {})


def test_a_catalog_may_be_empty(odd: Odd) -> None:
    assert result(odd, "GET /v2/catalog", answer(200, {"services": []})).offerings == ()


@pytest.mark.rule("EXT-05")
def test_an_instance_is_read_with_all_its_fields(odd: Odd) -> None:
    metadata = {"labels": {"a": "b"}, "attributes": {"c": "d"}, "more": 1}
    body = {"dashboard_url": "https://d", "operation": "task", "metadata": metadata, "x-more": {}}
    begun = result(odd, "PUT instance", answer(202, body, {"Retry-After": "7"}))
    assert (begun.in_progress, begun.existed, begun.operation, begun.retry_after) == (True, False, "task", 7.0)
    assert (begun.dashboard_url, begun.metadata.labels, begun.metadata.attributes) == (
        "https://d",
        {"a": "b"},
        {"c": "d"},
    )
    assert begun.body["x-more"] == {}

    fetched = result(odd, "GET instance", answer(200, {"maintenance_info": {"version": "1.0.0"}, "parameters": {}}))
    assert (fetched.maintenance_info.version, fetched.parameters, fetched.plan_id) == ("1.0.0", {}, None)


@pytest.mark.parametrize("operation", [None, ""])
def test_an_operation_may_be_null_or_empty(odd: Odd, operation: str | None) -> None:
    begun = result(odd, "PUT instance", answer(202, {"operation": operation, "dashboard_url": None, "metadata": None}))
    assert (begun.in_progress, begun.operation, begun.dashboard_url, begun.metadata) == (True, None, None, None)


def test_a_binding_is_read_with_all_its_fields(odd: Odd) -> None:
    body = {
        "credentials": {"uri": "a"},
        "syslog_drain_url": "syslog://a",
        "route_service_url": "https://r",
        "volume_mounts": [{"driver": "nfs"}],
        "endpoints": [{"host": "a", "ports": ["443", "9000-9010"]}, {"host": "b", "ports": [80], "protocol": "udp"}],
        "metadata": {"expires_at": "2019-12-31T23:59:59.0Z", "renew_before": "2019-12-30T23:59:59.123456789Z"},
    }
    bound = result(odd, "PUT binding", answer(201, body))
    assert (bound.credentials, bound.syslog_drain_url, bound.route_service_url) == (
        {"uri": "a"},
        "syslog://a",
        "https://r",
    )
    assert bound.volume_mounts == ({"driver": "nfs"},)
    assert [(each.host, each.ports, each.protocol) for each in bound.endpoints] == [
        ("a", ("443", "9000-9010"), "tcp"),
        ("b", ("80",), "udp"),
    ]
    assert bound.metadata.expires_at == datetime(2019, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert bound.metadata.renew_before == datetime(2019, 12, 30, 23, 59, 59, 123456, tzinfo=UTC)
    assert (bound.in_progress, bound.existed) == (False, False)
    assert result(odd, "PUT binding", answer(200, body)).existed


@pytest.mark.parametrize("moment", ["2019-12-31T23:59:59Z", "2019-12-31T23:59:59.00Z", "2019-12-31T23:59:59"])
def test_any_fraction_of_a_second_is_read(odd: Odd, moment: str) -> None:
    fetched = result(odd, "GET binding", answer(200, {"metadata": {"expires_at": moment}}))
    assert fetched.metadata.expires_at == datetime(2019, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_a_moment_that_cannot_be_read_is_left_in_the_body(odd: Odd) -> None:
    fetched = result(odd, "GET binding", answer(200, {"metadata": {"expires_at": "soon"}}))
    assert (fetched.metadata.expires_at, fetched.body["metadata"]["expires_at"]) == (None, "soon")


def test_what_a_202_of_a_bind_must_not_carry_is_not_read(odd: Odd) -> None:
    bound = result(odd, "PUT binding", answer(202, {"operation": "task", "credentials": {"a": 1}, "endpoints": 7}))
    assert (bound.operation, bound.credentials, bound.endpoints) == ("task", None, None)


@pytest.mark.rule("ERR-09")
def test_flags_that_are_not_there_are_true(odd: Odd) -> None:
    failed = result(odd, "GET instance poll", state("failed"))
    assert (failed.failed, failed.instance_usable, failed.update_repeatable) == (True, True, True)
    both = result(odd, "GET instance poll", state("failed", instance_usable=False, update_repeatable=False))
    assert (both.instance_usable, both.update_repeatable) == (False, False)
    error = result(odd, "PATCH instance", answer(500))
    assert (error.instance_usable, error.update_repeatable) == (True, True)
    error = result(odd, "PATCH instance", answer(422, {"instance_usable": False, "update_repeatable": False}))
    assert (error.instance_usable, error.update_repeatable) == (False, False)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("5", 5.0),
        ("0", 0.0),
        (" 12 ", 12.0),
        ("9" * 5000, 999_999_999_999.0),
        ("Thu, 01 Jan 1970 00:16:50 GMT", 10.0),
        ("Thu, 01 Jan 1970 00:00:01 GMT", 0.0),
        ("-1", None),
        ("soon", None),
        ("", None),
        ("²", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, seconds: float | None) -> None:
    # The test's clock stands at 1000 seconds after 1970: at 00:16:40.
    response = Response(200, headers={"retry-after": header}, received_at=1000.0)
    assert response.retry_after == seconds


def test_a_date_is_counted_by_the_brokers_clock(odd: Odd) -> None:
    headers = {"Retry-After": "Fri, 01 Jan 2100 00:00:30 GMT", "Date": "Fri, 01 Jan 2100 00:00:00 GMT"}
    assert result(odd, "GET instance poll", answer(200, {"state": "in progress"}, headers)).retry_after == 30.0


# --- errors ---


@pytest.mark.rule("PROV-27", "BIND-41", "UPD-30", "GETI-17", "GETB-08", "UNB-16", "DEP-18")
@pytest.mark.parametrize("what", CALLS)
def test_every_other_status_is_a_failure(odd: Odd, what: str) -> None:
    good = state("succeeded").json() if what.endswith("poll") else catalog()
    for status in [*range(200, 209), 300, 301, 302, 303, 304, 307, 308, 400, 401, 404, 408, 409, 410, 412, 418, 422]:
        found = result(odd, what, answer(status, good))
        assert isinstance(found, BrokerError) == (status not in SUCCESS[what]), (status, found)
        assert found.status == status
        assert found.request_identity == odd.sent[-1].headers["x-broker-api-request-identity"]
    for status in (500, 501, 502, 503, 504, 599):
        assert isinstance(result(odd, what, answer(status, good)), Failed)


@pytest.mark.rule("ERR-14")
@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, None, BadRequest),
        (401, None, Unauthorized),
        (404, None, NotFound),
        (409, None, Conflict),
        (410, None, Gone),
        (412, None, VersionRefused),
        (422, "AsyncRequired", AsyncRequired),
        (422, "ConcurrencyError", ConcurrencyError),
        (422, "RequiresApp", RequiresApp),
        (422, "MaintenanceInfoConflict", MaintenanceInfoConflict),
        (422, "SomethingElse", Refused),
        (422, None, Refused),
        (403, None, Refused),
        (408, None, Refused),
        (429, None, Refused),
        (400, "AsyncRequired", AsyncRequired),
        (404, "AsyncRequired", NotFound),
        (204, None, UnexpectedStatus),
        (307, None, UnexpectedStatus),
        (500, "ConcurrencyError", Failed),
    ],
)
def test_errors_have_types(odd: Odd, status: int, code: str | None, kind: type[BrokerError]) -> None:
    body = {"description": "No room.", "x-more": 1, **({"error": code} if code else {})}
    error = result(odd, "PUT instance", answer(status, body, {"Retry-After": "3"}))

    assert type(error) is kind
    assert (error.status, error.error, error.description, error.retry_after) == (status, code, "No room.", 3.0)
    assert "No room." in str(error)
    assert str(status) in str(error)


@pytest.mark.parametrize(
    "body", [b"", b"<html>Bad gateway</html>", b"[]", b"null", b"{", b"\xff\xfe", b"[" * 5000, b'{"error": 1}']
)
def test_an_error_needs_no_body_that_can_be_read(odd: Odd, body: bytes) -> None:
    error = result(odd, "PUT instance", answer(502, body, {"Content-Type": "text/html"}))
    assert isinstance(error, Failed)
    assert (error.error, error.description) == (None, None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html></html>",
        b"[]",
        b"null",
        b'"text"',
        b"{",
        b"\xff\xff",
        b"[" * 100000,
        b'{"a": NaN}',
        b'{"a": 1' + b"0" * 10000 + b"}",
    ],
    ids=lambda body: repr(body[:9]),
)
@pytest.mark.parametrize("what", CALLS)
def test_a_success_that_is_no_json_object_is_malformed(odd: Odd, what: str, body: bytes) -> None:
    error = result(odd, what, answer(200, body))
    assert isinstance(error, MalformedAnswer), error
    assert error.status == 200


@pytest.mark.parametrize(
    ("what", "body", "field"),
    [
        ("GET /v2/catalog", {}, "services"),
        ("GET /v2/catalog", {"services": {}}, "services"),
        ("GET /v2/catalog", {"services": [1]}, "services"),
        ("GET /v2/catalog", catalog(id=None), r"services\[0\].id"),
        ("GET /v2/catalog", catalog(name=""), r"services\[0\].name"),
        ("GET /v2/catalog", catalog(plans=None), r"services\[0\].plans"),
        ("GET /v2/catalog", catalog(tags=[1]), r"services\[0\].tags"),
        ("GET /v2/catalog", catalog(bindable="yes"), r"services\[0\].bindable"),
        ("GET /v2/catalog", catalog(plan={"maximum_polling_duration": "60"}), r"maximum_polling_duration"),
        ("GET /v2/catalog", catalog(plan={"maximum_polling_duration": True}), r"maximum_polling_duration"),
        (
            "GET /v2/catalog",
            catalog(plan={"maintenance_info": {}}),
            r"services\[0\].plans\[0\].maintenance_info.version",
        ),
        ("PUT instance", {"operation": 7}, "operation"),
        ("PUT instance", {"dashboard_url": 7}, "dashboard_url"),
        ("PUT instance", {"metadata": []}, "metadata"),
        ("PUT instance", {"metadata": {"labels": 1}}, "metadata.labels"),
        ("PATCH instance", {"operation": {}}, "operation"),
        ("DELETE instance", {"operation": 7}, "operation"),
        ("DELETE binding", {"operation": 7}, "operation"),
        ("GET instance", {"parameters": []}, "parameters"),
        ("PUT binding", {"credentials": "secret"}, "credentials"),
        ("PUT binding", {"endpoints": {}}, "endpoints"),
        ("PUT binding", {"endpoints": [{"ports": []}]}, r"endpoints\[0\].host"),
        ("PUT binding", {"volume_mounts": ["a"]}, "volume_mounts"),
        ("GET binding", {"syslog_drain_url": 1}, "syslog_drain_url"),
        ("GET instance poll", {}, "state"),
        ("GET instance poll", {"state": "done"}, "state"),
        ("GET instance poll", {"state": "failed", "instance_usable": "no"}, "instance_usable"),
        ("GET binding poll", {"state": None}, "state"),
    ],
)
def test_a_field_of_a_wrong_type_is_named_and_not_shown(odd: Odd, what: str, body: Any, field: str) -> None:
    error = result(odd, what, answer(200, body))
    assert isinstance(error, MalformedAnswer)
    assert re.search(field, str(error))
    assert "secret" not in str(error)


def test_an_answer_larger_than_allowed_is_malformed() -> None:
    odd = Odd(maximum_body=1000)
    with odd.client:
        assert not isinstance(result(odd, "PUT instance", answer(201, {"x": "a" * 900})), PlatformError)
        assert isinstance(result(odd, "PUT instance", answer(201, {"x": "a" * 1000})), MalformedAnswer)
        assert isinstance(result(odd, "PUT instance", answer(500, {"x": "a" * 1000})), Failed)
