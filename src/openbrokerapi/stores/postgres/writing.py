"""What a change writes, in as few statements as may be: psycopg and the server take their time for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from msgspec.structs import astuple

from openbrokerapi.stores.contract import Change
from openbrokerapi.stores.rows import IN_PROGRESS

from .statements import SQL

#: A statement and its values.
Statement = tuple[str, Sequence[Any]]


def statements(change: Change[Any], instance_id: str, token: int) -> Iterator[Statement]:
    """Give the statements of a change, in their order.

    Args:
        token: Of the mark that shows later that all of them were committed.
    """
    yield from _forgetting(change, instance_id)
    together: list[tuple[str, tuple[Any, ...]]] = []
    if change.instance is not None:
        together.append(("put_instance", astuple(change.instance)))
    together.extend(("put_binding", astuple(binding)) for binding in change.bindings)
    # What ends makes room in its lane for what begins; parts of one statement have no order among them.
    operations = sorted(change.operations, key=lambda row: row.state == IN_PROGRESS)
    yield from _in_order("put_operation", [astuple(operation) for operation in operations], together)
    yield from _in_order("add_event", [astuple(event)[1:] for event in change.events], together)
    names = tuple(name for name, _ in together)
    yield _join(names), [*(value for _, values in together for value in values), token]


def _forgetting(change: Change[Any], instance_id: str) -> Iterator[Statement]:
    if change.forget_instance:
        yield SQL["forget_bindings"], (instance_id,)
        yield SQL["forget_instance"], (instance_id,)
    if change.forget_bindings:
        yield SQL["forget_some_bindings"], (instance_id, list(change.forget_bindings))
    if change.forget_steps:
        yield SQL["forget_steps"], (list(change.forget_steps),)


def _in_order(
    name: str, rows: list[tuple[Any, ...]], together: list[tuple[str, tuple[Any, ...]]]
) -> Iterator[Statement]:
    for row in rows[:-1]:
        yield SQL[name], row
    together.extend((name, row) for row in rows[-1:])


@lru_cache(maxsize=100)
def _join(names: tuple[str, ...]) -> str:
    parts = ", ".join(f"part_{number} AS ({SQL[name]})" for number, name in enumerate(names))
    return f"WITH {parts} {SQL['add_mark']}" if parts else SQL["add_mark"]
