"""The SQL statements by their names, and rows as SQLite gives them."""

from __future__ import annotations

import importlib.resources
from collections.abc import Callable
from typing import Any

from openbrokerapi.stores.rows import BindingRow, Event, InstanceRow, OperationRow, Row, StepRow

_MARK = "-- name: "


def _read(text: str) -> dict[str, str]:
    named = (part.partition("\n") for part in text.split(_MARK)[1:])
    # One line each: the shorter the text, the cheaper the look into the cache of prepared statements.
    return {name.strip(): _one_line(sql) for name, _, sql in named}


def _one_line(sql: str) -> str:
    return " ".join(line.strip() for line in sql.splitlines() if not line.startswith("--")).strip()


#: What ``statements.sql`` holds.
SQL = _read(importlib.resources.files(__package__).joinpath("statements.sql").read_text("utf-8"))


def _flag(value: int | None) -> bool | None:
    return None if value is None else value != 0


def instance_row(row: tuple[Any, ...]) -> InstanceRow:
    """Make an instance of a row of its table."""
    return InstanceRow(
        instance_id=row[0],
        service_id=row[1],
        plan_id=row[2],
        state=row[3],
        usable=row[4] != 0,
        organization_guid=row[5],
        space_guid=row[6],
        platform=row[7],
        name=row[8],
        maintenance_version=row[9],
        request=row[10],
        answer=row[11],
        created_at=row[12],
        updated_at=row[13],
    )


def binding_row(row: tuple[Any, ...]) -> BindingRow:
    """Make a binding of a row of its table."""
    return BindingRow(
        instance_id=row[0],
        binding_id=row[1],
        service_id=row[2],
        plan_id=row[3],
        state=row[4],
        app_guid=row[5],
        predecessor_binding_id=row[6],
        expires_at=row[7],
        renew_before=row[8],
        request=row[9],
        answer=row[10],
        created_at=row[11],
        updated_at=row[12],
    )


def operation_row(row: tuple[Any, ...]) -> OperationRow:
    """Make an operation of a row of its table."""
    return OperationRow(
        operation_id=row[0],
        instance_id=row[1],
        binding_id=row[2],
        kind=row[3],
        state=row[4],
        lane=row[5],
        description=row[6],
        instance_usable=_flag(row[7]),
        update_repeatable=_flag(row[8]),
        request=row[9],
        who=row[10],
        blocked_by=row[11],
        attempt=row[12],
        worker=row[13],
        lease_until=row[14],
        deadline=row[15],
        created_at=row[16],
        started_at=row[17],
        finished_at=row[18],
    )


def step_row(row: tuple[Any, ...]) -> StepRow:
    """Make a step of a row of its table."""
    return StepRow(operation_id=row[0], name=row[1], done=row[2] != 0, tries=row[3], next_at=row[4], result=row[5])


def event_row(row: tuple[Any, ...]) -> Event:
    """Make an event of a row of its table."""
    return Event(
        number=row[0],
        at=row[1],
        instance_id=row[2],
        binding_id=row[3],
        operation_id=row[4],
        what=row[5],
        who=row[6],
        detail=row[7],
    )


#: What makes a row of a table's.
READERS: dict[str, Callable[[tuple[Any, ...]], Row]] = {
    "instance": instance_row,
    "binding": binding_row,
    "operation": operation_row,
    "step": step_row,
    "event": event_row,
}
