"""Whole tables: to export, to import, and to seal anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import astuple

from openbrokerapi.stores.rows import KEYS, SEALED, TABLES, Row

from .connections import Connection
from .locks import lock_key
from .statements import SQL, columns, make_row


async def read(connection: Connection, table: str, after: tuple[Any, ...] | None, limit: int) -> list[Row]:
    """Give rows of a table in the order of its key, from behind the key ``after``."""
    key = ", ".join(KEYS[table])
    behind = f"WHERE ({key}) > ({', '.join(['%s'] * len(after))})" if after else ""
    cursor = connection.cursor(binary=True)
    await cursor.execute(
        f"SELECT {columns(table)} FROM openbroker.{table} {behind} ORDER BY {key} LIMIT %s::integer",  # noqa: S608
        (*(after or ()), limit),
    )
    return [make_row(table, values) for values in await cursor.fetchall()]


async def load(connection: Connection, table: str, rows: Sequence[Row]) -> None:
    """Write rows as they are, in one transaction; those that are there are left alone."""
    places = ", ".join(["%s"] * len(TABLES[table].__struct_fields__))
    key = ", ".join(KEYS[table])
    sql = (
        f"INSERT INTO openbroker.{table} ({columns(table)}) VALUES ({places})"  # noqa: S608 - names of our own
        f" ON CONFLICT ({key}) DO NOTHING"
    )
    async with connection.transaction():
        await connection.cursor().executemany(sql, [astuple(row) for row in rows])
        if table == "event":
            await connection.execute(SQL["move_event_numbers"])


async def reseal(connection: Connection, table: str, replaced: Sequence[tuple[Row, Row]]) -> int:
    """Replace rows by themselves with other sealed values, if they still have the old ones; give how many had."""
    if not SEALED[table] or not replaced:
        return 0
    assignments = ", ".join(f"{name} = %s::bytea" for name in SEALED[table])
    same = " AND ".join(f"{name} = %s" for name in KEYS[table])
    old = " AND ".join(f"{name} IS NOT DISTINCT FROM %s::bytea" for name in SEALED[table])
    sql = f"UPDATE openbroker.{table} SET {assignments} WHERE {same} AND {old}"  # noqa: S608 - names of our own
    values = [
        (*_take(new, SEALED[table]), *_take(before, KEYS[table]), *_take(before, SEALED[table]))
        for before, new in replaced
    ]
    async with connection.transaction():
        await _lock_instances(connection, [before for before, _ in replaced])
        cursor = connection.cursor()
        await cursor.executemany(sql, values)
        return cursor.rowcount


async def _lock_instances(connection: Connection, rows: Sequence[Row]) -> None:
    # A change writes whole rows: one that has read the old values must not put them back.
    keys = sorted({lock_key("instance", row.instance_id) for row in rows if hasattr(row, "instance_id")})
    literal = "{" + ",".join(map(str, keys)) + "}"
    await connection.execute("SELECT pg_advisory_xact_lock(key) FROM unnest(%s::bigint[]) AS key", (literal,))


def _take(row: Row, names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in names)
