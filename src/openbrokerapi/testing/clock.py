"""Time that a test moves: an event loop whose timers go off as soon as the test says that so much time has passed."""

from __future__ import annotations

import asyncio
import selectors
import threading
import time
from collections.abc import Callable
from typing import Any

#: Into so many leaps an advance is cut, so that what begins when one timer ends is not late by the whole of it.
_LEAPS = 8
_SHORTEST_LEAP = 0.02
#: Real seconds that nothing happens before time is moved; the second where threads, or connections, may be at work.
_IDLE, _AT_WORK = 0.001, 0.002
#: Real seconds after which a loop counts as stuck.
_STUCK = 60.0


class Clock:
    """The real time, and what it has been moved by.

    Attributes:
        offset: Seconds by which it is ahead of the machine's clock.
    """

    def __init__(self) -> None:
        self.offset = 0.0
        self._lock = threading.Lock()
        self._left = 0.0
        self._leap = 0.0
        self._arrived: threading.Event | None = None
        self._wake: Callable[[], object] | None = None

    def now(self) -> float:
        """Give the seconds since 1970, as the broker sees them."""
        return time.time() + self.offset

    def monotonic(self) -> float:
        """Give the seconds of a clock that never goes back."""
        return time.monotonic() + self.offset

    def drive(self, wake: Callable[[], object] | None) -> None:
        """Be told how to wake the loop that moves with this clock; None: it has ended.

        Args:
            wake: May be called from any thread.
        """
        self._wake = wake

    def advance(self, seconds: float) -> None:
        """Let time pass: whatever the broker waits for in these seconds happens, in its order, before this returns.

        It moves in up to eight leaps, and not before the loop is idle; so work that is done in threads, or elsewhere,
        goes on meanwhile but does not get the time that it would have had. Not to be called on the broker's loop.

        Args:
            seconds: How long.

        Raises:
            RuntimeError: The broker holds its event loop up.
        """
        wake = self._wake
        if seconds <= 0 or wake is None:
            self.offset += max(0.0, seconds)
            return
        with self._lock:
            arrived = threading.Event()
            self._left, self._leap = seconds, max(_SHORTEST_LEAP, seconds / _LEAPS)
            self._arrived = arrived
            wake()
            if not arrived.wait(_STUCK):
                self._arrived = None
                raise RuntimeError(f"the broker has held its event loop up for {_STUCK:g} s")

    @property
    def moving(self) -> bool:
        """Whether somebody waits for time to pass."""
        return self._arrived is not None

    def idle(self, until_next: float | None) -> None:
        """Move on, as nothing happens before the loop's next timer; called by the loop.

        Args:
            until_next: Seconds to the next timer; None if there is none.
        """
        if self._left <= 0:
            arrived, self._arrived = self._arrived, None
            if arrived is not None:
                arrived.set()
            return
        leap = self._left if until_next is None else min(self._left, max(self._leap, until_next))
        self._left -= leap
        self.offset += leap


class _Selector(selectors.DefaultSelector):
    """Waits for sockets as any selector; moves the clock where the loop would only wait for a timer."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self.at_work = 0

    def select(self, timeout: float | None = None) -> Any:
        if not self._clock.moving or (timeout is not None and timeout <= 0):
            return super().select(timeout)
        # One socket is the loop's own, by which it is woken.
        patience = _AT_WORK if self.at_work or len(self.get_map()) > 1 else _IDLE
        events = super().select(patience if timeout is None else min(timeout, patience))
        if not events:
            self._clock.idle(timeout)
        return events


class MovedLoop(asyncio.SelectorEventLoop):
    """An event loop on the time of a clock.

    Args:
        clock: Its time.
    """

    def __init__(self, clock: Clock) -> None:
        self._of_test = clock
        self._sockets = _Selector(clock)
        super().__init__(self._sockets)

    def time(self) -> float:
        """Give the seconds by which timers go off."""
        return super().time() + self._of_test.offset

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:  # type: ignore[override]
        """Run a function in a thread; until its end time is moved with more care."""
        self._sockets.at_work += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._one_less)
        return future

    def _one_less(self, _: object) -> None:
        self._sockets.at_work -= 1


class LoopThread:
    """A thread that runs an event loop.

    Args:
        clock: The time of the loop, if it is one that can be moved.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock
        self._loop = MovedLoop(clock) if clock is not None else asyncio.SelectorEventLoop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="openbrokerapi-testing", daemon=True)
        self._thread.start()
        if clock is not None:
            clock.drive(self._wake)

    def _wake(self) -> None:
        self._loop.call_soon_threadsafe(int)

    def run(self, work: Any) -> Any:
        """Run a coroutine on the loop, and wait for what comes of it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def begin(self, work: Any) -> Any:
        """Begin a coroutine on the loop; give its future."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        """Cancel what is left on the loop, and end the thread."""
        if self._clock is not None:
            self._clock.drive(None)
        self.run(_cancel_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _cancel_all() -> None:
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    loop = asyncio.get_running_loop()
    await loop.shutdown_asyncgens()
    await loop.shutdown_default_executor()
