"""Begin a coroutine at once, instead of in the event loop's next round."""

from __future__ import annotations

import asyncio
from asyncio.tasks import _enter_task, _leave_task  # documented under "Extending": what tasks of one's own have to call
from collections.abc import Coroutine
from contextvars import copy_context
from typing import Any


class _Begun(Coroutine[Any, Any, None]):
    """A coroutine whose first step is taken before its task comes to take it.

    The first step of the task then only says what came of that one: the end, or the future that is waited for.
    """

    __slots__ = ("_awaited", "_coroutine", "_fresh", "ended")

    def __init__(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._coroutine = coroutine
        self._awaited: Any = None
        self._fresh = True
        self.ended = True

    def begin(self) -> None:
        """Take the first step."""
        try:
            self._awaited = self._coroutine.send(None)
            self.ended = False
        except StopIteration:
            pass

    def send(self, value: Any) -> Any:
        """Take the next step."""
        if self.ended:
            raise StopIteration
        if self._fresh:
            self._fresh = False
            return self._awaited
        return self._coroutine.send(value)

    def throw(self, *error: Any) -> Any:
        """Take the next step with an error; before the task's first step that can only be a cancellation."""
        if self._fresh and (self.ended or self._awaited is not None):
            if not self.ended:
                # As if the task were waiting already: what it waits for is cancelled, and that wakes it.
                self._awaited.cancel()
            return self.send(None)
        self._fresh = False
        return self._coroutine.throw(*error)

    def close(self) -> None:
        """Give up."""
        self._coroutine.close()

    def __await__(self) -> Any:
        return self._coroutine.__await__()

    def __getattr__(self, name: str) -> Any:
        # Its name and its state, for who looks at tasks: debuggers, asyncio itself, anyio.
        return getattr(self._coroutine, name)


def begin(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
    """Take the first step of ``coroutine`` now, in a task of its own.

    To the coroutine all is as in any task: it has its task and its context from its first line on, so that
    ``asyncio.timeout``, context variables and cancelling work.

    Args:
        loop: The running loop; called outside of any task.

    Returns:
        The task that carries it on; None if the coroutine has ended.
    """
    begun = _Begun(coroutine)
    context = copy_context()
    task = asyncio.Task(begun, loop=loop, context=context)
    _enter_task(loop, task)
    try:
        context.run(begun.begin)
    finally:
        _leave_task(loop, task)
    return None if begun.ended else task
