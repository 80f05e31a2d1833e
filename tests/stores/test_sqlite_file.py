"""SQLite: the file, who owns it, and what is wrong with it in a sentence."""

import asyncio
import importlib.resources
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import apsw
import pytest
from msgspec.structs import replace
from tests.stores.samples import instance, operation, write

from openbrokerapi.stores.contract import Due, StoreError, StoreInUseError
from openbrokerapi.stores.rows import TABLES
from openbrokerapi.stores.sqlite import database, migrating
from openbrokerapi.stores.sqlite.statements import SQL
from openbrokerapi.stores.sqlite.store import SqliteStore

FOLDER = importlib.resources.files("openbrokerapi.stores.sqlite")
OWN = """
import asyncio, sys
from openbrokerapi.stores.sqlite.store import SqliteStore
async def own():
    store = SqliteStore(sys.argv[1])
    await store.open()
    print("mine", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await store.close()
asyncio.run(own())
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def modes(folder: Path) -> set[int]:
    return {path.stat().st_mode & 0o777 for path in folder.iterdir()}


def schema(connection: apsw.Connection) -> dict[str, str]:
    rows = connection.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
    return {str(name): " ".join(str(sql).split()).replace("IF NOT EXISTS ", "") for name, sql in rows}


def migrated() -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    migrating.migrate(connection, lambda: 0.0)
    return connection


def test_the_schema_that_is_written_down_is_what_all_migrations_make() -> None:
    written = apsw.Connection(":memory:")
    written.execute(FOLDER.joinpath("schema.sql").read_text("utf-8"))
    assert schema(written) == schema(migrated())


@pytest.mark.parametrize("table", TABLES)
def test_the_columns_stand_in_the_order_of_the_fields(table: str) -> None:
    columns = [row[1] for row in migrated().execute(f"PRAGMA table_info({table})")]
    assert columns == list(TABLES[table].__struct_fields__)


def test_the_migrations_are_numbered_without_a_gap() -> None:
    numbers = [migration.number for migration in migrating.migrations()]
    assert numbers == list(range(1, len(numbers) + 1))


#: The operator's, and what is done once at the start; all others are for requests and workers.
LISTS = {"operations_in_progress", "operations_finished", "void_leases", "void_leases_of_ended"}


@pytest.mark.parametrize("name", sorted(SQL))
def test_a_statement_costs_the_same_however_many_rows_there_are(name: str) -> None:
    statement = SQL[name]
    if statement.startswith("INSERT INTO") and "SELECT" not in statement:
        return
    plan = migrated().execute(f"EXPLAIN QUERY PLAN {statement}", (None,) * statement.count("?"))
    details = [str(row[3]) for row in plan]
    assert details
    for detail in details:
        assert name in LISTS or not re.search("SCAN|TEMP B-TREE", detail), detail


async def test_it_flushes_each_commit_and_keeps_references(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "broker.db")
    await store.open()
    writing = store._connections[0]
    found = {name: writing.pragma(name) for name in ("journal_mode", "synchronous", "foreign_keys", "mmap_size")}
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "mmap_size": 0}
    await store.close()


async def test_only_its_user_may_read_the_file(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "broker.db")
    await store.open()
    await write(store, instance=instance())
    assert modes(tmp_path) == {0o600}
    await store.close()


async def test_the_folder_is_flushed_when_the_file_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[Path] = []
    monkeypatch.setattr(database, "flush_folder", flushed.append)
    for _ in range(2):
        store = SqliteStore(tmp_path / "broker.db")
        await store.open()
        await store.close()
    assert flushed == [tmp_path]


async def test_a_status_makes_no_file(tmp_path: Path) -> None:
    status = await SqliteStore(tmp_path / "broker.db").status()
    assert status.where == str(tmp_path / "broker.db")
    assert names(tmp_path) == []


async def test_nothing_of_a_closed_store_is_left_open(tmp_path: Path) -> None:
    descriptors = Path("/proc/self/fd")
    before = len(names(descriptors))
    for _ in range(3):
        store = SqliteStore(tmp_path / "broker.db")
        await store.open()
        await write(store, instance=instance())
        await store.close()
    assert len(names(descriptors)) == before
    assert names(tmp_path) == ["broker.db", "broker.db.lock"]


async def test_a_second_owner_is_told_who_the_first_one_is_and_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "broker.db"
    first = SqliteStore(path)
    await first.open()
    second = SqliteStore(path)
    with pytest.raises(StoreInUseError) as raised:
        await second.open()
    for part in (str(path), f"process {os.getpid()}", "stop that one", "PostgreSQL"):
        assert part in raised.value.operator_message
    await second.close()
    with pytest.raises(StoreInUseError):
        await SqliteStore(path).open()
    await first.close()
    await second.open()
    await second.close()


async def test_a_new_owner_finds_everything_free_and_what_ended_under_the_old_one_due(tmp_path: Path) -> None:
    path = tmp_path / "broker.db"
    first = SqliteStore(path)
    await first.open()
    await write(first, operations=(operation(worker="w1", attempt=1, lease_until=9e9),))
    ended = operation("ended", worker="w1", attempt=1, lease_until=9e9, state="failed", finished_at=5.0)
    await write(first, operations=(ended, operation("waits", lane="b1", blocked_by="ended")))
    beside = SqliteStore(path)
    await beside.open(owner=False)
    await beside.close()
    assert await first.due() == Due()
    await first.close()
    second = SqliteStore(path)
    await second.open()
    assert await second.due() == Due(unheld=("op1",), left=("ended",))
    assert await second.operation("op1") == operation(attempt=1)
    assert await second.operation("ended") == replace(ended, lease_until=None)
    claimed = await second.claim("op1", "w2", 10)
    assert claimed is not None
    assert claimed.attempt == 2
    await second.close()


async def test_another_name_of_the_file_is_the_same_file(tmp_path: Path) -> None:
    first = SqliteStore(tmp_path / "broker.db")
    await first.open()
    (tmp_path / "link.db").symlink_to(tmp_path / "broker.db")
    with pytest.raises(StoreInUseError):
        await SqliteStore(tmp_path / "link.db").open()
    await first.close()


def test_an_owner_that_is_killed_owns_nothing_any_more(tmp_path: Path) -> None:
    path = tmp_path / "broker.db"
    with subprocess.Popen(
        [sys.executable, "-c", OWN, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"mine\n"
        with pytest.raises(StoreInUseError, match=f"process {owner.pid} "):
            asyncio.run(SqliteStore(path).open())
        owner.send_signal(signal.SIGKILL)
        owner.wait(10)
    store = SqliteStore(path)

    async def use() -> None:
        await store.open()
        await store.close()

    asyncio.run(use())


async def test_a_store_that_cannot_be_opened_is_not_owned(tmp_path: Path) -> None:
    path = tmp_path / "broker.db"
    path.write_bytes(b"this is a letter, not a database" * 100)
    with pytest.raises(StoreError, match="is no SQLite database; name another file"):
        await SqliteStore(path).open()
    path.unlink()
    store = SqliteStore(path)
    await store.open()
    await store.close()


async def test_an_older_broker_that_runs_is_not_migrated_under(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "broker.db"
    running = SqliteStore(path)
    await running.open()
    newer = [*migrating.migrations(), migrating.Migration(2, "0002_next", "CREATE TABLE next (a)")]
    monkeypatch.setattr(migrating, "migrations", lambda: newer)
    monkeypatch.setattr("openbrokerapi.stores.sqlite.store.PATIENCE", 100)
    with pytest.raises(StoreInUseError):
        await SqliteStore(path).migrate()
    await running.close()
    assert await SqliteStore(path).migrate() == ["0002_next"]


async def test_a_migration_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = migrating.Migration(2, "0002_broken", "CREATE TABLE half (a); SELECT * FROM nowhere")
    newer = [*migrating.migrations(), broken]
    monkeypatch.setattr(migrating, "migrations", lambda: newer)
    store = SqliteStore(tmp_path / "broker.db")
    with pytest.raises(StoreError):
        await store.migrate()
    assert (await store.status()).version == 1
    connection = apsw.Connection(str(tmp_path / "broker.db"))
    assert not connection.table_exists(None, "half")
    connection.close()


async def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "missing" / "broker.db")
    for attempt in (store.open, store.migrate, store.status):
        with pytest.raises(StoreError, match=r"The folder .*missing of the store does not exist; make it"):
            await attempt()


async def test_a_folder_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is a folder; name a file in it"):
        await SqliteStore(tmp_path).open()


READ_ONLY = """
import asyncio, os, sys
from openbrokerapi.stores.contract import StoreError
from openbrokerapi.stores.sqlite.store import SqliteStore
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
for owner in (True, False):
    try:
        asyncio.run(SqliteStore(sys.argv[1]).open(owner=owner))
    except StoreError as error:
        print(error.operator_message)
"""


@pytest.mark.parametrize("there", [False, True])
def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, there: bool) -> None:
    folder = tmp_path / "broker"
    folder.mkdir()
    path = folder / "broker.db"
    if there:
        asyncio.run(SqliteStore(path).migrate())
        for made in folder.iterdir():
            made.chmod(0o444)
    _let_others_pass(folder)
    folder.chmod(0o555)
    try:
        done = subprocess.run(
            [sys.executable, "-c", READ_ONLY, str(path)], capture_output=True, text=True, timeout=60, check=False
        )
    finally:
        folder.chmod(0o755)
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 2
    for line in done.stdout.splitlines():
        assert str(folder) in line
        assert "let this user write" in line


def _let_others_pass(folder: Path) -> None:
    """Let another user come to a folder of the test's."""
    for parent in folder.parents:
        if parent.stat().st_uid != os.geteuid() or parent.stat().st_mode & 0o001:
            continue
        parent.chmod(parent.stat().st_mode | 0o011)
