"""The migrations: numbered files, each carried out once, in one transaction."""

from __future__ import annotations

import importlib.resources
from collections.abc import Callable
from pathlib import Path

import apsw
import msgspec

from openbrokerapi.stores.contract import SchemaMismatchError, Status

_TABLE = (
    "CREATE TABLE IF NOT EXISTS schema_migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, at REAL NOT NULL)"
)


class Migration(msgspec.Struct, frozen=True):
    """One step of the tables' way to their present form.

    Attributes:
        number: Its place, from 1.
        name: Its file's name without the ending.
        sql: What is carried out.
    """

    number: int
    name: str
    sql: str


def migrations() -> list[Migration]:
    """Give all migrations of this program, in their order."""
    files = importlib.resources.files(__package__).joinpath("migrations").iterdir()
    found = sorted((file for file in files if file.name.endswith(".sql")), key=lambda file: file.name)
    return [
        Migration(int(file.name.partition("_")[0]), file.name.removesuffix(".sql"), file.read_text("utf-8"))
        for file in found
    ]


def carried_out(connection: apsw.Connection) -> set[int]:
    """Give the numbers of the migrations that the database has had."""
    if not connection.table_exists(None, "schema_migration"):
        return set()
    return {row[0] for row in connection.execute("SELECT number FROM schema_migration")}


def tell(path: Path, numbers: set[int]) -> Status:
    """Tell the version of tables that have had the migrations of these numbers."""
    known = migrations()
    return Status(
        where=str(path),
        version=max(numbers, default=0),
        pending=tuple(each.name for each in known if each.number not in numbers),
        unknown=bool(numbers - {each.number for each in known}),
    )


def refuse_unknown(status: Status) -> None:
    """Refuse tables that a newer program has made.

    Raises:
        SchemaMismatchError: There are migrations that this program does not know.
    """
    if status.unknown:
        raise SchemaMismatchError(
            f"The tables of the store {status.where} are of version {status.version}, which is newer than this program;"
            " install the version of openbrokerapi that made them, or a later one."
        )


def migrate(connection: apsw.Connection, clock: Callable[[], float]) -> list[str]:
    """Carry out what is missing; give the names. Two at the same time carry each one out once."""
    done: list[str] = []
    for migration in migrations():
        # IMMEDIATE: the second of two waits here, and sees then what the first one did.
        connection.execute("BEGIN IMMEDIATE")
        try:
            done += _migrate_once(connection, migration, clock())
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
    return done


def _migrate_once(connection: apsw.Connection, migration: Migration, now: float) -> list[str]:
    connection.execute(_TABLE)
    if migration.number in carried_out(connection):
        return []
    connection.execute(migration.sql)
    connection.execute("INSERT INTO schema_migration VALUES (?, ?, ?)", (migration.number, migration.name, now))
    return [migration.name]
