"""Where the suite's stores keep their state: a file, or a database on a real server."""

import json
import time
from pathlib import Path
from typing import Protocol

import apsw
import psycopg
from psycopg import sql

from openbrokerapi.stores.contract import Store
from openbrokerapi.stores.postgres.store import PostgresStore
from openbrokerapi.stores.rows import TABLES
from openbrokerapi.stores.sqlite.store import SqliteStore

NEWER = 9999


class Place(Protocol):
    """A place for a state, and its clock.

    Attributes:
        url: Its location, as an operator writes it.
        ahead: How many seconds the clock of its stores is ahead of the machine's.
    """

    url: str
    ahead: float

    def store(self) -> Store:
        """Make a store that keeps its state here; not opened yet."""

    def clear(self) -> None:
        """Delete all rows, while no store is open, and what :meth:`be_newer` did."""

    def be_newer(self) -> None:
        """Note a migration that this program does not know, as a newer program would."""


class SqlitePlace:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.url = f"sqlite:///{path}"
        self.ahead = 0.0

    def store(self) -> Store:
        return SqliteStore(self.path, lambda: time.time() + self.ahead)

    def clear(self) -> None:
        for path in self.path.parent.glob(f"{self.path.name}*"):
            path.unlink()

    def be_newer(self) -> None:
        connection = apsw.Connection(str(self.path))
        connection.execute("INSERT INTO schema_migration VALUES (?, 'from the future', 0)", (NEWER,))
        connection.close()


class PostgresqlPlace:
    def __init__(self, url: str) -> None:
        self.url = url
        self.ahead = 0.0

    def store(self) -> Store:
        return PostgresStore(self.url, shift=lambda: self.ahead)

    def clear(self) -> None:
        names = sql.SQL(", ").join(sql.Identifier("openbroker", name) for name in [*TABLES, "note"])
        with psycopg.connect(self.url) as connection:
            connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY").format(names))
            connection.execute("DELETE FROM openbroker.schema_migration WHERE number = %s", (NEWER,))

    def be_newer(self) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute(
                "INSERT INTO openbroker.schema_migration (number, name, needs, at) VALUES (%s, 'future', %s, 0)",
                (NEWER, NEWER),
            )


def place_of(text: str) -> Place:
    """Make the place that :func:`text_of` wrote down, in another process."""
    kind, where = json.loads(text)
    return SqlitePlace(Path(where)) if kind == "sqlite" else PostgresqlPlace(where)


def text_of(place: Place) -> str:
    """Write a place down, for another process."""
    if isinstance(place, SqlitePlace):
        return json.dumps(["sqlite", str(place.path)])
    return json.dumps(["postgresql", place.url])
