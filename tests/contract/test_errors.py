"""What failures look like (sections "Service Broker Errors" and "Content Type")."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.contract.brokers import (
    BIND,
    BINDING,
    IDS,
    INSTANCE,
    PROVISION,
    SERVICE,
    SMALL,
    RecordingBroker,
    asynchronous,
)
from tests.contract.hosts import Answer, Platform, Serving
from tests.contract.ten import (
    BINDING_UP,
    CATALOG,
    DEPROVISIONING,
    NINE,
    PROVISIONING,
    TEN,
    UNBINDING,
    UPDATING,
    WITH_BODY,
    WORKING,
    Sent,
    of,
)

from openbrokerapi import constants, errors

ALL_ERRORS = [
    errors.ErrInstanceAlreadyExists(),
    errors.ErrInstanceDoesNotExist(),
    errors.ErrBindingAlreadyExists(),
    errors.ErrBindingDoesNotExist(),
    errors.ErrInstanceGone(),
    errors.ErrBindingGone(),
    errors.ErrInstanceLimitMet(),
    errors.ErrPlanQuotaExceeded(),
    errors.ErrServiceQuotaExceeded(),
    errors.ErrAsyncRequired(),
    errors.ErrAppGuidNotProvided(),
    errors.ErrConcurrentInstanceAccess(),
    errors.ErrMaintenanceInfoConflict(),
    errors.ErrBadRequest(),
    errors.ErrBadRequest(""),
    errors.ErrInvalidParameters("size is too large."),
    errors.ErrInvalidParameters(None),
    errors.ErrPlanChangeNotSupported(),
    errors.ErrUpdateNotPossible(),
    errors.ErrInstanceNotUsable(),
    errors.ErrInstanceHasBindings(),
    errors.ErrOperationFailed("The disk is full."),
    errors.ErrNotBindable(),
    errors.ServiceException(),
    NotImplementedError(),
    KeyError("a secret"),
    TypeError(),
]
# ERR-03, ERR-10 to ERR-13: one word in camel case.
CODE = re.compile(r"[A-Z][A-Za-z0-9]*\Z")


def raising(serve: Serving, sent: Sent, error: Any, kind: str = "plain") -> Platform:
    broker = RecordingBroker(**{sent.name: error})
    return serve(asynchronous(broker) if kind == "async" else broker)


def well_formed(answer: Answer) -> dict[str, Any]:
    assert answer.status >= 400
    assert answer.headers["content-type"] == "application/json"
    body = answer.json
    assert isinstance(body, dict)
    if "error" in body:
        assert CODE.match(body["error"])
    if "description" in body:
        assert isinstance(body["description"], str)
        assert body["description"]
    return body


@pytest.mark.rule("ERR-03", "ERR-04", "ERR-18", "CT-01")
@pytest.mark.parametrize("kind", ["plain", "async"])
@of(NINE)
def test_every_error_is_a_json_object_with_well_formed_fields(serve: Serving, sent: Sent, kind: str) -> None:
    for error in ALL_ERRORS:
        answer = sent.by(raising(serve, sent, error, kind))
        body = well_formed(answer)
        assert set(body) <= {"error", "description"}
        assert "secret" not in str(body)


@pytest.mark.rule("ERR-03", "ERR-04", "ERR-18", "CT-01", "ERR-01")
@pytest.mark.parametrize(
    ("status", "request_"),
    [
        (400, ("PUT", INSTANCE, b"{", {})),
        (400, ("PUT", INSTANCE, {**PROVISION, "plan_id": "none"}, {})),
        (400, ("PUT", INSTANCE, {**PROVISION, "parameters": {"size": 0}}, {})),
        (400, ("DELETE", INSTANCE, None, {})),
        (400, ("GET", "/v2/catalog", None, {"X-Broker-API-Version": None})),
        (401, ("GET", "/v2/catalog", None, {"Authorization": None})),
        (404, ("GET", "/v2/nothing", None, {})),
        (405, ("POST", "/v2/catalog", None, {})),
        (412, ("GET", "/v2/catalog", None, {"X-Broker-API-Version": "2.1"})),
        (413, ("PUT", INSTANCE, b"[" * 1_100_000, {})),
        (422, ("PUT", INSTANCE, {**PROVISION, "maintenance_info": {"version": "0.0.1"}}, {})),
    ],
)
def test_every_refusal_of_the_library_says_what_is_wrong(platform: Platform, status: int, request_: Any) -> None:
    method, target, body, headers = request_
    answer = platform.send(method, target, body, headers)
    assert answer.status == status
    assert well_formed(answer)["description"]


# ERR-01: the statuses that the endpoints' tables name.
NAMED = [
    (errors.ErrInstanceAlreadyExists(), PROVISIONING, 409),
    (errors.ErrBindingAlreadyExists(), BINDING_UP, 409),
    *((errors.ErrInstanceDoesNotExist(), sent, 410 if sent.method == "DELETE" else 404) for sent in NINE),
    *(
        (errors.ErrBindingDoesNotExist(), sent, 404)
        for sent in NINE
        if sent.name in ("get_binding", "last_binding_operation")
    ),
    (errors.ErrBindingDoesNotExist(), UNBINDING, 410),
    *((errors.ErrAsyncRequired(), sent, 422) for sent in WORKING),
    *((errors.ErrConcurrentInstanceAccess(), sent, 422) for sent in NINE),
    (errors.ErrAppGuidNotProvided(), BINDING_UP, 422),
    *((errors.ErrMaintenanceInfoConflict(), sent, 422) for sent in (PROVISIONING, UPDATING)),
    (errors.ErrPlanChangeNotSupported(), UPDATING, 422),
    (errors.ErrUpdateNotPossible(), UPDATING, 422),
    *((errors.ErrBadRequest(), sent, 400) for sent in NINE),
    *((errors.ErrInvalidParameters("no"), sent, 400) for sent in WITH_BODY),
    *((errors.ErrInstanceGone(), sent, 410) for sent in NINE if sent.name == "last_operation"),
    *((errors.ErrBindingGone(), sent, 410) for sent in NINE if sent.name == "last_binding_operation"),
    *((NotImplementedError(), sent, 501) for sent in NINE),
    *((RuntimeError(), sent, 500) for sent in NINE),
    *((errors.ServiceException("mine"), sent, 500) for sent in NINE),
]


@pytest.mark.rule("ERR-01")
@pytest.mark.parametrize(
    ("error", "sent", "status"), NAMED, ids=[f"{type(error).__name__}-{sent.name}" for error, sent, _ in NAMED]
)
def test_an_error_has_the_status_that_its_endpoint_gives_it(
    serve: Serving, error: Exception, sent: Sent, status: int
) -> None:
    assert sent.by(raising(serve, sent, error)).status == status


@pytest.mark.rule("ERR-01")
@pytest.mark.parametrize(
    "error", [errors.ErrInstanceLimitMet(), errors.ErrPlanQuotaExceeded(), errors.ErrServiceQuotaExceeded()]
)
@of(NINE)
def test_a_limit_is_never_a_5xx(serve: Serving, sent: Sent, error: Exception) -> None:
    assert 400 <= sent.by(raising(serve, sent, error)).status < 500


@pytest.mark.rule("ERR-01")
def test_a_subclass_without_our_constructor_is_answered_as_its_base(serve: Serving) -> None:
    class Mine(errors.ErrInstanceAlreadyExists):
        def __init__(self, what: str) -> None:
            self.what = what

    assert PROVISIONING.by(raising(serve, PROVISIONING, Mine("x"))).status == 409


def test_the_authors_description_is_sent_and_absent_is_none(serve: Serving) -> None:
    answer = PROVISIONING.by(raising(serve, PROVISIONING, errors.ErrInstanceAlreadyExists("Choose another id.")))
    assert answer.json == {"description": "Choose another id."}
    assert PROVISIONING.by(raising(serve, PROVISIONING, errors.ErrInstanceAlreadyExists())).json == {}


def test_the_default_texts_may_be_overwritten_at_run_time(serve: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "DEFAULT_EXCEPTION_ERROR_MESSAGE", "Ask Ann.")
    monkeypatch.setattr(constants, "DEFAULT_NOT_IMPLEMENTED_ERROR_MESSAGE", "Ask Bob.")
    assert PROVISIONING.by(raising(serve, PROVISIONING, ValueError("x"))).json == {"description": "Ask Ann."}
    assert PROVISIONING.by(raising(serve, PROVISIONING, NotImplementedError("x"))).json == {"description": "Ask Bob."}


@pytest.mark.rule("ERR-02")
@of(TEN)
def test_success_is_200_201_or_202_and_has_a_body(platform: Platform, sent: Sent) -> None:
    answer = sent.by(platform, accepts_incomplete="true")
    assert answer.status == sent.made
    assert answer.status in (200, 201)
    assert isinstance(answer.json, dict)


NOTHING = {"update": None, "deprovision": None, "unbind": None}


@pytest.mark.rule("ERR-02")
@of((UPDATING, DEPROVISIONING, UNBINDING))
def test_a_method_that_returns_nothing_is_200_with_an_empty_object_not_204(serve: Serving, sent: Sent) -> None:
    answer = sent.by(serve(RecordingBroker(**NOTHING)))
    assert (answer.status, answer.json) == (200, {})


FLAGS = {"instance_usable": False, "update_repeatable": False}


@pytest.mark.rule("ERR-05", "ERR-06", "ERR-07", "ERR-08")
@pytest.mark.parametrize("value", [True, False])
@pytest.mark.parametrize(
    "error", [errors.ServiceException, errors.ErrUpdateNotPossible, errors.ErrConcurrentInstanceAccess]
)
@of(NINE)
def test_an_error_tells_of_the_instance_only_where_the_specification_has_a_place_for_it(
    serve: Serving, sent: Sent, error: type[errors.ServiceException], value: bool
) -> None:
    answer = sent.by(raising(serve, sent, error("It broke.", instance_usable=value, update_repeatable=value)))
    wanted = {UPDATING: {"instance_usable", "update_repeatable"}, DEPROVISIONING: {"instance_usable"}}.get(sent, set())
    assert {name: answer.json[name] for name in FLAGS if name in answer.json} == dict.fromkeys(wanted, value)


@pytest.mark.rule("ERR-05", "ERR-07")
def test_an_error_of_the_catalog_tells_nothing_of_instances(serve: Serving) -> None:
    class Broken(RecordingBroker):
        def catalog(self) -> Any:
            raise errors.ServiceException("no", instance_usable=True, update_repeatable=True)

    answer = CATALOG.by(serve(Broken()))
    assert (answer.status, set(well_formed(answer))) == (500, {"description"})


@pytest.mark.rule("ERR-06", "ERR-08")
@of((UPDATING, DEPROVISIONING))
def test_what_an_error_does_not_say_is_not_sent(serve: Serving, sent: Sent) -> None:
    answer = sent.by(raising(serve, sent, errors.ErrConcurrentInstanceAccess()))
    assert not FLAGS.keys() & answer.json.keys()


CODES = [
    pytest.param(errors.ErrAsyncRequired(), "AsyncRequired", WORKING, marks=pytest.mark.rule("ERR-10")),
    pytest.param(errors.ErrConcurrentInstanceAccess(), "ConcurrencyError", NINE, marks=pytest.mark.rule("ERR-11")),
    pytest.param(errors.ErrAppGuidNotProvided(), "RequiresApp", (BINDING_UP,), marks=pytest.mark.rule("ERR-12")),
    pytest.param(
        errors.ErrMaintenanceInfoConflict(),
        "MaintenanceInfoConflict",
        (PROVISIONING, UPDATING),
        marks=pytest.mark.rule("ERR-13"),
    ),
]


@pytest.mark.parametrize(("error", "code", "requests"), CODES)
def test_the_error_codes_are_those_of_the_specification(
    serve: Serving, error: Exception, code: str, requests: tuple[Sent, ...]
) -> None:
    for sent in requests:
        answer = sent.by(raising(serve, sent, error))
        assert (answer.status, answer.json["error"]) == (422, code)


@pytest.mark.rule("ERR-13")
@of((PROVISIONING, UPDATING))
def test_another_maintenance_version_is_refused_before_the_broker(
    platform: Platform, recording: RecordingBroker, sent: Sent
) -> None:
    body = {**sent.body, "plan_id": SMALL, "maintenance_info": {"version": "2.1.0"}}
    answer = platform.send(sent.method, sent.target, body)
    assert (answer.status, answer.json["error"]) == (422, "MaintenanceInfoConflict")
    assert recording.calls == []


WRONG: list[tuple[dict[str, Any], int]] = [
    ({"plan_id": "unknown"}, 400),
    ({"service_id": ""}, 400),
    ({"parameters": {"size": "big"}}, 400),
    ({"parameters": []}, 400),
    ({"context": "text"}, 400),
    ({"maintenance_info": {"version": "9.9.9"}}, 422),
]


@pytest.mark.rule("ERR-16")
@pytest.mark.parametrize(("changes", "status"), WRONG)
def test_a_refused_request_leaves_everything_as_it_was(living: Platform, changes: Any, status: int) -> None:
    assert living.send("PUT", INSTANCE, {**PROVISION, **changes}).status == status
    assert living.send("DELETE", INSTANCE, query=IDS).status == 410
    living.send("PUT", INSTANCE, {**PROVISION, "parameters": {"size": 1}})
    before = living.send("GET", INSTANCE).json
    assert living.send("PATCH", INSTANCE, {"service_id": SERVICE, "plan_id": SMALL, **changes}).status == status
    assert living.send("GET", INSTANCE).json == before
    if "maintenance_info" not in changes:
        assert living.send("PUT", BINDING, {**BIND, **changes}).status == status
        assert living.send("GET", BINDING).status == 404


@pytest.mark.rule("CT-01")
@of(TEN)
def test_every_response_is_of_the_type_application_json(platform: Platform, sent: Sent) -> None:
    assert sent.by(platform).headers["content-type"] == "application/json"


@pytest.mark.rule("CT-03", "CT-06")
@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        "Application/JSON ; x=y",
    ],
)
@of(WITH_BODY)
def test_a_body_is_json_with_and_without_a_content_type(platform: Platform, sent: Sent, value: str | None) -> None:
    assert sent.by(platform, {"Content-Type": value}).status == sent.made


@pytest.mark.rule("CT-04")
@pytest.mark.parametrize(
    "value",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "json",
        "application/jsonx",
        "ÿ",
    ],
)
@of(WITH_BODY)
def test_another_content_type_is_400_not_415(
    platform: Platform, recording: RecordingBroker, sent: Sent, value: str
) -> None:
    answer = sent.by(platform, {"Content-Type": value})
    assert (answer.status, recording.calls) == (400, [])
    assert "application/json" in answer.json["description"]


@pytest.mark.rule("CT-05")
@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"text"', b"null", b"1", b"nonsense", b"{'a': 1}", b"\xff\xfe", b"{} {}"]
)
@of(WITH_BODY)
def test_a_body_that_is_no_json_object_is_400(
    platform: Platform, recording: RecordingBroker, sent: Sent, body: bytes
) -> None:
    answer = platform.send(sent.method, sent.target, body)
    assert (answer.status, recording.calls) == (400, [])
    assert answer.json["description"]
