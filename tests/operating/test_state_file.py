"""The file of the state: of one moment, and read as a whole or not at all."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.managed.sample_state import everything, load, sample
from tests.operating.commands import on, refused, run
from tests.operating.conftest import RING, filled

from openbrokerapi.cli.state_file import StateFileError, checked, load_state, write_state
from openbrokerapi.managed.key_ring import KeysError
from openbrokerapi.managed.sealing import IMPORT_NOTE, KEYS_NOTE, Sealing
from openbrokerapi.stores.contract import Change, Key, Store, StoreError
from openbrokerapi.stores.rows import Event, Row


class _Changing:
    """A store in which somebody changes an instance and its operation between the reading of the two tables."""

    def __init__(self, store: Store, times: int) -> None:
        self._store = store
        self._times = times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def rows(self, table: str, after: tuple[Any, ...] | None = None, limit: int = 1000) -> list[Row]:
        if table == "operation" and self._times and after is None:
            self._times -= 1
            rows = sample(RING, 1)
            instance = msgspec.structs.replace(rows["instance"][0], plan_id=f"v{self._times}")
            operation = msgspec.structs.replace(rows["operation"][0], description=f"v{self._times}")
            event = Event(at=1.0, instance_id="i-00000", what="update requested")
            change = Change(result=None, instance=instance, operations=(operation,), events=(event,))  # type: ignore[arg-type]
            await self._store.change(Key("i-00000"), lambda _: change)
        return await self._store.rows(table, after, limit)


def test_what_changes_between_two_tables_is_written_again(url: str) -> None:
    filled(url)
    file = io.BytesIO()
    on(url, lambda store: write_state(_Changing(store, times=3), file))
    lines = [json.loads(line)["value"] for line in file.getvalue().splitlines()]
    assert [line["plan_id"] for line in lines if line.get("name") == 'Ein "Name"\n'] == ["v0", "p-1", "p-1"]
    assert [line["description"] for line in lines if "description" in line] == ["v0", "3 of 7", "3 of 7"]
    file.seek(0)
    assert checked(file, "it").counts.rows["event"] == 6


def test_an_export_beside_a_broker_that_never_rests_is_given_up(url: str) -> None:
    filled(url)
    with pytest.raises(StateFileError, match="the state changes while it is written; stop the broker"):
        on(url, lambda store: write_state(_Changing(store, times=1000), io.BytesIO()))


class _Breaking:
    """A store that cannot be written any more at some table."""

    def __init__(self, store: Store, table: str) -> None:
        self._store = store
        self._table = table

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def load(self, table: str, rows: Any) -> None:
        if table == self._table:
            raise StoreError("the disk is full")
        await self._store.load(table, rows)


@pytest.mark.parametrize("table", ["instance", "operation", "event"])
def test_an_import_that_breaks_leaves_a_store_that_no_broker_starts_on_and_can_be_repeated(
    exported: Path, url: str, table: str
) -> None:
    with exported.open("rb") as file:
        content = checked(file, "state.jsonl")
        file.seek(0)
        with pytest.raises(
            StateFileError,
            match="the disk is full; the store is not whole, and no broker starts on",
        ):
            on(
                url,
                lambda store: load_state(_Breaking(store, table), file, content, "state.jsonl"),
            )
    with pytest.raises(KeysError, match="an import into the store has not ended"):
        on(url, Sealing(RING).verify)

    other = exported.parent / "other.jsonl"
    filled(f"sqlite:///{exported.parent}/other.db", count=1)
    run(exported.parent, "db", "export", "other.jsonl", "--store", "sqlite:///other.db")
    assert "an import of another file has begun" in refused(exported.parent, "db", "import", str(other), "--store", url)

    run(exported.parent, "db", "import", "state.jsonl", "--store", url)
    on(url, Sealing(RING).verify)
    assert on(url, everything) == on(f"sqlite:///{exported.parent}/source.db", everything)


def test_the_note_of_the_keys_travels_and_that_of_the_import_does_not(exported: Path, url: str) -> None:
    run(exported.parent, "db", "import", "state.jsonl", "--store", url)
    source = f"sqlite:///{exported.parent}/source.db"
    assert on(url, lambda store: store.note(KEYS_NOTE)) == on(source, lambda store: store.note(KEYS_NOTE))
    assert not on(url, lambda store: store.note(IMPORT_NOTE))


def test_operations_that_a_worker_held_are_free_in_the_store_that_they_come_into(url: str, tmp_path: Path) -> None:
    rows = sample(RING, 2)
    held = {"worker": "somebody", "lease_until": 1e10}
    rows["operation"] = [
        msgspec.structs.replace(rows["operation"][0], **held),
        msgspec.structs.replace(rows["operation"][1], state="failed", finished_at=1.0, **held),
    ]
    source, file = f"sqlite:///{tmp_path}/source.db", io.BytesIO()
    on(source, lambda store: load(store, rows))
    on(source, lambda store: write_state(store, file), owner=False)
    file.seek(0)
    content = checked(file, "it")
    file.seek(0)
    on(url, lambda store: load_state(store, file, content, "it"), owner=False)
    due = on(url, lambda store: store.due(), owner=False)
    assert (due.unheld, due.left) == (("o-00000",), ("o-00001",))
