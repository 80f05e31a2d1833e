"""Fail, in CI, each test that is skipped because something is missing that CI must have.

A test that needs a service says so: `pytest.skip("needs PostgreSQL: ...")`. On a contributor's machine that is a skip.
Where the environment variable CI is set it is a failure, so that no service can go missing unseen. A skip for another
reason (a platform, say) stays one.
"""

import os
from collections.abc import Generator

import pytest

MISSING = ("needs ", "could not import ")  # the second is what pytest.importorskip says


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Judge a test's report."""
    report = yield
    _refuse(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Judge the report of a whole file, which is skipped where its imports fail."""
    report = yield
    _refuse(report)
    return report


def _refuse(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not (os.environ.get("CI") and report.skipped and isinstance(report.longrepr, tuple)):
        return
    path, line, text = report.longrepr
    reason = text.removeprefix("Skipped: ")
    if reason.startswith(MISSING):
        report.outcome = "failed"
        report.longrepr = f"{path}:{line}: CI must have what this was skipped for: {reason}"
