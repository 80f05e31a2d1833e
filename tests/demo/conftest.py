"""A real PostgreSQL for the whole session, and the example broker on it."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import uuid
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from openbrokerapi import errors, service_broker
from openbrokerapi.cli.demonstration.embedded_postgresql import EmbeddedPostgreSQL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "postgres_broker.py"


@pytest.fixture(scope="session")
def postgresql() -> Iterator[EmbeddedPostgreSQL]:
    with EmbeddedPostgreSQL() as server:
        yield server


@pytest.fixture(scope="session")
def example() -> ModuleType:
    specification = importlib.util.spec_from_file_location("postgres_broker", EXAMPLE)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules["postgres_broker"] = module
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def broker(postgresql: EmbeddedPostgreSQL, example: ModuleType) -> Any:
    return example.PostgresBroker(postgresql.url, "a secret of the tests")


@pytest.fixture
def admin(postgresql: EmbeddedPostgreSQL) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    with psycopg.connect(postgresql.url, autocommit=True) as connection:
        yield connection


class Orders:
    """The requests of one test, about an instance of its own."""

    def __init__(self, broker: Any, example: ModuleType) -> None:
        self.broker = broker
        self.example = example
        self.instance_id = f"instance {uuid.uuid4()}"
        self.name = example.name_of(self.instance_id)

    def details(self, kind: str, plan: str = "SMALL", **more: Any) -> Any:
        plan_id = getattr(self.example, plan)
        return getattr(service_broker, kind)(service_id=self.example.SERVICE_ID, plan_id=plan_id, **more)

    def provision(self, plan: str = "SMALL", space: str = "space", **parameters: Any) -> Any:
        details = self.details(
            "ProvisionDetails", plan, organization_guid="org", space_guid=space, parameters=parameters or None
        )
        return self.broker.provision(self.instance_id, details, False)

    def update(self, plan: str = "SMALL", **parameters: Any) -> Any:
        return self.broker.update(
            self.instance_id, self.details("UpdateDetails", plan, parameters=parameters or None), False
        )

    def bind(self, binding_id: str = "binding", app_guid: str = "app", **more: Any) -> Any:
        return self.broker.bind(
            self.instance_id, binding_id, self.details("BindDetails", app_guid=app_guid, **more), False
        )

    def unbind(self, binding_id: str = "binding") -> Any:
        return self.broker.unbind(self.instance_id, binding_id, self.details("UnbindDetails"), False)

    def deprovision(self) -> Any:
        return self.broker.deprovision(self.instance_id, self.details("DeprovisionDetails"), False)

    def get_binding(self, binding_id: str = "binding") -> Any:
        return self.broker.get_binding(self.instance_id, binding_id)


@pytest.fixture
def new_orders(broker: Any, example: ModuleType) -> Iterator[Callable[[], Orders]]:
    """Make Orders for further instances; all that they made is dropped at the end."""
    made: list[Orders] = []

    def new() -> Orders:
        made.append(Orders(broker, example))
        return made[-1]

    yield new
    for orders in made:
        with contextlib.suppress(errors.ErrInstanceDoesNotExist):
            orders.deprovision()


@pytest.fixture
def orders(new_orders: Callable[[], Orders]) -> Orders:
    return new_orders()


@pytest.fixture
def names() -> SimpleNamespace:
    """What the server holds, by an instance's name."""

    def databases(connection: Any, name: str) -> list[str]:
        query = "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
        return [row[0] for row in connection.execute(query, [name]).fetchall()]

    def roles(connection: Any, name: str) -> list[str]:
        query = "SELECT rolname FROM pg_roles WHERE starts_with(rolname, %s)"
        return [row[0] for row in connection.execute(query, [name]).fetchall()]

    return SimpleNamespace(databases=databases, roles=roles)
