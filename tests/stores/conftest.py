"""What the suite of the stores runs on: each store in turn, on a loop of the test's own."""

import asyncio
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.stores.places import Place, PostgresqlPlace, SqlitePlace
from tests.stores.postgresql import TEMPLATE, Server

from openbrokerapi.stores.contract import Store

#: Seconds; a test that hangs ends.
_PATIENCE = 60


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """Runs all that is `async` of one test."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def place(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where the state is kept: the tables are there, and empty."""
    if kind == "sqlite":
        return SqlitePlace(tmp_path / "broker.db")
    # To empty one database is much quicker than to make one.
    place = PostgresqlPlace(request.getfixturevalue("one_database"))
    place.clear()
    return place


@pytest.fixture(scope="session")
def one_database(postgresql_server: Server) -> str:
    """The URL of a database with the tables in it, for all tests in turn."""
    return postgresql_server.url_of(postgresql_server.make_database(TEMPLATE))


@pytest.fixture
def empty_place(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where there is nothing yet, and no table."""
    if kind == "sqlite":
        return SqlitePlace(tmp_path / "broker.db")
    return PostgresqlPlace(request.getfixturevalue("empty_database"))


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of store in turn."""
    return str(request.param)


@pytest.fixture
def store(place: Place, runner: asyncio.Runner) -> Iterator[Store]:
    """An open store."""
    store = place.store()
    runner.run(store.open())
    yield store
    runner.run(store.close())


@pytest.fixture
def other_store(store: Store, place: Place, runner: asyncio.Runner) -> Iterator[Store]:
    """What another replica sees: a store of its own where several may be open, else the same."""
    if not store.shared:
        yield store
        return
    other = place.store()
    runner.run(other.open())
    yield other
    runner.run(other.close())


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine function."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}
    runner: Any = pyfuncitem.funcargs.get("runner")
    if runner is None:
        with asyncio.Runner() as runner:
            runner.run(_in_time(pyfuncitem.obj(**arguments)))
    else:
        runner.run(_in_time(pyfuncitem.obj(**arguments)))
    return True


async def _in_time(test: Any) -> None:
    await asyncio.wait_for(test, _PATIENCE)
