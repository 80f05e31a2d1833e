"""Each error at each endpoint: the status that the specification's tables have for it.

The expected values are written out from the specification, endpoint by endpoint; the package's own table is not read.
"""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import Any

import pytest
from tests.contract import ten
from tests.contract.brokers import RecordingBroker
from tests.contract.hosts import Platform

from openbrokerapi import errors

#: Error -> the status where the specification says nothing else, and the statuses of single endpoints.
EXPECTED: dict[str, tuple[int, dict[str, int]]] = {
    # In the tables of provision and bind; elsewhere it is a 4xx, too, that asks for no orphan mitigation.
    "ErrInstanceAlreadyExists": (409, {}),
    "ErrBindingAlreadyExists": (409, {}),
    # Both DELETEs have 410 in their tables, the GETs 404; for update and bind 404 is the choice of section 3.3.
    "ErrInstanceDoesNotExist": (404, {"deprovision": 410, "unbind": 410}),
    # On a bind it is the predecessor that is missing: invalid data, 400.
    "ErrBindingDoesNotExist": (404, {"deprovision": 410, "unbind": 410, "bind": 400}),
    "ErrInstanceGone": (410, {}),
    "ErrBindingGone": (410, {}),
    # The table of error codes: all four are 422.
    "ErrAsyncRequired": (422, {}),
    "ErrConcurrentInstanceAccess": (422, {}),
    "ErrAppGuidNotProvided": (422, {}),
    "ErrMaintenanceInfoConflict": (422, {}),
    # Malformed or missing data must be answered so; invalid data may be.
    "ErrBadRequest": (400, {}),
    "ErrInvalidParameters": (400, {}),
    # 422: "the requested change is not supported, or cannot be fulfilled in the present state".
    "ErrPlanChangeNotSupported": (422, {}),
    "ErrUpdateNotPossible": (422, {}),
    "ErrInstanceNotUsable": (422, {}),
    # DEP-03 leaves it to the broker what becomes of bindings.
    "ErrInstanceHasBindings": (422, {}),
    "ErrNotBindable": (400, {"update": 422}),
    "ErrInstanceLimitMet": (422, {}),
    "ErrPlanQuotaExceeded": (422, {}),
    "ErrServiceQuotaExceeded": (422, {}),
    "ErrUnauthorized": (401, {}),
    # The work was begun, and what is left of it has to be cleaned up (ORPH-05).
    "ErrOperationFailed": (500, {}),
    "ServiceException": (500, {}),
    "ServiceExeption": (500, {}),
}
CODES = {
    "ErrAsyncRequired": "AsyncRequired",
    "ErrConcurrentInstanceAccess": "ConcurrencyError",
    "ErrAppGuidNotProvided": "RequiresApp",
    "ErrMaintenanceInfoConflict": "MaintenanceInfoConflict",
    # The specification names none for these; the names are those of 4.7.3.
    "ErrInvalidParameters": "InvalidParameters",
    "ErrInstanceLimitMet": "InstanceLimitMet",
    "ErrPlanQuotaExceeded": "PlanQuotaExceeded",
    "ErrServiceQuotaExceeded": "ServiceQuotaExceeded",
}
#: After a 5xx of a provision or a bind the platform deletes what it believes half-made: never for one of these.
NAMED = sorted(set(EXPECTED) - {"ErrOperationFailed", "ServiceException", "ServiceExeption"})
FLAGS = {"update": ["instance_usable", "update_repeatable"], "deprovision": ["instance_usable"]}


def fail(broker: RecordingBroker, sent: ten.Sent, error: Exception) -> None:
    """Make the method that answers `sent` raise `error`."""
    broker.answers[sent.name] = error
    if sent is ten.CATALOG:
        broker.catalog = _asynchronous(error) if iscoroutinefunction(broker.catalog) else _plain(error)  # type: ignore[method-assign]


def _plain(error: Exception) -> Any:
    def catalog() -> Any:
        raise error

    return catalog


def _asynchronous(error: Exception) -> Any:
    async def catalog() -> Any:
        raise error

    return catalog


def test_every_error_of_the_package_is_in_the_table() -> None:
    known = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}
    assert known == set(EXPECTED)


@pytest.mark.rule("ERR-01", "ERR-03", "ERR-04", "ERR-10", "ERR-11", "ERR-12", "ERR-13", "ERR-18")
@ten.of(ten.TEN)
def test_an_error_has_the_status_of_its_endpoint(
    platform: Platform, recording: RecordingBroker, sent: ten.Sent
) -> None:
    found, expected = {}, {}
    for name, (status, at) in EXPECTED.items():
        fail(recording, sent, getattr(errors, name)())
        answer = sent.by(platform)
        assert answer.headers["content-type"] == "application/json"
        assert answer.json.get("description") != ""
        found[name] = (answer.status, answer.json.get("error"))
        expected[name] = (at.get(sent.name, status), CODES.get(name))
    assert found == expected


@pytest.mark.rule("ERR-01", "ERR-04")
@ten.of(ten.TEN)
def test_no_named_error_makes_the_platform_clean_up_and_each_carries_the_words_of_the_broker(
    platform: Platform, recording: RecordingBroker, sent: ten.Sent
) -> None:
    for name in NAMED:
        own = type("Own", (getattr(errors, name),), {})
        fail(recording, sent, own("Words of the broker, é."))
        answer = sent.by(platform)
        assert 400 <= answer.status < 500, name
        assert answer.json["description"] == "Words of the broker, é.", name


@pytest.mark.rule("ERR-05", "ERR-06", "ERR-07", "ERR-08")
@ten.of(ten.TEN)
@pytest.mark.parametrize("value", [True, False])
def test_only_update_and_deprovision_say_what_still_works(
    platform: Platform, recording: RecordingBroker, sent: ten.Sent, value: bool
) -> None:
    for name in ("ErrInvalidParameters", "ErrConcurrentInstanceAccess", "ServiceException"):
        fail(recording, sent, getattr(errors, name)(instance_usable=value, update_repeatable=value))
        body = sent.by(platform).json
        told = {flag: body[flag] for flag in ("instance_usable", "update_repeatable") if flag in body}
        assert told == dict.fromkeys(FLAGS.get(sent.name, []), value), name


@ten.of(ten.NINE)
def test_what_the_broker_does_not_do_is_501(platform: Platform, recording: RecordingBroker, sent: ten.Sent) -> None:
    recording.answers[sent.name] = NotImplementedError("secret of the broker")
    answer = sent.by(platform)
    assert answer.status == 501
    assert b"secret" not in answer.body


@ten.of(ten.TEN)
def test_what_nobody_expected_is_500_without_a_word_of_it(
    platform: Platform, recording: RecordingBroker, sent: ten.Sent
) -> None:
    for kind in (RuntimeError, ValueError, KeyError, TypeError, errors.ServiceException, TimeoutError):
        fail(recording, sent, kind("secret of the broker"))
        answer = sent.by(platform)
        assert answer.status == 500, kind
        assert b"secret" not in answer.body
        assert kind.__name__.encode() not in answer.body
        assert answer.json["description"]
