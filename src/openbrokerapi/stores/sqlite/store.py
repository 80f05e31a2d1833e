"""The store in one SQLite file."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import apsw

from openbrokerapi.stores.contract import Change, Defer, Due, Key, Status, StoreError, StoreInUseError, View
from openbrokerapi.stores.rows import BindingRow, Event, InstanceRow, OperationRow, Row, StepRow

from . import changing, keeping, working
from .database import PATIENCE, connect, make
from .faults import fault, folder_fault
from .migrating import carried_out, migrate, refuse_unknown, tell
from .owner import Owner
from .statements import SQL, binding_row, event_row, instance_row, operation_row, step_row
from .writer import Writer

T = TypeVar("T")
#: Greater than the number of any event.
_NO_EVENT_YET = (1 << 63) - 1
#: Seconds between two looks at a lock.
_LOOK_AGAIN = 0.05


class SqliteStore:
    """Keep the state in one SQLite file, which one broker process owns.

    Args:
        path: The file; it is made when the store is opened or migrated, its folder must be there.
        clock: The clock of the leases and of what is due: seconds since 1970.
        vfs: The name of the file system of SQLite's that the writer uses; for tests and benchmarks.
    """

    shared = False

    def __init__(self, path: str | Path, clock: Callable[[], float] = time.time, *, vfs: str | None = None) -> None:
        # Unused: no queue is kept in this database.
        self.defer: Defer | None = None
        self.path = Path(path).resolve()
        self._clock = clock
        self._vfs = vfs
        self._owner = Owner(self.path)
        self._writer: Writer | None = None
        self._connections: list[apsw.Connection] = []
        self._write: apsw.Cursor
        self._read: apsw.Cursor

    async def open(self, *, owner: bool = True) -> None:
        """Make the store ready; see :meth:`openbrokerapi.stores.contract.Store.open`."""
        self._check_folder()
        if owner:
            self._owner.take()
        try:
            await self.migrate()
            self._connect()
            if owner:
                # Whoever held them is gone, for nobody else had this lock.
                await self._do(working.void_leases)
        except BaseException:
            await self.close()
            raise

    def _connect(self) -> None:
        try:
            writing = connect(self.path, self._vfs)
            self._connections.append(writing)
            reading = connect(self.path)
            self._connections.append(reading)
        except apsw.Error as error:
            self._disconnect()
            raise fault(self.path, error) from error
        self._write = writing.cursor()
        self._read = reading.cursor()
        self._writer = Writer(writing, partial(fault, self.path))

    def _disconnect(self) -> None:
        for connection in self._connections:
            connection.close()
        self._connections.clear()

    async def close(self) -> None:
        """Finish what is under way, and let go of the file and its lock."""
        if self._writer is not None:
            await self._writer.close()
            self._writer = None
        self._disconnect()
        self._owner.release()

    async def migrate(self) -> list[str]:
        """Bring the tables up to date; give the names of the migrations that were missing."""
        status = await self.status()
        refuse_unknown(status)
        if not status.pending:
            return []
        ours = self._owner.held
        if not ours:
            await self._take_soon()
        try:
            make(self.path)
            with closing(connect(self.path)) as connection:
                return migrate(connection, self._clock)
        except apsw.Error as error:
            raise fault(self.path, error) from error
        finally:
            if not ours:
                self._owner.release()

    async def _take_soon(self) -> None:
        """Take the lock, also from somebody who migrates at this moment."""
        deadline = time.monotonic() + PATIENCE / 1000
        while True:
            try:
                return self._owner.take()
            except StoreInUseError:
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(_LOOK_AGAIN)

    async def status(self) -> Status:
        """Tell the version of the tables; a file that is not there is not made."""
        self._check_folder()
        if not self.path.exists():
            return tell(self.path, set())
        try:
            with closing(connect(self.path)) as connection:
                return tell(self.path, carried_out(connection))
        except apsw.Error as error:
            raise fault(self.path, error) from error

    def _check_folder(self) -> None:
        if refusal := folder_fault(self.path):
            raise refusal

    async def change(self, key: Key, decide: Callable[[View], Change[T]]) -> T:
        """Carry out one transaction."""
        return await self._do(changing.carry_out, key, decide)

    async def claim(self, operation_id: str, worker: str, lease: float) -> OperationRow | None:
        """Take an operation to work on it, for ``lease`` seconds."""
        return await self._do(working.claim, operation_id, worker, self._clock(), lease)

    async def beat(self, worker: str, lease: float, operation_ids: Sequence[str]) -> set[str]:
        """Renew the lease of these operations; give those that are still this worker's."""
        return await self._do(working.beat, worker, self._clock() + lease, operation_ids)

    async def steps(self, operation_id: str) -> list[StepRow]:
        """Give what is remembered of an operation's steps."""
        return [*map(step_row, self._fetch("steps", (operation_id,)))]

    async def remember(self, step: StepRow, attempt: int) -> bool:
        """Write a step; false if the operation is no longer in progress at this attempt."""
        return await self._do(working.remember, step, attempt)

    async def report(self, operation_id: str, attempt: int, description: str) -> bool:
        """Write what the platform reads of an operation; false as with :meth:`remember`."""
        return await self._do(working.report, operation_id, attempt, description)

    async def instance(self, instance_id: str) -> InstanceRow | None:
        """Give an instance."""
        for row in self._fetch("instance", (instance_id,)):
            return instance_row(row)
        return None

    async def binding(self, instance_id: str, binding_id: str) -> BindingRow | None:
        """Give a binding."""
        for row in self._fetch("binding", (instance_id, binding_id)):
            return binding_row(row)
        return None

    async def operation(self, operation_id: str) -> OperationRow | None:
        """Give an operation."""
        for row in self._fetch("operation", (operation_id,)):
            return operation_row(row)
        return None

    async def latest_operation(self, instance_id: str, binding_id: str | None = None) -> OperationRow | None:
        """Give the operation of an instance, or of a binding, that was begun last."""
        for row in self._fetch("latest_operation", (instance_id, binding_id)):
            return operation_row(row)
        return None

    async def due(self, limit: int = 100) -> Due:
        """Give what is to be looked after, at most ``limit`` of each."""
        return self._look(working.due, self._clock(), limit)

    async def purge(self, operations_before: float, events_before: float) -> int:
        """Delete finished operations, and events, from before a moment; give how many rows that were."""
        purged = 0
        after: tuple[float, int] | None = (float("-inf"), 0)
        while after is not None:
            gone, after = await self._do(keeping.purge_operations, operations_before, after)
            purged += gone
        while gone := await self._do(keeping.purge_events, events_before):
            purged += gone
        return purged

    async def rows(self, table: str, after: tuple[Any, ...] | None = None, limit: int = 1000) -> list[Row]:
        """Give rows of a table in the order of its key, from behind the key ``after``."""
        return self._look(keeping.rows, table, after, limit)

    async def load(self, table: str, rows: Sequence[Row]) -> None:
        """Write rows as they are, in one transaction; those that are there are left alone."""
        await self._do(keeping.load, table, rows)

    async def reseal(self, table: str, replaced: Sequence[tuple[Row, Row]]) -> int:
        """Replace rows by themselves with other sealed values, if they still have the old ones; give how many had."""
        return await self._do(keeping.reseal, table, replaced)

    async def events(
        self, instance_id: str | None = None, *, before: int | None = None, limit: int = 100
    ) -> list[Event]:
        """Give events, the latest first, from before the event with the number ``before``."""
        until = _NO_EVENT_YET if before is None else before
        if instance_id is None:
            return [*map(event_row, self._fetch("events", (until, limit)))]
        return [*map(event_row, self._fetch("events_of_instance", (instance_id, until, limit)))]

    async def operations(self, *, in_progress: bool, limit: int = 100) -> list[OperationRow]:
        """Give operations in progress, the oldest first; or finished ones, the last first."""
        name = "operations_in_progress" if in_progress else "operations_finished"
        return [*map(operation_row, self._fetch(name, (limit,)))]

    async def instances(
        self, *, states: Sequence[str] | None = None, after: str | None = None, limit: int = 100
    ) -> list[InstanceRow]:
        """Give instances in the order of their ids, from behind ``after``, in these states only if any are given."""
        behind = after or ""
        if states is None:
            return [*map(instance_row, self._fetch("instances", (behind, limit)))]
        # One look for each state: all of them together would be sorted anew each time.
        found = [row for state in {*states} for row in self._in_state(state, behind, limit)]
        return [*map(instance_row, heapq.nsmallest(limit, found))]

    def _in_state(self, state: str, behind: str, limit: int) -> list[tuple[Any, ...]]:
        if state == "ready":
            return self._fetch("instances_ready", (behind, limit))
        return self._fetch("instances_not_ready", (state, behind, limit))

    async def note(self, name: str) -> bytes | None:
        """Give a note of the whole store."""
        for row in self._fetch("note", (name,)):
            return bytes(row[0])
        return None

    async def write_note(self, name: str, value: bytes) -> None:
        """Write a note of the whole store."""
        await self._do(_fetch, SQL["put_note"], (name, value))

    async def _do(self, work: Callable[..., T], *values: Any) -> T:
        if self._writer is None:
            raise _not_open(self.path)
        return await self._writer.do(partial(work, self._write, *values))

    def _fetch(self, name: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        return self._look(_fetch, SQL[name], values)

    def _look(self, read: Callable[..., T], *values: Any) -> T:
        """Read what is committed."""
        if self._writer is None:
            raise _not_open(self.path)
        try:
            return read(self._read, *values)
        except apsw.Error as error:
            raise fault(self.path, error) from error


def _fetch(cursor: apsw.Cursor, statement: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    return cursor.execute(statement, values).fetchall()


def _not_open(path: Path) -> StoreError:
    return StoreError(f"The store {path} is not open.")
