"""The example broker, crashed before every single statement that it sends, and asked once more."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from openbrokerapi import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def connect(binding: Any) -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(binding.credentials["uri"], connect_timeout=10)


class Crash(BaseException):
    """The process dies here."""


@contextmanager
def crashing_after(statements: int) -> Iterator[None]:
    """Let so many statements through, then crash before the next."""
    numbers = count()
    real: Any = psycopg.Connection.execute

    def execute(connection: Any, *args: Any, **kwargs: Any) -> Any:
        if next(numbers) == statements:
            raise Crash
        return real(connection, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psycopg.Connection, "execute", execute)
        yield


def crash_everywhere(prepare: Any, request: Any, repeat_and_check: Any) -> int:
    """Crash the request before its first statement, its second, ... until it gets through; each time repeat it."""
    for statements in range(100):
        prepare()
        try:
            with crashing_after(statements):
                request()
        except Crash:
            repeat_and_check()
        else:
            return statements
    raise AssertionError("the request never ends")


@pytest.fixture
def gone(orders, admin, names) -> Callable[[], None]:
    """Deprovision if anything is there, and see that nothing is left."""

    def gone() -> None:
        if names.databases(admin, orders.name) or names.roles(admin, orders.name):
            orders.deprovision()
        assert names.databases(admin, orders.name) == []
        assert names.roles(admin, orders.name) == []

    return gone


@pytest.mark.slow
def test_a_provision_that_crashed_anywhere_is_finished_by_its_repeat(orders, gone):
    def provision() -> None:
        orders.provision(extensions=["citext"])

    def repeat() -> None:
        provision()
        with connect(orders.bind()) as connection:
            connection.execute("CREATE TABLE t (name citext)")

    assert crash_everywhere(gone, provision, repeat) > 5


def test_a_provision_that_crashed_anywhere_can_be_deprovisioned(orders, gone):
    assert crash_everywhere(gone, orders.provision, gone) > 5


def test_a_bind_that_crashed_anywhere_is_finished_by_its_repeat(orders):
    numbers = count()
    binding_id = ""

    def prepare() -> None:
        nonlocal binding_id
        binding_id = f"binding {next(numbers)}"

    def bind() -> Any:
        return orders.bind(binding_id)

    orders.provision()
    assert crash_everywhere(prepare, bind, lambda: connect(bind()).close()) > 5


def test_an_unbind_that_crashed_anywhere_is_finished_by_its_repeat(orders, admin, names):
    def prepare() -> None:
        with connect(orders.bind()) as connection:
            connection.execute("SET ROLE NONE")
            connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")

    def repeat() -> None:
        orders.unbind()
        assert names.roles(admin, orders.name) == [orders.name]

    orders.provision()
    assert crash_everywhere(prepare, orders.unbind, repeat) > 5
    with connect(orders.bind()) as connection:
        connection.execute("INSERT INTO kept VALUES (1)")


def test_a_bind_after_an_unbind_that_crashed_anywhere_gives_credentials_that_work(orders):
    orders.provision()
    assert crash_everywhere(orders.bind, orders.unbind, lambda: connect(orders.bind()).close()) > 5


@pytest.mark.slow
def test_a_deprovision_that_crashed_anywhere_is_finished_by_its_repeat(orders, gone):
    def prepare() -> None:
        orders.provision()
        orders.bind("one")
        orders.bind("two")

    def repeat() -> None:
        orders.deprovision()
        gone()

    assert crash_everywhere(prepare, orders.deprovision, repeat) > 10


@pytest.mark.slow
def test_what_a_crashed_deprovision_left_is_never_part_of_the_next_instance(orders, broker, gone):
    leaked: list[Any] = []

    def prepare() -> None:
        gone()
        orders.provision()
        leaked.append(orders.bind("old"))

    def repeat() -> None:
        try:  # the crash came before anything was done: it is the old instance still
            broker.get_instance(orders.instance_id)
        except errors.ErrInstanceDoesNotExist:
            orders.provision()
            with pytest.raises(psycopg.OperationalError):
                connect(leaked[-1])

    assert crash_everywhere(prepare, orders.deprovision, repeat) > 5


@pytest.mark.slow
def test_an_update_that_crashed_anywhere_is_done_in_full_or_not_at_all(orders, broker, admin, gone):
    def prepare() -> None:
        gone()
        orders.provision()

    def repeat() -> None:
        parameters = broker.get_instance(orders.instance_id).parameters
        limit = admin.execute("SELECT datconnlimit FROM pg_database WHERE datname = %s", [orders.name]).fetchone()
        assert limit == (parameters.get("connection_limit", 5),)
        orders.update(connection_limit=2)
        assert broker.get_instance(orders.instance_id).parameters == {"connection_limit": 2}

    assert crash_everywhere(prepare, lambda: orders.update(connection_limit=2), repeat) > 5
