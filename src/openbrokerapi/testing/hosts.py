"""Where a broker under test runs, and what all such places have in common."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Protocol, Self

import httpx2

from openbrokerapi.conformance.wire import Answer, Credentials, Request, Sender

from .clock import Clock, LoopThread


class NotPossible(Exception):  # noqa: N818 - it carries the reason
    """This cannot be done with this broker; the text says why."""


class Host(Protocol):
    """A broker that can be asked.

    Attributes:
        clock: Its time.
        moves: Whether the time can be moved; else waiting is real.
        url: Its address, as a platform is told it.
        credentials: What is shown to it.
        no_restart: Why it cannot be restarted; empty if it can.
        replicas: How many there are of it, over one state.
        no_replicas: Why there are not several; empty if there are.
    """

    clock: Clock
    moves: bool
    url: str
    credentials: Credentials
    no_restart: str
    replicas: int
    no_replicas: str

    def send(self, *requests: Request, via: Sequence[int] = ()) -> list[Answer | BaseException]:
        """Send requests at the same moment, each to a replica; give what came of each."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        ...

    def restart(self) -> None:
        """End the broker in order, and start it again."""
        ...

    def transport(self) -> httpx2.BaseTransport | None:
        """Give the transport by which a client reaches it; None for real connections."""
        ...


class OnALoop:
    """What hosts share: a loop of their own, and a sender for each replica.

    Args:
        clock: The time of the loop, if it is one that can be moved.
    """

    def __init__(self, clock: Clock | None) -> None:
        self.loop = LoopThread(clock)
        self.senders: list[Sender] = []

    def send(self, *requests: Request, via: Sequence[int] = ()) -> list[Answer | BaseException]:
        """Send requests at the same moment, each to a replica; give what came of each."""
        ways = via or [0] * len(requests)
        sent = [self.senders[way % len(self.senders)].send(each) for each, way in zip(requests, ways, strict=True)]
        found: list[Answer | BaseException] = self.loop.run(_together(sent))
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of everything."""
        self.loop.close()


async def _together(sent: list[Any]) -> list[Any]:
    return await asyncio.gather(*sent, return_exceptions=True)
