"""The runner by way of Procrastinate's queue, in the store's own database."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from procrastinate import App
from procrastinate.jobs import DeleteJobCondition
from procrastinate.worker import Worker

from openbrokerapi.managed.runner import Run
from openbrokerapi.stores.contract import StoreError
from openbrokerapi.stores.postgres.address import read_address
from openbrokerapi.stores.postgres.job_queue import QUEUE, TASK, defer, tidy
from openbrokerapi.stores.postgres.store import PostgresStore

from .lasting_connector import LastingConnector
from .room import Room

_LOG = logging.getLogger(__name__)
_RESTART_PAUSE = 1.0


class QueuedRunner:
    """Carries operations out that any replica has put into the queue.

    A job is put into the queue by the transaction that writes its operation. The worker takes it out as soon as there
    is room, and is done with it: from then on the operation's row and its lease say who works on it. So a worker that
    dies leaves nothing in the queue, and one that lost its connection can begin anew beside what still runs.

    Args:
        store: Where the operations are.
        concurrency: How many at once in this process.
        poll: Seconds after which the queue is looked at although nobody has called.
        url: The queue's database, if a worker reaches it by another way than the store: around pgbouncer, say.
    """

    def __init__(
        self, store: PostgresStore, *, concurrency: int = 100, poll: float = 5.0, url: str | None = None
    ) -> None:
        address = store.address if url is None else read_address(url)
        self._store = store
        self._poll = poll
        self._room = Room(concurrency)
        self._connector = LastingConnector(address, self._room)
        self._app = App(connector=self._connector)
        self._app.task(name=TASK, queue=QUEUE)(self._hand_over)
        self._run: Run | None = None
        self._worker: Worker | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._handing: set[asyncio.Task[None]] = set()
        self._supervisor: asyncio.Task[None] | None = None
        self._stopped = False

    async def start(self, run: Run) -> None:
        """Begin to hand operations to ``run``; the store is open."""
        self._run = run
        self._store.defer = defer
        await self._connector.open_async()
        self._supervisor = asyncio.ensure_future(self._supervise())

    def begin(self, operation_ids: Sequence[str]) -> None:
        """Put operations into the queue that nobody works on; what cannot be put there is found again by its row."""
        if operation_ids and not self._stopped:
            self._keep(self._handing, asyncio.ensure_future(self._defer(list(operation_ids))))

    async def stop(self) -> None:
        """Take nothing more out of the queue."""
        self._stopped = True
        self._connector.give_up()
        self._room.close()
        if self._worker is not None:
            self._worker.stop()  # type: ignore[no-untyped-call]

    async def join(self) -> None:
        """Wait until nothing runs any more, and let go of the connections."""
        if self._supervisor is not None:
            await self._supervisor
        while self._running or self._handing:
            await asyncio.wait(self._running | self._handing)
        await self._connector.close_async()

    async def _defer(self, operation_ids: list[str]) -> None:
        with suppress(StoreError):
            await self._store.run(lambda connection: defer(connection, operation_ids))

    async def _hand_over(self, operation_id: str) -> None:
        if self._stopped or self._run is None:
            # The job is lost with this; the row is there, and another replica looks for it within a second.
            self._room.leave()
            return
        task = asyncio.ensure_future(self._run(operation_id))
        task.add_done_callback(self._release)
        self._keep(self._running, task)

    def _release(self, _: asyncio.Task[Any]) -> None:
        self._room.leave()

    def _keep(self, tasks: set[asyncio.Task[None]], task: asyncio.Task[None]) -> None:
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        task.add_done_callback(_report)

    async def _supervise(self) -> None:
        while not self._stopped:
            try:
                await self._store.run(tidy)
                await self._work()
            except Exception:  # noqa: BLE001 - whatever it was, operations must go on
                if not self._stopped:
                    _LOG.exception("The queue's worker has ended; it starts again in %.0f s", _RESTART_PAUSE)
                    await asyncio.sleep(_RESTART_PAUSE)

    async def _work(self) -> None:
        worker = self._worker = Worker(
            self._app,
            queues=[QUEUE],
            name=None,
            concurrency=2,  # one hands over while the next is fetched
            fetch_job_polling_interval=self._poll,
            shutdown_graceful_timeout=5,  # no job of the queue takes longer than to hand its operation over
            delete_jobs=DeleteJobCondition.ALWAYS,
            install_signal_handlers=False,
        )
        if not self._stopped:
            await worker.run()  # type: ignore[no-untyped-call]


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        _LOG.error("An operation was left by an error; it will be taken up again", exc_info=task.exception())
