"""A store whose database goes away, in the middle of anything, and comes back."""

import asyncio
import logging
import re
import time
from collections.abc import Callable

import pytest
from tests.stores.postgresql import Server, on_a_loop
from tests.stores.wires import Wire

from openbrokerapi.stores.contract import Change, Key, StoreError, View
from openbrokerapi.stores.postgres import transaction
from openbrokerapi.stores.postgres.store import PostgresStore
from openbrokerapi.stores.rows import Event, OperationRow

LEASE = 3.0


def note(what: str, seen: list[View] | None = None) -> Callable[[View], Change[str]]:
    """Write one event; remember how often it was decided."""

    def decide(view: View) -> Change[str]:
        if seen is not None:
            seen.append(view)
        return Change(result=what, events=(Event(at=1.0, instance_id="i", what=what),))

    return decide


def begun(operation_id: str) -> Callable[[View], Change[None]]:
    row = OperationRow(operation_id=operation_id, instance_id=operation_id, kind="provision", created_at=1.0)
    return lambda _: Change(result=None, operations=(row,))


async def events_of(store: PostgresStore) -> list[str]:
    return [event.what for event in await store.events("i")]


@on_a_loop
async def test_a_change_waits_for_a_database_that_is_away_and_is_made_once(own_postgresql: Server) -> None:
    store = PostgresStore(own_postgresql.url)
    await store.open()
    own_postgresql.stop_hard()
    waiting = [asyncio.ensure_future(store.change(Key("i"), note(f"e{number}"))) for number in range(20)]
    await asyncio.sleep(0.5)
    assert not any(task.done() for task in waiting)
    own_postgresql.start_again()
    assert await asyncio.gather(*waiting) == [f"e{number}" for number in range(20)]
    assert sorted(await events_of(store)) == sorted(f"e{number}" for number in range(20))
    await store.close()


@on_a_loop
async def test_when_the_patience_is_over_the_operator_is_told_and_nothing_is_stuck(own_postgresql: Server) -> None:
    store = PostgresStore(own_postgresql.url, patience=0.5)
    await store.open()
    own_postgresql.stop_hard()
    begin = time.monotonic()
    with pytest.raises(StoreError, match="cannot be reached") as refused:
        await store.change(Key("i"), note("lost"))
    assert time.monotonic() - begin < 3
    password = re.search(r":([^:@]+)@", own_postgresql.url)
    assert password is not None
    assert password[1] not in refused.value.operator_message
    own_postgresql.start_again()
    assert await store.change(Key("i"), note("kept")) == "kept"
    assert await events_of(store) == ["kept"]
    await store.close()


@on_a_loop
async def test_all_that_was_answered_is_there_after_a_crash_of_the_server(own_postgresql: Server) -> None:
    store = PostgresStore(own_postgresql.url)
    await store.open()
    answered: list[str] = []

    async def client(number: int) -> None:
        for turn in range(60):
            answered.append(await store.change(Key(f"i{number}"), note(f"{number}-{turn}")))  # noqa: PERF401

    clients = [asyncio.ensure_future(client(number)) for number in range(8)]
    while len(answered) < 100:  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    own_postgresql.stop_hard()
    own_postgresql.start_again()
    await asyncio.gather(*clients)
    written = [event.what for event in await store.events("i", limit=1000)]
    assert sorted(written) == sorted(answered)
    assert len(answered) == 480
    await store.close()


@pytest.mark.parametrize("heard", [True, False], ids=["its answer is lost", "it is lost itself"])
def test_a_commit_whose_connection_is_lost_is_made_exactly_once(database: str, heard: bool) -> None:
    @on_a_loop
    async def scenario() -> None:
        port = re.search(r"127\.0\.0\.1:(\d+)", database)
        assert port is not None
        seen: list[View] = []
        async with Wire(int(port[1]), b"COMMIT\0", heard=heard) as wire:
            # Not prepared, so that the word is on the wire each time.
            store = PostgresStore(database.replace(port[1], str(wire.port)), prepares=False)
            assert await store.change(Key("i"), note("once", seen)) == "once"
            assert await events_of(store) == ["once"]
            await store.close()
        assert wire.cuts == 1
        # What is known to be committed is not decided again: by then it might be refused.
        assert len(seen) == (1 if heard else 2)

    scenario()


@pytest.mark.parametrize("heard", [True, False], ids=["its answer is lost", "it is lost itself"])
def test_a_claim_whose_connection_is_lost_is_counted_once(database: str, heard: bool) -> None:
    @on_a_loop
    async def scenario() -> None:
        port = re.search(r"127\.0\.0\.1:(\d+)", database)
        assert port is not None
        direct = PostgresStore(database)
        await direct.change(Key("o"), begun("o"))
        async with Wire(int(port[1]), b"attempt = attempt +", heard=heard) as wire:
            store = PostgresStore(database.replace(port[1], str(wire.port)), prepares=False)
            claimed = await store.claim("o", "w", LEASE)
            assert claimed is not None
            assert (claimed.attempt, claimed.worker) == (1, "w")
            await store.close()
        await direct.close()

    scenario()


@on_a_loop
async def test_a_transaction_that_is_frozen_in_the_middle_frees_the_instance_and_is_made_once(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "IDLE_LIMIT", 0.2)
    store = PostgresStore(database)
    seen: list[View] = []

    def decide(view: View) -> Change[str]:
        if not seen:
            time.sleep(0.6)  # the whole process stands still, and the server ends the transaction
        return note("woken", seen)(view)

    assert await store.change(Key("i"), decide) == "woken"
    assert len(seen) == 2
    assert await events_of(store) == ["woken"]
    await store.close()


@pytest.mark.slow
@on_a_loop
async def test_after_an_outage_each_lease_lasts_its_whole_length_once_more(own_postgresql: Server) -> None:
    ahead = [0.0]
    owner, other = PostgresStore(own_postgresql.url), PostgresStore(own_postgresql.url, shift=lambda: ahead[0])
    await owner.open()
    await other.open()
    for name in ("o", "p"):
        await owner.change(Key(name), begun(name))
    assert await owner.claim("o", "w", LEASE) is not None
    own_postgresql.stop_hard()
    await asyncio.sleep(LEASE)
    own_postgresql.start_again()
    # Nobody could renew it: whoever began it still works on it.
    assert (await other.due()).unheld == ("p",)
    assert await other.claim("o", "x", LEASE) is None
    assert await owner.beat("w", LEASE, ["o"]) == {"o"}
    # A replica that never saw the outage knows of it, too.
    fresh = PostgresStore(own_postgresql.url)
    assert (await fresh.due()).unheld == ("p",)
    ahead[0] = 2 * LEASE + 60
    assert set((await other.due()).unheld) == {"o", "p"}
    taken = await other.claim("o", "x", LEASE)
    assert taken is not None
    assert taken.attempt == 2
    for store in (owner, other, fresh):
        await store.close()


@on_a_loop
async def test_an_outage_is_reported_once_when_it_begins_and_once_when_it_is_over(
    own_postgresql: Server, caplog: pytest.LogCaptureFixture
) -> None:
    store = PostgresStore(own_postgresql.url)
    await store.open()
    await asyncio.gather(*(store.change(Key(f"i{number}"), note("before")) for number in range(10)))
    with caplog.at_level(logging.WARNING):
        waiting = [asyncio.ensure_future(store.change(Key("i"), note("e"))) for _ in range(20)]
        await asyncio.sleep(0)
        own_postgresql.stop_hard()
        waiting += [asyncio.ensure_future(store.change(Key("i"), note("e"))) for _ in range(5)]
        await asyncio.sleep(1)
        own_postgresql.start_again()
        await asyncio.gather(*waiting)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert said[0].endswith("Waiting for it.")
    assert "is back after" in said[1]
    await store.close()


@on_a_loop
async def test_a_caller_that_is_cancelled_leaves_nothing_behind(database: str) -> None:
    store = PostgresStore(database, size=1)
    for turn in range(20):
        task = asyncio.ensure_future(store.change(Key("i"), note(f"{turn}")))
        await asyncio.sleep(turn / 4000)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert await asyncio.wait_for(store.change(Key("i"), note("last")), 5) == "last"
    await store.close()
