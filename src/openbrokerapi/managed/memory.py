"""What is remembered of one operation's work, and when it has to stop."""

from __future__ import annotations

import asyncio
import inspect
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn, TypeVar

from openbrokerapi.stores.contract import Store, StoreError
from openbrokerapi.stores.rows import OperationRow, StepRow

from .operations import replace
from .records import Records, readable

T = TypeVar("T")
#: Seconds between tries to reach a store that is out.
_PAUSE = 1.0


class Stopped(BaseException):
    """Ends a method whose operation is not its to carry on; an author's ``except Exception`` lets it through."""


class Memory:
    """The steps of an operation at one attempt. Its coroutines run on the store's event loop.

    Args:
        is_held: Whether the worker's lease certainly holds: a process that was frozen must not begin a step before it
            has looked.
    """

    def __init__(
        self,
        store: Store,
        records: Records,
        operation: OperationRow,
        clock: Callable[[], float],
        is_held: Callable[[], Awaitable[bool]],
    ) -> None:
        self._store = store
        self._records = records
        self._operation = operation
        self._clock = clock
        self._is_held = is_held
        self._steps: dict[str, StepRow] | None = {} if operation.attempt == 1 else None
        self._scope = ""
        self._names: Counter[str] = Counter()
        self._given: set[str] = set()
        self._called: list[tuple[str, Coroutine[Any, Any, Any]]] = []
        self._stop = asyncio.Event()
        self.operation_id = operation.operation_id
        self.attempt = operation.attempt
        #: Whether the author's method has seen that it is to stop, and so may have left its work half done.
        self.told = False
        #: What finished steps returned: it is in no log.
        self.results: list[Any] = []
        #: Whether anything was written that has to be forgotten at the end.
        self.used = operation.attempt > 1

    @property
    def stopped(self) -> bool:
        """Whether the method is to end."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Let the method end at its next step."""
        self._stop.set()

    def called(self, name: str, work: Coroutine[Any, Any, T]) -> Coroutine[Any, Any, T]:
        """Remember what the author is to await."""
        self._called = [*self._not_awaited(), (name, work)]
        return work

    def _not_awaited(self) -> list[tuple[str, Coroutine[Any, Any, Any]]]:
        return [each for each in self._called if inspect.getcoroutinestate(each[1]) == inspect.CORO_CREATED]

    def check_awaited(self) -> None:
        """Look whether all was done that an ``async def`` method has called.

        Raises:
            RuntimeError: An ``await`` is missing; nothing of that call was done.
        """
        left = self._not_awaited()
        for _, work in left:
            work.close()
        if left:
            raise RuntimeError(f"`await` is missing in front of work.{left[0][0]}(...): nothing of it was done")

    def step_of(self, name: str, function: Any) -> str:
        """Give the name of a step that calls ``function``."""
        if not callable(function):
            given = type(function).__name__
            raise TypeError(f"the step {name!r} needs a function and its arguments, not what it returned ({given})")
        return self.numbered(name)

    def numbered(self, name: str) -> str:
        """Give the name of a step within the operation: the name itself, then "name #2" and so on."""
        if not isinstance(name, str) or not name:
            raise TypeError("the name of a step must be text")
        name = self._scope + readable(name)
        while True:
            self._names[name] += 1
            count = self._names[name]
            key = name if count == 1 else f"{name} #{count}"
            # An author's own name may look like that of another step with its number.
            if key not in self._given:
                self._given.add(key)
                return key

    @contextmanager
    def within(self, name: str) -> Iterator[None]:
        """Name the steps of a part of the work apart from all others: after a crash the part may be left out."""
        self._scope = f"{name}: "
        try:
            yield
        finally:
            self._scope = ""

    async def recall(self, key: str) -> StepRow:
        """Give what is known of a step, when it is time to do it.

        Raises:
            Stopped: The method is to end.
        """
        await self._go_on()
        if self._steps is None:
            rows = await self._patiently(lambda: self._store.steps(self.operation_id))
            self._steps = {row.name: row for row in rows}
        step = self._steps.get(key) or StepRow(operation_id=self.operation_id, name=key, done=False)
        if not step.done and step.next_at is not None:
            await self.pause(step.next_at - self._clock())
        return step

    async def _go_on(self) -> None:
        if self.stopped or not await self._patiently(self._is_held):
            self._end()

    def _end(self) -> NoReturn:
        # What the method makes of it, such as a group of exceptions, is not how its work has ended.
        self.told = True
        self.stop()
        raise Stopped

    def value(self, step: StepRow) -> Any:
        """Give what a finished step returned."""
        value = self._records.result(self.operation_id, step.name, step.result)
        self.results.append(value)
        return value

    async def keep(self, step: StepRow, result: Any) -> Any:
        """Remember what a step returned; give it as it will be given after a crash, too."""
        try:
            sealed = self._records.close_result(self.operation_id, step.name, result)
        except (TypeError, ValueError, OverflowError):
            # The encoder's own message does not say which step it is about.
            given = type(result).__name__
            if inspect.iscoroutine(result):
                result.close()
                given = "a coroutine (an `async def` function needs an `async def` method)"
            raise TypeError(f"the step {step.name!r} returned {given}: it cannot be written as JSON") from None
        done = replace(step, done=True, tries=step.tries + 1, next_at=None, result=sealed)
        await self._write(done)
        return self.value(done)

    async def put_off(self, step: StepRow, seconds: float) -> None:
        """Remember that a step was tried, and that it is to be tried again after so many seconds."""
        await self._write(replace(step, tries=step.tries + 1, next_at=self._clock() + seconds))

    async def sleep(self, seconds: float) -> None:
        """Wait until a moment that is remembered."""
        step = await self.recall(self.numbered("sleep"))
        if step.next_at is None:
            await self._write(replace(step, next_at=self._clock() + seconds))
            await self.pause(seconds)

    async def pause(self, seconds: float) -> None:
        """Wait, but not longer than the operation is to go on."""
        if seconds > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), seconds)
        await self._go_on()

    async def report(self, text: str) -> None:
        """Write what the platform reads."""
        if not isinstance(text, str):
            raise TypeError("progress takes one sentence as text")
        await self._go_on()
        await self._fenced(lambda: self._store.report(self.operation_id, self.attempt, readable(text)))

    async def _write(self, step: StepRow) -> None:
        self.used = True
        await self._fenced(lambda: self._store.remember(step, self.attempt))
        if self._steps is not None:
            self._steps[step.name] = step

    async def _fenced(self, write: Callable[[], Awaitable[bool]]) -> None:
        if not await self._patiently(write):
            # Somebody else has it, or it has ended.
            self._end()

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        """Wait out a store that cannot be reached: what a step did must not be done again for that."""
        while True:
            try:
                return await call()
            except StoreError:
                await asyncio.sleep(_PAUSE)
