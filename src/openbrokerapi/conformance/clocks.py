"""The real clock, and one that is moved by whoever sleeps."""

from __future__ import annotations

import asyncio
import time


class RealClock:
    """The machine's."""

    def now(self) -> float:
        """Return the machine's monotonic time in seconds."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds."""
        await asyncio.sleep(seconds)


class MovedClock:
    """Stands still until somebody sleeps, and is then so much later at once."""

    def __init__(self, start: float = 1_000.0) -> None:
        self._now = start

    def now(self) -> float:
        """Return the time in seconds."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Be so many seconds later, and let others go on."""
        self._now += seconds
        await asyncio.sleep(0)
