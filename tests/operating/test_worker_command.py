"""`openbroker worker`: operations carried out apart from the processes that serve."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
from tests.operating.commands import refused, run, said, until
from tests.operating.conftest import keys_file
from tests.operating.processes import BROKER, Started, served, started


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "vaults.py").write_text(BROKER)
    keys_file(tmp_path / "keys", "old")
    return tmp_path


def worker_is_up(running: Started) -> None:
    running.line_with(r"Working for vaults:broker \(process \d+\)")


def test_the_worker_carries_out_what_the_serving_process_leaves(folder: Path, database: str) -> None:
    options = ["--store", database, "--keys-file", "keys"]
    with served(folder, *options, "--no-work") as running:
        answer = running.provision("i-1")
        assert answer.status == 202
        assert not list(folder.glob("i-1.*"))
        with started(folder, "worker", "vaults:broker", *options) as worker:
            worker_is_up(worker)
            until(lambda: running.state_of("i-1", answer.json["operation"]) == "succeeded")
            assert (folder / "i-1.made").read_text() == str(worker.process.pid)
            worker.process.send_signal(signal.SIGTERM)
            assert worker.ended() == 0
            assert "Traceback" not in worker.text


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_does_not_end_in_time_is_left_to_another_worker_at_once(
    folder: Path, database: str, number: signal.Signals
) -> None:
    options = ["--store", database, "--keys-file", "keys"]
    with served(folder, *options, "--no-work") as running:
        # It stops at its next step, but holds on to a file in the middle of one: as a call that hangs.
        (folder / "vaults.py").write_text(BROKER.replace(" and not work.cancelled", ""))
        with started(folder, "worker", "vaults:broker", *options, "--stop-within", "0.5") as first:
            worker_is_up(first)
            operation = running.provision("i-1", hold=True).json["operation"]
            until((folder / "i-1.begun").exists)
            began = time.monotonic()
            first.process.send_signal(number)
            assert first.ended() == 0
            assert time.monotonic() - began < 5
        assert running.state_of("i-1", operation) == "in progress"
        (folder / "go").touch()
        with started(folder, "worker", "vaults:broker", *options) as second:
            worker_is_up(second)
            until(lambda: running.state_of("i-1", operation) == "succeeded")
            assert time.monotonic() - began < 9, "taken up only after the lease"
            assert (folder / "i-1.made").read_text() == str(second.process.pid)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["vaults:broker", "--keys-file", "keys"], "workers need a PostgreSQL store"),
        (["vaults:Plain"], "is no managed broker, and has no operations"),
        (["vaults:connected", "--stop-within", "3"], "leave out --stop-within"),
        (["vaults:broker", "--store", "postgresql://u:pass-marker@127.0.0.1:1/x"], "there is no key to seal"),
        (["vaults:nothing"], "has no nothing"),
    ],
)
def test_what_cannot_work_is_one_sentence(folder: Path, arguments: list[str], sentence: str) -> None:
    text = refused(folder, "worker", *arguments)
    assert sentence in text
    assert "pass-marker" not in text
    assert not (folder / "broker.db").exists()


def test_a_worker_with_other_keys_is_refused(folder: Path, database: str) -> None:
    with served(folder, "--store", database, "--keys-file", "keys"):
        keys_file(folder / "other", "other")
        done = run(folder, "worker", "vaults:broker", "--store", database, "--keys-file", "other", code=2)
    assert "Error: the store was written with key 'old', which is not among" in said(done)
