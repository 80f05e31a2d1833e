"""Work over whole tables: export, import, other seals, and what is old enough to go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import apsw
from msgspec.structs import astuple

from openbrokerapi.stores.rows import KEYS, SEALED, TABLES, Row

from .statements import READERS, SQL

#: So many rows are deleted in one transaction, at most: others wait meanwhile.
PURGED_AT_ONCE = 200


def rows(cursor: apsw.Cursor, table: str, after: tuple[Any, ...] | None, limit: int) -> list[Row]:
    """Give rows of a table in the order of its key."""
    key = ", ".join(KEYS[table])
    where = f"WHERE ({key}) > ({', '.join('?' * len(KEYS[table]))})" if after is not None else ""
    found = cursor.execute(f"SELECT * FROM {table} {where} ORDER BY {key} LIMIT ?", (*(after or ()), limit))  # noqa: S608
    return [*map(READERS[table], found.fetchall())]


def load(cursor: apsw.Cursor, table: str, given: Sequence[Row]) -> None:
    """Write rows as they are; those that are there are left alone."""
    places = ", ".join("?" * len(TABLES[table].__struct_fields__))
    # The key is named: a row that is refused for another reason must not be left out in silence.
    statement = f"INSERT INTO {table} VALUES ({places}) ON CONFLICT ({', '.join(KEYS[table])}) DO NOTHING"  # noqa: S608
    for row in given:
        cursor.execute(statement, astuple(row))


def reseal(cursor: apsw.Cursor, table: str, replaced: Sequence[tuple[Row, Row]]) -> int:
    """Replace the sealed values of rows that still have the old ones; give how many had."""
    sealed, key = SEALED[table], KEYS[table]
    if not sealed:
        return 0
    values = ", ".join(f"{column} = ?" for column in sealed)
    same = " AND ".join([*(f"{column} = ?" for column in key), *(f"{column} IS ?" for column in sealed)])
    statement = f"UPDATE {table} SET {values} WHERE {same}"  # noqa: S608
    changed = 0
    for old, new in replaced:
        cursor.execute(statement, (*_of(new, sealed), *_of(old, key), *_of(old, sealed)))
        changed += cursor.connection.changes()
    return changed


def _of(row: Row, columns: Sequence[str]) -> list[Any]:
    return [getattr(row, column) for column in columns]


def purge_operations(
    cursor: apsw.Cursor, before: float, after: tuple[float, int]
) -> tuple[int, tuple[float, int] | None]:
    """Delete some finished operations; give how many, and from behind which to go on, None at the end."""
    found: list[tuple[Any, ...]] = cursor.execute(SQL["finished_before"], (before, *after, PURGED_AT_ONCE)).fetchall()
    gone = [number for number, _, superfluous in found if superfluous]
    for number in gone:
        cursor.execute(SQL["delete_operation"], (number,))
    return len(gone), (found[-1][1], found[-1][0]) if len(found) == PURGED_AT_ONCE else None


def purge_events(cursor: apsw.Cursor, before: float) -> int:
    """Delete some old events; give how many."""
    cursor.execute(SQL["delete_events"], (before, PURGED_AT_ONCE))
    return cursor.connection.changes()
