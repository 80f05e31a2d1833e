"""SQLite: what waits together is flushed together, and nothing is answered before it is on the disk."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import apsw
import pytest
from msgspec.structs import replace
from tests.stores.disk import Disk
from tests.stores.samples import instance, write

from openbrokerapi.stores.contract import Change, Key, StoreError, View
from openbrokerapi.stores.sqlite import writer
from openbrokerapi.stores.sqlite.store import SqliteStore


@pytest.fixture
def disk() -> Iterator[Disk]:
    with Disk() as disk:
        yield disk


@asynccontextmanager
async def opened(path: Path, disk: Disk | None) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(path, vfs=disk.name if disk else None)
    await store.open()
    # The first commit into a new log flushes the log's head, too.
    await store.write_note("first", b"")
    try:
        if disk:
            disk.flushes = 0
        yield store
    finally:
        if disk:
            disk.let_go()
            disk.full = disk.broken = False
        await store.close()


async def under_way(disk: Disk) -> None:
    """Wait until a flush is held up."""
    assert await asyncio.to_thread(disk.reached.wait, 20)


def begin(store: SqliteStore, instance_id: str) -> "asyncio.Task[None]":
    return asyncio.create_task(write(store, instance_id, instance=instance(instance_id)))


async def ids(store: SqliteStore) -> set[str]:
    return {row.instance_id for row in await store.instances(limit=1000)}


async def test_changes_that_wait_together_share_one_flush(tmp_path: Path, disk: Disk) -> None:
    async with opened(tmp_path / "broker.db", disk) as store:
        disk.hold()
        first = begin(store, "first")
        await under_way(disk)
        waiting = [begin(store, f"i{n}") for n in range(50)]
        await asyncio.sleep(0)
        disk.let_go()
        await asyncio.gather(first, *waiting)
        assert disk.flushes == 2
        assert len(await ids(store)) == 51


async def test_changes_that_come_in_the_same_moment_share_one_flush(tmp_path: Path, disk: Disk) -> None:
    async with opened(tmp_path / "broker.db", disk) as store:
        await asyncio.gather(*(begin(store, f"i{n}") for n in range(50)))
        assert disk.flushes == 1


async def test_on_a_slow_disk_those_who_missed_a_flush_wait_for_those_who_come_back(tmp_path: Path, disk: Disk) -> None:
    async def change(store: SqliteStore, name: str) -> None:
        for number in range(10):
            await begin(store, f"{name}-{number}")

    async with opened(tmp_path / "broker.db", disk) as store:
        disk.delay = 0.005
        disk.hold()
        early = [asyncio.create_task(change(store, f"early{n}")) for n in range(4)]
        await under_way(disk)
        late = [asyncio.create_task(change(store, f"late{n}")) for n in range(4)]
        await asyncio.sleep(0)
        disk.let_go()
        await asyncio.gather(*early, *late)
        # In turns, the two groups would need one flush for each change of each: 20.
        assert 11 <= disk.flushes <= 15
        assert len(await ids(store)) == 80


async def test_on_a_slow_disk_nobody_waits_for_those_who_do_not_come_back(tmp_path: Path, disk: Disk) -> None:
    async with opened(tmp_path / "broker.db", disk) as store:
        disk.delay = 0.005
        await asyncio.gather(*(begin(store, f"i{n}") for n in range(20)))
        await begin(store, "alone")
        assert disk.flushes == 2


async def test_more_than_one_transaction_takes_are_carried_out_all_the_same(tmp_path: Path, disk: Disk) -> None:
    async with opened(tmp_path / "broker.db", disk) as store:
        await asyncio.gather(*(begin(store, f"i{n}") for n in range(600)))
        assert 1 < disk.flushes < 10
        assert len(await ids(store)) == 600


async def test_nothing_is_answered_or_shown_before_it_is_flushed(tmp_path: Path, disk: Disk) -> None:
    async with opened(tmp_path / "broker.db", disk) as store:
        disk.hold()
        change = begin(store, "i1")
        await under_way(disk)
        assert await store.instance("i1") is None
        assert not change.done()
        disk.let_go()
        await change
        assert await store.instance("i1") == instance()


class NotThisOneError(Exception):
    pass


async def look(store: SqliteStore) -> View:
    return await store.change(Key("i1"), lambda view: Change(result=view))


async def refuse(store: SqliteStore) -> None:
    def decide(view: View) -> Change[None]:
        assert view.instance is not None
        raise NotThisOneError

    await store.change(Key("i1"), decide)


@pytest.mark.parametrize("broken", [False, True])
async def test_who_has_seen_what_is_not_flushed_yet_waits_for_it(tmp_path: Path, disk: Disk, broken: bool) -> None:
    async with opened(tmp_path / "broker.db", disk) as store:
        disk.hold()
        disk.broken = broken
        tasks = [begin(store, "i1"), asyncio.create_task(look(store)), asyncio.create_task(refuse(store))]
        await under_way(disk)
        assert not any(task.done() for task in tasks)
        disk.let_go()
        written, seen, refused = await asyncio.gather(*tasks, return_exceptions=True)
        if broken:
            assert {type(answer) for answer in (written, seen, refused)} == {StoreError}
        else:
            assert written is None
            assert isinstance(seen, View)
            assert seen.instance == instance()
            assert isinstance(refused, NotThisOneError)


async def test_who_reads_and_writes_nothing_needs_no_flush(tmp_path: Path, disk: Disk) -> None:
    async with opened(tmp_path / "broker.db", disk) as store:
        await asyncio.gather(*(look(store) for _ in range(10)))
        assert not await store.report("op1", 1, "nobody")
        assert disk.flushes == 0


async def test_a_flush_that_fails_is_an_error_for_all_who_waited_and_for_nobody_else(
    tmp_path: Path, disk: Disk
) -> None:
    path = tmp_path / "broker.db"
    async with opened(path, disk) as store:
        await begin(store, "before")
        disk.broken = True
        answers = await asyncio.gather(*(begin(store, f"i{n}") for n in range(10)), return_exceptions=True)
        assert {type(answer) for answer in answers} == {StoreError}
        assert await ids(store) == {"before"}
        disk.broken = False
        await begin(store, "after")
        assert await ids(store) == {"before", "after"}
    async with opened(path, disk) as store:
        assert await ids(store) == {"before", "after"}


async def test_a_full_disk_is_said_and_what_was_answered_stays(tmp_path: Path, disk: Disk) -> None:
    path = tmp_path / "broker.db"
    async with opened(path, disk) as store:
        await begin(store, "before")
        disk.full = True
        answers = await asyncio.gather(*(begin(store, f"i{n}") for n in range(10)), return_exceptions=True)
        for answer in answers:
            assert isinstance(answer, StoreError)
            assert "the disk is full; make room" in answer.operator_message
        disk.full = False
        await begin(store, "after")
        assert await ids(store) == {"before", "after"}
    async with opened(path, disk) as store:
        assert await ids(store) == {"before", "after"}


async def test_a_file_that_cannot_grow_in_the_middle_of_a_batch_fails_what_it_took_back(
    tmp_path: Path, disk: Disk
) -> None:
    async with opened(tmp_path / "broker.db", disk) as store:
        await begin(store, "before")
        writing = store._connections[0]
        writing.pragma("max_page_count", writing.pragma("page_count") + 5)
        big = [instance(f"i{n}", request=b"x" * 3000) for n in range(30)]
        answers = await asyncio.gather(
            *(write(store, row.instance_id, instance=row) for row in big), return_exceptions=True
        )
        refused = {row.instance_id for row, answer in zip(big, answers, strict=True) if answer is not None}
        assert refused
        assert all(answer is None or isinstance(answer, StoreError) for answer in answers)
        assert await ids(store) == {"before"} | {row.instance_id for row in big} - refused
        writing.pragma("max_page_count", 1_000_000)
        await asyncio.gather(*(write(store, row.instance_id, instance=row) for row in big))
        assert len(await ids(store)) == 31


async def test_a_change_that_fails_half_way_makes_the_others_of_its_batch_neither_fail_nor_run_twice(
    tmp_path: Path, disk: Disk
) -> None:
    async with opened(tmp_path / "broker.db", disk) as store:
        await write(store, instance=instance(name="0"))
        disk.flushes = 0

        def count_up(view: View) -> Change[str]:
            assert view.instance is not None
            assert view.instance.name is not None
            name = str(int(view.instance.name) + 1)
            return Change(result=name, instance=replace(view.instance, name=name))

        half = Change(result=None, instance=instance("i2"), bindings=(object(),))  # type: ignore[arg-type]
        answers = await asyncio.gather(
            store.change(Key("i1"), count_up),
            store.change(Key("i2"), lambda _: half),
            store.change(Key("i1"), count_up),
            return_exceptions=True,
        )
        assert (answers[0], answers[2]) == ("1", "2")
        assert isinstance(answers[1], TypeError)
        assert await ids(store) == {"i1"}
        assert disk.flushes == 1
        # What the failure made necessary is over with its batch.
        executed: list[str] = []
        store._connections[0].trace_v2(apsw.SQLITE_TRACE_STMT, lambda event: executed.append(event["sql"]))
        await begin(store, "i3")
        assert executed[0] == "BEGIN IMMEDIATE"
        assert not [statement for statement in executed if "SAVEPOINT" in statement]


async def test_the_loop_goes_on_while_another_process_writes(tmp_path: Path) -> None:
    path = tmp_path / "broker.db"
    # On the system's own: a file system in Python keeps the loop from running while SQLite waits.
    async with opened(path, None) as store:
        other = apsw.Connection(str(path))
        other.execute("BEGIN IMMEDIATE")
        changes = [begin(store, f"i{n}") for n in range(5)]
        longest = 0.0
        for _ in range(50):
            begun = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - begun)
        assert not any(change.done() for change in changes)
        assert longest < 1.0
        other.execute("COMMIT")
        other.close()
        await asyncio.gather(*changes)
        assert len(await ids(store)) == 5


async def test_another_process_that_writes_for_too_long_is_an_error(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "PATIENCE", 50)
    path = tmp_path / "broker.db"
    async with opened(path, disk) as store:
        other = apsw.Connection(str(path))
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="is being written by another process"):
            await begin(store, "i1")
        other.close()
        await begin(store, "i1")


async def test_a_caller_who_has_gone_before_its_turn_is_not_served(tmp_path: Path, disk: Disk) -> None:
    async with opened(tmp_path / "broker.db", disk) as store:
        disk.hold()
        first = begin(store, "first")
        await under_way(disk)
        gone, stays = begin(store, "gone"), begin(store, "stays")
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        disk.let_go()
        await asyncio.gather(first, stays)
        assert await ids(store) == {"first", "stays"}
