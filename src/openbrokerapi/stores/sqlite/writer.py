"""Group commit: all that waits is one transaction, and one flush to the disk.

Statements run on the event loop: each takes some microseconds. Only the flush, which takes as long as the disk wants,
is a thread's. While it runs, the connection is the thread's, and what comes in waits; when it is done, all that waits
is carried out at once, and flushed together.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

import apsw

from openbrokerapi.stores.contract import StoreError

from .database import PATIENCE

T = TypeVar("T")
#: So much goes into one transaction, at most: the loop must come to its other work.
_AT_ONCE = 256
#: A flush that takes longer than this many seconds is worth waiting for those who come at once again.
_SLOW = 0.002
#: As long as one comes in this time, the others are waited for; seconds.
_LULL = 0.0015
#: But not longer than the flush took, and not longer than this.
_LONGEST = 0.01


class _Work(Generic[T]):
    """One piece of a batch, and what came of it."""

    __slots__ = ("error", "result", "run", "waiter")

    result: T

    def __init__(self, run: Callable[[], T], waiter: asyncio.Future[None]) -> None:
        self.run = run
        self.waiter = waiter
        self.error: BaseException | None = None

    def answer(self) -> None:
        if not self.waiter.done():
            self.waiter.set_result(None)


class Writer:
    """Carries work out on one connection, in batches; one for each open store.

    Args:
        connection: A connection that nobody else uses.
        fault: Makes an error for the caller of one of SQLite's.
    """

    def __init__(self, connection: apsw.Connection, fault: Callable[[apsw.Error], StoreError]) -> None:
        self._connection = connection
        self._execute = connection.cursor().execute
        self._fault = fault
        self._loop = asyncio.get_running_loop()
        self._queue: deque[_Work[Any]] = deque()
        self._batch: list[_Work[Any]] = []
        self._busy = False
        self._careful = False
        self._closed = False
        self._handed_over = 0.0
        self._expected = 1
        self._gathering: asyncio.TimerHandle | None = None
        self._statements: SimpleQueue[str | None] = SimpleQueue()
        # Waits for a process that writes meanwhile are the thread's, too: the loop never waits.
        connection.set_busy_timeout(0)
        call_soon: Callable[..., Any] = self._loop.call_soon_threadsafe
        self._thread = threading.Thread(
            target=_serve,
            args=(self._statements, self._execute, partial(call_soon, self._handed_back)),
            name="openbroker-store",
            daemon=True,
        )
        self._thread.start()

    async def do(self, run: Callable[[], T]) -> T:
        """Carry out work that may write, in a transaction.

        Args:
            run: Reads and writes on the connection. When it raises, what it has written is taken back. It may be run
                again, after all that it has written was taken back.

        Returns:
            What ``run`` returns, when all that it has seen and written is durable.

        Raises:
            StoreError: The transaction failed as a whole, or SQLite refused what ``run`` did.
        """
        if self._closed:
            raise StoreError("The store is closed.")
        return await self._queued(run)

    async def close(self) -> None:
        """Finish what waits, and end the thread."""
        if self._closed:
            return
        self._closed = True
        while self._busy or self._queue:
            await self._queued(lambda: None)
        self._statements.put(None)
        self._thread.join()

    async def _queued(self, run: Callable[[], T]) -> T:
        work = _Work(run, self._loop.create_future())
        self._queue.append(work)
        # Not at once: what else the loop has received in this round belongs into the same batch.
        if not self._busy and len(self._queue) == self._expected:
            self._loop.call_soon(self._begin)
        await work.waiter
        if work.error is not None:
            raise work.error
        return work.result

    def _begin(self) -> None:
        if self._busy:
            return
        self._stop_gathering()
        if not self._queue:
            return
        try:
            self._execute("BEGIN IMMEDIATE")
        except apsw.BusyError:
            self._connection.set_busy_timeout(PATIENCE)
            self._hand_over("BEGIN IMMEDIATE")
        except apsw.Error as error:
            self._fail(self._next(), error)
        else:
            self._carry_out(self._next())

    def _next(self) -> list[_Work[Any]]:
        queue = self._queue
        if len(queue) <= _AT_ONCE:
            batch = list(queue)
            queue.clear()
            return batch
        return [queue.popleft() for _ in range(_AT_ONCE)]

    def _carry_out(self, batch: list[_Work[Any]]) -> None:
        before = self._connection.total_changes()
        seen: list[_Work[Any]] = []
        for place, work in enumerate(batch):
            if work.waiter.done():
                continue
            whole = self._run(work)
            if not self._connection.in_transaction:
                # SQLite itself has taken all back, as it does when the disk is full.
                return self._fail([*seen, *batch[place:]], work.error)
            if not whole:
                return self._again([*seen, *batch[place:]])
            if self._connection.total_changes() == before:
                work.answer()
            else:
                seen.append(work)
        self._careful = False
        return self._end(seen)

    def _run(self, work: _Work[Any]) -> bool:
        """Run one piece of work; false if it failed with a part of it written."""
        before = self._connection.total_changes()
        try:
            work.result = self._run_in_savepoint(work) if self._careful else work.run()
        except apsw.Error as error:
            work.error = self._failure(error)
        except BaseException as error:  # noqa: BLE001 - it is the caller's, and the others of the batch go on
            work.error = error
        else:
            return True
        return self._careful or self._connection.total_changes() == before

    def _run_in_savepoint(self, work: _Work[T]) -> T:
        self._execute("SAVEPOINT work")
        try:
            return work.run()
        except BaseException:
            if self._connection.in_transaction:
                self._execute("ROLLBACK TO work")
            raise
        finally:
            if self._connection.in_transaction:
                self._execute("RELEASE work")

    def _again(self, batch: list[_Work[Any]]) -> None:
        """Carry a batch out once more, each piece in a savepoint. Always to have them costs a fifth of all work."""
        self._careful = True
        self._rollback()
        for work in batch:
            work.error = None
        self._queue.extendleft(reversed(batch))
        self._begin()

    def _end(self, batch: list[_Work[Any]]) -> None:
        if batch:
            self._batch = batch
            self._hand_over("COMMIT")
        else:
            self._rollback()
            self._go_on()

    def _hand_over(self, statement: str) -> None:
        self._busy = True
        self._handed_over = self._loop.time()
        self._statements.put(statement)

    def _handed_back(self, error: Exception | None) -> None:
        self._busy = False
        batch, self._batch = self._batch, []
        if not batch:
            self._begun(error)
            return
        if error is not None:
            self._fail(batch, error)
            return
        for work in batch:
            work.answer()
        took = self._loop.time() - self._handed_over
        if took < _SLOW:
            self._begin()
        else:
            self._gather(len(batch) + len(self._queue), min(took, _LONGEST))

    def _gather(self, expected: int, patience: float) -> None:
        """Begin when all who were answered are back, or soon: who just misses a flush waits for two."""
        if len(self._queue) >= min(expected, _AT_ONCE):
            self._begin()
        else:
            self._expected = min(expected, _AT_ONCE)
            self._wait_on(self._loop.time() + patience)

    def _wait_on(self, until: float) -> None:
        self._gathering = self._loop.call_later(_LULL, self._look_who_came, len(self._queue), until)

    def _look_who_came(self, before: int, until: float) -> None:
        if len(self._queue) > before and self._loop.time() < until:
            self._wait_on(until)
        else:
            self._begin()

    def _stop_gathering(self) -> None:
        self._expected = 1
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None

    def _begun(self, error: Exception | None) -> None:
        self._connection.set_busy_timeout(0)
        if error is None:
            self._carry_out(self._next())
        else:
            self._fail(self._next(), error)

    def _fail(self, batch: list[_Work[Any]], error: BaseException | None) -> None:
        self._careful = False
        self._rollback()
        for work in batch:
            work.error = self._failure(error)
            work.answer()
        self._go_on()

    def _failure(self, error: BaseException | None) -> StoreError:
        if isinstance(error, StoreError):
            error = error.__cause__
        failure = self._fault(error) if isinstance(error, apsw.Error) else StoreError("The store lost a transaction.")
        failure.__cause__ = error
        return failure

    def _rollback(self) -> None:
        if self._connection.in_transaction:
            try:
                self._execute("ROLLBACK")
            except apsw.Error:
                # The next BEGIN says what is wrong, to whom it concerns.
                return

    def _go_on(self) -> None:
        if self._queue:
            self._loop.call_soon(self._begin)


def _serve(
    statements: SimpleQueue[str | None], execute: Callable[[str], Any], report: Callable[[Exception | None], Any]
) -> None:
    """Execute what is handed over. As little Python as can be: each line here stops the loop."""
    with suppress(RuntimeError):  # the loop was closed before the store: nobody waits any more
        while (statement := statements.get()) is not None:
            try:
                execute(statement)
            except Exception as error:  # noqa: BLE001 - reported, for the batch to be answered
                report(error)
            else:
                report(None)
