"""A state to seal, move and count: rows of every table, with a marker in whatever is sealed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openbrokerapi.managed.sealing import Ring, Sealing
from openbrokerapi.stores.contract import Store
from openbrokerapi.stores.rows import BindingRow, Event, InstanceRow, OperationRow, Row, StepRow

MARKER = "marker-of-a-secret"
#: Sealed values for each instance of the sample.
VALUES = 6


def sample(ring: Ring, count: int = 3, start: int = 0) -> dict[str, list[Row]]:
    """Make rows of `count` instances, each with a binding, an operation, a step and an event."""
    rows: dict[str, list[Row]] = {"instance": [], "binding": [], "operation": [], "step": [], "event": []}
    for number in range(start, start + count):
        for table, row in _of_one(Sealing(ring), number):
            rows[table].append(row)
    return rows


def _of_one(sealing: Sealing, number: int) -> list[tuple[str, Row]]:
    instance_id, operation_id = f"i-{number:05}", f"o-{number:05}"

    def sealed(table: str, column: str, *key: str) -> bytes:
        return sealing.close(table, column, key, {"secret": MARKER, "number": number})

    copied = sealed("step", "result", operation_id, "copy")
    return [
        ("instance", _instance(instance_id, number, sealed)),
        ("binding", _binding(instance_id, number, sealed)),
        (
            "operation",
            OperationRow(
                operation_id=operation_id,
                instance_id=instance_id,
                kind="update",
                description="3 of 7",
                request=sealed("operation", "request", operation_id),
                who='{"user":"u-1"}',
                attempt=2,
                created_at=_times(number)["created_at"],
            ),
        ),
        ("step", StepRow(operation_id=operation_id, name="copy", done=True, tries=1, result=copied)),
        ("event", Event(number=number + 1, at=1_790_000_002.0, instance_id=instance_id, what="update requested")),
    ]


def _times(number: int) -> dict[str, Any]:
    return {"created_at": 1_790_000_000.25 + number, "updated_at": 1_790_000_001.5 + number}


def _instance(instance_id: str, number: int, sealed: Callable[..., bytes]) -> InstanceRow:
    return InstanceRow(
        instance_id=instance_id,
        service_id="s-1",
        plan_id="p-1",
        state="ready",
        organization_guid="org-1" if number % 2 else None,
        name='Ein "Name"\n',
        request=sealed("instance", "request", instance_id),
        answer=sealed("instance", "answer", instance_id),
        **_times(number),
    )


def _binding(instance_id: str, number: int, sealed: Callable[..., bytes]) -> BindingRow:
    binding_id = "b/ü-1"
    return BindingRow(
        instance_id=instance_id,
        binding_id=binding_id,
        service_id="s-1",
        plan_id="p-1",
        state="ready",
        expires_at=1_990_000_000.125,
        request=sealed("binding", "request", instance_id, binding_id),
        answer=sealed("binding", "answer", instance_id, binding_id),
        **_times(number),
    )


async def load(store: Store, rows: dict[str, list[Row]]) -> None:
    """Write the rows into a store."""
    for table, of_table in rows.items():
        await store.load(table, of_table)


async def everything(store: Store) -> dict[str, list[Row]]:
    """Give all rows of a store."""
    return {
        table: await store.rows(table, limit=100_000) for table in ("instance", "binding", "operation", "step", "event")
    }


def secrets_in(state: dict[str, list[Row]], ring: Ring) -> list[Any]:
    """Open every sealed value."""
    sealing = Sealing(ring)
    found = []
    for row in state["instance"]:
        assert isinstance(row, InstanceRow)
        found += [sealing.open("instance", name, (row.instance_id,), getattr(row, name)) for name in _BOTH]
    for row in state["binding"]:
        assert isinstance(row, BindingRow)
        key = (row.instance_id, row.binding_id)
        found += [sealing.open("binding", name, key, getattr(row, name)) for name in _BOTH]
    for row in state["operation"]:
        assert isinstance(row, OperationRow)
        found.append(sealing.open("operation", "request", (row.operation_id,), row.request))
    for row in state["step"]:
        assert isinstance(row, StepRow)
        found.append(sealing.open("step", "result", (row.operation_id, row.name), row.result))
    return found


_BOTH = ("request", "answer")
