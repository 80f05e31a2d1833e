"""Responses that are ready in the same round of an event loop go out together, at its end.

Each response wakes whoever waits for it: another core, often by way of the hypervisor, and code that comes back from
there runs slowly for a while. Where many requests arrive at once, the first response wakes the client or the proxy, and
the others find it awake. A single request pays next to nothing: its round ends as soon as it is answered.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar, Protocol, TypeAlias
from weakref import WeakKeyDictionary

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

Headers: TypeAlias = list[tuple[bytes, bytes]]

# Responses that wait for the last of them, so that nobody waits for long.
_MOST = 32


class Sender(Protocol):
    """A connection with something to send."""

    def send_out(self) -> None:
        """Send it."""


class Outbox:
    """The connections of one event loop that have something to send."""

    _of_loops: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, Outbox]] = WeakKeyDictionary()

    def __init__(self) -> None:
        self._waiting: list[Sender] = []
        self._headers: Headers = []
        self._starts: dict[int, bytes] = {}

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> Outbox:
        """Give the outbox of a loop."""
        outbox = cls._of_loops.get(loop)
        if outbox is None:
            outbox = cls._of_loops[loop] = cls()
        return outbox

    def start(self, status: int, headers: Headers) -> bytes:
        """Give the status line and the headers that every response has.

        Args:
            headers: The server's list, a new one whenever the date is another.
        """
        if headers is not self._headers:
            self._headers, self._starts = headers, {}
        start = self._starts.get(status)
        if start is None:
            lines = [STATUS_LINE[status], *(b"%b: %b\r\n" % header for header in headers)]
            start = self._starts[status] = b"".join(lines)
        return start

    def put(self, sender: Sender, loop: asyncio.AbstractEventLoop) -> None:
        """Have ``sender`` send at the end of this round of the loop."""
        waiting = self._waiting
        waiting.append(sender)
        if len(waiting) == 1:
            loop.call_soon(self._empty)
        elif len(waiting) >= _MOST:
            self._empty()

    def _empty(self) -> None:
        waiting, self._waiting = self._waiting, []
        for sender in waiting:
            sender.send_out()
