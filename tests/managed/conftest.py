"""What the tests of managed brokers run on: ASGI and SQLite, unless a test names other places."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.contract.hosts import HOSTS, Serving, serving
from tests.managed.stage import Clock, Managed, Script, Stage
from tests.stores.places import PostgresqlPlace
from tests.stores.postgresql import TEMPLATE

from openbrokerapi.stores.contract import Store
from openbrokerapi.stores.postgres.store import PostgresStore
from openbrokerapi.stores.sqlite.store import SqliteStore


@pytest.fixture(scope="session")
def hosts() -> Iterator[Callable[[str], Serving]]:
    """Gives the server of a host by its name; each is started when it is first asked for."""
    running: dict[str, Serving] = {}
    with ExitStack() as stack:

        def of(name: str) -> Serving:
            if name not in running:
                host = next(host for host in HOSTS if host.name == name)
                running[name] = stack.enter_context(serving(host))
            return running[name]

        yield of


@pytest.fixture
def on() -> str:
    """Where the broker is served and keeps its state: a host's name, or "postgresql"; tests override it."""
    return "asgi"


@pytest.fixture
def make_store(on: str, request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Clock], Store]:
    """Makes stores that have the same state."""
    if on != "postgresql":
        return lambda clock: SqliteStore(tmp_path / "broker.db", clock)
    # To empty one database is much quicker than to make one.
    url: str = request.getfixturevalue("one_database")
    PostgresqlPlace(url).clear()
    return lambda clock: PostgresStore(url, shift=lambda: clock.ahead)


@pytest.fixture(scope="session")
def one_database(request: pytest.FixtureRequest) -> str:
    """The URL of a database with the tables in it, for all tests in turn."""
    server = request.getfixturevalue("postgresql_server")
    return str(server.url_of(server.make_database(TEMPLATE)))


@pytest.fixture
def stage(on: str, hosts: Any, make_store: Callable[[Clock], Store]) -> Iterator[Stage]:
    """Serves managed brokers, and shuts them down when the test is over."""
    name = "asgi" if on == "postgresql" else on
    stage = Stage(hosts(name), make_store)
    try:
        yield stage
    finally:
        stage.close()


@pytest.fixture
def script(stage: Stage) -> Script:
    """What the author's methods do."""
    return stage.script


@pytest.fixture
def managed(stage: Stage) -> Managed:
    """A broker whose only offering does as the script says; what may be asynchronous is."""
    return stage()
