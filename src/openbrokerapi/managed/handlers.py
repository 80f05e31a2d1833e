"""How the author's methods are called: on the loop, or in a thread of their own."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError, Executor
from dataclasses import replace
from functools import partial
from typing import Any, NoReturn

from openbrokerapi.marks import is_nonblocking
from openbrokerapi.stores.rows import BindingRow, InstanceRow, OperationRow

from .answers import Provisioned
from .memory import Memory
from .offering import Offering
from .records import Records, who_of
from .states import Kind
from .work import AsyncWork, Work


class Job:
    """One operation in the hands of this process.

    Attributes:
        bindings: Of a deprovision: what is still bound and has to be deleted with it.
        beaten_at: When the lease was renewed last, by a clock that never goes back.
    """

    def __init__(
        self, operation: OperationRow, instance: InstanceRow | None, binding: BindingRow | None, beaten_at: float
    ) -> None:
        self.operation = operation
        self.who = who_of(operation.who)
        self.instance = instance
        self.binding = binding
        self.bindings: tuple[BindingRow, ...] = ()
        self.predecessor: BindingRow | None = None
        self.beaten_at = beaten_at
        self.memory: Memory | None = None
        self.task: asyncio.Task[Any] | None = None
        self.ended = asyncio.Event()
        self.stopped = False

    def stop(self) -> None:
        """Let the author's method end at its next step; if it has not been called yet, it will not be."""
        self.stopped = True
        if self.memory is not None:
            self.memory.stop()


class Handlers:
    """Calls the author's methods.

    Args:
        threads: Where plain methods run; none of asyncio's own.
    """

    def __init__(self, records: Records, threads: Executor) -> None:
        self._records = records
        self._threads = threads

    async def handle(self, offering: Offering, job: Job, memory: Memory) -> Any:
        """Call what carries out the operation; give what it returned."""
        row, operation = job.instance, job.operation
        if row is None:
            raise LookupError("the row of the instance is missing")
        who = job.who
        kind = Kind(operation.kind)
        if kind is Kind.UPDATE:
            previous = self._records.instance(offering, row, who)
            wanted = self._records.instance(offering, row, who, self._records.desired(operation))
            return await self._call(offering.update, memory, wanted, previous)
        instance = self._records.instance(offering, row, who)
        if job.binding is not None:
            binding = self._records.binding(offering, job.binding, who, job.predecessor)
            method = offering.bind if kind is Kind.BIND else offering.unbind
            return await self._call(method, memory, instance, binding)
        if kind is Kind.PROVISION:
            return self._with_dashboard(offering, instance, await self._call(offering.provision, memory, instance))
        for each in job.bindings:
            await self._unbind(offering, memory, instance, self._records.binding(offering, each, who))
        return await self._call(offering.deprovision, memory, instance)

    @staticmethod
    def _with_dashboard(offering: Offering, instance: Any, returned: Any) -> Any:
        made = Provisioned() if returned is None else returned
        if isinstance(made, Provisioned) and made.dashboard_url is None:
            return replace(made, dashboard_url=offering.dashboard_url(instance))
        return made

    async def _unbind(self, offering: Offering, memory: Memory, instance: Any, binding: Any) -> None:
        step = await memory.recall(memory.numbered(f"unbind {binding.id}"))
        if not step.done:
            with memory.within(step.name):
                await self._call(offering.unbind, memory, instance, binding)
            await memory.keep(step, None)

    async def _call(self, method: Callable[..., Any], memory: Memory, *args: Any) -> Any:
        if inspect.iscoroutinefunction(method):
            returned = await method(*args, AsyncWork(memory))
            memory.check_awaited()
            return returned
        if is_nonblocking(method):
            return method(*args, Work(memory, _no_waiting))
        loop, here = asyncio.get_running_loop(), threading.get_ident()

        def wait(awaitable: Awaitable[Any]) -> Any:
            if threading.get_ident() == here:
                _refuse(awaitable, "a method whose work is done by a coroutine must itself be written `async def`")
            return asyncio.run_coroutine_threadsafe(_coroutine(awaitable), loop).result()

        call = partial(_carried, partial(method, *args, Work(memory, wait)))
        result = await loop.run_in_executor(self._threads, contextvars.copy_context().run, call)
        return await result if inspect.isawaitable(result) else result


def _carried(call: Callable[[], Any]) -> Any:
    """Call in a thread; what no future can carry to the loop is raised as something else."""
    try:
        return call()
    except (StopIteration, GeneratorExit, asyncio.CancelledError, CancelledError) as error:
        raise RuntimeError(f"the method raised {type(error).__name__}") from error


async def _coroutine(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def _no_waiting(awaitable: Awaitable[Any]) -> NoReturn:
    _refuse(awaitable, "a @nonblocking method cannot wait: without the mark, or as `async def`, it can use its work")


def _refuse(awaitable: Awaitable[Any], why: str) -> NoReturn:
    """Refuse to wait on the event loop: what is waited for would never come."""
    if inspect.iscoroutine(awaitable):
        awaitable.close()
    raise RuntimeError(why)
