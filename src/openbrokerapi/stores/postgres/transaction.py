"""One change: a transaction of two round trips."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar, cast

import psycopg

from openbrokerapi.stores.contract import Change, Count, Defer, Key, SchemaMismatchError, View
from openbrokerapi.stores.rows import InstanceRow

from .connections import Connection
from .locks import lock_keys
from .statements import SQL, make_row
from .writing import statements

T = TypeVar("T")

#: Seconds after which the server ends a transaction whose process is frozen, and so frees the instance.
IDLE_LIMIT = 10.0


class Transaction(Generic[T]):
    """One change, which is tried until it is known to be done or not to be done.

    A connection that is lost at the commit leaves open whether it was made. Each try therefore writes a mark of its
    own; the next try, when it has the lock that the lost one held, looks whether one is there. (The number of the
    transaction would not do: after a crash the server gives it to another one.)

    Args:
        version: What this program knows; tables that need more are left alone.
        wait: Seconds to wait for the instance's lock.
    """

    def __init__(
        self, key: Key, decide: Callable[[View], Change[T]], *, version: int, wait: float, defer: Defer | None
    ) -> None:
        self._key = key
        self._decide = decide
        self._version = version
        self._wait = wait
        self._defer = defer
        self._open: dict[int, T] = {}

    async def run(self, connection: Connection) -> T:
        """Try it on a connection."""
        token = secrets.randbits(63)
        try:
            async with connection.pipeline() as pipeline:
                return await self._run(connection, pipeline, token)
        except psycopg.Error:
            if not connection.closed:
                # The server answered: it refused, and nothing was written.
                self._open.pop(token, None)
                await _roll_back(connection)
            raise
        except BaseException:
            if connection.pgconn.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                # Cancelled in the middle: what the connection still waits for is unknown.
                await connection.close()
            raise

    async def _run(self, connection: Connection, pipeline: psycopg.AsyncPipeline, token: int) -> T:
        needs, mark, view = await self._look(connection, pipeline)
        if needs <= self._version and mark is None:
            try:
                change = self._decide(view)
            except BaseException:
                await _end(connection)
                raise
            if change.writes:
                await self._write(connection, change, token)
                return change.result
        # Nothing is written.
        await _end(connection)
        if mark is not None:
            return self._open[mark]
        if needs <= self._version:
            return change.result
        raise SchemaMismatchError(
            f"The tables were brought up to date by a newer program (they need version {needs}, this one knows"
            f" {self._version}); nothing was written. Start the newer program here, too."
        )

    async def _look(self, connection: Connection, pipeline: psycopg.AsyncPipeline) -> tuple[int, int | None, View]:
        key = self._key
        marks = "{" + ",".join(map(str, self._open)) + "}"
        await connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
        limits = (str(int(self._wait * 1000)), str(int(IDLE_LIMIT * 1000)))
        await connection.execute(SQL["locks"], (*limits, lock_keys(key)))
        first = await _select(connection, SQL["look"], marks, key.instance_id)
        active = await _select(connection, SQL["active_locked"], key.instance_id, key.instance_id)
        binding = bindings = operation = counts = None
        if key.binding_id is not None:
            binding = await _select(connection, SQL["binding"], key.instance_id, key.binding_id)
        if key.bindings:
            bindings = await _select(connection, SQL["bindings"], key.instance_id)
        if key.operation_id is not None:
            operation = await _select(connection, SQL["operation_locked"], key.operation_id)
        if key.counts:
            counts = await _select(connection, *_counting(key.counts))
        # Not by leaving the pipeline: that sends a Flush behind the Sync, and then no idle limit counts on the server.
        await pipeline.sync()
        ((needs, mark, *instance),) = await first.fetchall()
        return (
            needs,
            mark,
            View(
                instance=None if instance[0] is None else cast(InstanceRow, make_row("instance", tuple(instance))),
                binding=next(iter(await _rows(binding, "binding")), None),
                bindings=tuple(await _rows(bindings, "binding")),
                active=tuple(await _rows(active, "operation")),
                operation=next(iter(await _rows(operation, "operation")), None),
                counts=(await counts.fetchall())[0] if counts else (),
            ),
        )

    async def _write(self, connection: Connection, change: Change[T], token: int) -> None:
        self._open[token] = change.result
        for statement in statements(change, self._key.instance_id, token):
            await connection.execute(*statement)
        if change.begin and self._defer is not None:
            await self._defer(connection, change.begin)
        await _end(connection)


async def _select(connection: Connection, sql: str, *values: Any) -> psycopg.AsyncCursor[tuple[Any, ...]]:
    cursor = connection.cursor(binary=True)
    await cursor.execute(sql, values)
    return cursor


async def _rows(cursor: psycopg.AsyncCursor[tuple[Any, ...]] | None, table: str) -> list[Any]:
    return [make_row(table, values) for values in await cursor.fetchall()] if cursor else []


async def _end(connection: Connection) -> None:
    # Also where nothing was written: at a ROLLBACK psycopg forgets all prepared statements.
    await connection.execute("COMMIT")


async def _roll_back(connection: Connection) -> None:
    with suppress(psycopg.Error):
        await connection.execute("ROLLBACK")


def _counting(counts: tuple[Count, ...]) -> tuple[str, ...]:
    """Write the question for some counts, and its values."""
    asked: list[str] = []
    values: list[str] = []
    for count in counts:
        given = {name: getattr(count, name) for name in count.__struct_fields__ if getattr(count, name) is not None}
        where = " AND ".join(f"{name} = %s::text" for name in given) or "true"
        asked.append(f"(SELECT count(*) FROM openbroker.instance WHERE {where})")  # noqa: S608 - names of our own
        values.extend(given.values())
    return f"SELECT {', '.join(asked)}", *values
