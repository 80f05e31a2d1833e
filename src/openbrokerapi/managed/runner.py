"""Who carries operations out: one small interface, and an implementation for each kind of store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

#: Claims an operation and carries it out; returns when its handler has ended. It raises nothing.
Run = Callable[[str], Awaitable[None]]


class Runner(Protocol):
    """Hands operations to :data:`Run`, so many at a time. All is called on the event loop of the store.

    The queue is disposable: an operation that it loses is found by its row, and handed over again. One that it gets
    twice is claimed once.
    """

    async def start(self, run: Run) -> None:
        """Begin to hand operations to ``run``; before the store is used for any change."""

    def begin(self, operation_ids: Sequence[str]) -> None:
        """Hand over operations whose transaction is committed, where the transaction itself did not."""

    async def stop(self) -> None:
        """Begin no more; what runs is left to run. Returns at once."""

    async def join(self) -> None:
        """Wait until nothing runs any more, and let go of everything."""
