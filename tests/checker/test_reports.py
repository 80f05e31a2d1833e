"""A report shows what was sent and answered, and nothing that is secret."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import Any

import pytest
from tests.checker.playing import check
from tests.checker.reference.faults import all_faults

from openbrokerapi.conformance import Cooperation, Level, Report
from openbrokerapi.conformance.reports.as_json import as_json
from openbrokerapi.conformance.reports.evidence import HIDDEN, Evidence
from openbrokerapi.conformance.reports.junit import as_junit
from openbrokerapi.conformance.reports.page import as_page
from openbrokerapi.conformance.wire import Answer, Endpoint, Request

MARKER = "marker-of-a-secret"


def _answer(body: Any, status: int = 200, **sent: Any) -> Answer:
    headers = (("Authorization", f"Basic {MARKER}"), ("X-Broker-API-Version", "2.17"))
    request = Request(Endpoint.BIND, "PUT", f"/v2/x/{MARKER}", headers=headers, fields=sent)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(request, status, (("set-cookie", MARKER),), raw)


@pytest.mark.parametrize(
    "body",
    [
        {"credentials": {"uri": f"db://{MARKER}@host", "port": 5432, "hosts": [MARKER]}},
        {"services": [{"dashboard_client": {"id": "a", "secret": MARKER}}]},
        {"nested": [{"Password": MARKER}]},
        f"not JSON, and {MARKER}".encode(),
    ],
)
def test_secrets_are_hidden_in_what_was_answered(body: Any):
    evidence = Evidence([MARKER])
    for message in (evidence.answer(_answer(body)), evidence.request(_answer(body, parameters={"a": MARKER}).request)):
        assert MARKER not in "\n".join((message.line, *message.headers, message.body))
        assert HIDDEN in "\n".join((message.line, *message.headers, message.body))


def test_credentials_are_hidden_where_nobody_has_said_what_is_secret():
    shown = Evidence().answer(_answer({"credentials": {"uri": MARKER, "port": 5432, "pin": 4711}})).body
    assert MARKER not in shown
    assert '"port": 5432' in shown
    assert "4711" not in shown


def test_the_values_of_the_file_are_secret():
    told = Cooperation.of(
        {
            "plans": [{"service": "a", "plan": "b", "parameters": {"admin": {"keys": [MARKER]}}}],
            "broker": {"token": "token-" + MARKER, "second_platform": {"url": "u", "username": "n", "password": "pw"}},
        }
    )
    assert {MARKER, "token-" + MARKER, "pw"} <= set(told.secrets())
    assert MARKER not in repr(told)


@pytest.fixture(scope="module")
def report() -> Report:
    """What is found in a broker with one fault."""
    return check(all_faults()["DEP-16"][0], only=["DEP", "ASY"])


def test_all_three_forms_say_the_same(report: Report):
    evidence = Evidence()
    told = json.loads(as_json(report, evidence))
    broken = [rule["id"] for rule in told["rules"] if rule["verdict"] == "failed"]
    assert "DEP-16" in broken
    suites = ET.fromstring(as_junit(report, evidence, Level.MAY).split("\n", 1)[1])  # noqa: S314 - it is ours
    failures = [case.get("name", "").split()[0] for case in suites.iter("testcase") if case.find("failure") is not None]
    assert failures == broken
    page = as_page(report, evidence)
    assert [rule for rule in broken if f'<article id="{rule}"' not in page] == []


def test_junit_fails_only_for_what_weighs_enough(report: Report):
    finding = report.failed()[0]
    light = replace(finding, rule=replace(finding.rule, level=Level.MAY))
    suites = as_junit(replace(report, results=(light,)), Evidence(), Level.MUST)
    assert "<failure" not in suites
    assert "<system-out>" in suites


def test_what_xml_and_html_cannot_hold_does_not_spoil_a_report(report: Report):
    finding = report.failed()[0].findings[0]
    odd = replace(finding, answers=(_answer(b"\x00\x1b<script>alert(1)</script>]]>\xff", 500),))
    spoilt = replace(report, results=(replace(report.failed()[0], findings=(odd,)),))
    ET.fromstring(as_junit(spoilt, Evidence(), Level.MAY).split("\n", 1)[1])  # noqa: S314 - it is ours
    assert "<script>alert" not in as_page(spoilt, Evidence())
    json.loads(as_json(spoilt, Evidence()))
