"""A store that dies, or fails, at one of its calls: before it has done anything, or when all of it is durable.

A fault is written as ``kill before 7``, ``kill after 7``, ``fail before 7`` or ``fail after 7``: at the seventh call.
What a process does by itself each second, ``due``, is not counted, so that the seventh call is nearly the same each
time.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, cast

from tests.system.journal import Journal

from openbrokerapi.stores.contract import Store, StoreError
from openbrokerapi.stores.location import open_location
from openbrokerapi.stores.postgres.store import PostgresStore
from openbrokerapi.stores.sqlite.store import SqliteStore

_CALLS = (
    "change",
    "claim",
    "beat",
    "steps",
    "remember",
    "report",
    "instance",
    "binding",
    "operation",
    "latest_operation",
)


class _Fault:
    def __init__(self, text: str, journal: Journal) -> None:
        self._how, self._when, number = text.split()
        self._number = int(number)
        self._count = 0
        self._journal = journal

    async def around(self, name: str, call: Callable[[], Awaitable[Any]]) -> Any:
        self._count += 1
        here = self._count == self._number
        if here and self._when == "before":
            self._strike(name)
        try:
            return await call()
        finally:
            # Also where the request was refused, and the call has raised.
            if here:
                self._strike(name)

    def _strike(self, name: str) -> None:
        self._journal.write("struck", step=name)
        if self._how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        raise StoreError("The disk is full, for once.")


def _wrapped(fault: _Fault, original: Callable[..., Awaitable[Any]], name: str) -> Callable[..., Awaitable[Any]]:
    async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return await fault.around(name, partial(original, self, *args, **kwargs))

    return call


def faulty_store(url: str, text: str, journal: Journal) -> Store:
    """Make the store of a location, with a fault."""
    fault = _Fault(text, journal)
    base: type[Any] = type(open_location(url))
    kind: type[Any] = type(f"Faulty{base.__name__}", (base,), {n: _wrapped(fault, getattr(base, n), n) for n in _CALLS})
    if issubclass(kind, SqliteStore):
        return cast(Store, kind(url.removeprefix("sqlite:///")))
    assert issubclass(kind, PostgresStore)
    return cast(Store, kind(url))
