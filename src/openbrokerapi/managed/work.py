"""What the author's methods do their work with: steps that are done once, sleeps that outlive a crash, progress."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import CancelledError
from typing import Any, TypeVar, cast, overload

from .answers import Failed
from .memory import Memory, Stopped

T = TypeVar("T")
#: Runs a coroutine on the event loop of the runtime and waits for it, in a thread.
Wait = Callable[[Awaitable[Any]], Any]


class Retry:
    """How often something is tried, and how long it waits between: ``backoff`` seconds, then twice as long each time.

    Args:
        attempts: Tries in all, at least 1.
        backoff: Seconds before the second try.
        longest: No wait is longer than these seconds.
        on: The exceptions that are worth another try; ``Failed`` never is.
    """

    def __init__(
        self, attempts: int, backoff: float, longest: float, on: type[Exception] | tuple[type[Exception], ...]
    ) -> None:
        if attempts < 1 or backoff < 0:
            raise ValueError("attempts must be at least 1, and backoff at least 0 seconds")
        self.attempts = attempts
        self.backoff = backoff
        self.longest = longest
        self.on = on

    def pause(self, tries: int) -> float:
        """Give the seconds to wait after so many tries."""
        # 2 ** 60 seconds is longer than anybody waits, and beyond it a float would overflow.
        return float(min(self.longest, self.backoff * 2.0 ** min(tries - 1, 60)))

    def is_worth_it(self, error: Exception, tries: int) -> bool:
        """Tell whether to try again after ``error``."""
        return tries < self.attempts and isinstance(error, self.on) and not isinstance(error, Failed)


_ONCE = Retry(1, 0.0, 0.0, ())


class _Handle:
    def __init__(self, memory: Memory, retry: Retry = _ONCE) -> None:
        self._memory = memory
        self._retry = retry

    @property
    def operation_id(self) -> str:
        """The operation's id: the same after a crash, and so a good idempotency key for other services."""
        return self._memory.operation_id

    @property
    def attempt(self) -> int:
        """Which worker this is for the operation, from 1: more than 1 after a crash."""
        return self._memory.attempt

    @property
    def cancelled(self) -> bool:
        """Whether the method is to end: for a deletion, or for another process that goes on with the operation.

        The next step, sleep or progress does not return then. Once a method has seen it, what it returns or raises
        counts for nothing.
        """
        self._memory.told = self._memory.told or self._memory.stopped
        return self._memory.told


class AsyncWork(_Handle):
    """The work handle of ``async def`` methods."""

    # Plain methods that give coroutines: so it can be seen that one was called, and never awaited.

    @overload
    def step(
        self, name: str, function: Callable[..., Awaitable[T]], *args: Any, **kwargs: Any
    ) -> Coroutine[Any, Any, T]: ...

    @overload
    def step(self, name: str, function: Callable[..., T], *args: Any, **kwargs: Any) -> Coroutine[Any, Any, T]: ...

    def step(self, name: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Coroutine[Any, Any, Any]:
        """Do something once, and remember what came of it across crashes.

        A step that was under way when the process died is done again: make it so that this is harmless, for instance by
        giving ``work.operation_id`` as idempotency key. A name that is used again, as in a loop, is numbered.

        Args:
            name: Names the step within the operation, also in later releases of the broker.
            function: Plain (then called on the event loop: it must not block), or ``async def``.

        Returns:
            What ``function`` returned, as JSON brings it back: a tuple comes back as a list.

        Raises:
            TypeError: What it returned cannot be written as JSON.
        """
        return self._memory.called("step", self._step(name, function, *args, **kwargs))

    async def _step(self, name: str, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        key = self._memory.step_of(name, function)
        while True:
            step = await self._memory.recall(key)
            if step.done:
                return self._memory.value(step)
            try:
                result = function(*args, **kwargs)
                if inspect.isawaitable(result):
                    result = await result
            except Exception as error:
                if not self._retry.is_worth_it(error, step.tries + 1):
                    raise
                await self._memory.put_off(step, self._retry.pause(step.tries + 1))
            else:
                return await self._memory.keep(step, result)

    def progress(self, text: str) -> Coroutine[Any, Any, None]:
        """Write what the platform and the operator read: one sentence, no secret."""
        return self._memory.called("progress", self._memory.report(text))

    def sleep(self, seconds: float) -> Coroutine[Any, Any, None]:
        """Wait; after a crash only what is left of it."""
        return self._memory.called("sleep", self._memory.sleep(seconds))

    @overload
    def until(
        self, name: str, function: Callable[..., Awaitable[T]], *args: Any, every: float = 5.0, **kwargs: Any
    ) -> Coroutine[Any, Any, T]: ...

    @overload
    def until(
        self, name: str, function: Callable[..., T], *args: Any, every: float = 5.0, **kwargs: Any
    ) -> Coroutine[Any, Any, T]: ...

    def until(
        self, name: str, function: Callable[..., Any], *args: Any, every: float = 5.0, **kwargs: Any
    ) -> Coroutine[Any, Any, Any]:
        """Call ``function`` every so many seconds until it returns something true; remember that as a step.

        With :meth:`retry` the function may raise, as often in a row as a step may be tried.
        """
        return self._memory.called("until", self._until(name, function, every, *args, **kwargs))

    async def _until(self, name: str, function: Callable[..., Any], every: float, /, *args: Any, **kwargs: Any) -> Any:
        key = self._memory.step_of(name, function)
        step = await self._memory.recall(key)
        failures = 0
        while not step.done:
            try:
                result = function(*args, **kwargs)
                if inspect.isawaitable(result):
                    result = await result
            except Exception as error:
                failures += 1
                if not self._retry.is_worth_it(error, failures):
                    raise
                await self._memory.pause(max(every, self._retry.pause(failures)))
                continue
            if result:
                return await self._memory.keep(step, result)
            failures = 0
            await self._memory.pause(every)
        return self._memory.value(step)

    def retry(
        self,
        attempts: int,
        backoff: float = 1.0,
        *,
        longest: float = 60.0,
        on: type[Exception] | tuple[type[Exception], ...] = Exception,
    ) -> AsyncWork:
        """Give a handle whose steps are tried again: ``await work.retry(5, backoff=2).step("create", create)``.

        The tries and the waits are remembered across crashes.
        """
        return AsyncWork(self._memory, Retry(attempts, backoff, longest, on))


class Work(_Handle):
    """The work handle of plain methods; what it does is said with :class:`AsyncWork`."""

    def __init__(self, memory: Memory, wait: Wait, retry: Retry = _ONCE) -> None:
        super().__init__(memory, retry)
        self._wait = wait

    def step(self, name: str, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Do something once, in this thread, and remember what came of it across crashes; see ``AsyncWork.step``."""
        key = self._memory.step_of(name, function)
        while True:
            step = self._waited(self._memory.recall(key))
            if step.done:
                return cast("T", self._memory.value(step))
            try:
                result = function(*args, **kwargs)
            except Exception as error:
                if not self._retry.is_worth_it(error, step.tries + 1):
                    raise
                self._waited(self._memory.put_off(step, self._retry.pause(step.tries + 1)))
            else:
                return cast("T", self._waited(self._memory.keep(step, result)))

    def progress(self, text: str) -> None:
        """Write what the platform and the operator read: one sentence, no secret."""
        self._waited(self._memory.report(text))

    def sleep(self, seconds: float) -> None:
        """Wait; after a crash only what is left of it."""
        self._waited(self._memory.sleep(seconds))

    def until(self, name: str, function: Callable[..., T], *args: Any, every: float = 5.0, **kwargs: Any) -> T:
        """Call ``function`` every so many seconds until it returns something true; see ``AsyncWork.until``."""
        key = self._memory.step_of(name, function)
        step = self._waited(self._memory.recall(key))
        failures = 0
        while not step.done:
            try:
                result = function(*args, **kwargs)
            except Exception as error:
                failures += 1
                if not self._retry.is_worth_it(error, failures):
                    raise
                self._waited(self._memory.pause(max(every, self._retry.pause(failures))))
                continue
            if result:
                return cast("T", self._waited(self._memory.keep(step, result)))
            failures = 0
            self._waited(self._memory.pause(every))
        return cast("T", self._memory.value(step))

    def retry(
        self,
        attempts: int,
        backoff: float = 1.0,
        *,
        longest: float = 60.0,
        on: type[Exception] | tuple[type[Exception], ...] = Exception,
    ) -> Work:
        """Give a handle whose steps are tried again: ``work.retry(5, backoff=2).step("create", create)``."""
        return Work(self._memory, self._wait, Retry(attempts, backoff, longest, on))

    def _waited(self, awaitable: Awaitable[Any]) -> Any:
        try:
            return self._wait(awaitable)
        except CancelledError:
            # The loop has gone: the process ends.
            raise Stopped from None
