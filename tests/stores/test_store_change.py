"""One transaction on an instance: what it shows, what it writes, and that it is all or nothing."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace
from tests.stores.samples import binding, event, full_operation, instance, operation, step, write

from openbrokerapi.stores.contract import Change, Count, Key, Store, StoreError, View


async def look(store: Store, key: Key) -> View:
    return await store.change(key, lambda view: Change(result=view))


@pytest.mark.parametrize("usable", [True, False])
async def test_an_instance_comes_back_as_it_was_written(store: Store, usable: bool) -> None:
    row = instance(usable=usable)
    await write(store, instance=row)
    assert await store.instance("i1") == row
    assert (await look(store, Key("i1"))).instance == row


async def test_an_instance_with_nothing_optional_comes_back_as_it_was_written(store: Store) -> None:
    nothing: dict[str, Any] = dict.fromkeys(
        ["organization_guid", "space_guid", "platform", "name", "maintenance_version", "answer"]
    )
    row = instance(**nothing)
    await write(store, instance=row)
    assert await store.instance("i1") == row


async def test_a_binding_comes_back_as_it_was_written(store: Store) -> None:
    full = binding()
    bare = binding(
        binding_id="b2", app_guid=None, predecessor_binding_id=None, expires_at=None, renew_before=None, answer=None
    )
    await write(store, instance=instance(), bindings=(full, bare))
    assert await store.binding("i1", "b1") == full
    assert await store.binding("i1", "b2") == bare


@pytest.mark.parametrize("usable", [True, False, None])
@pytest.mark.parametrize("repeatable", [True, False, None])
async def test_an_operation_comes_back_as_it_was_written(
    store: Store, usable: bool | None, repeatable: bool | None
) -> None:
    row = full_operation(instance_usable=usable, update_repeatable=repeatable)
    await write(store, operations=(row, operation("bare", description=None)))
    assert await store.operation("op1") == row
    assert await store.operation("bare") == operation("bare", description=None)


async def test_what_was_never_written_is_none(store: Store) -> None:
    assert await store.instance("i1") is None
    assert await store.binding("i1", "b1") is None
    assert await store.operation("op1") is None
    assert await store.latest_operation("i1") is None
    assert await store.steps("op1") == []
    assert await look(store, Key("i1", "b1", "op1", bindings=True)) == View()


async def test_a_row_replaces_the_one_that_is_there(store: Store) -> None:
    await write(store, instance=instance(), bindings=(binding(),), operations=(operation(),))
    changed = instance(
        service_id="s2", plan_id="p2", state="failed", usable=False, organization_guid=None, space_guid=None,
        platform=None, name=None, maintenance_version=None, request=b"2", answer=None, created_at=2.0, updated_at=3.0,
    )  # fmt: skip
    bound = binding(
        service_id="s2", plan_id="p2", state="failed", app_guid=None, predecessor_binding_id=None, expires_at=1.0,
        renew_before=None, request=b"2", answer=None, created_at=2.0, updated_at=3.0,
    )  # fmt: skip
    done = full_operation(binding_id=None, created_at=1000.0)
    await write(store, instance=changed, bindings=(bound,), operations=(done,))
    assert await store.instance("i1") == changed
    assert await store.binding("i1", "b1") == bound
    assert await store.operation("op1") == done


async def test_the_view_shows_what_the_key_names_and_nothing_else(store: Store) -> None:
    await write(
        store,
        instance=instance(),
        bindings=(binding(), binding(binding_id="b2")),
        operations=(operation(), operation("done", state="succeeded", finished_at=5.0)),
    )
    await write(store, "i2", instance=instance("i2"), operations=(operation("op2", "i2"),))
    assert await look(store, Key("i1")) == View(instance=instance(), active=(operation(),))
    assert await look(store, Key("i1", "b2")) == View(
        instance=instance(), binding=binding(binding_id="b2"), active=(operation(),)
    )
    full = await look(store, Key("i1", operation_id="done", bindings=True))
    assert full.operation == operation("done", state="succeeded", finished_at=5.0)
    assert sorted(full.bindings, key=lambda row: row.binding_id) == [binding(), binding(binding_id="b2")]


async def test_the_view_shows_operations_in_progress_the_oldest_first(store: Store) -> None:
    rows = [operation(f"op{age}", lane=f"b{age}", binding_id=f"b{age}", created_at=1000.0 - age) for age in range(5)]
    await write(store, operations=tuple(rows))
    await write(store, operations=(replace(rows[2], state="failed", finished_at=1.0),))
    view = await look(store, Key("i1"))
    assert [row.operation_id for row in view.active] == ["op4", "op3", "op1", "op0"]


async def test_the_view_shows_what_has_ended_while_a_worker_still_holds_it(store: Store) -> None:
    ended: dict[str, Any] = {"state": "failed", "finished_at": 9.0}
    held = operation("held", worker="w1", lease_until=5.0, created_at=2.0, **ended)
    rows = (operation("active", created_at=3.0), held, operation("let go", created_at=1.0, **ended))
    await write(store, operations=rows)
    await write(store, "i2", operations=(operation("of another", "i2", worker="w1", **ended),))
    assert (await look(store, Key("i1"))).active == (held, rows[0])


async def test_a_change_gives_its_result_also_when_it_writes_nothing(store: Store) -> None:
    assert await store.change(Key("i1"), lambda _: Change(result="nothing")) == "nothing"
    assert await store.change(Key("i1"), lambda _: Change(result="written", instance=instance())) == "written"


async def test_what_decide_raises_comes_out_and_nothing_is_written(store: Store) -> None:
    error = LookupError("as it is")

    def decide(view: View) -> Change[None]:
        raise error

    with pytest.raises(LookupError) as raised:
        await store.change(Key("i1"), decide)
    assert raised.value is error
    assert await store.instance("i1") is None


async def test_a_change_that_is_refused_half_way_leaves_nothing(store: Store) -> None:
    before = instance(name="before")
    await write(store, instance=before, bindings=(binding(),))
    with pytest.raises(StoreError):
        await write(
            store,
            instance=instance(name="after"),
            forget_bindings=("b1",),
            operations=(operation("one"), operation("two")),
            events=(event(),),
        )
    assert await store.instance("i1") == before
    assert await store.binding("i1", "b1") == binding()
    assert await store.operation("one") is None
    assert await store.events() == []


async def test_a_change_that_is_refused_takes_no_other_with_it(store: Store) -> None:
    await write(store, operations=(operation("first"),))
    answers = await asyncio.gather(
        write(store, "i2", instance=instance("i2")),
        write(store, instance=instance(), operations=(operation("second"),)),
        write(store, "i3", instance=instance("i3")),
        return_exceptions=True,
    )
    assert answers[0] is None
    assert isinstance(answers[1], StoreError)
    assert answers[2] is None
    assert [row.instance_id for row in await store.instances()] == ["i2", "i3"]


async def test_one_operation_of_an_instance_is_in_progress_in_a_lane(store: Store) -> None:
    await write(store, operations=(operation("one"),))
    with pytest.raises(StoreError):
        await write(store, operations=(operation("two"),))
    await write(store, operations=(operation("two", lane="b1"),))
    await write(store, "i2", operations=(operation("three", "i2"),))
    await write(store, operations=(operation("one", state="succeeded", finished_at=1.0),))
    await write(store, operations=(operation("four"),))
    assert {row.operation_id for row in (await look(store, Key("i1"))).active} == {"two", "four"}


async def test_one_change_ends_an_operation_and_begins_the_next_in_its_lane(store: Store) -> None:
    await write(store, operations=(operation("one"),))
    ended = operation("one", state="failed", finished_at=1.0)
    for rows in ((ended, operation("two")), (operation("three"), replace(ended, operation_id="two"))):
        await write(store, operations=rows)
    assert [row.operation_id for row in (await look(store, Key("i1"))).active] == ["three"]


async def test_a_forgotten_instance_takes_its_bindings_and_leaves_its_operations_and_events(store: Store) -> None:
    await write(store, instance=instance(), bindings=(binding(),), operations=(operation(),), events=(event(),))
    await write(store, "i2", instance=instance("i2"), bindings=(binding("i2"),))
    await store.claim("op1", "w", 5)
    assert await store.remember(step(), 1)
    await write(store, forget_instance=True)
    assert await store.instance("i1") is None
    assert await store.binding("i1", "b1") is None
    assert await store.operation("op1") is not None
    assert await store.steps("op1") == [step()]
    assert [each.instance_id for each in await store.events()] == ["i1"]
    assert await store.instance("i2") == instance("i2")
    assert await store.binding("i2", "b1") == binding("i2")


async def test_bindings_and_steps_are_forgotten_one_by_one(store: Store) -> None:
    await write(
        store,
        instance=instance(),
        bindings=(binding(), binding(binding_id="b2"), binding(binding_id="b3")),
        operations=(operation(), operation("op2", lane="b2")),
    )
    for operation_id in ("op1", "op2"):
        await store.claim(operation_id, "w", 5)
        assert await store.remember(step(operation_id=operation_id), 1)
    await write(store, forget_bindings=("b1", "b3", "never there"), forget_steps=("op1", "never there"))
    assert await store.binding("i1", "b1") is None
    assert await store.binding("i1", "b2") is not None
    assert await store.binding("i1", "b3") is None
    assert await store.steps("op1") == []
    assert len(await store.steps("op2")) == 1


async def test_transactions_on_one_instance_follow_one_another(store: Store, other_store: Store) -> None:
    await write(store, instance=instance(name="0"))

    def count_up(view: View) -> Change[str]:
        assert view.instance is not None
        name = str(int(view.instance.name or "") + 1)
        return Change(result=name, instance=replace(view.instance, name=name))

    stores = [store, other_store] * 12
    answers = await asyncio.gather(*(each.change(Key("i1"), count_up) for each in stores))
    assert sorted(map(int, answers)) == list(range(1, 25))


async def test_a_quota_holds_when_many_provision_at_once(store: Store, other_store: Store) -> None:
    count = Count(plan_id="p1", organization_guid="o1")

    async def provision(each: Store, number: int) -> bool:
        def decide(view: View) -> Change[bool]:
            free = view.counts[0] < 5
            return Change(result=free, instance=instance(f"i{number}") if free else None)

        return await each.change(Key(f"i{number}", counts=(count,)), decide)

    answers = await asyncio.gather(*(provision([store, other_store][n % 2], n) for n in range(20)))
    assert sum(answers) == 5
    assert len(await store.instances()) == 5


ROWS: list[tuple[str, dict[str, Any]]] = [
    ("i1", {"service_id": "s1", "plan_id": "p1", "organization_guid": "o1"}),
    ("i2", {"service_id": "s1", "plan_id": "p1", "organization_guid": "o2"}),
    ("i3", {"service_id": "s1", "plan_id": "p2", "organization_guid": "o1"}),
    ("i4", {"service_id": "s2", "plan_id": "p3", "organization_guid": None}),
    ("i5", {"service_id": "s2", "plan_id": "p3", "organization_guid": ""}),
]
COUNTS = [
    (Count(), 5),
    (Count(service_id="s1"), 3),
    (Count(plan_id="p1"), 2),
    (Count(organization_guid="o1"), 2),
    (Count(service_id="s1", plan_id="p1", organization_guid="o1"), 1),
    (Count(service_id="s1", organization_guid="o1"), 2),
    (Count(plan_id="p3"), 2),
    (Count(organization_guid=""), 1),
    (Count(service_id="s2", plan_id="p1"), 0),
    (Count(organization_guid="o9"), 0),
]


async def test_instances_are_counted_by_each_of_offering_plan_and_organization(store: Store) -> None:
    for instance_id, fields in ROWS:
        await write(store, instance_id, instance=instance(instance_id, **fields))
    view = await look(store, Key("new", counts=tuple(count for count, _ in COUNTS)))
    assert view.counts == tuple(number for _, number in COUNTS)


async def test_counts_follow_updates_and_deletions(store: Store) -> None:
    async def counted(**fields: Any) -> int:
        view = await look(store, Key("new", counts=(Count(**fields),)))
        return view.counts[0]

    await write(store, instance=instance())
    await write(store, "i2", instance=instance("i2"))
    await write(store, instance=instance(name="only the name is new"))
    assert await counted(plan_id="p1") == 2
    await write(store, instance=instance(plan_id="p2", organization_guid=None))
    assert [await counted(plan_id="p1"), await counted(plan_id="p2"), await counted(organization_guid="o1")] == [
        1,
        1,
        1,
    ]
    await write(store, forget_instance=True)
    assert [await counted(), await counted(plan_id="p1"), await counted(plan_id="p2")] == [1, 1, 0]


async def test_what_is_answered_is_seen_by_every_reader(store: Store, other_store: Store) -> None:
    for number in range(20):
        await write(store, instance=instance(name=str(number)))
        found = await other_store.instance("i1")
        assert found is not None
        assert found.name == str(number)


async def test_a_caller_who_is_cancelled_leaves_the_others_alone(store: Store) -> None:
    tasks = [asyncio.create_task(write(store, f"i{n}", instance=instance(f"i{n}"))) for n in range(10)]
    await asyncio.sleep(0)
    tasks[3].cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(answers.pop(3), asyncio.CancelledError)
    assert answers == [None] * 9
    assert {row.instance_id for row in await store.instances()} >= {f"i{n}" for n in range(10) if n != 3}
