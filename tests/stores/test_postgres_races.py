"""What workers on several replicas write while transactions about the same operation are made."""

import asyncio
from collections.abc import Callable

from msgspec.structs import replace
from tests.stores.postgresql import on_a_loop

from openbrokerapi.stores.contract import Change, Count, Key, View
from openbrokerapi.stores.postgres.store import PostgresStore
from openbrokerapi.stores.rows import InstanceRow, OperationRow, StepRow

TURNS = 150


SLOW = """
CREATE FUNCTION openbroker.slow() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_sleep(0.5); RETURN new; END';
CREATE TRIGGER slow BEFORE INSERT ON openbroker.step FOR EACH ROW EXECUTE FUNCTION openbroker.slow();
"""
ASLEEP = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"


async def until_asleep(store: PostgresStore) -> None:
    async with asyncio.timeout(20):
        while True:
            found = await store.run(lambda connection: connection.execute(ASLEEP))
            if (await found.fetchall())[0][0]:
                return


async def begin(store: PostgresStore) -> None:
    row = OperationRow(operation_id="o", instance_id="i", kind="provision", created_at=1.0)
    await store.change(Key("i"), lambda _: Change(result=None, operations=(row,)))


def describe(text: str) -> Callable[[View], Change[None]]:
    return lambda view: Change(result=None, operations=tuple(replace(row, description=text) for row in view.active))


@on_a_loop
async def test_a_change_puts_back_nothing_that_a_worker_has_written_meanwhile(database: str) -> None:
    one, two = PostgresStore(database), PostgresStore(database)
    await begin(one)

    async def claim() -> list[OperationRow | None]:
        return [await two.claim("o", f"w{turn}", 0.0) for turn in range(TURNS)]

    async def change() -> None:
        for turn in range(TURNS):
            await one.change(Key("i"), describe(f"{turn}"))

    claimed, _ = await asyncio.gather(claim(), change())
    attempts = [row.attempt for row in claimed if row is not None]
    assert attempts == list(range(1, TURNS + 1))
    for store in (one, two):
        await store.close()


@on_a_loop
async def test_whoever_takes_an_operation_over_sees_a_step_that_was_being_written(database: str) -> None:
    one, two = PostgresStore(database), PostgresStore(database)
    await begin(one)
    assert await one.claim("o", "old", 0.0) is not None
    # The writing takes long: the operation is looked at first, and the step is written afterwards.
    await one.run(lambda connection: connection.execute(SLOW, prepare=False))
    writing = asyncio.ensure_future(one.remember(StepRow(operation_id="o", name="s", done=True), 1))
    await until_asleep(two)
    taken = await two.claim("o", "new", 10.0)
    assert taken is not None
    seen = [step.name for step in await two.steps("o")]
    assert (await writing, seen) == (True, ["s"])
    assert not await one.remember(StepRow(operation_id="o", name="late", done=True), 1)
    for store in (one, two):
        await store.close()


@on_a_loop
async def test_what_is_counted_is_never_more_than_was_allowed(database: str) -> None:
    stores = [PostgresStore(database) for _ in range(2)]
    counts = (Count(plan_id="p"), Count(organization_guid="g"), Count(service_id="s", plan_id="p"))

    def unless_five(name: str) -> Callable[[View], Change[bool]]:
        row = InstanceRow(
            instance_id=name,
            service_id="s",
            plan_id="p",
            state="ready",
            organization_guid="g",
            request=b"",
            created_at=1.0,
            updated_at=1.0,
        )
        return lambda view: Change(result=max(view.counts) < 5, instance=row if max(view.counts) < 5 else None)

    def orders(name: str, number: int) -> Key:
        return Key(name, counts=counts if number % 2 else counts[::-1])

    made = await asyncio.gather(*(stores[n % 2].change(orders(f"i{n}", n), unless_five(f"i{n}")) for n in range(40)))
    assert sum(made) == 5
    assert len(await stores[0].instances()) == 5
    for store in stores:
        await store.close()


@on_a_loop
async def test_sealing_anew_is_not_undone_by_a_change_under_way(database: str) -> None:
    store = PostgresStore(database)
    row = InstanceRow(
        instance_id="i", service_id="s", plan_id="p", state="ready", request=b"0", created_at=1.0, updated_at=1.0
    )
    await store.change(Key("i"), lambda _: Change(result=None, instance=row))

    def touch(view: View) -> Change[None]:
        assert view.instance is not None
        return Change(result=None, instance=replace(view.instance, updated_at=view.instance.updated_at + 1))

    async def touching() -> None:
        for _ in range(TURNS):
            await store.change(Key("i"), touch)

    async def sealing() -> None:
        for turn in range(TURNS):
            before = await store.instance("i")
            assert before is not None
            count = await store.reseal("instance", [(before, replace(before, request=b"%d" % (turn + 1)))])
            assert count == 1

    await asyncio.gather(touching(), sealing())
    after = await store.instance("i")
    assert after is not None
    assert (after.request, after.updated_at) == (b"%d" % TURNS, 1.0 + TURNS)
    await store.close()
