"""The tables: which migrations there are, and bringing a database up to date."""

from __future__ import annotations

import importlib.resources
import importlib.util
import re
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from openbrokerapi.stores.contract import SchemaMismatchError, Status, StoreError

from .connections import Connection

#: The lock that replicas take to migrate: of this transaction only, so that it works behind pgbouncer, too.
_LOCK = 0x6F70656E_62726F6B
_QUEUE = "procrastinate"
_FIRST_OF_QUEUE = "procrastinate schema"


class Migration(msgspec.Struct, frozen=True):
    """A migration.

    Attributes:
        needs: The least version of the program that may still write when it has been made.
    """

    number: int
    name: str
    needs: int
    sql: str


class Made(msgspec.Struct, frozen=True):
    """Which migrations a database has had: the numbers of ours, and the names of the queue's."""

    ours: frozenset[int] = frozenset()
    queue: frozenset[str] = frozenset()


def _read_migrations() -> tuple[Migration, ...]:
    folder = importlib.resources.files(__package__).joinpath("migrations")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return tuple(_read(file.name, file.read_text("utf-8")) for file in files)


def _read(file_name: str, sql: str) -> Migration:
    needs = re.match(r"-- needs: (\d+)\n", sql)
    if needs is None:
        raise ValueError(f"The first line of {file_name} does not say which version it needs")
    name = file_name.removesuffix(".sql")
    return Migration(int(name.partition("_")[0]), name, int(needs[1]), sql)


#: What this program knows.
MIGRATIONS = _read_migrations()
VERSION = MIGRATIONS[-1].number


def queue_folder() -> Path:
    """Find the SQL files of the queue's package, without importing it.

    Raises:
        StoreError: It is not installed.
    """
    found = importlib.util.find_spec(_QUEUE)
    if found is None or not found.submodule_search_locations:
        raise StoreError('The package procrastinate is missing; install it: pip install "openbrokerapi[postgres]"')
    return Path(found.submodule_search_locations[0]) / "sql"


def queue_migrations() -> list[str]:
    """Name the migrations of the queue's tables that the installed version brings, in their order."""
    return sorted(file.stem for file in (queue_folder() / "migrations").glob("*.sql"))


async def read_made(connection: Connection) -> Made:
    """Read which migrations a database has had."""
    found = await connection.execute("SELECT to_regclass('openbroker.schema_migration') IS NOT NULL")
    if not (await found.fetchall())[0][0]:
        return Made()
    ours = await connection.execute("SELECT number FROM openbroker.schema_migration")
    queue = await connection.execute("SELECT name FROM openbroker.queue_migration")
    return Made(
        frozenset(number for (number,) in await ours.fetchall()), frozenset(name for (name,) in await queue.fetchall())
    )


def missing(made: Made) -> tuple[list[Migration], list[str]]:
    """Tell which migrations a database has not had: ours, and the queue's."""
    ours = [migration for migration in MIGRATIONS if migration.number not in made.ours]
    if not made.queue:
        return ours, [_FIRST_OF_QUEUE]
    return ours, [name for name in queue_migrations() if name not in made.queue]


def make_status(made: Made, where: str) -> Status:
    """Tell the version of the tables."""
    ours, queue = missing(made)
    return Status(
        where=where,
        version=max(made.ours, default=0),
        pending=(*(migration.name for migration in ours), *queue),
        unknown=bool(_unknown(made)),
    )


def refuse_newer(made: Made, where: str) -> None:
    """Refuse tables that are newer than this program.

    Raises:
        SchemaMismatchError: They are.
    """
    if unknown := _unknown(made):
        raise SchemaMismatchError(
            f"The tables in {where} are newer than this program, which does not know {', '.join(unknown)};"
            " upgrade openbrokerapi and procrastinate to the versions of the program that made them."
        )


def _unknown(made: Made) -> list[str]:
    known = {migration.number for migration in MIGRATIONS}
    queue = made.queue - set(queue_migrations()) if made.queue else ()
    return [f"migration {number}" for number in sorted(made.ours - known)] + sorted(queue)


async def migrate(connection: Connection, where: str) -> list[str]:
    """Bring the tables up to date, in one transaction; of several replicas one does it, and the others wait.

    Returns:
        The names of the migrations that were missing.
    """
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(%s::bigint)", (_LOCK,))
        found = await connection.execute("SELECT to_regnamespace('openbroker') IS NOT NULL")
        if not (await found.fetchall())[0][0]:
            await connection.execute("CREATE SCHEMA openbroker")
        made = await read_made(connection)
        refuse_newer(made, where)
        ours, queue = missing(made)
        for migration in ours:
            await _run(connection, migration.sql)
            await connection.execute(
                "INSERT INTO openbroker.schema_migration (number, name, needs, at) VALUES (%s, %s, %s, %s)",
                (migration.number, migration.name, migration.needs, time.time()),
            )
        if queue:
            await _migrate_queue(connection, queue)
    return [*(migration.name for migration in ours), *queue]


async def _migrate_queue(connection: Connection, names: Sequence[str]) -> None:
    await connection.execute("SET LOCAL search_path TO openbroker")
    if list(names) == [_FIRST_OF_QUEUE]:
        names = queue_migrations()  # the whole schema is what they all make together
        await _run(connection, (queue_folder() / "schema.sql").read_text("utf-8"))
    else:
        for name in names:
            await _run(connection, (queue_folder() / "migrations" / f"{name}.sql").read_text("utf-8"))
    await connection.execute(
        "INSERT INTO openbroker.queue_migration (name, at) SELECT name, %s FROM unnest(%s::text[]) AS name",
        (time.time(), list(names)),
    )


async def _run(connection: Connection, script: str) -> None:
    # Without values, and not prepared, the server takes several statements at once.
    await connection.execute(script, prepare=False)
