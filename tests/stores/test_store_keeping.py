"""What the operator's commands do: lists, old rows, export and import, other seals, notes."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.stores.places import Place, PostgresqlPlace, SqlitePlace
from tests.stores.samples import binding, event, full_operation, instance, operation, step, write

from openbrokerapi.stores.contract import Change, Count, Key, Store, StoreError
from openbrokerapi.stores.rows import KEYS, TABLES, Row


async def test_events_come_the_latest_first(store: Store) -> None:
    for n in range(5):
        await write(store, f"i{n % 2}", events=(event(f"i{n % 2}", what=f"{n} a"), event(f"i{n % 2}", what=f"{n} b")))
    found = await store.events()
    assert [each.what for each in found] == ["4 b", "4 a", "3 b", "3 a", "2 b", "2 a", "1 b", "1 a", "0 b", "0 a"]
    assert [each.number for each in found] == sorted({each.number for each in found}, reverse=True)
    assert replace(found[-1], number=0) == event("i0", what="0 a")
    of_one = await store.events("i1", limit=3)
    assert [each.what for each in of_one] == ["3 b", "3 a", "1 b"]
    assert await store.events("i1", before=of_one[-1].number) == [each for each in found if each.what == "1 a"]
    assert [each.what for each in await store.events(before=found[7].number)] == ["0 b", "0 a"]
    assert await store.events("i9") == []


async def test_an_event_with_nothing_optional_comes_back_as_it_was_written(store: Store) -> None:
    bare = event(binding_id=None, operation_id=None, who=None, detail=None)
    await write(store, events=(bare,))
    assert [replace(each, number=0) for each in await store.events()] == [bare]


async def test_operations_are_listed_by_whether_they_are_in_progress(store: Store) -> None:
    for n in range(4):
        active = operation(f"active{n}", f"i{n}", created_at=100.0 - n)
        ended = operation(f"ended{n}", f"i{n}", state="failed", finished_at=50.0 - n)
        await write(store, f"i{n}", operations=(active, ended))
    in_progress = await store.operations(in_progress=True)
    assert [row.operation_id for row in in_progress] == ["active3", "active2", "active1", "active0"]
    assert in_progress[0] == operation("active3", "i3", created_at=97.0)
    finished = await store.operations(in_progress=False, limit=3)
    assert [row.operation_id for row in finished] == ["ended0", "ended1", "ended2"]


async def test_instances_are_listed_by_their_ids(store: Store) -> None:
    states = {"a": "ready", "B": "failed", "c": "ready", "d": "deleting", "ä": "ready", "e": "failed"}
    for instance_id, state in states.items():
        await write(store, instance_id, instance=instance(instance_id, state=state))

    async def ids(**given: Any) -> str:
        return "".join(row.instance_id for row in await store.instances(**given))

    assert await ids() == "Bacdeä"
    assert await ids(limit=2) == "Ba"
    assert await ids(after="a", limit=2) == "cd"
    assert await ids(states=["ready"]) == "acä"
    assert await ids(states=["failed", "ready"]) == "Baceä"
    assert await ids(states=["failed", "deleting"], after="B") == "de"
    assert await ids(states=["failed", "ready", "failed"], after="B", limit=2) == "ac"
    assert await ids(states=["unknown"]) == ""
    assert await ids(states=[]) == ""
    assert (await store.instances(after="d", limit=1)) == [instance("e", state="failed")]


async def test_a_note_is_written_and_replaced(store: Store) -> None:
    assert await store.note("keys") is None
    await store.write_note("keys", b"\x00one")
    await store.write_note("other", b"")
    assert await store.note("keys") == b"\x00one"
    await store.write_note("keys", b"two")
    assert await store.note("keys") == b"two"
    assert await store.note("other") == b""


async def test_old_operations_and_events_are_purged_and_the_latest_of_what_there_is_stays(store: Store) -> None:
    def ended(operation_id: str, instance_id: str, created_at: float, **fields: Any) -> Any:
        given = {"state": "succeeded", "finished_at": created_at + 1, "created_at": created_at, **fields}
        return operation(operation_id, instance_id, **given)

    await write(
        store,
        instance=instance(),
        bindings=(binding(),),
        operations=(
            ended("old", "i1", 10.0),
            ended("latest of i1", "i1", 20.0),
            ended("old of b1", "i1", 10.0, binding_id="b1"),
            ended("latest of b1", "i1", 20.0, binding_id="b1"),
            ended("of a binding that is gone", "i1", 20.0, binding_id="b2"),
        ),
    )
    await write(store, "gone", operations=(ended("of an instance that is gone", "gone", 10.0),))
    await write(store, "young", operations=(ended("young", "young", 500.0),))
    await write(store, "i4", operations=(operation("in progress", "i4", created_at=1.0),))
    await store.load("step", [step(operation_id="old")])
    await write(store, events=(event(at=10.0), event(at=99.0), event(at=100.0), event(at=101.0)))
    assert await store.purge(100.0, 100.0) == 4 + 2
    left = [*await store.operations(in_progress=True), *await store.operations(in_progress=False)]
    assert {row.operation_id for row in left} == {"latest of i1", "latest of b1", "young", "in progress"}
    assert await store.steps("old") == []
    assert [each.at for each in await store.events()] == [101.0, 100.0]
    assert await store.purge(100.0, 100.0) == 0


async def test_more_is_purged_than_goes_into_one_transaction(store: Store) -> None:
    ended = [operation(f"op{n:04}", "gone", state="failed", finished_at=1.0 + n % 3) for n in range(700)]
    kept = [operation(f"kept{n}", f"i{n}", state="failed", finished_at=1.0) for n in range(450)]
    await store.load("instance", [instance(f"i{n}") for n in range(450)])
    await store.load("operation", [*ended, *kept])
    await store.load("event", [event(number=n + 1) for n in range(500)])
    assert await store.purge(100.0, 5000.0) == 700 + 500
    assert len(await store.operations(in_progress=False, limit=2000)) == 450
    assert await store.events() == []


async def test_a_number_of_an_event_is_never_given_again(store: Store) -> None:
    await write(store, events=(event(at=1.0), event(at=2.0)))
    highest = (await store.events())[0].number
    await store.purge(0.0, 100.0)
    await write(store, events=(event(),))
    assert (await store.events())[0].number > highest


ALL: dict[str, list[Row]] = {
    "instance": [instance("i1"), instance("i2", usable=False, answer=None), instance("i3", organization_guid=None)],
    "binding": [binding(), binding(binding_id="b2", answer=None), binding("i2", "b0")],
    "operation": [full_operation("a"), operation("b", "i2"), operation("c", "i1", update_repeatable=False)],
    "step": [step("a", "a"), step("b", "a", done=False, result=None), step("a", "b")],
    "event": [event(number=3), event("i2", number=5, who=None), event(number=9, detail=None)],
}


@pytest.mark.parametrize("table", TABLES)
async def test_rows_are_loaded_as_they_are_and_given_in_the_order_of_their_keys(store: Store, table: str) -> None:
    for name in TABLES:
        await store.load(name, ALL[name][::-1])
        if name == table:
            break
    rows = ALL[table]
    assert await store.rows(table) == rows
    assert await store.rows(table, limit=2) == rows[:2]
    for place, row in enumerate(rows):
        key = tuple(getattr(row, column) for column in KEYS[table])
        assert await store.rows(table, key) == rows[place + 1 :]
        assert await store.rows(table, key, limit=1) == rows[place + 1 : place + 2]


async def test_rows_that_are_there_are_left_alone(store: Store) -> None:
    for name in TABLES:
        await store.load(name, ALL[name])
    await store.load("instance", [instance("i1", name="other"), instance("i4")])
    await store.load("event", [event(number=5, what="other")])
    await store.load("step", [step("a", "a", tries=99)])
    assert await store.rows("instance") == [*ALL["instance"], instance("i4")]
    assert await store.rows("event") == ALL["event"]
    assert await store.rows("step") == ALL["step"]


async def test_all_rows_are_loaded_or_none(store: Store) -> None:
    orphan = step("a", "no such operation")
    await write(store, operations=(operation(),))
    with pytest.raises(StoreError):
        await store.load("step", [step(), orphan])
    assert await store.rows("step") == []
    with pytest.raises(StoreError):
        await store.load("operation", [operation("x", "i2"), operation("second in the lane")])
    assert await store.rows("operation") == [operation()]


async def test_events_after_an_import_have_higher_numbers(store: Store) -> None:
    await store.load("event", [event(number=700)])
    await write(store, events=(event(what="new"),))
    latest = (await store.events())[0]
    assert (latest.what, latest.number > 700) == ("new", True)


async def test_instances_that_were_loaded_are_counted(store: Store) -> None:
    await store.load("instance", ALL["instance"])
    await store.load("instance", ALL["instance"])
    key = Key("new", counts=(Count(), Count(organization_guid="o1")))
    assert await store.change(key, lambda view: Change(result=view.counts)) == (3, 2)


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where the state is imported."""
    if request.param == "sqlite":
        return SqlitePlace(tmp_path / "other.db")
    return PostgresqlPlace(request.getfixturevalue("empty_database"))


async def test_the_whole_state_goes_from_each_store_into_each(store: Store, target: Place) -> None:
    for name in TABLES:
        await store.load(name, ALL[name])
    copy = target.store()
    await copy.open()
    try:
        for name in TABLES:
            await copy.load(name, await store.rows(name))
        assert {name: await copy.rows(name) for name in TABLES} == ALL
    finally:
        await copy.close()


async def test_a_row_is_resealed_only_if_its_seals_are_still_the_old_ones(store: Store) -> None:
    one, two, three = instance("i1"), instance("i2", answer=None), instance("i3")
    await store.load("instance", [one, two, three])
    changed = instance("i3", request=b"changed meanwhile")
    await write(store, "i3", instance=changed)
    await write(store, "i1", instance=replace(one, name="not sealed, changed meanwhile"))
    new = [replace(row, request=b"new", answer=None if row.answer is None else b"new") for row in (one, two, three)]
    assert await store.reseal("instance", list(zip((one, two, three), new, strict=True))) == 2
    assert await store.rows("instance") == [
        replace(new[0], name="not sealed, changed meanwhile"),
        new[1],
        changed,
    ]


@pytest.mark.parametrize(
    ("table", "sealed"),
    [("binding", {"answer": b"new"}), ("operation", {"request": b"new"}), ("step", {"result": b"new"})],
)
async def test_rows_of_each_table_are_resealed(store: Store, table: str, sealed: dict[str, bytes]) -> None:
    for name in TABLES:
        await store.load(name, ALL[name])
    old = ALL[table][0]
    new = replace(old, **sealed)
    assert await store.reseal(table, [(old, new)]) == 1
    assert await store.reseal(table, [(old, new)]) == 0
    assert await store.reseal(table, []) == 0
    assert await store.rows(table) == [new, *ALL[table][1:]]


async def test_a_resealed_row_that_is_gone_stays_gone(store: Store) -> None:
    assert await store.reseal("instance", [(instance(), instance(request=b"new"))]) == 0
    assert await store.instance("i1") is None
