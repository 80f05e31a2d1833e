"""What a worker writes, each in one statement that is fenced; and what is due."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import apsw
from msgspec.structs import astuple

from openbrokerapi.stores.contract import Due
from openbrokerapi.stores.rows import OperationRow, StepRow

from .statements import SQL, operation_row

_CLAIM = SQL["claim"]
_BEAT = SQL["beat"]
_REMEMBER = SQL["remember"]
_REPORT = SQL["report"]


def claim(cursor: apsw.Cursor, operation_id: str, worker: str, now: float, lease: float) -> OperationRow | None:
    """Take an operation, if it is free."""
    for row in cursor.execute(_CLAIM, (worker, now + lease, now, operation_id, now)).fetchall():
        return operation_row(row)
    return None


def void_leases(cursor: apsw.Cursor) -> None:
    """Take all operations from their workers, who are gone."""
    cursor.execute(SQL["void_leases"])
    cursor.execute(SQL["void_leases_of_ended"])


def beat(cursor: apsw.Cursor, worker: str, until: float, operation_ids: Sequence[str]) -> set[str]:
    """Renew leases; give the operations that are this worker's and in progress."""
    return {each for each in operation_ids if (1,) in cursor.execute(_BEAT, (until, each, worker)).fetchall()}


def remember(cursor: apsw.Cursor, step: StepRow, attempt: int) -> bool:
    """Write a step, if its operation is still in progress at this attempt."""
    return bool(cursor.execute(_REMEMBER, (*astuple(step), step.operation_id, attempt)).fetchall())


def report(cursor: apsw.Cursor, operation_id: str, attempt: int, description: str) -> bool:
    """Write a description, if the operation is still in progress at this attempt."""
    return bool(cursor.execute(_REPORT, (description, operation_id, attempt)).fetchall())


def due(cursor: apsw.Cursor, now: float, limit: int) -> Due:
    """Give what is to be looked after; each is a look into an index that holds nothing else."""

    def found(name: str) -> list[tuple[Any, ...]]:
        return cursor.execute(SQL[name], (now, limit)).fetchall()

    unheld, left, late = (tuple(row[0] for row in found(name)) for name in ("due_unheld", "due_left", "due_late"))
    expired = tuple((instance_id, binding_id) for instance_id, binding_id in found("due_expired"))
    return Due(unheld=unheld, left=left, late=late, expired=expired)
