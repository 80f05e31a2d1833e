"""`openbroker check`, as somebody at a terminal runs it, against the reference broker on a port."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from tests.checker.reference.door import PASSWORD, USERNAME

# Each run surveys all plans of the broker.
pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
OPENBROKER = (sys.executable, "-m", "openbrokerapi.cli.main")
ENVIRONMENT = {**os.environ, "OPENBROKER_USERNAME": USERNAME, "OPENBROKER_PASSWORD": PASSWORD, "COLUMNS": "200"}
#: Seconds; what has not come by then does not come.
PATIENCE = 60


@contextmanager
def serving(*options: str) -> Iterator[str]:
    """Serve the reference broker; give its address."""
    command = [sys.executable, "-m", "tests.checker.reference", "--port", "0", "--seconds", "0.3", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[0]
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def unbroken() -> Iterator[str]:
    with serving() as url:
        yield url


@pytest.fixture(scope="module")
def broken() -> Iterator[str]:
    """A broker that answers 404 to the DELETE of an instance that does not exist (DEP-16)."""
    with serving("--fault", "DEP-16") as url:
        yield url


def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*OPENBROKER, "check", *map(str, arguments)],
        env={**ENVIRONMENT, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_a_broker_without_the_fault_passes(unbroken: str):
    done = run(unbroken, "--only", "DEP-16")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 rules kept" in done.stdout


def test_a_breach_is_told_with_what_was_sent_answered_and_expected(broken: str):
    done = run(broken, "--only", "DEP-16")
    assert done.returncode == 1
    assert "MUST   DEP-16  Instance does not exist" in done.stdout
    assert re.search(r"expected  .*410", done.stdout)
    assert re.search(r"sent      DELETE /v2/service_instances/[^ ]+", done.stdout)
    assert "answered  404" in done.stdout
    assert PASSWORD not in done.stdout + done.stderr


def test_the_reports_are_written_as_json_junit_and_one_page(broken: str, tmp_path: Path):
    files = {name: tmp_path / f"report.{name}" for name in ("json", "junit", "html")}
    run(broken, "--only", "DEP-16", *[word for name, file in files.items() for word in (f"--{name}", str(file))])

    report = json.loads(files["json"].read_text("utf-8"))
    rules = {rule["id"]: rule for rule in report["rules"]}
    assert len(rules) == 347
    assert rules["DEP-16"]["verdict"] == "failed"
    assert rules["DEP-16"]["findings"][0]["exchanges"][-1]["answer"]["line"] == "404"

    suites = ET.parse(files["junit"]).getroot()  # noqa: S314 - it is ours
    assert suites.get("failures") == "1"
    failure = suites.find(".//failure")
    assert failure is not None
    assert "DEP-16" in (failure.text or "")

    page = files["html"].read_text("utf-8")
    assert "DEP-16" in page
    # One file that needs nothing else, and shows no credentials.
    assert not re.search(r'(src|<link[^>]*href)\s*=\s*"?http', page)
    for text in (page, files["json"].read_text("utf-8"), files["junit"].read_text("utf-8")):
        assert "Authorization: (hidden)" in text
        assert PASSWORD not in text


def test_json_on_the_output_is_alone_there(broken: str):
    done = run(broken, "--only", "DEP-16", "--json", "-")
    assert json.loads(done.stdout)["summary"]["failed"] == 1
    assert "MUST   DEP-16" in done.stderr


def test_a_known_exception_is_shown_and_does_not_fail_the_run(broken: str, tmp_path: Path):
    known = tmp_path / "known.yaml"
    known.write_text("DEP-16: the old clients want it\n", "utf-8")
    done = run(broken, "--only", "DEP-16", "--exceptions", known)
    assert done.returncode == 0
    assert "DEP-16  the old clients want it" in done.stdout


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("DEP-99: because\n", "DEP-99 is not a rule"),
        ("DEP-16:\n", "DEP-16: give the reason"),
        ("- DEP-16\n", "must map rules to reasons"),
        ("a: [\n", "cannot be read"),
    ],
)
def test_a_file_of_exceptions_that_cannot_be_used_is_refused(broken: str, tmp_path: Path, text: str, sentence: str):
    known = tmp_path / "known.yaml"
    known.write_text(text, "utf-8")
    done = run(broken, "--exceptions", known)
    assert done.returncode == 2
    assert sentence in done.stderr


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("plans: {}\n", "plans: must be a list"),
        ("plans:\n  - {service: nothing, plan: none}\n", "the catalog has no plan nothing/none"),
        ("plans:\n  - {service: reference-db, plan: quick, traits: [quick]}\n", "'quick' is not a valid Trait"),
        ("plans:\n  - {service: reference-db, plan: quick, parameters: 3}\n", "must be a mapping"),
        ("plan: []\n", "'plan' is not known here; known are plans, broker"),
        ("broker: {second_platform: {url: x}}\n", "broker.second_platform.username: must be given"),
    ],
)
def test_a_file_of_help_that_cannot_be_used_is_refused(unbroken: str, tmp_path: Path, text: str, sentence: str):
    told = tmp_path / "help.yaml"
    told.write_text(text, "utf-8")
    done = run(unbroken, "--file", told)
    assert done.returncode == 2
    assert sentence in done.stderr


def test_what_cannot_be_checked_is_said_in_one_sentence(unbroken: str):
    nobody = run("http://127.0.0.1:1")
    assert (nobody.returncode, nobody.stderr.count("\n")) == (2, 1)
    assert "no broker answers there" in nobody.stderr
    stranger = run(unbroken, OPENBROKER_PASSWORD="wrong")
    assert stranger.returncode == 2
    assert "does not take these credentials" in stranger.stderr
    assert "wrong" not in stranger.stderr
    unknown = run(unbroken, "--only", "NOPE-1")
    assert unknown.returncode == 2
    assert "NOPE-1 is neither a rule nor a group" in unknown.stderr
    nowhere = run()
    assert "give its address, or set OPENBROKER_URL" in nowhere.stderr
    leaky = run("http://someone:secret-word@127.0.0.1:1")
    assert "holds credentials" in leaky.stderr
    assert "secret-word" not in leaky.stderr


def test_rules_younger_than_the_version_are_not_asked_for(unbroken: str):
    done = run(unbroken, "--api-version", "2.13", "--only", "PLAN", "--json", "-")
    verdicts = {rule["id"]: rule["verdict"] for rule in json.loads(done.stdout)["rules"]}
    assert done.returncode == 0, done.stderr
    assert verdicts["PLAN-10"] == "not asked"  # of 2.17
    assert verdicts["PLAN-01"] == "passed"  # of 2.12


def test_the_template_is_a_file_that_can_be_used(unbroken: str, tmp_path: Path):
    written = run(unbroken, "--template")
    told = tmp_path / "help.yaml"
    told.write_text(written.stdout, "utf-8")
    assert "slow " in written.stdout
    assert run(unbroken, "--only", "DEP-16", "--file", told).returncode == 0


def test_what_is_checked_is_seen_while_it_is_checked_and_ctrl_c_leaves_no_instance_behind():
    with serving() as url:
        screen = _at_a_terminal("check", url, "--parallel", "4", until="checking")
        assert re.search(rb"checking.*\d+/\d+.*\d+ requests", screen)
        instances = _left_in(url)
    assert instances == 0


def _at_a_terminal(*arguments: str, until: str) -> bytes:
    """Run a command at a terminal, press Ctrl-C when some checks are done, and wait for its end."""
    master, terminal = pty.openpty()
    command = [*OPENBROKER, *arguments]
    with subprocess.Popen(
        command, env=ENVIRONMENT, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True
    ) as process:
        os.close(terminal)
        try:
            seen = _watched(process, master)
            assert until.encode() in seen
            assert process.wait(PATIENCE) == 130, seen[-2000:]
        finally:
            process.kill()
            os.close(master)
    return seen


def _watched(process: subprocess.Popen[bytes], master: int) -> bytes:
    """Read all that a command shows, and press Ctrl-C in the middle of its work, with instances in hand."""
    seen, pressed, deadline = b"", False, time.monotonic() + PATIENCE
    # Not `select`: it knows no descriptors beyond 1,024, which a process that has run many tests may have.
    readable = select.poll()
    readable.register(master, select.POLLIN)
    while process.poll() is None:
        assert time.monotonic() < deadline, seen[-2000:]
        if readable.poll(100):
            try:
                seen += os.read(master, 65536)
            except OSError:  # Linux says so when the other side is closed
                break
        if not pressed and re.search(rb"checking.*[1-9]\d*/", seen):
            pressed = True
            process.send_signal(signal.SIGINT)
    return seen


def _left_in(url: str) -> int:
    """Ask the reference broker itself how many instances it has."""
    answer = httpx2.get(f"{url}/reference/instances", auth=(USERNAME, PASSWORD), trust_env=False)
    return len(answer.json()["instances"])


def test_a_broker_of_which_no_instance_can_be_made_does_not_pass(unbroken: str, tmp_path: Path):
    told = tmp_path / "help.yaml"
    told.write_text("plans:\n  - {service: reference-db, plan: full}\n", "utf-8")
    done = run(unbroken, "--only", "PROV-25", "--file", told)
    assert done.returncode == 2, done.stdout
    assert "No instance could be made of any plan" in done.stdout
