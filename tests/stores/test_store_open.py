"""Opening a store, and bringing its tables up to date."""

import asyncio

import pytest
from tests.stores.places import Place
from tests.stores.samples import instance, write

from openbrokerapi.stores.contract import SchemaMismatchError, Store, StoreError


async def test_an_empty_place_has_no_version_and_everything_before_it(empty_place: Place) -> None:
    status = await empty_place.store().status()
    assert status.version == 0
    assert status.pending
    assert not status.unknown


async def test_what_is_missing_is_migrated_once(empty_place: Place) -> None:
    store = empty_place.store()
    missing = list((await store.status()).pending)
    assert await store.migrate() == missing
    assert await store.migrate() == []
    assert await empty_place.store().migrate() == []
    status = await store.status()
    assert status.version > 0
    assert (status.pending, status.unknown) == ((), False)


async def test_two_who_migrate_at_once_do_it_once(empty_place: Place) -> None:
    missing = list((await empty_place.store().status()).pending)
    answers = await asyncio.gather(empty_place.store().migrate(), empty_place.store().migrate())
    assert sorted(answers, key=len) == [[], missing]


async def test_opening_makes_the_tables(empty_place: Place) -> None:
    store = empty_place.store()
    await store.open()
    await write(store, instance=instance())
    await store.close()
    assert (await store.status()).pending == ()


async def test_what_was_written_is_there_when_the_store_is_opened_again(place: Place) -> None:
    for number in range(3):
        store = place.store()
        await store.open()
        assert len(await store.instances()) == number
        await write(store, f"i{number}", instance=instance(f"i{number}"))
        await store.close()


async def test_one_store_can_be_opened_and_closed_and_opened_again(place: Place) -> None:
    store = place.store()
    for _ in range(2):
        await store.open()
        await write(store, instance=instance())
        await store.close()
        await store.close()


async def test_tables_of_a_newer_program_are_refused(place: Place) -> None:
    await place.store().migrate()
    place.be_newer()
    store = place.store()
    with pytest.raises(SchemaMismatchError) as raised:
        await store.open()
    assert "newer" in raised.value.operator_message
    with pytest.raises(SchemaMismatchError):
        await place.store().migrate()
    assert (await store.status()).unknown
    await store.close()


async def test_an_operators_command_works_beside_the_broker(store: Store, place: Place) -> None:
    beside = place.store()
    await beside.open(owner=False)
    try:
        for number in range(10):
            await asyncio.gather(
                write(store, instance=instance(name=f"{number}")),
                beside.write_note("note", str(number).encode()),
                write(beside, "i2", instance=instance("i2", name=f"{number}")),
            )
            assert await store.note("note") == str(number).encode()
            found = await beside.instance("i1")
            assert found is not None
            assert found.name == f"{number}"
    finally:
        await beside.close()


async def test_closing_finishes_what_is_under_way(place: Place) -> None:
    store = place.store()
    await store.open()
    written = [asyncio.create_task(write(store, f"i{n}", instance=instance(f"i{n}"))) for n in range(50)]
    await asyncio.sleep(0)
    await store.close()
    answers = await asyncio.gather(*written, return_exceptions=True)
    done = {f"i{n}" for n, answer in enumerate(answers) if answer is None}
    assert all(answer is None or isinstance(answer, StoreError) for answer in answers)
    await store.open()
    assert {row.instance_id for row in await store.instances()} >= done
    await store.close()


async def test_a_store_that_is_closed_says_so(place: Place) -> None:
    store = place.store()
    await store.open()
    await store.close()
    with pytest.raises(StoreError):
        await store.instance("i1")
    with pytest.raises(StoreError):
        await write(store, instance=instance())
