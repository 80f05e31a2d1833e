"""What the store shows when all is over: what has not ended, what has ended twice, what is left."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

from openbrokerapi.stores.contract import Store
from openbrokerapi.stores.location import open_location
from openbrokerapi.stores.rows import IN_PROGRESS, KEYS, TABLES, Row

T = TypeVar("T")
_ENDS = ("succeeded", "failed", "stopped")


def look(url: str, work: Callable[[Store], Awaitable[T]]) -> T:
    """Do something with a store, beside the brokers that run on it."""

    async def done() -> T:
        store = open_location(url)
        await store.open(owner=False)
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(asyncio.wait_for(done(), 60))


async def _all_rows(store: Store, table: str) -> list[Any]:
    found: list[Row] = []
    after: tuple[Any, ...] | None = None
    while True:
        rows = await store.rows(table, after)
        if not rows:
            return found
        found.extend(rows)
        after = _key(table, rows[-1])


def _key(table: str, row: Row) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in KEYS[table])


def tables(url: str) -> dict[str, list[Any]]:
    """Give all rows of all tables."""

    async def read(store: Store) -> dict[str, list[Any]]:
        return {table: await _all_rows(store, table) for table in TABLES}

    return look(url, read)


def unfinished(rows: dict[str, list[Any]]) -> Iterator[str]:
    """Tell which operations have not ended, and which have ended and are still held."""
    for row in rows["operation"]:
        if row.state == IN_PROGRESS or row.worker is not None:
            yield f"{row.kind} {row.operation_id[:8]} of {row.instance_id} is {row.state}, held by {row.worker}"


def ends(rows: dict[str, list[Any]]) -> Iterator[str]:
    """Tell which operations have not ended exactly once."""
    ended = Counter(row.operation_id for row in rows["event"] if row.what.rpartition(" ")[2] in _ENDS)
    for row in rows["operation"]:
        if ended[row.operation_id] != 1:
            yield f"{row.kind} {row.operation_id[:8]} of {row.instance_id} has ended {ended[row.operation_id]} times"


def leftovers(rows: dict[str, list[Any]]) -> Iterator[str]:
    """Tell what is left when every instance has been deleted."""
    for row in rows["instance"]:
        yield f"instance {row.instance_id} is {row.state}"
    for row in rows["binding"]:
        yield f"binding {row.binding_id} of {row.instance_id} is {row.state}"
    for row in rows["step"]:
        yield f"step {row.name!r} of operation {row.operation_id[:8]} is remembered"
