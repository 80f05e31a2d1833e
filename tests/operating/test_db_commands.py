"""`openbroker db`: on real stores, whole, damaged, in use, and from one kind to the other."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.managed.sample_state import MARKER, everything, secrets_in
from tests.operating.commands import LIMIT, ROOT, environment, on, refused, run, said
from tests.operating.conftest import RING, filled

from openbrokerapi.managed.key_ring import KeyRing, KeysError
from openbrokerapi.managed.sealing import Sealing
from openbrokerapi.stores.contract import Change, Key, Store
from openbrokerapi.stores.rows import Event

# --- migrate, status ---


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("empty_database"))
    return f"sqlite:///{tmp_path}/new.db"


def test_the_tables_are_missing_then_made_then_up_to_date(empty_url: str, tmp_path: Path) -> None:
    before = run(tmp_path, "db", "status", "--store", empty_url, code=1).stdout.decode()
    assert "version 0" in before
    assert "run `openbroker db migrate`" in before
    assert not (tmp_path / "new.db").exists()

    made = run(tmp_path, "db", "migrate", OPENBROKER_STORE=empty_url).stdout.decode().splitlines()
    assert len(made) >= 2
    assert made[-1] == "The tables are up to date."

    again = run(tmp_path, "db", "migrate", "--store", empty_url).stdout.decode()
    assert again == "The tables are up to date.\n"
    after = run(tmp_path, "db", "status", "--store", empty_url).stdout.decode()
    assert after.endswith("The tables are up to date.\n")
    found = json.loads(run(tmp_path, "db", "status", "--store", empty_url, "--json").stdout)
    assert (found["pending"], found["unknown"]) == ([], False)
    assert found["version"] >= 1


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mongodb://host/broker", "mongodb"),
        ("sqlite:///no/such/folder/broker.db", "no/such/folder"),
        ("postgresql://somebody:pass-marker@127.0.0.1:1/broker", "127.0.0.1"),
    ],
)
def test_a_store_that_cannot_be_used_is_one_sentence_without_the_password(
    tmp_path: Path, url: str, sentence: str
) -> None:
    text = refused(tmp_path, "db", "migrate", "--store", url)
    assert sentence in text
    assert "pass-marker" not in text


# --- export ---


def test_the_whole_state_comes_back_in_a_store_of_either_kind(url: str, tmp_path: Path, database: str) -> None:
    filled(url, count=7)
    before = on(url, everything)
    done = run(tmp_path, "db", "export", "state.jsonl", "--store", url)
    counts = "7 instances, 7 bindings, 7 operations, 7 steps, 7 events"
    assert said(done) == f"Exported {counts}."

    second = f"sqlite:///{tmp_path}/second.db" if "postgres" in url else database
    done = run(tmp_path, "db", "import", "state.jsonl", "--store", second)
    assert said(done) == f"Imported {counts}."

    assert on(second, everything) == before
    assert secrets_in(on(second, everything), RING) == secrets_in(before, RING)
    on(second, Sealing(RING).verify)
    with pytest.raises(KeysError, match="written with key 'a'"):
        on(second, Sealing(KeyRing({"b": bytes(32)})).verify)

    async def next_number(store: Store) -> int:
        event = Event(at=1.0, instance_id="i-1", what="update requested")
        await store.change(Key("i-1"), lambda _: Change(result=None, events=(event,)))
        return (await store.events(limit=1))[0].number

    assert on(second, next_number) == 8


def test_an_export_shows_no_secret_and_is_its_owners_alone(exported: Path) -> None:
    assert MARKER not in exported.read_text()
    assert exported.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in exported.parent.iterdir() if "state" in path.name) == ["state.jsonl"]


def test_a_pipe_moves_a_state(tmp_path: Path) -> None:
    filled(f"sqlite:///{tmp_path}/source.db")
    written = run(tmp_path, "db", "export", "-", "--store", "sqlite:///source.db").stdout
    done = run(tmp_path, "db", "import", "-", "--store", "sqlite:///target.db", stdin=written)
    assert "Imported 3 instances" in said(done)
    assert on(f"sqlite:///{tmp_path}/target.db", everything) == on(f"sqlite:///{tmp_path}/source.db", everything)


def test_an_export_that_fails_leaves_the_file_that_was_there(exported: Path) -> None:
    before = exported.read_bytes()
    refused(exported.parent, "db", "export", "state.jsonl", "--store", "sqlite:///none.db")
    assert exported.read_bytes() == before
    text = refused(
        exported.parent,
        "db",
        "export",
        "none/state.jsonl",
        "--store",
        "sqlite:///source.db",
    )
    assert "none/state.jsonl cannot be written: No such file or directory" in text
    assert not [path for path in exported.parent.iterdir() if path.name.startswith(".state")]


# A broker as far as the store goes: it changes an instance and its operation together, now and then.
_BROKER = """
import asyncio, sys, threading, time
import msgspec
from openbrokerapi.managed.key_ring import KeyRing
from openbrokerapi.stores.contract import Change, Key
from openbrokerapi.stores.location import open_location
from openbrokerapi.stores.rows import Event
from tests.managed.sample_state import sample

ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
rows = sample(KeyRing({"a": bytes(range(32))}), 50)

async def main():
    store = open_location(sys.argv[1], clock=time.time)
    await store.open()
    number = 0
    while not ended.is_set():
        name = f"v{number}"
        instance = msgspec.structs.replace(rows["instance"][number % 50], plan_id=name)
        operation = msgspec.structs.replace(rows["operation"][number % 50], description=name)
        event = Event(at=1.0, instance_id=instance.instance_id, what="update requested")
        await store.change(
            Key(instance.instance_id),
            lambda view: Change(result=None, instance=instance, operations=(operation,), events=(event,)),
        )
        number += 1
        if number == 100:
            print("changes", flush=True)
        await asyncio.sleep(float(sys.argv[2]))
    await store.close()

asyncio.run(main())
"""


def beside_a_broker(url: str, pause: float, work: Callable[[], Any]) -> Any:
    broker = subprocess.Popen(
        [sys.executable, "-c", _BROKER, url, str(pause)],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert broker.stdout is not None
        assert broker.stdout.readline() == "changes\n"
        result = work()
        _out, err = broker.communicate("", timeout=LIMIT)
        assert (broker.returncode, err) == (0, "")
        return result
    finally:
        broker.kill()
        broker.communicate()


@pytest.mark.slow
def test_an_export_beside_a_running_broker_is_of_one_moment(url: str, tmp_path: Path) -> None:
    filled(url, count=50)
    beside_a_broker(url, 0.02, lambda: run(tmp_path, "db", "export", "state.jsonl", "--store", url))
    target = f"sqlite:///{tmp_path}/target.db"
    run(tmp_path, "db", "import", "state.jsonl", "--store", target)
    state = on(target, everything)
    pairs = [(one.plan_id, other.description) for one, other in zip(state["instance"], state["operation"], strict=True)]
    assert len({plan for plan, _ in pairs}) == 50
    assert all(plan == description for plan, description in pairs)


# --- import ---


def test_a_store_with_something_in_it_is_left_alone(exported: Path, url: str) -> None:
    filled(url, count=1)
    before = on(url, everything)
    text = refused(exported.parent, "db", "import", "state.jsonl", "--store", url)
    assert "the store is not empty" in text
    assert on(url, everything) == before


def test_a_store_that_a_broker_owns_is_left_alone(exported: Path) -> None:
    url = f"sqlite:///{exported.parent}/owned.db"
    filled(url, count=50)
    text = beside_a_broker(
        url,
        0.01,
        lambda: refused(exported.parent, "db", "import", "state.jsonl", "--store", url),
    )
    assert "owned.db" in text
    assert "is in use by process" in text


def change(lines: list[bytes], number: int, old: bytes, new: bytes) -> list[bytes]:
    assert old in lines[number]
    return [*lines[:number], lines[number].replace(old, new, 1), *lines[number + 1 :]]


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (
            lambda lines: [],
            "state.jsonl is empty; give a file of `openbroker db export`",
        ),
        (lambda lines: [b"PGDMP\x01"], "state.jsonl, line 1: it is no line of"),
        (
            lambda lines: lines[1:],
            "state.jsonl, line 1: it is no file of `openbroker db export`",
        ),
        (
            lambda lines: change(lines, 0, b"openbroker state", b"other"),
            "line 1: it is no file of",
        ),
        (
            lambda lines: change(lines, 0, b'"version":1', b'"version":2'),
            "written by a newer openbroker (format 2)",
        ),
        (
            lambda lines: change(lines, 2, b"i-00001", b"i-00009"),
            "state.jsonl, line 3: it is damaged",
        ),
        (
            lambda lines: change(lines, 4, b'"is":"binding"', b'"is":"instance"'),
            "state.jsonl, line 5: it is damaged",
        ),
        (
            lambda lines: change(lines, 4, b'"is":"binding"', b'"is":"other"'),
            "state.jsonl, line 5: it is of a kind",
        ),
        (
            lambda lines: change(lines, 7, b'"kind":"update"', b'"kind":7'),
            "state.jsonl, line 8: it holds something else",
        ),
        (
            lambda lines: [*lines[:6], lines[6][:40]],
            "state.jsonl, line 7: it is no line of",
        ),
        (
            lambda lines: [*lines[:6], b"\xff\n", *lines[7:]],
            "state.jsonl, line 7: it is no line of",
        ),
        (
            lambda lines: [*lines[:6], b"\n", *lines[6:]],
            "state.jsonl, line 7: it is no line of",
        ),
        (
            lambda lines: [*lines[:6], *lines[7:]],
            "state.jsonl, line 7: it is damaged, or a line before it is missing",
        ),
        (
            lambda lines: [*lines[:6], lines[7], lines[6]],
            "state.jsonl, line 7: it is damaged",
        ),
        (
            lambda lines: lines[:-1],
            "state.jsonl is not whole: its last line is missing",
        ),
        (lambda lines: [*lines, lines[-1]], "it is damaged, or a line before it"),
    ],
)
def test_a_damaged_file_is_named_with_its_line_and_nothing_is_written(
    exported: Path, damage: Callable[[list[bytes]], list[bytes]], sentence: str
) -> None:
    exported.write_bytes(b"".join(damage(exported.read_bytes().splitlines(keepends=True))))
    text = refused(exported.parent, "db", "import", "state.jsonl", "--store", "sqlite:///target.db")
    assert sentence in text
    assert not (exported.parent / "target.db").exists()


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    done = run(tmp_path, "db", "import", "none.jsonl", code=2)
    assert "'none.jsonl' does not exist" in said(done)
