"""How a host waits for what a conversation wishes for: in the caller's thread, or on an event loop."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, Generic, TypeVar

from openbrokerapi.calling import Invocation
from openbrokerapi.protocol.request import Response

from .exchange import Conversation, ReadBody, Wish

T = TypeVar("T")
_READING = frozenset(("GET", "HEAD"))


class LoopThread:
    """An event loop in a thread of its own, for the `async def` methods of a broker on a host without a loop.

    All of them run on the one loop, so that what they share, such as a connection pool, stays on it. It is started when
    it is first needed, and again in a forked process.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process: int | None = None

    def wait(self, awaitable: Awaitable[T]) -> T:
        """Run ``awaitable`` on the loop, and wait for its result in this thread."""
        return asyncio.run_coroutine_threadsafe(_coroutine(awaitable), self._running()).result()

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None or self._process != os.getpid():
                self._loop = asyncio.new_event_loop()
                self._process = os.getpid()
                threading.Thread(target=self._loop.run_forever, name="openbrokerapi-loop", daemon=True).start()
            return self._loop


async def _coroutine(awaitable: Awaitable[T]) -> T:
    try:
        return await awaitable
    except Exception:
        raise
    except BaseException as error:
        if _is_for_the_task(error):
            raise
        # Some of them would end the loop, and with it every other request.
        raise _fault(error) from error


class Finished(Generic[T]):
    """The result of a conversation."""

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value


def wait_in_thread(
    conversation: Conversation, read_body: Callable[[int], bytes], wait: Callable[[Awaitable[Any]], Any]
) -> Response:
    """Carry a conversation through in this thread.

    Args:
        read_body: Reads the request's body, given the most bytes that it may have.
        wait: Waits for an awaitable.
    """
    try:
        wish = conversation.send(None)
        while True:
            try:
                if isinstance(wish, ReadBody):
                    result: Any = read_body(wish.limit)
                else:
                    result = wish() if isinstance(wish, Invocation) else wait(wish)
            except BaseException as error:
                if _is_for_the_thread(error):
                    raise
                wish = conversation.throw(_fault(error))
            else:
                wish = conversation.send(result)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # of a generator that returns a Response


def _wait_while_plain(conversation: Conversation, wish: Wish) -> Wish | Finished[Response]:
    # In a worker thread: the plain calls that follow one another need no way back to the loop in between.
    try:
        while isinstance(wish, Invocation):
            try:
                result = wish()
            except BaseException as error:  # noqa: BLE001 - it is the conversation's to answer
                wish = conversation.throw(_fault(error))
            else:
                wish = conversation.send(result)
    except StopIteration as stop:
        return Finished(stop.value)
    return wish


class BrokerFault(Exception):  # noqa: N818 - the name says whose it is
    """The broker raised something that would end a thread, a task or the process: an exception, but no Exception."""


def _fault(error: BaseException) -> Exception:
    """Make something of whatever was raised that can be answered."""
    if isinstance(error, Exception):
        return error
    fault = BrokerFault(f"the broker raised {type(error).__name__}")
    fault.__cause__ = error
    return fault


def _is_for_the_thread(error: BaseException) -> bool:
    # Servers end their workers by raising in the main thread; no author's method can mean that.
    return not isinstance(error, Exception) and threading.current_thread() is threading.main_thread()


def _is_for_the_task(error: BaseException) -> bool:
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is not None and task.cancelling() > 0
    return isinstance(error, (KeyboardInterrupt, GeneratorExit))


class Lanes:
    """The threads for plain methods on an event loop: those that read, and those that change something.

    Two lanes, so that slow changes, however many, never keep the catalog or a poll waiting.
    """

    def __init__(self, threads: int) -> None:
        self._reading = ThreadPoolExecutor(threads, "openbrokerapi-read")
        self._changing = ThreadPoolExecutor(threads, "openbrokerapi-change")

    def of(self, method: str) -> ThreadPoolExecutor:
        """Give the lane of a request by its HTTP method."""
        return self._reading if method in _READING else self._changing

    def close(self) -> None:
        """Take no further work; what runs is left to end."""
        self._reading.shutdown(wait=False, cancel_futures=True)
        self._changing.shutdown(wait=False, cancel_futures=True)


async def wait_on_loop(
    conversation: Conversation, read_body: Callable[[int], Coroutine[Any, Any, bytes]], lane: ThreadPoolExecutor
) -> Response:
    """Carry a conversation through on the running event loop; plain calls go to ``lane``."""
    send, throw = conversation.send, conversation.throw
    try:
        wish = send(None)
        while True:
            if isinstance(wish, Invocation):
                loop = asyncio.get_running_loop()
                found = await loop.run_in_executor(lane, copy_context().run, _wait_while_plain, conversation, wish)
                if isinstance(found, Finished):
                    return found.value
                wish = found
                continue
            try:
                result: Any = await (read_body(wish.limit) if isinstance(wish, ReadBody) else wish)
            except BaseException as error:
                if _is_for_the_task(error):
                    raise
                wish = throw(_fault(error))
            else:
                wish = send(result)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # of a generator that returns a Response
