"""How values are sent to PostgreSQL: always in the same way, so that a statement is prepared once."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format


class _Number(Dumper):
    # psycopg would send 1 and 100000 as two types, and None as a third: three plans of one statement. The type 0 leaves
    # it to the server, which knows the column.
    oid = 0

    def dump(self, obj: float) -> Buffer:
        return repr(obj).encode()


class _Flag(Dumper):
    oid = 0

    def dump(self, obj: bool) -> Buffer:
        return b"t" if obj else b"f"


class _Bytes(Dumper):
    oid = 0
    format = Format.BINARY

    def dump(self, obj: bytes) -> Buffer:
        return obj


def adapt(connection: AsyncConnection[Any]) -> None:
    """Make a connection send its values so."""
    connection.adapters.register_dumper(int, _Number)
    connection.adapters.register_dumper(float, _Number)
    connection.adapters.register_dumper(bool, _Flag)
    connection.adapters.register_dumper(bytes, _Bytes)
