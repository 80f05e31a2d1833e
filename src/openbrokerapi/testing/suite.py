"""A whole suite for any broker, without a line of Python: `pytest --pyargs openbrokerapi.testing.suite --broker-url`.

It has a test for each rule that the checker can see, and one for each scenario of the misbehaving platform.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from openbrokerapi.conformance import Cooperation, Level, Report, Verdict
from openbrokerapi.conformance.reports.evidence import Evidence
from openbrokerapi.conformance.reports.plain import describe

if TYPE_CHECKING:
    from . import MisbehavingPlatform


def test_rule(broker_report: Report, broker_rule: str, request: pytest.FixtureRequest) -> None:
    """The broker keeps a rule; one that is no MUST is expected to be kept, and does not fail the suite."""
    (result,) = [each for each in broker_report.results if each.rule.id == broker_rule]
    if result.verdict is Verdict.FAILED:
        file = request.config.getoption("--broker-file")
        secrets = Cooperation.read(Path(file)).secrets() if file else ()
        text = describe(result, broker_report, Evidence(secrets))
        if result in broker_report.breaches(Level.MUST):
            pytest.fail(text, pytrace=False)
        pytest.xfail(text)
    elif result.verdict is not Verdict.PASSED:
        pytest.skip(f"{result.verdict.value}: {result.reason}")


def test_nothing_is_left_behind_by_the_checker(broker_report: Report) -> None:
    """What the checker has made could be removed."""
    assert not broker_report.left_behind  # noqa: S101 - it is a test


def test_scenario(misbehaving_platform: MisbehavingPlatform, broker_scenario: str) -> None:
    """The broker survives a scenario of the misbehaving platform."""
    outcome = misbehaving_platform.play(broker_scenario)
    if outcome.faults:
        pytest.fail(outcome.text(), pytrace=False)
    if outcome.aside:
        pytest.skip(outcome.aside)
