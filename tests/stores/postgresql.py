"""A real PostgreSQL server for the tests: one for each session, and a database of its own for each test.

`tests/conftest.py` makes the fixtures known to all tests. `database` is the URL of a database with the tables in it,
`empty_database` of one without; `own_postgresql` is a server that a test may stop and start as it likes.
"""

import asyncio
import functools
import itertools
import os
import signal
import subprocess
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from openbrokerapi.cli.demonstration.embedded_postgresql import (
    OPTIONS,
    EmbeddedPostgreSQL,
    EmbeddedPostgreSQLError,
    environment,
    find_installation,
    other_user,
)
from openbrokerapi.stores.postgres.store import PostgresStore

TEMPLATE = "openbroker_template"
# Later settings win: the demonstration's come first.
DURABLE = ("-c", "fsync=on", "-c", "synchronous_commit=on", "-c", "full_page_writes=on")
_NUMBERS = itertools.count(1)


class Server(EmbeddedPostgreSQL):
    """A server that can be stopped hard, and started again on the same port and data.

    Args:
        durable: Whether what is committed survives a crash of the server: without, a hard stop may lose it.
    """

    def __init__(self, *, durable: bool = False) -> None:
        super().__init__()
        self._options = DURABLE if durable else ()
        self.database = "postgres"

    @property
    def url(self) -> str:
        """The superuser's URL of the database that is chosen."""
        return super().url.replace("/postgres?", f"/{self.database}?")

    def _launch(self, binaries: Path) -> subprocess.Popen[bytes]:
        self._binaries = binaries
        data = str(self.folder / "data")
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [str(binaries / "postgres"), "-D", data, "-p", str(self.port), *OPTIONS, *self._options],
                env=environment(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **other_user(),
            )

    def stop_hard(self) -> None:
        """Stop it as `pg_ctl stop -m immediate` does: no connection is ended in order, nothing is written."""
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(10)

    @property
    def is_running(self) -> bool:
        """Whether it was not stopped."""
        return self._process is not None and self._process.poll() is None

    def start_again(self) -> None:
        """Start it again, and wait until it answers."""
        process = self._process = self._launch(self._binaries)
        while not self._answers():
            assert process.poll() is None, self._log()

    def pause(self) -> None:
        """Freeze it: connections stay, and nothing is answered."""
        os.killpg(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Wake it up again."""
        os.killpg(self.pid, signal.SIGCONT)

    def url_of(self, name: str) -> str:
        """Give the URL of one of its databases."""
        return super().url.replace("/postgres?", f"/{name}?")

    def run(self, statement: sql.Composed) -> None:
        """Run a statement in the database postgres."""
        with psycopg.connect(super().url, autocommit=True) as connection:
            connection.execute(statement)

    def make_database(self, template: str = "template0") -> str:
        """Make a database; give its name."""
        name = f"test_{next(_NUMBERS)}"
        self.run(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
        return name

    def make_template(self) -> None:
        """Make the database, with all tables in it, that others are copied from."""
        self.run(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
        asyncio.run(PostgresStore(self.url_of(TEMPLATE)).migrate())

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever still uses it."""
        self.run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _start(server: Server) -> Iterator[Server]:
    try:
        find_installation()
    except EmbeddedPostgreSQLError as error:
        pytest.skip(f"needs PostgreSQL: {error}")
    with server:
        yield server


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    """The session's server; nobody stops it."""
    for server in _start(Server()):
        server.make_template()
        yield server


@pytest.fixture(scope="session")
def durable_postgresql() -> Iterator[Server]:
    """A server that survives being stopped hard."""
    for server in _start(Server(durable=True)):
        server.make_template()
        yield server


@pytest.fixture
def own_postgresql(durable_postgresql: Server) -> Iterator[Server]:
    """A server to be stopped and started, with the tables in the database of its URL."""
    durable_postgresql.database = durable_postgresql.make_database(TEMPLATE)
    yield durable_postgresql
    if not durable_postgresql.is_running:
        durable_postgresql.start_again()
    durable_postgresql.drop_database(durable_postgresql.database)


@pytest.fixture
def database(postgresql_server: Server) -> Iterator[str]:
    """The URL of a database with the tables in it."""
    name = postgresql_server.make_database(TEMPLATE)
    yield postgresql_server.url_of(name)
    postgresql_server.drop_database(name)


@pytest.fixture
def empty_database(postgresql_server: Server) -> Iterator[str]:
    """The URL of a database with nothing in it."""
    name = postgresql_server.make_database()
    yield postgresql_server.url_of(name)
    postgresql_server.drop_database(name)


def on_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test that is a coroutine function."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        asyncio.run(asyncio.wait_for(test(*args, **kwargs), 60))

    return run
