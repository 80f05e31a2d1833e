"""What platforms clean up, and what they must be able to clean up (section "Orphan Mitigation")."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract import ten
from tests.contract.brokers import BIND, BINDING, INSTANCE, PROVISION, RecordingBroker
from tests.contract.expectations import assert_answered, assert_refused
from tests.contract.hosts import Platform

from openbrokerapi import errors

DELETIONS = (ten.UNBINDING, ten.DEPROVISIONING)
MUST_SAY_SOMETHING = (ten.PROVISIONING, ten.BINDING_UP, ten.POLLING, ten.POLLING_BINDING)
GARBAGE: list[Any] = [7, "text", [], {}, object(), ...]


@pytest.mark.rule("ORPH-04")
@ten.of(DELETIONS)
def test_what_never_arrived_can_be_deleted_again_and_again(living: Platform, sent: ten.Sent) -> None:
    for flag in ("true", "false", "true"):
        assert_answered(sent.by(living, accepts_incomplete=flag), 410, {})


@pytest.mark.rule("ORPH-04")
def test_what_was_refused_can_be_deleted(living: Platform) -> None:
    living.send("PUT", INSTANCE, {**PROVISION, "parameters": {"size": 0}})
    living.send("PUT", BINDING, {**BIND, "parameters": {"role": "owner"}})
    for sent in DELETIONS:
        assert_answered(sent.by(living), 410, {})


@pytest.mark.rule("ORPH-04")
@ten.of(DELETIONS)
@pytest.mark.parametrize("failed", [RuntimeError("half made"), errors.ServiceException("half made"), TimeoutError()])
def test_what_failed_can_be_deleted_without_an_originating_identity(
    platform: Platform, recording: RecordingBroker, sent: ten.Sent, failed: Exception
) -> None:
    recording.answers["provision"] = recording.answers["bind"] = failed
    assert_refused(platform.send("PUT", INSTANCE, PROVISION), 500)
    assert_refused(platform.send("PUT", BINDING, BIND), 500)
    assert_answered(sent.by(platform), 200, {})
    assert recording.details.originating_identity is None


@pytest.mark.rule("ORPH-04")
@ten.of(DELETIONS)
def test_a_broker_that_cannot_give_its_catalog_can_still_delete(
    platform: Platform, recording: RecordingBroker, sent: ten.Sent
) -> None:
    recording.offerings = 7  # nothing that could be a catalog
    assert platform.send("GET", "/v2/catalog").status == 500
    assert_answered(sent.by(platform), 200, {})


@pytest.mark.rule("ORPH-09")
@ten.of(ten.NINE)
def test_what_is_no_answer_is_never_sent_as_a_success_of_another_form(
    platform: Platform, recording: RecordingBroker, sent: ten.Sent
) -> None:
    for result in GARBAGE:
        recording.answers[sent.name] = result
        answer = sent.by(platform, accepts_incomplete="true")
        assert isinstance(answer.json, dict)
        assert answer.headers["content-type"] == "application/json"
        assert answer.status == 500 or (answer.json == {} and sent not in MUST_SAY_SOMETHING), result


@pytest.mark.rule("ORPH-09")
@ten.of((*MUST_SAY_SOMETHING, ten.FETCHING, ten.FETCHING_BINDING))
def test_a_broker_that_returns_nothing_where_something_is_due_has_failed(
    platform: Platform, recording: RecordingBroker, sent: ten.Sent
) -> None:
    recording.answers[sent.name] = None
    assert_refused(sent.by(platform), 500)


@pytest.mark.rule("ORPH-09", "ERR-02")
@ten.of(ten.TEN)
def test_every_success_is_an_object_with_one_of_three_statuses(
    platform: Platform, recording: RecordingBroker, sent: ten.Sent
) -> None:
    answer = sent.by(platform)
    assert answer.status == sent.made
    assert isinstance(answer.json, dict)
