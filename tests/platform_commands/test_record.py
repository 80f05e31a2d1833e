"""The record: it is private, whole, written by one command at a time, and never overwritten where it is damaged."""

from __future__ import annotations

import fcntl
import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.platform.odd import catalog
from tests.platform_commands.operator import Operator
from tests.platform_commands.scripted import Scripted

from openbrokerapi.cli.belongings import record_file
from openbrokerapi.cli.belongings.record import Instance, Named, State
from openbrokerapi.cli.belongings.record_file import RecordError, RecordFile


def instance(name: str) -> Instance:
    named = Named("id", "name")
    return Instance(name=name, id=f"id-of-{name}", broker="http://b", offering=named, plan=named, state=State.READY)


def add(file: RecordFile, name: str) -> None:
    file.change(lambda record: record.with_instance("http://b", name, instance(name)))


@pytest.fixture
def file(tmp_path: Path) -> RecordFile:
    return RecordFile(tmp_path / "state" / "record.json")


def test_the_record_is_its_owners_alone_whatever_the_umask(file: RecordFile) -> None:
    before = os.umask(0)
    try:
        add(file, "one")
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(Path(f"{file.path}.lock").stat().st_mode) == 0o600


def test_commands_at_the_same_time_lose_nothing(file: RecordFile) -> None:
    names = [f"instance-{number}" for number in range(24)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: add(RecordFile(file.path), name), names))
    assert sorted(each.name for each in file.read().instances) == sorted(names)


def test_a_command_that_finds_the_record_held_says_so(file: RecordFile, monkeypatch: pytest.MonkeyPatch) -> None:
    add(file, "one")
    monkeypatch.setattr(record_file, "_LOCK_SECONDS", 0.05)
    with Path(f"{file.path}.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(RecordError, match="held by another command"):
            add(file, "other")
    add(file, "other")


def test_a_write_that_breaks_off_leaves_the_record_as_it_was(file: RecordFile, monkeypatch: pytest.MonkeyPatch) -> None:
    add(file, "one")
    before = file.path.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RecordError, match="cannot be written: No space left on device"):
        add(file, "other")
    assert file.path.read_bytes() == before
    assert sorted(each.name for each in file.path.parent.iterdir()) == ["record.json", "record.json.lock"]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "is damaged"),
        (b'{"format": "openbroker record", "version": 1, "inst', "is damaged"),
        (b'{"format": "openbroker record", "version": 1, "instances": [{"name": "marker"}]}', "is damaged"),
        (b"\xff\xfe", "is damaged"),
        (b"[" * 100_000, "is damaged"),
        (b'{"format": "other"}', "is no record of this program"),
        (b'{"format": "openbroker record", "version": 2}', "has version 2"),
    ],
)
def test_a_record_that_is_damaged_is_refused_and_not_overwritten(
    broker: Scripted, at_broker: Operator, content: bytes, what: str
) -> None:
    at_broker.record_path.parent.mkdir(parents=True)
    at_broker.record_path.write_bytes(content)
    broker.answers("PUT instance", (201, {}))
    for command in (("provision", "a", "name-of-offering", "name-of-plan-1"), ("instances",), ("deprovision", "a")):
        said = at_broker.run(*command, code=2)
        assert f"record.json {what}" in said
        assert "It was not changed" in said
        assert "marker" not in said
    assert at_broker.record_path.read_bytes() == content
    assert broker.requests("PUT instance") == []


def test_the_record_is_written_before_the_broker_hears_of_it(broker: Scripted, at_broker: Operator) -> None:
    seen: list[object] = []

    def look() -> tuple[int, object]:
        seen.append(json.loads(at_broker.record_path.read_bytes())["instances"][0])
        return 201, {}

    broker.answers("PUT instance", look)
    at_broker.run("provision", "my-db", "name-of-offering", "name-of-plan-1")
    (entry,) = at_broker.record
    assert seen == [entry | {"state": "creating", "pending": {"kind": "provision"}}]


def test_two_commands_for_one_name_make_one_instance(broker: Scripted, at_broker: Operator) -> None:
    def meanwhile() -> tuple[int, object]:
        # While the first waits for the catalog, another command takes the name.
        add_at(at_broker, broker.url)
        return 200, catalog()

    broker.answers("GET /v2/catalog", meanwhile)
    said = at_broker.run("provision", "my-db", "name-of-offering", "name-of-plan-1", code=2)
    assert "another command does something with my-db just now" in said
    assert broker.requests("PUT instance") == []


def add_at(operator: Operator, url: str) -> None:
    other = Instance(
        name="my-db", id="other", broker=url, offering=Named("o", "o"), plan=Named("p", "p"), state=State.READY
    )
    RecordFile(operator.record_path).change(lambda record: record.with_instance(url, "my-db", other))
