"""Room for so many at once."""

from __future__ import annotations

import asyncio


class Room:
    """Places for so many; who waits for one is sent away when it is closed.

    Args:
        places: How many.
    """

    def __init__(self, places: int) -> None:
        self._free = asyncio.Semaphore(places)
        self._closed = False

    async def enter(self) -> bool:
        """Wait for a place, and take it; false, and none is taken, if the room is closed."""
        if not self._closed:
            await self._free.acquire()
            if not self._closed:
                return True
            # The next one is to wake up, too.
            self._free.release()
        return False

    def leave(self) -> None:
        """Give a place back."""
        self._free.release()

    def close(self) -> None:
        """Let nobody in any more."""
        self._closed = True
        self._free.release()
