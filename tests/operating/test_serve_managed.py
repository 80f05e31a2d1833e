"""`openbroker serve` for a managed broker: its store, its keys, and what is refused."""

from __future__ import annotations

import re
import signal
from contextlib import closing
from pathlib import Path

import apsw
import pytest
from tests.operating.commands import refused, run, said, until
from tests.operating.conftest import keys_file
from tests.operating.processes import BROKER, PASSWORD, served, started


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "vaults.py").write_text(BROKER)
    keys_file(tmp_path / "keys", "old")
    return tmp_path


def test_the_state_is_kept_sealed_in_the_current_folder_and_survives_a_kill(folder: Path) -> None:
    with served(folder, "--keys-file", "keys") as running:
        assert running.provision("i-1", word="marker-of-a-parameter").status == 201
        assert running.bind("i-1", "b-1").json["credentials"] == {"password": PASSWORD}
        running.process.kill()
        running.running.ended()
        files = b"".join(path.read_bytes() for path in folder.glob("broker.db*"))
        assert b"i-1" in files
        assert not re.search(rb"marker-of|" + PASSWORD.encode(), files)
    with served(folder, OPENBROKER_KEYS=(folder / "keys").read_text()) as running:
        assert running.password_of("i-1", "b-1") == PASSWORD
        running.process.send_signal(signal.SIGTERM)
        assert running.running.ended() == 0
        assert "unsealed" not in running.running.text


def test_a_broker_without_keys_starts_only_for_development_and_says_so(folder: Path) -> None:
    text = refused(folder, "serve", "vaults:broker", "--no-auth", "--port", "0")
    assert "there is no key to seal credentials with" in text
    assert "openbroker keys new > keys" in text
    for more in ({"OPENBROKER_DEVELOPMENT": "1"}, {}):
        with served(folder, *([] if more else ["--development"]), **more) as running:
            assert running.provision("i-1").status in (200, 201)
            assert "are kept unsealed" in running.running.text


def test_a_store_that_was_written_with_another_key_is_refused_at_start(folder: Path) -> None:
    with served(folder, "--keys-file", "keys") as running:
        assert running.provision("i-1").status == 201
    keys_file(folder / "other", "other")
    for arguments, sentence in (
        (["--keys-file", "other"], "the store was written with key 'old', which is not among"),
        (["--development"], "the store was written with key 'old', and no keys are given"),
    ):
        with started(folder, "serve", "vaults:broker", "--port", "0", *arguments) as running:
            assert running.ended() == 2
            assert sentence in running.text
            assert "Traceback" not in running.text


def test_a_second_broker_on_a_sqlite_store_is_refused(folder: Path) -> None:
    with (
        served(folder, "--keys-file", "keys"),
        started(folder, "serve", "vaults:broker", "--port", "0", "--keys-file", "keys") as second,
    ):
        assert second.ended() == 2
        assert "is in use by process" in second.text
        assert "Traceback" not in second.text


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["vaults:broker", "--keys-file", "keys", "--workers", "2"], "a SQLite store belongs to one process"),
        (["vaults:broker", "--keys-file", "keys", "--no-work"], "a SQLite store belongs to one process"),
        (["vaults:broker", "--keys-file", "keys", "--development"], "--development is for a broker without"),
        (["vaults:broker", "--keys-file", "none"], "the keys file none cannot be read"),
        (["vaults:broker", "--keys-file", "keys", "--store", "oracle://x"], "oracle"),
        (["vaults:Plain", "--store", "sqlite:///x.db"], "is no managed broker, and keeps no state in a store"),
        (["vaults:Plain", "--development", "--no-work"], "leave out --development, --no-work"),
        (["vaults:connected", "--keys-file", "keys"], "has its store from its code; leave out --keys-file"),
    ],
)
def test_what_does_not_fit_together_is_refused_in_a_sentence(folder: Path, arguments: list[str], sentence: str) -> None:
    text = refused(folder, "serve", *arguments, "--no-auth", "--port", "0")
    assert sentence in text
    assert not (folder / "broker.db").exists()


def test_what_the_environment_says_of_stores_is_nothing_to_other_brokers(folder: Path) -> None:
    more = {"OPENBROKER_STORE": "sqlite:///x.db", "OPENBROKER_DEVELOPMENT": "1", "OPENBROKER_NO_WORK": "1"}
    for broker in ("vaults:Plain", "vaults:connected"):
        with served(folder, broker=broker, **more) as running:
            assert running.platform.send("GET", "/v2/catalog").status == 200
    assert not (folder / "x.db").exists()
    assert (folder / "own.db").exists()


@pytest.mark.slow
def test_several_processes_share_a_postgresql_store(folder: Path, database: str) -> None:
    with served(folder, "--store", database, "--keys-file", "keys", "--workers", "2") as running:
        for number in range(20):
            assert running.provision(f"i-{number}").status in (201, 202)
        until(lambda: len(list(folder.glob("*.made"))) == 20)
        running.process.send_signal(signal.SIGTERM)
        assert running.running.ended() == 0
    assert "Traceback" not in running.running.text


@pytest.mark.slow
def test_keys_are_rotated_while_the_broker_serves(folder: Path) -> None:
    with served(folder, "--keys-file", "keys") as running:
        assert running.provision("i-1").status == 201
        assert running.bind("i-1", "b-1").status == 201
        keys_file(folder / "keys", "new")
        assert "Sealed" in run(folder, "keys", "rotate", "--keys-file", "keys").stdout.decode()
        assert running.password_of("i-1", "b-1") == PASSWORD
        assert running.bind("i-1", "b-2").status == 201
        assert "to be rotated" not in run(folder, "keys", "status", "--keys-file", "keys").stdout.decode()
        only_new = (folder / "keys").read_text().splitlines()[0]
    with served(folder, OPENBROKER_KEYS=only_new) as running:
        assert [running.password_of("i-1", name) for name in ("b-1", "b-2")] == [PASSWORD, PASSWORD]


def test_credentials_that_somebody_swapped_between_two_bindings_are_given_to_nobody(folder: Path) -> None:
    with served(folder, "--keys-file", "keys") as running:
        assert running.provision("i-1").status == 201
        for binding in ("b-1", "b-2"):
            assert running.bind("i-1", binding).status == 201
    with closing(apsw.Connection(str(folder / "broker.db"))) as connection:
        connection.execute(
            "UPDATE binding SET answer = (SELECT answer FROM binding WHERE binding_id = 'b-2') WHERE binding_id = 'b-1'"
        )
        assert connection.changes() == 1
    with served(folder, "--keys-file", "keys") as running:
        answer = running.platform.send("GET", "/v2/service_instances/i-1/service_bindings/b-1")
        assert answer.status == 500
        assert PASSWORD not in answer.body.decode()
        assert running.password_of("i-1", "b-2") == PASSWORD
        running.running.line_with("binding.answer of i-1/b-1 cannot be opened: it was changed, or moved")
        assert PASSWORD not in running.running.text


@pytest.mark.slow
def test_an_export_of_the_running_broker_serves_elsewhere(folder: Path) -> None:
    with served(folder, "--keys-file", "keys") as running:
        assert running.provision("i-1").status == 201
        assert running.bind("i-1", "b-1").status == 201
        assert "Exported 1 instance, 1 binding" in said(run(folder, "db", "export", "state.jsonl"))
    run(folder, "db", "import", "state.jsonl", "--store", "sqlite:///second.db")
    with served(folder, "--keys-file", "keys", "--store", "sqlite:///second.db") as running:
        assert running.password_of("i-1", "b-1") == PASSWORD
