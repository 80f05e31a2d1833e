"""``openbroker operations``: what a managed broker does, what it could not delete, and what happened."""

from __future__ import annotations

import getpass
import time
import uuid
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
import msgspec

from .managing import ManagingError, finished, opened, store_option

if TYPE_CHECKING:
    from openbrokerapi.stores.contract import Store
    from openbrokerapi.stores.rows import BindingRow, Event, InstanceRow, OperationRow

_json = click.option("--json", "as_json", is_flag=True, help="Write JSON, one object a line.")
_limit = click.option("--limit", default=100, show_default=True, type=click.IntRange(1), help="At most so many.")


@click.group()
def operations() -> None:
    """See what a managed broker does, and what it left; put that right.

    These commands work beside the running broker.
    """


@operations.command("list", short_help="List the operations in progress.")
@store_option
@_limit
@click.option("--finished", "done", is_flag=True, help="List the finished ones, the last first.")
@_json
def list_operations(store: str | None, limit: int, done: bool, as_json: bool) -> None:
    """List the operations in progress, the oldest first.

    Exit codes: 0, 2 the store cannot be used.
    """

    async def rows() -> list[OperationRow]:
        async with opened(store) as there:
            return await there.operations(in_progress=not done, limit=limit)

    _write((_operation(row) for row in finished(rows())), as_json, "No operation is in progress.")


@operations.command(short_help="List what could not be deleted.")
@store_option
@_json
def left(store: str | None, as_json: bool) -> None:
    """List instances and bindings that could not be created and not be cleaned up, or that could not be deleted.

    Something of them may be left that costs money, and that no platform asks for. `openbroker operations retry` deletes
    them again.

    Exit codes: 0 there are none, 1 there are some, 2 the store cannot be used.
    """

    async def rows() -> list[dict[str, Any]]:
        async with opened(store) as there:
            return [each async for each in _left(there)]

    found = finished(rows())
    _write(found, as_json, "Nothing is left behind.")
    click.get_current_context().exit(1 if found else 0)


async def _left(store: Store) -> AsyncIterator[dict[str, Any]]:
    from openbrokerapi.managed.operating import left_behind

    async for row in left_behind(store):
        operation = await store.latest_operation(row.instance_id, getattr(row, "binding_id", None))
        yield _subject(row, operation)


@operations.command(short_help="Delete again what is left behind.")
@click.argument("instance_id")
@click.argument("binding_id", required=False)
@store_option
def retry(instance_id: str, binding_id: str | None, store: str | None) -> None:
    """Let the broker delete an instance, or a binding of it, again; a running broker does so within a second or two.

    Exit codes: 0 it is asked for, 1 there is nothing left behind under this id, 2 the store cannot be used.
    """
    operation_id = finished(_retried(store, instance_id, binding_id))
    click.echo(f"The broker will try it again: operation {operation_id}.")


async def _retried(url: str | None, instance_id: str, binding_id: str | None) -> str:
    from openbrokerapi.errors import ErrConcurrentInstanceAccess
    from openbrokerapi.managed.operating import NothingToRetryError, retry
    from openbrokerapi.managed.subjects import Who

    async with opened(url) as store:
        try:
            who = Who(user=_operator())
            operation = await retry(
                store, instance_id, binding_id, who, clock=time.time, new_id=lambda: uuid.uuid4().hex
            )
        except NothingToRetryError as error:
            raise click.ClickException(f"there is nothing to be deleted again: {error}") from None
        except ErrConcurrentInstanceAccess:
            raise ManagingError("an operation of the instance is in progress; try again when it has ended") from None
        return operation.operation_id


def _operator() -> str:
    try:
        return f"operator {getpass.getuser()}"
    except (OSError, KeyError, ImportError):  # a container may run as somebody who has no name
        return "operator"


@operations.command(short_help="Show what happened.")
@click.argument("instance_id", required=False)
@store_option
@_limit
@_json
def events(instance_id: str | None, store: str | None, limit: int, as_json: bool) -> None:
    """Show what happened, to an instance or at all: the audit, the latest first.

    Exit codes: 0, 2 the store cannot be used.
    """

    async def rows() -> list[Event]:
        async with opened(store) as there:
            return await there.events(instance_id, limit=limit)

    _write((_event(row) for row in finished(rows())), as_json, "Nothing has happened.")


def _write(found: Iterable[dict[str, Any]], as_json: bool, nothing: str) -> None:
    empty = True
    for fields in found:
        empty = False
        known = {name: value for name, value in fields.items() if value is not None}
        click.echo(msgspec.json.encode(known).decode() if as_json else "  ".join(_words(known)))
    if empty and not as_json:
        click.echo(nothing)


def _words(fields: dict[str, Any]) -> Iterable[str]:
    for name, value in fields.items():
        yield str(value) if name in ("at", "what", "kind", "state") else f"{name}={_word(value)}"


def _word(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return f'"{text}"' if " " in text and not text.startswith("{") else text


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _operation(row: OperationRow) -> dict[str, Any]:
    return {
        "at": _moment(row.finished_at or row.created_at),
        "kind": row.kind,
        "state": row.state,
        "instance": row.instance_id,
        "binding": row.binding_id,
        "operation": row.operation_id,
        "attempt": row.attempt,
        "waits_for": row.blocked_by,
        "description": row.description,
    }


def _subject(row: InstanceRow | BindingRow, operation: OperationRow | None) -> dict[str, Any]:
    return {
        "at": _moment(row.updated_at),
        "state": row.state,
        "instance": row.instance_id,
        "binding": getattr(row, "binding_id", None),
        "service_id": row.service_id,
        "plan_id": row.plan_id,
        # The log has it, too, with the reason.
        "operation": None if operation is None else operation.operation_id,
        "description": None if operation is None else operation.description,
    }


def _event(row: Event) -> dict[str, Any]:
    return {
        "at": _moment(row.at),
        "what": row.what,
        "instance": row.instance_id,
        "binding": row.binding_id,
        "operation": row.operation_id,
        "who": None if row.who is None else msgspec.json.decode(row.who),
        "detail": row.detail,
    }
