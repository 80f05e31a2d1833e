"""The store in a PostgreSQL database."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar, cast

import psycopg

from openbrokerapi.stores.contract import Change, Defer, Due, Key, Status, Store, View
from openbrokerapi.stores.rows import BindingRow, Event, InstanceRow, OperationRow, Row, StepRow

from . import schema, tables
from .address import Address, read_address
from .connections import Connection, Connections, connect
from .faults import fault
from .statements import SQL, make_row
from .transaction import Transaction

T = TypeVar("T")


class PostgresStore:
    """Keep the state in a PostgreSQL database, which any number of processes may share.

    All tables lie in the schema "openbroker". Leases are told by the database's clock. While the database is away,
    calls wait for it; afterwards each lease lasts its whole length once more, for nobody could renew it.

    It works behind pgbouncer in transaction mode: give ``prepares=False``, or write ``?prepare_threshold=none`` at the
    end of the URL. A worker listens for its jobs, which takes a connection of its own: give
    :class:`~openbrokerapi.managed.runners.queued.QueuedRunner` a URL that goes around pgbouncer.

    Args:
        url: As libpq reads it: ``postgresql://user:password@host:port/database``.
        size: The most connections at once.
        patience: How many seconds a call waits for a database that is away.
        prepares: Whether statements are prepared on the server.
        shift: Gives the seconds by which the database's clock is taken to be ahead; for tests.

    Raises:
        StoreError: The URL cannot be read.
    """

    shared = True

    def __init__(
        self,
        url: str,
        *,
        size: int = 10,
        patience: float = 30.0,
        prepares: bool = True,
        shift: Callable[[], float] = lambda: 0.0,
    ) -> None:
        read = read_address(url)
        self.address = Address(read.conninfo, read.where, read.prepares and prepares)
        self.defer: Defer | None = None
        self._size = size
        self._patience = patience
        self._shift = shift
        self._connections = self._make_connections()

    def __repr__(self) -> str:
        return f"PostgresStore({self.address.where})"

    def _make_connections(self) -> Connections:
        return Connections(self.address, size=self._size, patience=self._patience)

    async def open(self, *, owner: bool = True) -> None:  # noqa: ARG002 - any number of processes own it
        """Connect, and bring the tables up to date; see the contract."""
        await self._connections.close()
        self._connections = self._make_connections()
        try:
            made = await self._connections.run(schema.read_made)
            schema.refuse_newer(made, self.address.where)
            if any(schema.missing(made)):
                await self.migrate()
        except BaseException:
            await self._connections.close()
            raise

    async def close(self) -> None:
        """Let go of all connections; see the contract."""
        await self._connections.close()

    async def migrate(self) -> list[str]:
        """Bring the tables up to date; see the contract."""
        return await self._beside(lambda connection: schema.migrate(connection, self.address.where))

    async def status(self) -> Status:
        """Tell the version of the tables; see the contract."""
        return schema.make_status(await self._beside(schema.read_made), self.address.where)

    async def _beside(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do something on a connection of its own, at once or not at all."""
        try:
            connection = await connect(self.address)
            async with connection:
                return await work(connection)
        except psycopg.Error as error:
            raise fault(error, self.address.where) from error

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do something on a connection that commits each statement; again if the connection was lost.

        Raises:
            StoreError: The database stays away, or refuses.
        """
        return await self._connections.run(work)

    async def change(self, key: Key, decide: Callable[[View], Change[T]]) -> T:
        """Carry out one transaction, in two round trips; see the contract."""
        transaction = Transaction(key, decide, version=schema.VERSION, wait=self._patience, defer=self.defer)
        return await self._connections.run(transaction.run)

    async def claim(self, operation_id: str, worker: str, lease: float) -> OperationRow | None:
        """Take an operation to work on it; see the contract."""
        own = {"operation_id": operation_id, "worker": worker, "lease": lease, "token": secrets.randbits(63)}
        rows = await self._fetch("claim", {**own, **self._clock(), "version": schema.VERSION})
        return cast(OperationRow, make_row("operation", rows[0])) if rows else None

    async def beat(self, worker: str, lease: float, operation_ids: Sequence[str]) -> set[str]:
        """Renew leases; see the contract."""
        own = {"operation_ids": list(operation_ids), "worker": worker, "lease": lease}
        return {
            operation_id for operation_id, goes_on in await self._fetch("beat", {**own, **self._clock()}) if goes_on
        }

    async def steps(self, operation_id: str) -> list[StepRow]:
        """Give what is remembered of an operation's steps."""
        return cast(list[StepRow], await self._rows("step", "steps", operation_id))

    async def remember(self, step: StepRow, attempt: int) -> bool:
        """Write a step; see the contract."""
        values = {name: getattr(step, name) for name in step.__struct_fields__}
        return bool(await self._fetch("remember", {**values, "attempt": attempt}))

    async def report(self, operation_id: str, attempt: int, description: str) -> bool:
        """Write what the platform reads of an operation; see the contract."""
        return bool(await self._fetch("report", (description, operation_id, attempt)))

    async def instance(self, instance_id: str) -> InstanceRow | None:
        """Give an instance."""
        return cast(InstanceRow | None, await self._row("instance", "instance", instance_id))

    async def binding(self, instance_id: str, binding_id: str) -> BindingRow | None:
        """Give a binding."""
        return cast(BindingRow | None, await self._row("binding", "binding", instance_id, binding_id))

    async def operation(self, operation_id: str) -> OperationRow | None:
        """Give an operation."""
        return cast(OperationRow | None, await self._row("operation", "operation", operation_id))

    async def latest_operation(self, instance_id: str, binding_id: str | None = None) -> OperationRow | None:
        """Give the operation of an instance, or of a binding, that was begun last."""
        if binding_id is None:
            return cast(OperationRow | None, await self._row("operation", "latest_of_instance", instance_id))
        return cast(OperationRow | None, await self._row("operation", "latest_of_binding", instance_id, binding_id))

    async def due(self, limit: int = 100) -> Due:
        """Give what is to be looked after; see the contract."""
        ((unheld, left, late, expired),) = await self._fetch("due", {"limit": limit, **self._clock()})
        pairs = tuple((instance_id, binding_id) for instance_id, binding_id in expired)
        return Due(unheld=tuple(unheld), left=tuple(left), late=tuple(late), expired=pairs)

    async def purge(self, operations_before: float, events_before: float) -> int:
        """Delete finished operations, and events, from before a moment; see the contract."""

        async def delete(connection: Connection) -> int:
            async with connection.transaction():
                operations = await connection.execute(SQL["purge_operations"], (operations_before,))
                events = await connection.execute(SQL["purge_events"], (events_before,))
                await connection.execute(SQL["purge_marks"])
            return operations.rowcount + events.rowcount

        return await self.run(delete)

    async def rows(self, table: str, after: tuple[Any, ...] | None = None, limit: int = 1000) -> list[Row]:
        """Give rows of a table in the order of its key, from behind the key ``after``."""
        return await self.run(lambda connection: tables.read(connection, table, after, limit))

    async def load(self, table: str, rows: Sequence[Row]) -> None:
        """Write rows as they are, in one transaction; those that are there are left alone."""
        await self.run(lambda connection: tables.load(connection, table, rows))

    async def reseal(self, table: str, replaced: Sequence[tuple[Row, Row]]) -> int:
        """Replace rows by themselves with other sealed values; see the contract."""
        return await self.run(lambda connection: tables.reseal(connection, table, replaced))

    async def events(
        self, instance_id: str | None = None, *, before: int | None = None, limit: int = 100
    ) -> list[Event]:
        """Give events, the latest first; see the contract."""
        if instance_id is None:
            return cast(list[Event], await self._rows("event", "events", before, limit))
        return cast(list[Event], await self._rows("event", "events_of_instance", instance_id, before, limit))

    async def operations(self, *, in_progress: bool, limit: int = 100) -> list[OperationRow]:
        """Give operations in progress, the oldest first; or finished ones, the last first."""
        name = "operations_in_progress" if in_progress else "operations_finished"
        return cast(list[OperationRow], await self._rows("operation", name, limit))

    async def instances(
        self, *, states: Sequence[str] | None = None, after: str | None = None, limit: int = 100
    ) -> list[InstanceRow]:
        """Give instances in the order of their ids; see the contract."""
        if states is None:
            return cast(list[InstanceRow], await self._rows("instance", "instances", after, limit))
        return cast(list[InstanceRow], await self._rows("instance", "instances_in_states", after, list(states), limit))

    async def note(self, name: str) -> bytes | None:
        """Give a note of the whole store."""
        rows = await self._fetch("note", (name,))
        return cast(bytes, rows[0][0]) if rows else None

    async def write_note(self, name: str, value: bytes) -> None:
        """Write a note of the whole store."""
        await self.run(lambda connection: connection.execute(SQL["put_note"], (name, value)))

    def _clock(self) -> dict[str, float | None]:
        shift, back = self._shift(), self._connections.since_back
        return {"shift": shift, "back": None if back is None else back + shift}

    async def _fetch(self, name: str, values: Sequence[Any] | dict[str, Any]) -> list[tuple[Any, ...]]:
        async def execute(connection: Connection) -> list[tuple[Any, ...]]:
            cursor = connection.cursor(binary=True)
            await cursor.execute(SQL[name], values)
            return await cursor.fetchall()

        return await self.run(execute)

    async def _rows(self, table: str, name: str, *values: Any) -> list[Row]:
        return [make_row(table, row) for row in await self._fetch(name, values)]

    async def _row(self, table: str, name: str, *values: Any) -> Row | None:
        rows = await self._rows(table, name, *values)
        return rows[0] if rows else None


def _keeps_the_contract(store: PostgresStore) -> Store:
    return store
