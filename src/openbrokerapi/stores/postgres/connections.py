"""Connections to the database, which wait while it is away."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection

from openbrokerapi.stores.contract import StoreError

from .adapters import adapt
from .address import Address
from .faults import fault, is_passing

T = TypeVar("T")
Connection = AsyncConnection[tuple[Any, ...]]

_LOG = logging.getLogger(__name__)
_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 0.5


async def connect(address: Address) -> Connection:
    """Connect. A connection commits each statement unless a transaction was begun in words."""
    connection = await AsyncConnection.connect(
        address.conninfo, autocommit=True, prepare_threshold=0 if address.prepares else None
    )
    adapt(connection)
    return connection


class Connections:
    """Hands connections out, at most so many at once, first come first served.

    It is no pool of psycopg_pool: that one tries again after 1, 2, 4, 8 s and reports each time, in a task of its own.
    Here whoever needs a connection makes it, so that work goes on at once when the database is back.

    Args:
        size: The most connections at once.
        patience: How many seconds a call waits for a database that is away, all in all.
    """

    def __init__(self, address: Address, *, size: int, patience: float) -> None:
        logging.getLogger("psycopg").addFilter(_SILENCE)
        self._address = address
        self._patience = patience
        self._size = size
        self._idle: list[Connection] = []
        self._places = asyncio.Semaphore(size)
        self._closed = False
        self._lost = False
        self._away_since: float | None = None
        self._back_at: float | None = None

    @property
    def since_back(self) -> float | None:
        """For how many seconds the database has been reached again after it was away; None if it never was."""
        return None if self._back_at is None else time.monotonic() - self._back_at

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do something on a connection; again on another if the database was away, or chose it to end a deadlock.

        Raises:
            StoreError: The database stays away longer than the patience lasts, or it refuses.
        """
        deadline = time.monotonic() + self._patience
        pause = _FIRST_PAUSE
        while True:
            try:
                async with self._connection() as connection:
                    return await work(connection)
            except psycopg.Error as error:
                if not is_passing(error) or time.monotonic() + pause > deadline:
                    raise fault(error, self._address.where) from error
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def close(self) -> None:
        """Wait until what is under way is done, and close all connections; what waits for a database is refused."""
        self._closed = True
        for _ in range(self._size):
            await self._places.acquire()
        await self._drop_idle()
        for _ in range(self._size):
            self._places.release()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        async with self._places:
            connection = await self._take()
            try:
                yield connection
            except psycopg.Error as error:
                if connection.closed and is_passing(error):
                    await self._note_lost()
                raise
            finally:
                await self._give_back(connection)

    async def _take(self) -> Connection:
        if self._closed:
            raise StoreError("The store is closed.")
        if self._idle:
            return self._idle.pop()
        try:
            connection = await connect(self._address)
        except psycopg.OperationalError as error:
            await self._note_lost()
            self._note_away(error)
            raise
        self._note_back()
        return connection

    async def _give_back(self, connection: Connection) -> None:
        if connection.closed:
            return
        # A call that was cancelled may have left anything behind.
        idle = connection.pgconn.transaction_status == psycopg.pq.TransactionStatus.IDLE
        if idle and not self._closed and connection.pgconn.pipeline_status == psycopg.pq.PipelineStatus.OFF:
            self._idle.append(connection)
        else:
            await connection.close()

    async def _drop_idle(self) -> None:
        idle, self._idle = self._idle, []
        for connection in idle:
            await connection.close()

    async def _note_lost(self) -> None:
        # The others are of the same server.
        self._lost = True
        await self._drop_idle()

    def _note_away(self, error: psycopg.Error) -> None:
        if self._away_since is None and is_passing(error):
            self._away_since = time.monotonic()
            _LOG.warning("%s Waiting for it.", fault(error, self._address.where).operator_message)

    def _note_back(self) -> None:
        now = time.monotonic()
        if self._lost:
            self._lost, self._back_at = False, now
        if self._away_since is not None:
            away, self._away_since = now - self._away_since, None
            _LOG.warning("The database %s is back after %.1f s.", self._address.where, away)


class _Silence(logging.Filter):
    # psycopg reports each statement that was under way when a connection was lost; each is tried again.
    def filter(self, record: logging.LogRecord) -> bool:
        return not record.msg.startswith("error ignored terminating")


_SILENCE = _Silence()
