"""Procrastinate's connection to PostgreSQL, made to outlast an outage."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeVar

import psycopg
from procrastinate import PsycopgConnector
from procrastinate.connector import Notify
from procrastinate.exceptions import ConnectorException
from procrastinate.sql import queries
from procrastinate.sync_psycopg_connector import wrap_exceptions
from psycopg import sql
from psycopg_pool import AsyncConnectionPool

from openbrokerapi.stores.postgres.address import Address
from openbrokerapi.stores.postgres.job_queue import SEARCH_PATH

from .room import Room

T = TypeVar("T")

_POOL = "openbrokerapi queue"
#: What Procrastinate's tables say when a job is put in.
_LOOK = '{"type": "job_inserted", "job_id": 0}'
_NO_JOB: dict[str, Any] = {"id": None}
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 1.0


class _Silence(logging.Filter):
    # The pool reports each attempt to connect. The store says once that the database is away, and once that it is back.
    def filter(self, record: logging.LogRecord) -> bool:
        of_ours = any(isinstance(value, _QueueConnection) for value in record.args or ())
        return not of_ours and _POOL not in record.getMessage()


class _QueueConnection(psycopg.AsyncConnection[Any]):
    """A connection of the queue's pool, by which its reports are known."""


_SILENCE = _Silence()


class LastingConnector(PsycopgConnector):
    """Waits while the database is away, where Procrastinate's worker would end, or report each attempt.

    Args:
        room: A job is fetched only when there is room for it; the place is then the job's.
    """

    def __init__(self, address: Address, room: Room) -> None:
        super().__init__(
            pool_factory=_make_pool,
            conninfo=address.conninfo,
            kwargs={"options": SEARCH_PATH, "prepare_threshold": 5 if address.prepares else None},
            configure=_configure,
            connection_class=_QueueConnection,
            name=_POOL,
            min_size=1,
            max_size=4,
            # Of each attempt to connect; whoever needs the connection tries again.
            reconnect_timeout=0.5,
            timeout=1.0,
        )
        self._conninfo = address.conninfo
        self._room = room
        self._lasting = True
        # How often somebody has called.
        self._calls = 0

    async def open_async(self, pool: Any = None) -> None:  # noqa: ARG002 - Procrastinate's signature
        """Open the pool, without waiting for the database."""
        logging.getLogger("psycopg.pool").addFilter(_SILENCE)
        self._lasting = True
        if self._async_pool is None:
            self._async_pool = await self._create_pool(self._pool_args)
            await self._async_pool.open(wait=False)

    def give_up(self) -> None:
        """Wait no longer from now on: the worker is being stopped."""
        self._lasting = False

    async def execute_query_async(self, query: Any, **arguments: Any) -> None:
        """Carry out a statement; see Procrastinate."""
        try:
            await self._last(super().execute_query_async, query, **arguments)
        except ConnectorException as error:
            # A job that is to be ended is not there: it was ended before the connection was lost, or tidied away.
            if not isinstance(error.__cause__, psycopg.errors.RaiseException):
                raise

    async def execute_query_one_async(self, query: Any, **arguments: Any) -> dict[str, Any]:
        """Carry out a statement that gives one row; see Procrastinate."""
        if query != queries["fetch_job"]:
            return await self._last(super().execute_query_one_async, query, **arguments)
        if not await self._room.enter():
            return _NO_JOB
        job = _NO_JOB
        try:
            job = await self._fetch(query, arguments)
        finally:
            if job["id"] is None:
                self._room.leave()
        return job

    async def _fetch(self, query: Any, arguments: dict[str, Any]) -> dict[str, Any]:
        # Procrastinate's worker forgets a call that comes while it looks, and would look again when it next polls.
        while True:
            calls = self._calls
            job: dict[str, Any] = await self._last(super().execute_query_one_async, query, **arguments)
            if job["id"] is not None or calls == self._calls:
                return job

    async def execute_query_all_async(self, query: Any, **arguments: Any) -> list[dict[str, Any]]:
        """Carry out a statement that gives rows; see Procrastinate."""
        return await self._last(super().execute_query_all_async, query, **arguments)

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:
        """Listen until cancelled; see Procrastinate."""
        names = list(channels)
        while True:
            await self._last(self._listen, on_notification, names)

    async def _listen(self, on_notification: Notify, channels: Sequence[str]) -> None:
        with wrap_exceptions():
            async with await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True) as connection:
                for channel in channels:
                    await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                    # Nobody has heard what was called before.
                    await on_notification(channel=channel, payload=_LOOK)
                async for call in connection.notifies():
                    self._calls += 1
                    await on_notification(channel=call.channel, payload=call.payload)

    async def _last(self, work: Callable[..., Awaitable[T]], *args: Any, **kwargs: Any) -> T:
        pause = _FIRST_PAUSE
        while True:
            try:
                return await work(*args, **kwargs)
            except ConnectorException as error:
                if not (self._lasting and isinstance(error.__cause__, psycopg.OperationalError)):
                    raise
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


async def _configure(connection: psycopg.AsyncConnection[Any]) -> None:
    # Each of the worker's requests is one statement: a transaction around it would be two more round trips.
    await connection.set_autocommit(True)


def _make_pool(**arguments: Any) -> AsyncConnectionPool[Any]:
    # A check before each use is one more round trip, and a statement on a lost connection is tried again anyway.
    return AsyncConnectionPool(**{**arguments, "check": None})
