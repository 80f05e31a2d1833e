"""The runner within the process."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence

from openbrokerapi.managed.runner import Run

_LOG = logging.getLogger(__name__)


class EmbeddedRunner:
    """Carries operations out on the event loop, first come first served.

    Args:
        concurrency: How many at once.
    """

    def __init__(self, concurrency: int = 100) -> None:
        self._concurrency = concurrency
        self._waiting: deque[str] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._run: Run | None = None
        self._stopped = False

    async def start(self, run: Run) -> None:
        """Begin to hand operations to ``run``."""
        self._run = run
        self._stopped = False
        self._fill()

    def begin(self, operation_ids: Sequence[str]) -> None:
        """Hand over operations; those that come after :meth:`stop` are left to whoever starts next."""
        if not self._stopped:
            self._waiting.extend(operation_ids)
            self._fill()

    async def stop(self) -> None:
        """Begin no more."""
        self._stopped = True
        self._waiting.clear()

    async def join(self) -> None:
        """Wait until nothing runs any more."""
        while self._running:
            await asyncio.wait(self._running)

    def _fill(self) -> None:
        run = self._run
        while run is not None and self._waiting and len(self._running) < self._concurrency:
            task = asyncio.ensure_future(run(self._waiting.popleft()))
            self._running.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _LOG.error("An operation was left by an error; it will be taken up again", exc_info=task.exception())
        self._fill()
