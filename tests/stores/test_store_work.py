"""What a worker does: it claims an operation, keeps its lease, and writes nothing once another has taken over."""

import asyncio
import time
from typing import Any

import pytest
from msgspec.structs import replace
from tests.stores.places import Place
from tests.stores.samples import binding, instance, operation, step, write

from openbrokerapi.stores.contract import Due, Store

LEASE = 10.0


async def test_a_claim_counts_the_attempt_and_notes_the_worker(store: Store) -> None:
    await write(store, operations=(operation(),))
    claimed = await store.claim("op1", "w1", LEASE)
    assert claimed is not None
    assert claimed.lease_until is not None
    assert claimed.started_at == pytest.approx(claimed.lease_until - LEASE)
    taken = {"worker": "w1", "lease_until": claimed.lease_until, "started_at": claimed.started_at}
    assert claimed == replace(operation(), attempt=1, **taken)
    assert await store.operation("op1") == claimed


async def test_a_claim_lasts_as_long_as_the_lease(store: Store, place: Place) -> None:
    await write(store, operations=(operation(),))
    assert await store.claim("op1", "w1", LEASE) is not None
    place.ahead += LEASE - 2
    assert await store.claim("op1", "w2", LEASE) is None
    assert await store.claim("op1", "w1", LEASE) is None
    place.ahead += 3
    taken = await store.claim("op1", "w2", LEASE)
    assert taken is not None
    assert (taken.attempt, taken.worker) == (2, "w2")


async def test_what_is_finished_or_blocked_or_unknown_cannot_be_claimed(store: Store) -> None:
    await write(
        store,
        operations=(
            operation("done", state="succeeded", finished_at=1.0),
            operation("blocked", blocked_by="done"),
            operation("free", lane="b1"),
        ),
    )
    assert await store.claim("done", "w1", LEASE) is None
    assert await store.claim("blocked", "w1", LEASE) is None
    assert await store.claim("never there", "w1", LEASE) is None
    await write(store, operations=(operation("blocked"),))
    assert await store.claim("blocked", "w1", LEASE) is not None


async def test_of_many_who_claim_at_once_one_gets_it(store: Store, other_store: Store) -> None:
    await write(store, operations=(operation(),))
    claims = (each.claim("op1", f"w{n}", LEASE) for n, each in enumerate([store, other_store] * 8))
    got = [claimed for claimed in await asyncio.gather(*claims) if claimed is not None]
    assert len(got) == 1
    assert await store.operation("op1") == got[0]


async def test_a_beat_renews_the_leases_that_are_still_the_workers(store: Store, place: Place) -> None:
    rows = [operation(f"op{n}", f"i{n}") for n in range(4)]
    for row in rows:
        await write(store, row.instance_id, operations=(row,))
    for n in (0, 1, 2):
        await store.claim(f"op{n}", "w1", LEASE)
    place.ahead += LEASE + 1
    assert await store.claim("op1", "w2", LEASE) is not None
    kept = await store.beat("w1", LEASE, ["op0", "op1", "op2", "op3", "never there"])
    assert kept == {"op0", "op2"}
    assert await store.beat("w1", LEASE, []) == set()
    place.ahead += LEASE - 2
    assert await store.claim("op0", "w2", LEASE) is None


async def test_a_beat_renews_the_lease_of_an_operation_that_ended_while_its_handler_runs(
    store: Store, place: Place
) -> None:
    await write(store, operations=(operation(),))
    claimed = await store.claim("op1", "w1", LEASE)
    assert claimed is not None
    await write(store, operations=(replace(claimed, state="failed", finished_at=2000.0),))
    place.ahead += LEASE - 1
    # The handler is told to stop, but nobody takes it for gone.
    assert await store.beat("w1", LEASE, ["op1"]) == set()
    place.ahead += LEASE - 1
    assert (await store.due()).left == ()
    place.ahead += 2
    assert (await store.due()).left == ("op1",)


async def test_a_step_is_remembered_and_replaced(store: Store) -> None:
    await write(store, operations=(operation(),))
    await store.claim("op1", "w1", LEASE)
    tried = step(done=False, tries=1, next_at=99.5, result=None)
    assert await store.remember(tried, 1)
    assert await store.steps("op1") == [tried]
    assert await store.remember(step(), 1)
    assert await store.remember(step("another"), 1)
    assert sorted(await store.steps("op1"), key=lambda row: row.name) == [step("another"), step()]


async def test_a_report_is_what_the_operation_says(store: Store) -> None:
    await write(store, operations=(operation(),))
    claimed = await store.claim("op1", "w1", LEASE)
    assert claimed is not None
    assert await store.report("op1", 1, "restoring 3 of 7")
    assert await store.operation("op1") == replace(claimed, description="restoring 3 of 7")


async def refused(store: Store, attempt: int) -> bool:
    """Try all that a worker writes; tell whether all was refused."""
    before = await store.operation("op1"), await store.steps("op1")
    answers = [await store.remember(step("late"), attempt), await store.report("op1", attempt, "late")]
    assert before == (await store.operation("op1"), await store.steps("op1"))
    return answers == [False, False]


async def test_a_worker_whose_operation_was_taken_over_writes_nothing(store: Store, place: Place) -> None:
    await write(store, operations=(operation(),))
    assert await refused(store, 1)
    await store.claim("op1", "w1", LEASE)
    assert await store.remember(step(), 1)
    assert await refused(store, 0)
    assert await refused(store, 2)
    place.ahead += LEASE + 1
    assert await store.remember(step("also after the lease, if nobody came"), 1)
    assert await store.claim("op1", "w2", LEASE) is not None
    assert await refused(store, 1)
    assert await store.report("op1", 2, "mine now")


async def test_nothing_is_written_of_an_operation_that_has_ended(store: Store) -> None:
    await write(store, operations=(operation(),))
    claimed = await store.claim("op1", "w1", LEASE)
    assert claimed is not None
    await write(store, operations=(replace(claimed, state="succeeded", finished_at=1.0),))
    assert await refused(store, 1)


async def test_nothing_is_written_of_an_operation_that_was_never_there(store: Store) -> None:
    assert not await store.remember(step(), 0)
    assert not await store.report("op1", 0, "nobody")
    assert await store.steps("op1") == []


async def test_whoever_takes_over_sees_the_step_or_the_step_is_refused(store: Store, other_store: Store) -> None:
    for number in range(20):
        operation_id = f"op{number}"
        await write(store, f"i{number}", operations=(operation(operation_id, f"i{number}", attempt=1),))

        async def take_over(operation_id: str = operation_id) -> list[str]:
            claimed = await other_store.claim(operation_id, "w2", LEASE)
            assert claimed is not None
            return [row.name for row in await other_store.steps(operation_id)]

        written, seen = await asyncio.gather(store.remember(step(operation_id=operation_id), 1), take_over())
        assert seen == (["make"] if written else [])


async def test_what_nobody_works_on_is_due(store: Store, place: Place) -> None:
    await write(store, "i1", operations=(operation("never begun", "i1"),))
    await write(store, "i2", operations=(operation("held", "i2"),))
    await write(store, "i3", operations=(operation("blocked", "i3", blocked_by="held"),))
    await write(store, "i4", operations=(operation("done", "i4", state="failed", finished_at=1.0),))
    await store.claim("held", "w1", LEASE)
    assert (await store.due()).unheld == ("never begun",)
    place.ahead += LEASE + 1
    assert set((await store.due()).unheld) == {"never begun", "held"}
    assert (await store.due()).left == ()


async def test_what_ended_under_a_worker_that_is_gone_is_due(store: Store, place: Place) -> None:
    await write(store, operations=(operation(),))
    claimed = await store.claim("op1", "w1", LEASE)
    assert claimed is not None
    ended = replace(claimed, state="failed", finished_at=2000.0)
    await write(store, operations=(ended,))
    assert (await store.due()).left == ()
    place.ahead += LEASE + 1
    due = await store.due()
    assert (due.left, due.unheld) == (("op1",), ())
    await write(store, operations=(replace(ended, worker=None, lease_until=None),))
    assert (await store.due()).left == ()


async def test_what_is_in_progress_behind_its_deadline_is_due(store: Store, place: Place) -> None:
    now = time.time()
    await write(store, "i1", operations=(operation("late", "i1", deadline=now - 5),))
    await write(store, "i2", operations=(operation("soon", "i2", deadline=now + 100),))
    await write(store, "i3", operations=(operation("ended", "i3", deadline=now - 5, state="failed", finished_at=1.0),))
    await write(store, "i4", operations=(operation("no deadline", "i4"),))
    assert (await store.due()).late == ("late",)
    place.ahead += 200
    assert set((await store.due()).late) == {"late", "soon"}


async def test_bindings_that_are_ready_and_have_expired_are_due(store: Store, place: Place) -> None:
    now = time.time()
    rows = (
        binding(binding_id="over", expires_at=now - 5),
        binding(binding_id="soon", expires_at=now + 100),
        binding(binding_id="never", expires_at=None),
        binding(binding_id="going", expires_at=now - 5, state="deleting"),
    )
    await write(store, instance=instance(), bindings=rows)
    assert (await store.due()).expired == (("i1", "over"),)
    place.ahead += 200
    assert set((await store.due()).expired) == {("i1", "over"), ("i1", "soon")}


async def test_nothing_is_due_of_an_empty_store(store: Store) -> None:
    assert await store.due() == Due()


async def test_no_more_is_given_than_was_asked_for(store: Store) -> None:
    for n in range(7):
        row = operation(f"op{n}", f"i{n}", deadline=5.0)
        ended = operation(f"ended{n}", f"i{n}", state="failed", worker="w", lease_until=1.0, finished_at=2.0)
        bound = binding(f"i{n}", expires_at=5.0)
        await write(store, f"i{n}", instance=instance(f"i{n}"), bindings=(bound,), operations=(row, ended))
    due = await store.due(limit=3)
    assert [len(each) for each in (due.unheld, due.left, due.late, due.expired)] == [3, 3, 3, 3]
    assert len((await store.due()).late) == 7


async def test_the_latest_operation_is_the_one_that_was_begun_last(store: Store) -> None:
    ended: dict[str, Any] = {"state": "succeeded", "finished_at": 5.0}
    rows = [
        operation("second", created_at=2.0, **ended),
        operation("first", created_at=1.0, **ended),
        operation("of b1", binding_id="b1", created_at=9.0, **ended),
        operation("of b2", binding_id="b2", lane="b2", created_at=3.0),
    ]
    await write(store, operations=tuple(rows))
    assert await store.latest_operation("i1") == rows[0]
    assert await store.latest_operation("i1", "b1") == rows[2]
    assert await store.latest_operation("i1", "b2") == rows[3]
    assert await store.latest_operation("i2") is None
    await write(store, operations=(operation("third", created_at=4.0),))
    assert await store.latest_operation("i1") == operation("third", created_at=4.0)


async def test_a_clean_up_is_never_the_latest_operation(store: Store) -> None:
    asked = operation("asked for", state="failed", finished_at=5.0)
    bound = operation("bound", state="failed", finished_at=5.0, binding_id="b1")
    clean_ups = (
        operation("clean up", kind="clean up", created_at=2000.0),
        operation("clean up b1", kind="clean up", created_at=2000.0, binding_id="b1", lane="b1"),
    )
    await write(store, operations=(asked, bound, *clean_ups))
    assert await store.latest_operation("i1") == asked
    assert await store.latest_operation("i1", "b1") == bound
    assert await store.operation("clean up") == clean_ups[0]


async def test_of_two_that_were_begun_in_the_same_moment_the_later_written_is_the_latest(store: Store) -> None:
    await write(store, operations=(operation("z", state="failed", finished_at=5.0),))
    await write(store, operations=(operation("a"),))
    latest = await store.latest_operation("i1")
    assert latest is not None
    assert latest.operation_id == "a"
