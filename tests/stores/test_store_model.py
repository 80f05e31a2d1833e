"""A store and a simple model of it, side by side, through random lives of instances."""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from msgspec.structs import replace
from tests.stores.places import Place
from tests.stores.samples import binding, event, instance, operation, step

from openbrokerapi.stores.contract import Change, Count, Due, Key, StoreError, View
from openbrokerapi.stores.rows import (
    IN_PROGRESS,
    BindingRow,
    Event,
    InstanceRow,
    OperationRow,
    Row,
    StepRow,
)

T = TypeVar("T")
#: No sum of moves comes near a lease or a deadline, so the time that the test takes itself does not matter.
LEASE, DEADLINE, MOVES = 1000.0, 1500.0, [400.0, 1100.0]
INSTANCES = st.sampled_from(["i1", "i2", "i3"])
OPERATIONS = st.integers(1, 8).map("op{}".format)
BINDINGS = st.sampled_from(["b1", "b2"])
WORKERS = st.sampled_from(["w1", "w2"])
PLANS = st.sampled_from(["p1", "p2"])
ORGANIZATIONS = st.sampled_from(["o1", "", None])
KINDS = st.sampled_from(["provision", "clean up"])
STATES = st.sampled_from(["ready", "creating", "failed"])
SECRETS = st.binary(max_size=3)


class RefusedError(Exception):
    """What `decide` raises."""


class Life(RuleBasedStateMachine):
    """Each rule does the same to both; after each they hold the same."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        place.clear()
        self.place = place
        place.ahead = 0.0
        self.runner = asyncio.Runner()
        self.store = place.store()
        self.run(self.store.open())
        self.instances: dict[str, InstanceRow] = {}
        self.bindings: dict[tuple[str, str], BindingRow] = {}
        self.operations: dict[str, OperationRow] = {}
        self.steps: dict[tuple[str, str], StepRow] = {}
        self.log: list[Event] = []
        self.begun = 0

    def teardown(self) -> None:
        self.run(self.store.close())
        self.runner.close()

    def run(self, call: Any) -> Any:
        return self.runner.run(call)

    @property
    def now(self) -> float:
        return time.time() + self.place.ahead

    def change(self, key: Key, decide: Callable[[View], Change[T]]) -> T:
        """Change the store, and hold the view against the model."""

        def checked(view: View) -> Change[T]:
            assert _near(view, self.view(key))
            return decide(view)

        answer: T = self.run(self.store.change(key, checked))
        return answer

    def write(self, instance_id: str, **fields: Any) -> None:
        key = Key(
            instance_id, "b1", "op1", bindings=True, counts=(Count(), Count(plan_id="p1", organization_guid="o1"))
        )
        self.change(key, lambda _: Change(result=None, **fields))

    def view(self, key: Key) -> View:
        of_instance = [row for row in self.operations.values() if row.instance_id == key.instance_id]
        held = [row for row in of_instance if row.state == IN_PROGRESS or row.worker is not None]
        active = sorted(held, key=lambda row: row.created_at)
        bindings = sorted(
            (row for row in self.bindings.values() if row.instance_id == key.instance_id), key=_binding_id
        )
        return View(
            instance=self.instances.get(key.instance_id),
            binding=self.bindings.get((key.instance_id, key.binding_id or "")),
            bindings=tuple(bindings) if key.bindings else (),
            active=tuple(active),
            operation=self.operations.get(key.operation_id or ""),
            counts=tuple(map(self.count, key.counts)),
        )

    def count(self, count: Count) -> int:
        return sum(
            all(getattr(count, name) in (None, getattr(row, name)) for name in count.__struct_fields__)
            for row in self.instances.values()
        )

    def is_over(self, row: OperationRow) -> bool:
        return row.lease_until is None or row.lease_until <= self.now

    @rule(i=INSTANCES, plan=PLANS, organization=ORGANIZATIONS, state=STATES, request=SECRETS, what=st.text(max_size=3))
    def put(self, i: str, plan: str, organization: str | None, state: str, request: bytes, what: str) -> None:
        what = what.replace("\x00", "")
        row = instance(i, plan_id=plan, organization_guid=organization, state=state, request=request)
        self.write(i, instance=row, events=(event(i, what=what),))
        self.instances[i] = row
        self.log.append(event(i, what=what))

    @rule(i=INSTANCES, b=BINDINGS, state=STATES, expires_in=st.sampled_from([None, -10.0, DEADLINE]))
    def bind(self, i: str, b: str, state: str, expires_in: float | None) -> None:
        row = binding(i, b, state=state, expires_at=None if expires_in is None else self.now + expires_in)
        self.write(i, bindings=(row,))
        self.bindings[i, b] = row

    @rule(i=INSTANCES)
    def forget_instance(self, i: str) -> None:
        self.write(i, forget_instance=True)
        self.instances.pop(i, None)
        self.bindings = {key: row for key, row in self.bindings.items() if row.instance_id != i}

    @rule(i=INSTANCES, b=BINDINGS, op=OPERATIONS)
    def forget_binding_and_steps(self, i: str, b: str, op: str) -> None:
        self.write(i, forget_bindings=(b,), forget_steps=(op,))
        self.bindings.pop((i, b), None)
        self.steps = {key: row for key, row in self.steps.items() if row.operation_id != op}

    @rule(
        i=INSTANCES,
        op=OPERATIONS,
        b=st.none() | BINDINGS,
        lane=st.sampled_from(["", "b1"]),
        late=st.booleans(),
        kind=KINDS,
    )
    def begin(self, i: str, op: str, b: str | None, lane: str, late: bool, kind: str) -> None:
        if op in self.operations:
            return
        self.begun += 1
        blocked_by = next((row.operation_id for row in self.operations.values() if row.state == "failed"), None)
        deadline = self.now + DEADLINE if late else None
        row = operation(
            op,
            i,
            kind=kind,
            binding_id=b,
            lane=lane,
            blocked_by=blocked_by,
            deadline=deadline,
            created_at=float(self.begun),
        )
        if any((each.lane, each.state) == (lane, IN_PROGRESS) for each in self.view(Key(i)).active):
            with pytest.raises(StoreError):
                self.write(i, instance=instance(i, name="never"), operations=(row,))
            return
        self.write(i, operations=(row,))
        self.operations[op] = row

    @rule(op=OPERATIONS, state=st.sampled_from(["succeeded", "failed"]), lets_go=st.booleans(), usable=st.booleans())
    def end(self, op: str, state: str, lets_go: bool, usable: bool) -> None:
        row = self.operations.get(op)
        if row is None or row.state != IN_PROGRESS:
            return
        free = {"worker": None, "lease_until": None} if lets_go else {}

        def decide(view: View) -> Change[OperationRow]:
            assert view.operation is not None
            done = replace(view.operation, state=state, finished_at=5.0, instance_usable=usable, **free)
            return Change(result=done, operations=(done,))

        self.operations[op] = self.change(Key(row.instance_id, operation_id=op), decide)

    @rule(op=OPERATIONS)
    def unblock(self, op: str) -> None:
        row = self.operations.get(op)
        if row is not None and row.blocked_by is not None:
            free = replace(row, blocked_by=None)
            self.write(row.instance_id, operations=(free,))
            self.operations[op] = free

    @rule(op=OPERATIONS, worker=WORKERS)
    def claim(self, op: str, worker: str) -> None:
        row = self.operations.get(op)
        claimed = self.run(self.store.claim(op, worker, LEASE))
        if row is None or row.state != IN_PROGRESS or row.blocked_by is not None or not self.is_over(row):
            assert claimed is None
            return
        begun = self.now if row.started_at is None else row.started_at
        mine = replace(row, worker=worker, attempt=row.attempt + 1, lease_until=self.now + LEASE, started_at=begun)
        assert _near(claimed, mine)
        self.operations[op] = claimed

    @rule(worker=WORKERS, ops=st.lists(OPERATIONS, max_size=4))
    def beat(self, worker: str, ops: list[str]) -> None:
        kept = self.run(self.store.beat(worker, LEASE, ops))
        mine = {op for op in ops if op in self.operations and self.operations[op].worker == worker}
        assert kept == {op for op in mine if self.operations[op].state == IN_PROGRESS}
        for op in mine:
            self.operations[op] = replace(self.operations[op], lease_until=self.now + LEASE)

    @rule(op=OPERATIONS, attempt=st.integers(0, 3), name=st.sampled_from(["make", "wait"]), result=st.none() | SECRETS)
    def remember(self, op: str, attempt: int, name: str, result: bytes | None) -> None:
        row = step(name, op, done=result is not None, result=result)
        written = self.run(self.store.remember(row, attempt))
        assert written == self.may_write(op, attempt)
        if written:
            self.steps[op, name] = row

    @rule(op=OPERATIONS, attempt=st.integers(0, 3), description=st.sampled_from(["1 of 2", ""]))
    def report(self, op: str, attempt: int, description: str) -> None:
        written = self.run(self.store.report(op, attempt, description))
        assert written == self.may_write(op, attempt)
        if written:
            self.operations[op] = replace(self.operations[op], description=description)

    def may_write(self, op: str, attempt: int) -> bool:
        row = self.operations.get(op)
        return row is not None and (row.state, row.attempt) == (IN_PROGRESS, attempt)

    @rule(i=INSTANCES)
    def refuse(self, i: str) -> None:
        def decide(view: View) -> Change[None]:
            raise RefusedError

        with pytest.raises(RefusedError):
            self.change(Key(i), decide)

    @rule(seconds=st.sampled_from(MOVES))
    def move_the_clock(self, seconds: float) -> None:
        self.place.ahead += seconds

    @rule()
    def open_again(self) -> None:
        self.run(self.store.close())
        self.store = self.place.store()
        self.run(self.store.open())
        if not self.store.shared:
            self.operations = {op: _without_lease(row) for op, row in self.operations.items()}

    @rule(i=INSTANCES, b=st.none() | BINDINGS)
    def look_at_the_latest(self, i: str, b: str | None) -> None:
        asked_for = [row for row in self.operations.values() if row.kind != "clean up"]
        of_it = [row for row in asked_for if (row.instance_id, row.binding_id) == (i, b)]
        latest = max(of_it, key=lambda row: row.created_at, default=None)
        assert _near(self.run(self.store.latest_operation(i, b)), latest)

    @invariant()
    def both_hold_the_same(self) -> None:
        self.run(self.check())

    async def check(self) -> None:
        expected: dict[str, list[Row]] = {
            "instance": [self.instances[key] for key in sorted(self.instances)],
            "binding": [self.bindings[key] for key in sorted(self.bindings)],
            "operation": [self.operations[key] for key in sorted(self.operations)],
            "step": [self.steps[key] for key in sorted(self.steps)],
        }
        for table, rows in expected.items():
            assert _near(await self.store.rows(table), rows)
        assert [replace(row, number=0) for row in await self.store.rows("event")] == self.log
        self.check_due(await self.store.due())

    def check_due(self, due: Due) -> None:
        rows = self.operations.values()
        active = [row for row in rows if row.state == IN_PROGRESS]
        ended = [row for row in rows if row.state != IN_PROGRESS]
        assert set(due.unheld) == {row.operation_id for row in active if self.is_over(row) and not row.blocked_by}
        assert set(due.left) == {row.operation_id for row in ended if row.worker and self.is_over(row)}
        assert set(due.late) == {row.operation_id for row in active if _past(row.deadline, self.now)}
        ready = [row for row in self.bindings.values() if row.state == "ready"]
        assert set(due.expired) == {
            (row.instance_id, row.binding_id) for row in ready if _past(row.expires_at, self.now)
        }


def _without_lease(row: OperationRow) -> OperationRow:
    if row.worker is None:
        return row
    return replace(row, lease_until=None, worker=None if row.state == IN_PROGRESS else row.worker)


def _binding_id(row: BindingRow) -> str:
    return row.binding_id


def _past(moment: float | None, now: float) -> bool:
    return moment is not None and moment <= now


def _near(found: Any, expected: Any) -> bool:
    """Compare, where leases may differ by the time that the test itself takes."""
    if isinstance(found, OperationRow) and isinstance(expected, OperationRow):
        for name in ("lease_until", "started_at"):
            moment, wanted = getattr(found, name), getattr(expected, name)
            if moment is not None and wanted is not None:
                assert abs(moment - wanted) < 60
                found = replace(found, **{name: wanted})
        assert found == expected
    elif isinstance(found, list | tuple):
        assert len(found) == len(expected)
        assert all(_near(*pair) for pair in zip(found, expected, strict=True))
    elif isinstance(found, View):
        assert all(_near(getattr(found, name), getattr(expected, name)) for name in found.__struct_fields__)
    else:
        assert found == expected
    return True


def live(place: Place, examples: int) -> None:
    run_state_machine_as_test(
        partial(Life, place),  # type: ignore[arg-type]  # it is only called
        settings=settings(
            max_examples=examples, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def test_a_store_does_what_a_simple_model_does(place: Place, kind: str) -> None:
    live(place, {"sqlite": 20, "postgresql": 5}[kind])


@pytest.mark.slow
def test_a_store_does_what_a_simple_model_does_for_long(place: Place, kind: str) -> None:
    live(place, {"sqlite": 150, "postgresql": 30}[kind])
