"""Stores that are full, or busy, before anything is measured."""

from __future__ import annotations

import time

from bench.managed.application import NEVER, PLAN_ID, SERVICE_ID, ring

from openbrokerapi.managed.operations import SUCCEEDED
from openbrokerapi.managed.records import Records
from openbrokerapi.managed.sealing import Sealing
from openbrokerapi.managed.states import Kind, State
from openbrokerapi.stores.contract import Store
from openbrokerapi.stores.rows import IN_PROGRESS, InstanceRow, OperationRow

_AT_ONCE = 10_000
# Later than any benchmark ends: nobody takes up what is in progress.
_HELD = 1e10


def instance_id(number: int) -> str:
    """Give the id of an instance that a store was filled with."""
    return f"instance-{number:08d}"


def operation_id(number: int) -> str:
    """Give the id of an operation that a store was filled with."""
    return f"operation-{number:08d}"


async def fill(store: Store, *, instances: int = 0, in_progress: int = 0) -> None:
    """Write instances that are ready, and such whose provision is in progress, in somebody's hands."""
    await store.open(owner=False)
    try:
        sealing = Sealing(ring())
        await sealing.verify(store)
        records = Records(sealing, {})
        total = instances + in_progress
        for begin in range(0, total, _AT_ONCE):
            numbers = range(begin, min(begin + _AT_ONCE, total))
            rows = [_instance(records, number, busy=number < in_progress) for number in numbers]
            await store.load("instance", rows)
            await store.load("operation", [_operation(number, busy=number < in_progress) for number in numbers])
    finally:
        await store.close()


def _instance(records: Records, number: int, *, busy: bool) -> InstanceRow:
    now = time.time()
    return InstanceRow(
        instance_id=instance_id(number),
        service_id=SERVICE_ID,
        plan_id=PLAN_ID,
        state=State.CREATING if busy else State.READY,
        organization_guid="an-organization",
        space_guid="a-space",
        request=records.instance_request(
            instance_id(number),
            {"region": NEVER if busy else "eu-north", "storage_gb": 20},
            {"platform": "cloudfoundry"},
        ),
        created_at=now,
        updated_at=now,
    )


def _operation(number: int, *, busy: bool) -> OperationRow:
    now = time.time()
    return OperationRow(
        operation_id=operation_id(number),
        instance_id=instance_id(number),
        kind=Kind.PROVISION,
        state=IN_PROGRESS if busy else SUCCEEDED,
        created_at=now,
        attempt=1,
        worker="somebody" if busy else None,
        lease_until=now + _HELD if busy else None,
        finished_at=None if busy else now,
    )
