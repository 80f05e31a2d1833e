"""Ctrl-C, SIGTERM and a closed terminal: each ends the demonstration in order, once."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """Raised in the main thread by the first of the signals.

    Args:
        number: The signal's number; the shell's custom is to exit with 128 more.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    @property
    def exit_code(self) -> int:
        """What the shell expects of a program that this signal ended."""
        return 128 + self.number


class Interruption:
    """Turn the first signal into Interrupted and ignore the rest, so that clearing up is never cut short."""

    def __init__(self) -> None:
        self._held = False
        self._pending: int | None = None

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Handle the signals while the block lasts. An ignored SIGHUP (nohup) stays ignored."""
        former = {number: signal.getsignal(number) for number in SIGNALS}
        for number, handler in former.items():
            if number != signal.SIGHUP or handler != signal.SIG_IGN:
                signal.signal(number, self._take)
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Put a signal off to the end of the block: for what must not be left half-done, as starting a process."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if self._pending is not None:
            raise Interrupted(self._pending)

    def _take(self, number: int, _frame: FrameType | None) -> None:
        for each in SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        if self._held:
            self._pending = number
        else:
            raise Interrupted(number)
