"""Rows for the tests: every field is filled, unless a test says otherwise."""

from typing import Any

from openbrokerapi.stores.contract import Change, Key, Store
from openbrokerapi.stores.rows import BindingRow, Event, InstanceRow, OperationRow, StepRow


def instance(instance_id: str = "i1", **fields: Any) -> InstanceRow:
    given = {
        "service_id": "s1",
        "plan_id": "p1",
        "state": "ready",
        "usable": True,
        "organization_guid": "o1",
        "space_guid": "sp1",
        "platform": "cloudfoundry",
        "name": "my-db",
        "maintenance_version": "1.2.3",
        "request": b"\x00sealed",
        "answer": b"\xffalso sealed",
        "created_at": 1000.25,
        "updated_at": 1001.5,
    }
    return InstanceRow(instance_id=instance_id, **{**given, **fields})


def binding(instance_id: str = "i1", binding_id: str = "b1", **fields: Any) -> BindingRow:
    given = {
        "service_id": "s1",
        "plan_id": "p1",
        "state": "ready",
        "app_guid": "a1",
        "predecessor_binding_id": "b0",
        "expires_at": 9e12,
        "renew_before": 8e12,
        "request": b"",
        "answer": b"\x00\x01",
        "created_at": 1000.25,
        "updated_at": 1001.5,
    }
    return BindingRow(instance_id=instance_id, binding_id=binding_id, **{**given, **fields})


def operation(operation_id: str = "op1", instance_id: str = "i1", **fields: Any) -> OperationRow:
    given = {"kind": "provision", "description": "begun", "created_at": 1000.0}
    return OperationRow(operation_id=operation_id, instance_id=instance_id, **{**given, **fields})


def full_operation(operation_id: str = "op1", instance_id: str = "i1", **fields: Any) -> OperationRow:
    given = {
        "binding_id": "b1",
        "kind": "bind",
        "state": "failed",
        "lane": "b1",
        "description": "it went wrong: ä€😀",
        "instance_usable": False,
        "update_repeatable": True,
        "request": b"\x00",
        "who": '{"user": "u"}',
        "blocked_by": "op0",
        "attempt": 3,
        "worker": "w1",
        "lease_until": 1.5,
        "deadline": 2.5,
        "created_at": 3.5,
        "started_at": 4.5,
        "finished_at": 5.5,
    }
    return OperationRow(operation_id=operation_id, instance_id=instance_id, **{**given, **fields})


def step(name: str = "make", operation_id: str = "op1", **fields: Any) -> StepRow:
    given = {"done": True, "tries": 2, "next_at": 12.5, "result": b"\x00\xff"}
    return StepRow(operation_id=operation_id, name=name, **{**given, **fields})


def event(instance_id: str = "i1", **fields: Any) -> Event:
    given = {"at": 1000.0, "binding_id": "b1", "operation_id": "op1", "what": "bound", "who": "{}", "detail": "well"}
    return Event(instance_id=instance_id, **{**given, **fields})


async def write(store: Store, instance_id: str = "i1", **fields: Any) -> None:
    """Write rows in one transaction."""
    change: Change[None] = Change(result=None, **fields)
    await store.change(Key(instance_id), lambda _: change)
