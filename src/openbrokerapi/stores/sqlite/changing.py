"""One transaction on an instance: what there is, and what is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import apsw
from msgspec.structs import astuple

from openbrokerapi.stores.contract import Change, Count, Key, View
from openbrokerapi.stores.rows import IN_PROGRESS, BindingRow, InstanceRow, OperationRow

from .statements import SQL, binding_row, instance_row, operation_row

T = TypeVar("T")
_INSTANCE = SQL["instance"]
_BINDING = SQL["binding"]
_BINDINGS = SQL["bindings"]
_ACTIVE = SQL["active"]
_OPERATION = SQL["operation"]
_PUT_INSTANCE = SQL["put_instance"]
_PUT_BINDING = SQL["put_binding"]
_PUT_OPERATION = SQL["put_operation"]
_ADD_EVENT = SQL["add_event"]


def carry_out(cursor: apsw.Cursor, key: Key, decide: Callable[[View], Change[T]]) -> T:
    """Carry out one change within a transaction."""
    change = decide(view(cursor, key))
    _write(cursor, key.instance_id, change)
    return change.result


def instance_of(cursor: apsw.Cursor, instance_id: str) -> InstanceRow | None:
    """Give an instance."""
    for row in cursor.execute(_INSTANCE, (instance_id,)).fetchall():
        return instance_row(row)
    return None


def binding_of(cursor: apsw.Cursor, instance_id: str, binding_id: str) -> BindingRow | None:
    """Give a binding."""
    for row in cursor.execute(_BINDING, (instance_id, binding_id)).fetchall():
        return binding_row(row)
    return None


def operation_of(cursor: apsw.Cursor, operation_id: str) -> OperationRow | None:
    """Give an operation."""
    for row in cursor.execute(_OPERATION, (operation_id,)).fetchall():
        return operation_row(row)
    return None


def view(cursor: apsw.Cursor, key: Key) -> View:
    """Give what there is of what a key names."""
    instance_id = key.instance_id
    active = _active(cursor, instance_id)
    return View(
        instance=instance_of(cursor, instance_id),
        binding=None if key.binding_id is None else binding_of(cursor, instance_id, key.binding_id),
        bindings=_bindings(cursor, instance_id) if key.bindings else (),
        active=active,
        operation=None if key.operation_id is None else _operation(cursor, key.operation_id, active),
        counts=tuple(_count(cursor, each) for each in key.counts) if key.counts else (),
    )


def _operation(cursor: apsw.Cursor, operation_id: str, active: tuple[OperationRow, ...]) -> OperationRow | None:
    for operation in active:
        if operation.operation_id == operation_id:
            return operation
    return operation_of(cursor, operation_id)


def _active(cursor: apsw.Cursor, instance_id: str) -> tuple[OperationRow, ...]:
    rows = cursor.execute(_ACTIVE, (instance_id, instance_id)).fetchall()
    if not rows:
        return ()
    found = [(operation_row(row), row[-1]) for row in rows]
    if len(found) > 1:
        found.sort(key=lambda each: (each[0].created_at, each[1]))
    return tuple(operation for operation, _ in found)


def _bindings(cursor: apsw.Cursor, instance_id: str) -> tuple[BindingRow, ...]:
    return tuple(map(binding_row, cursor.execute(_BINDINGS, (instance_id,)).fetchall()))


def _count(cursor: apsw.Cursor, count: Count) -> int:
    organization = None if count.organization_guid is None else f"={count.organization_guid}"
    asked = {"service_id": count.service_id, "plan_id": count.plan_id, "organization": organization}
    given = {column: value for column, value in asked.items() if value is not None}
    where = " AND ".join(f"{column} = ?" for column in given) or "true"
    found: int = cursor.execute(f"SELECT ifnull(sum(number), 0) FROM tally WHERE {where}", (*given.values(),)).get  # noqa: S608
    return found


def _write(cursor: apsw.Cursor, instance_id: str, change: Change[T]) -> None:
    execute = cursor.execute
    if change.forget_instance or change.forget_bindings or change.forget_steps:
        _forget(cursor, instance_id, change)
    if change.instance is not None:
        execute(_PUT_INSTANCE, astuple(change.instance))
    for binding in change.bindings:
        execute(_PUT_BINDING, astuple(binding))
    for operation in _ended_first(change.operations):
        execute(_PUT_OPERATION, astuple(operation))
    for event in change.events:
        execute(_ADD_EVENT, astuple(event)[1:])


def _ended_first(operations: Sequence[OperationRow]) -> Sequence[OperationRow]:
    """Put operations that leave a lane before those that enter it."""
    if len(operations) < 2:
        return operations
    return sorted(operations, key=lambda operation: operation.state == IN_PROGRESS)


def _forget(cursor: apsw.Cursor, instance_id: str, change: Change[T]) -> None:
    if change.forget_instance:
        cursor.execute(SQL["forget_bindings"], (instance_id,))
        cursor.execute(SQL["forget_instance"], (instance_id,))
    for binding_id in change.forget_bindings:
        cursor.execute(SQL["forget_binding"], (instance_id, binding_id))
    for operation_id in change.forget_steps:
        cursor.execute(SQL["forget_steps"], (operation_id,))
