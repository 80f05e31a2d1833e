"""What a process looks after from time to time: leases, what others left, what is late, what has expired."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from openbrokerapi.errors import ServiceException
from openbrokerapi.stores.contract import Store, StoreError
from openbrokerapi.stores.rows import IN_PROGRESS
from openbrokerapi.traces import scrubbed

from .binding_requests import BindingRequests
from .records import Records
from .runtime import Runtime, describe
from .settings import ManagedSettings
from .waiting import End

_HOUR = 3600.0
# A queue may be long: what waits in it is handed over again after 5 seconds, then 10, and so on up to a minute. Jobs
# that a worker had taken out of the queue when it died are lost, so that between processes a lease is the longest.
_AGAIN_AFTER = 5.0
_LONGEST_PAUSE = 60.0
_BATCH = 100
_OWN_BATCH = 1000


class _Unheld:
    """An operation that nobody holds, and when it is handed over, for the first time or again."""

    __slots__ = ("_pause", "next_at", "seen")

    def __init__(self, now: float) -> None:
        self.next_at = now
        self.seen = False
        self._pause = _AGAIN_AFTER

    def put_off(self, now: float, longest: float) -> None:
        """Leave it alone for a while."""
        self.next_at = now + min(self._pause, longest)
        self._pause *= 2


class Upkeep:
    """Looks after the store, for as long as the process runs."""

    def __init__(
        self,
        store: Store,
        runtime: Runtime,
        requests: BindingRequests,
        records: Records,
        settings: ManagedSettings,
        clock: Callable[[], float],
        logger: logging.Logger,
    ) -> None:
        self._store = store
        self._runtime = runtime
        self._requests = requests
        self._records = records
        self._settings = settings
        self._clock = clock
        self._logger = logger
        self._unheld: dict[str, _Unheld] = {}
        # Bindings that have expired, and that are the platform's to delete.
        self._let_be: set[tuple[str, str]] = set()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to look after things, on this event loop."""
        every = [(self.look, self._settings.look_after_every), (self.purge, _HOUR)]
        if self._store.shared:
            every.append((self._runtime.beat, self._settings.lease / 3))
        self._tasks = [asyncio.create_task(self._repeat(call, pause)) for call, pause in every]

    async def stop(self) -> None:
        """End."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _repeat(self, call: Callable[[], Awaitable[object]], pause: float) -> None:
        out = False
        while True:
            try:
                await call()
                out = False
            except StoreError as error:
                if not out:
                    self._logger.warning("the store cannot be looked after: %s", error)
                out = True
            except Exception:
                self._logger.exception("the store cannot be looked after")
            await asyncio.sleep(pause)

    async def look(self) -> None:
        """Take up what nobody works on, end what is late, and revoke what has expired."""
        # What a process that owns its store has left is all its own, and is taken up at once.
        batch = _BATCH if self._store.shared else _OWN_BATCH
        due = await self._store.due(batch + len(self._let_be))
        for operation_id in due.late:
            await self._guarded(self._end_late(operation_id), operation_id)
        for operation_id in due.left:
            await self._guarded(self._let_go(operation_id), operation_id)
        await self._take_up(due.unheld)
        self._let_be.intersection_update(due.expired)
        for instance_id, binding_id in due.expired:
            await self._guarded(self._revoke(instance_id, binding_id), f"{instance_id}/{binding_id}")

    async def _guarded(self, work: Awaitable[None], about: str) -> None:
        """Let what is wrong with one row not keep those behind it from being looked after."""
        try:
            await work
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - the others are looked after
            self._logger.error("%s cannot be looked after: %s", about, scrubbed(error, ()))  # noqa: TRY400 - scrubbed

    async def _take_up(self, unheld: tuple[str, ...]) -> None:
        now = time.monotonic()
        known, self._unheld = self._unheld, {}
        for operation_id in unheld:
            if operation_id in self._runtime.jobs:
                continue
            found = self._unheld[operation_id] = known.get(operation_id) or _Unheld(now)
            if found.next_at <= now:
                await self._guarded(self._hand_over(operation_id, found, now), operation_id)

    async def _hand_over(self, operation_id: str, found: _Unheld, now: float) -> None:
        operation = await self._store.operation(operation_id)
        if operation is None or operation.state != IN_PROGRESS:
            return
        if self._store.shared and operation.worker is None and not found.seen:
            # It has just been put into the queue, most likely; it is looked at again next time.
            found.seen = True
            return
        found.put_off(now, self._settings.lease if self._store.shared else _LONGEST_PAUSE)
        if self._store.shared:
            await self._runtime.end(self._runtime.endings.begin_again(operation))
        else:
            self._runtime.hand_over(operation_id)

    async def _end_late(self, operation_id: str) -> None:
        operation = await self._store.operation(operation_id)
        if operation is None:
            return
        ended = await self._runtime.end(self._runtime.endings.late(operation))
        if ended.mine and ended.operation is not None:
            self._logger.warning("%s took longer than its plan allows", describe(operation))
            self._runtime.stop_job(operation_id)
            self._runtime.waiting.tell(End(ended.operation))

    async def _let_go(self, operation_id: str) -> None:
        operation = await self._store.operation(operation_id)
        if operation is not None and operation_id not in self._runtime.jobs:
            await self._runtime.end(self._runtime.endings.let_go(operation))

    async def _revoke(self, instance_id: str, binding_id: str) -> None:
        if (instance_id, binding_id) in self._let_be:
            return
        row = await self._store.binding(instance_id, binding_id)
        offering = self._records.offering(row.service_id) if row is not None else None
        if offering is None or not offering.revoke_expired:
            self._let_be.add((instance_id, binding_id))
            return
        try:
            await self._runtime.submit(*self._requests.revoke(instance_id, binding_id, offering))
        except ServiceException:
            # Something else is under way; it is looked at again.
            return

    async def purge(self) -> None:
        """Delete what is older than it is kept."""
        now = self._clock()
        await self._store.purge(now - self._settings.keep_operations, now - self._settings.keep_events)
