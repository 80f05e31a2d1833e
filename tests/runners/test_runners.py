"""What a runner does with operations: within the process beside SQLite, and by way of a queue in PostgreSQL."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from tests.stores.postgresql import Server, on_a_loop

from openbrokerapi.managed.runner import Runner
from openbrokerapi.managed.runners.embedded import EmbeddedRunner
from openbrokerapi.managed.runners.queued import QueuedRunner
from openbrokerapi.stores.contract import Change, Key, Store
from openbrokerapi.stores.postgres.store import PostgresStore
from openbrokerapi.stores.rows import OperationRow
from openbrokerapi.stores.sqlite.store import SqliteStore

CONCURRENCY = 3


class Work:
    """What a runner is given to run: it notes what runs, and ends when it may."""

    def __init__(self) -> None:
        self.begun: Counter[str] = Counter()
        self.running = 0
        self.most = 0
        self.ended = 0
        self.fails: set[str] = set()
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def run(self, operation_id: str) -> None:
        self.begun[operation_id] += 1
        self.running += 1
        self.most = max(self.most, self.running)
        await self.may_end.wait()
        self.running -= 1
        self.ended += 1
        if operation_id in self.fails:
            raise RuntimeError("planted")

    async def until(self, reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while not reached():
            assert time.monotonic() < deadline, (self.begun, self.running, self.ended)
            await asyncio.sleep(0.005)


StoreOf = TypeVar("StoreOf", bound=Store)


class Host:
    """A store, a runner, and what it runs."""

    def __init__(self, store: Store, runner: Runner) -> None:
        self.store = store
        self.runner = runner
        self.work = Work()

    async def begin(self, *operation_ids: str) -> None:
        rows = tuple(
            OperationRow(operation_id=name, instance_id=name, kind="provision", created_at=1.0)
            for name in operation_ids
        )
        await self.store.change(Key("i"), lambda _: Change(result=None, operations=rows, begin=operation_ids))
        if self.store.defer is None:
            self.runner.begin(operation_ids)

    async def end(self) -> None:
        self.work.may_end.set()
        await self.runner.stop()
        await self.runner.join()
        await self.store.close()


MakeHost = Callable[[], AbstractAsyncContextManager[Host]]


@pytest.fixture(params=["embedded", "queued"])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> MakeHost:
    """Makes a host; each has a runner of its own on the same store."""
    if request.param == "embedded":
        return lambda: _host(SqliteStore(tmp_path / "broker.db"), lambda _: EmbeddedRunner(CONCURRENCY))
    url = request.getfixturevalue("database")
    return lambda: queued_host(url)


def queued_host(url: str, poll: float = 5.0) -> AbstractAsyncContextManager[Host]:
    return _host(PostgresStore(url), lambda store: QueuedRunner(store, concurrency=CONCURRENCY, poll=poll))


@asynccontextmanager
async def _host(store: StoreOf, make: Callable[[StoreOf], Runner]) -> AsyncIterator[Host]:
    host = Host(store, make(store))
    await store.open()
    await host.runner.start(host.work.run)
    try:
        yield host
    finally:
        await asyncio.wait_for(host.end(), 20)


def names(count: int, prefix: str = "o") -> Sequence[str]:
    return [f"{prefix}{number}" for number in range(count)]


@on_a_loop
async def test_each_operation_that_is_begun_is_run_once(host: MakeHost) -> None:
    async with host() as one:
        await asyncio.gather(*(one.begin(f"{name}a", f"{name}b") for name in names(20)))
        await one.work.until(lambda: one.work.ended >= 40)
        await one.runner.stop()
        await one.runner.join()
        assert set(one.work.begun.values()) == {1}
        assert len(one.work.begun) == 40


@on_a_loop
async def test_no_more_run_at_once_than_are_allowed_and_all_run(host: MakeHost) -> None:
    async with host() as one:
        one.work.may_end.clear()
        await one.begin(*names(12))
        await one.work.until(lambda: one.work.running == CONCURRENCY)
        # Each had its chance to begin.
        await asyncio.sleep(0.2)
        assert one.work.most == CONCURRENCY
        one.work.may_end.set()
        await one.work.until(lambda: one.work.ended == 12)
        assert one.work.most == CONCURRENCY


@on_a_loop
async def test_they_are_begun_in_the_order_in_which_they_came(host: MakeHost) -> None:
    async with host() as one:
        one.work.may_end.clear()
        for name in names(10):
            await one.begin(name)
        await one.work.until(lambda: one.work.running == CONCURRENCY)
        one.work.may_end.set()
        await one.work.until(lambda: one.work.ended == 10)
        assert list(one.work.begun)[:CONCURRENCY] == list(names(CONCURRENCY))


@on_a_loop
async def test_when_it_is_stopped_it_begins_no_more_and_waits_for_what_runs(host: MakeHost) -> None:
    async with host() as one:
        one.work.may_end.clear()
        await one.begin(*names(10))
        await one.work.until(lambda: one.work.running == CONCURRENCY)
        await asyncio.wait_for(one.runner.stop(), 1)
        joined = asyncio.ensure_future(one.runner.join())
        await asyncio.wait([joined], timeout=0.2)
        assert not joined.done()
        one.work.may_end.set()
        await asyncio.wait_for(joined, 10)
        assert (one.work.ended, one.work.running) == (CONCURRENCY, 0)


@on_a_loop
async def test_what_is_handed_over_again_after_the_queue_lost_it_is_run(host: MakeHost) -> None:
    async with host() as one:
        one.work.may_end.clear()
        await one.begin(*names(10))
        await one.work.until(lambda: one.work.running == CONCURRENCY)
        await one.runner.stop()
        one.work.may_end.set()
        await one.runner.join()
        begun = set(one.work.begun)
        if isinstance(one.store, PostgresStore):
            await one.store.run(
                lambda connection: connection.execute(
                    "TRUNCATE openbroker.procrastinate_jobs, openbroker.procrastinate_workers CASCADE"
                )
            )
        await one.store.close()
        async with host() as other:
            left = [name for name in (await other.store.due()).unheld if name not in begun]
            assert len(left) == 7
            other.runner.begin(left)
            await other.work.until(lambda: other.work.ended == 7)
            assert set(other.work.begun) == set(left)


@on_a_loop
async def test_what_was_rolled_back_is_never_run(host: MakeHost) -> None:
    async with host() as one:
        await one.begin("first")
        clash = tuple(
            OperationRow(operation_id=name, instance_id="same", kind="provision", created_at=1.0) for name in "ab"
        )
        with pytest.raises(Exception, match=r"."):
            await one.store.change(Key("same"), lambda _: Change(result=None, operations=clash, begin=("a", "b")))
        await one.begin("last")
        await one.work.until(lambda: one.work.ended == 2)
        assert set(one.work.begun) == {"first", "last"}


@on_a_loop
async def test_work_that_raises_does_not_stop_the_others(host: MakeHost, caplog: pytest.LogCaptureFixture) -> None:
    async with host() as one:
        one.work.fails = {"o0", "o1", "o2"}
        await one.begin(*names(9))
        await one.work.until(lambda: one.work.ended == 9)
    assert [record.levelname for record in caplog.records] == ["ERROR"] * 3


@pytest.mark.parametrize("seconds", [0.0, pytest.param(2.0, marks=pytest.mark.slow)])
def test_the_queue_goes_on_by_itself_after_an_outage(
    own_postgresql: Server, seconds: float, caplog: pytest.LogCaptureFixture
) -> None:
    @on_a_loop
    async def scenario() -> None:
        # Nothing but the worker's own recovery may help: it does not look by itself within the time.
        async with queued_host(own_postgresql.url, poll=600) as one, queued_host(own_postgresql.url, poll=600) as two:
            await one.begin("before")
            await one.work.until(lambda: one.work.ended + two.work.ended == 1)
            own_postgresql.stop_hard()
            during = asyncio.ensure_future(one.begin("during"))
            await asyncio.sleep(seconds)
            own_postgresql.start_again()
            await during
            await one.begin("after")
            await one.work.until(lambda: one.work.ended + two.work.ended == 3)
            assert one.work.begun + two.work.begun == Counter(["before", "during", "after"])

    scenario()
    ours = [record.getMessage() for record in caplog.records if record.levelname in ("WARNING", "ERROR")]
    assert len(ours) <= 4, ours
    assert all("Waiting for it" in text or "is back after" in text for text in ours), ours


@on_a_loop
async def test_a_runner_can_be_stopped_while_the_database_is_away(own_postgresql: Server) -> None:
    store = PostgresStore(own_postgresql.url, patience=1.0)
    runner = QueuedRunner(store)
    await store.open()
    await runner.start(Work().run)
    await asyncio.sleep(0.2)
    own_postgresql.stop_hard()
    await asyncio.sleep(0.2)
    await runner.stop()
    await asyncio.wait_for(runner.join(), 10)
    await store.close()


@on_a_loop
async def test_two_replicas_share_the_work_and_run_nothing_twice(database: str) -> None:
    async with queued_host(database) as one, queued_host(database) as two:
        for host in (one, two):
            host.work.may_end.clear()
        await asyncio.gather(*(one.begin(name) for name in names(2 * CONCURRENCY)))
        await one.work.until(lambda: one.work.running == two.work.running == CONCURRENCY)
        for host in (one, two):
            host.work.may_end.set()
        await one.work.until(lambda: one.work.ended + two.work.ended == 2 * CONCURRENCY)
        assert set((one.work.begun + two.work.begun).values()) == {1}


@on_a_loop
async def test_an_operation_that_waits_in_the_queue_already_is_not_put_there_twice(database: str) -> None:
    async with queued_host(database) as one:
        one.work.may_end.clear()
        await one.begin(*names(CONCURRENCY + 10))
        await one.work.until(lambda: one.work.running == CONCURRENCY)
        last = f"o{CONCURRENCY + 9}"
        for _ in range(3):
            one.runner.begin([last])
        rewrite = Change(result=None, begin=(last,))
        await one.store.change(Key("i"), lambda _: rewrite)
        one.work.may_end.set()
        await one.work.until(lambda: one.work.ended == CONCURRENCY + 10)
        assert set(one.work.begun.values()) == {1}


@on_a_loop
async def test_a_worker_that_was_taken_for_dead_goes_on(database: str) -> None:
    async with queued_host(database) as one:
        await one.begin("before")
        await one.work.until(lambda: one.work.ended == 1)
        # What another worker does when it starts, and this one was not heard of for 30 s.
        assert isinstance(one.store, PostgresStore)
        await one.store.run(lambda connection: connection.execute("DELETE FROM openbroker.procrastinate_workers"))
        await one.begin("after")
        await one.work.until(lambda: one.work.ended == 2)
