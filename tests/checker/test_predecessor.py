"""A small broker on the published openbrokerapi 4.7.3, in an environment of its own: what the checker has to find."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench.contenders import PUBLISHED_ENVIRONMENT, prepare_published
from tests.checker.playing import failed
from tests.checker.predecessor.account import PASSWORD, USERNAME

from openbrokerapi.conformance import Checker, Cooperation, Credentials, Report
from openbrokerapi.conformance.http_sender import HttpSender

pytestmark = pytest.mark.slow

_FOLDER = Path(__file__).parent / "predecessor"


@pytest.fixture(scope="module")
def report() -> Iterator[Report]:
    prepare_published()
    command = [str(PUBLISHED_ENVIRONMENT / "bin" / "python"), str(_FOLDER / "small_broker.py")]
    with subprocess.Popen(command, cwd=_FOLDER, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield asyncio.run(_checked(process.stdout.readline().strip()))
        finally:
            process.terminate()


async def _checked(url: str) -> Report:
    sender = HttpSender(url)
    told = Cooperation.read(_FOLDER / "cooperation.yaml")
    try:
        return await Checker(sender, Credentials(USERNAME, PASSWORD), url=url, cooperation=told).check()
    finally:
        await sender.close()


@pytest.mark.parametrize(
    ("what", "rules"),
    [
        ("a quota that is used up is an error of the broker", {"ERR-01"}),
        ("a concurrent request is an error of the broker", {"PROV-34", "ERR-11"}),
        ("the service id is not looked at", {"PROV-07"}),
        ("parameters are not validated against the schema", {"PROV-12"}),
        ("202 without accepts_incomplete", {"ASY-09", "PROV-02"}),
        ("the last operation of an unknown instance", {"LOI-12"}),
        ("a version header that is no number is an error of the broker", {"ERR-01"}),
        ("maintenance_info is ignored", {"PROV-14", "UPD-19"}),
    ],
)
def test_it_is_found(report: Report, what: str, rules: set[str]):
    assert rules <= failed(report), what


def test_both_errors_that_are_500_are_told_apart(report: Report):
    found = {result.rule.id: result.findings for result in report.failed()}
    expected = " ".join(finding.expected for finding in found["ERR-01"])
    assert "quota" in expected
    assert "version" in expected


def test_nothing_is_left_behind(report: Report):
    assert report.left_behind == ()
    assert report.troubles == ()
