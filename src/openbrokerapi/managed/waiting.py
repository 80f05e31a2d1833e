"""Waiting for the end of an operation, wherever it is carried out."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import NamedTuple

from openbrokerapi.errors import ServiceException
from openbrokerapi.stores.contract import Store
from openbrokerapi.stores.rows import IN_PROGRESS, BindingRow, InstanceRow, OperationRow

_FIRST_LOOK = 0.05
_LONGEST_PAUSE = 1.0
_REMEMBERED = 1000


class End(NamedTuple):
    """An operation as it ended.

    Attributes:
        error: What the author's method raised, if that has a status of its own.
        instance, binding: What became of them, where that is known here.
    """

    operation: OperationRow
    error: ServiceException | None = None
    instance: InstanceRow | None = None
    binding: BindingRow | None = None


class Waiting:
    """Tells requests that wait when their operation has ended."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._futures: dict[str, list[asyncio.Future[End | None]]] = {}
        # What ended while the request that began it was still on its way to waiting.
        self._ended: OrderedDict[str, End] = OrderedDict()

    def tell(self, end: End) -> None:
        """Say that an operation has ended in this process."""
        operation = end.operation
        waiting = self._futures.pop(operation.operation_id, ())
        for future in waiting:
            if not future.done():
                future.set_result(end)
        if not waiting and self._store.shared:
            self._ended[operation.operation_id] = end
            if len(self._ended) > _REMEMBERED:
                self._ended.popitem(last=False)

    async def wait(self, operation_id: str, seconds: float) -> End | None:
        """Give the end of an operation; None if it does not come within so many seconds."""
        if (end := self._ended.pop(operation_id, None)) is not None:
            return end
        future: asyncio.Future[End | None] = asyncio.get_running_loop().create_future()
        self._futures.setdefault(operation_id, []).append(future)
        try:
            if self._store.shared:
                return await self._here_or_elsewhere(future, operation_id, seconds)
            return await self._here(future, seconds)
        finally:
            self._forget(operation_id, future)

    @staticmethod
    async def _here(future: asyncio.Future[End | None], seconds: float) -> End | None:
        # Cheaper than wait_for, and on the way of every request.
        handle = future.get_loop().call_later(seconds, _give_up, future)
        try:
            return await future
        finally:
            handle.cancel()

    async def _here_or_elsewhere(
        self, future: asyncio.Future[End | None], operation_id: str, seconds: float
    ) -> End | None:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        pause = _FIRST_LOOK
        while True:
            left = until - loop.time()
            await asyncio.wait((future,), timeout=max(0.0, min(pause, left)))
            if future.done():
                return future.result()
            row = await self._store.operation(operation_id)
            if row is not None and row.state != IN_PROGRESS:
                return End(row)
            if left <= pause:
                return None
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _forget(self, operation_id: str, future: asyncio.Future[End | None]) -> None:
        futures = self._futures.get(operation_id)
        if futures is not None and future in futures:
            futures.remove(future)
            if not futures:
                del self._futures[operation_id]


def _give_up(future: asyncio.Future[End | None]) -> None:
    if not future.done():
        future.set_result(None)
