"""The example broker against a real PostgreSQL, called as the library calls it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from openbrokerapi import errors
from openbrokerapi.service_broker import BindState, OperationState, ProvisionState


def connect(binding: Any) -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(binding.credentials["uri"], connect_timeout=10)


def refused(binding: Any) -> str:
    with pytest.raises(psycopg.OperationalError) as caught:
        connect(binding).close()
    return str(caught.value)


def test_the_credentials_open_the_database(orders):
    assert orders.provision().state is ProvisionState.SUCCESSFUL_CREATED
    binding = orders.bind()
    assert binding.state is BindState.SUCCESSFUL_BOUND
    with connect(binding) as connection:
        connection.execute("CREATE TABLE t (n int)")
        connection.execute("INSERT INTO t VALUES (1)")
        assert connection.execute("SELECT n FROM t").fetchall() == [(1,)]
    parts = binding.credentials
    with psycopg.connect(
        host=parts["host"],
        port=parts["port"],
        dbname=parts["database"],
        user=parts["username"],
        password=parts["password"],
    ) as connection:
        assert connection.execute("SELECT n FROM t").fetchall() == [(1,)]
    assert binding.endpoints == [{"host": "127.0.0.1", "ports": [str(parts["port"])]}]


def test_an_identical_provision_finds_the_instance(orders):
    orders.provision(extensions=["citext"])
    assert orders.provision(extensions=["citext"]).state is ProvisionState.IDENTICAL_ALREADY_EXISTS


@pytest.mark.parametrize("other", [{"plan": "LARGE"}, {"space": "another"}, {"connection_limit": 3}])
def test_another_provision_with_the_same_id_is_a_conflict(orders, other):
    orders.provision()
    with pytest.raises(errors.ErrInstanceAlreadyExists):
        orders.provision(**other)


def test_no_parameters_and_empty_parameters_are_the_same(orders, broker):
    orders.provision()
    details = orders.details("ProvisionDetails", organization_guid="org", space_guid="space", parameters={})
    assert broker.provision(orders.instance_id, details, False).state is ProvisionState.IDENTICAL_ALREADY_EXISTS


def test_an_identical_bind_gives_the_same_credentials(orders, example, postgresql):
    orders.provision()
    first = orders.bind()
    orders.broker = example.PostgresBroker(postgresql.url, "a secret of the tests")  # as after a restart
    again = orders.bind()
    assert again.state is BindState.IDENTICAL_ALREADY_EXISTS
    assert again.credentials == first.credentials == orders.get_binding().credentials
    connect(again).close()


@pytest.mark.parametrize("other", [{"app_guid": "another"}, {"plan": "LARGE"}, {"parameters": {"a": 1}}])
def test_another_bind_with_the_same_id_is_a_conflict(orders, other):
    orders.provision()
    orders.bind()
    with pytest.raises(errors.ErrBindingAlreadyExists):
        orders.bind(**other)


def test_each_binding_has_credentials_of_its_own(orders):
    orders.provision()
    one, two = orders.bind("one").credentials, orders.bind("two").credentials
    assert one["username"] != two["username"]
    assert one["password"] != two["password"]


def test_a_binding_made_anew_under_an_old_id_has_a_new_password(orders):
    orders.provision()
    old = orders.bind()
    orders.unbind()
    assert orders.bind().credentials["password"] != old.credentials["password"]
    assert "authentication failed" in refused(old)


def test_an_unknown_instance_is_said_to_be_unknown(orders, broker):
    with pytest.raises(errors.ErrInstanceDoesNotExist):
        orders.bind()
    with pytest.raises(errors.ErrInstanceDoesNotExist):
        orders.update()
    with pytest.raises(errors.ErrInstanceDoesNotExist):
        orders.deprovision()
    with pytest.raises(errors.ErrInstanceDoesNotExist):
        broker.get_instance(orders.instance_id)


def test_an_unknown_binding_is_said_to_be_unknown(orders):
    with pytest.raises(errors.ErrBindingDoesNotExist):
        orders.unbind()
    orders.provision()
    with pytest.raises(errors.ErrBindingDoesNotExist):
        orders.unbind()
    with pytest.raises(errors.ErrBindingDoesNotExist):
        orders.get_binding()


def test_unbind_ends_the_sessions_and_the_credentials(orders, admin, names):
    orders.provision()
    binding = orders.bind()
    session = connect(binding)
    session.execute("CREATE TEMPORARY TABLE mine (n int)")
    orders.unbind()
    with pytest.raises(psycopg.OperationalError):
        session.execute("SELECT 1")
    session.close()
    assert "authentication failed" in refused(binding)
    assert names.roles(admin, orders.name) == [orders.name]
    with pytest.raises(errors.ErrBindingDoesNotExist):
        orders.unbind()


def test_what_one_binding_made_stays_for_the_others(orders):
    orders.provision()
    maker, user = orders.bind("maker"), orders.bind("user")
    with connect(maker) as connection:
        connection.execute("CREATE TABLE shared (n int)")
        connection.execute("INSERT INTO shared VALUES (1)")
        connection.execute("RESET ROLE")  # an application may leave the owner's role, and own things itself
        connection.execute("SET ROLE NONE")
        connection.execute("CREATE TABLE private (n int)")
        connection.execute("GRANT SELECT ON private TO PUBLIC")
        connection.execute("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC")
        connection.execute("SELECT lo_create(4711)")
    orders.unbind("maker")
    with connect(user) as connection:
        assert connection.execute("SELECT n FROM shared").fetchall() == [(1,)]
        connection.execute("INSERT INTO private VALUES (2)")
        connection.execute("DROP TABLE shared, private")
        connection.execute("SELECT lo_unlink(4711)")


def test_what_one_binding_made_is_open_to_the_others(orders):
    orders.provision()
    with connect(orders.bind("one")) as connection:
        connection.execute("CREATE TABLE t (n int)")
    with connect(orders.bind("two")) as connection:
        connection.execute("INSERT INTO t VALUES (1)")
        connection.execute("ALTER TABLE t ADD COLUMN m int")


def test_what_a_binding_left_in_other_databases_does_not_hold_up_unbind(orders, admin, names):
    orders.provision()
    binding = orders.bind()
    elsewhere = psycopg.connect(binding.credentials["uri"], dbname="template1")
    elsewhere.execute("SELECT lo_create(0)")
    elsewhere.commit()
    orders.unbind()
    elsewhere.close()
    assert names.roles(admin, orders.name) == [orders.name]
    with psycopg.connect(admin.info.dsn, password=admin.info.password, dbname="template1") as connection:
        assert connection.execute("SELECT count(*) FROM pg_largeobject_metadata").fetchone() == (0,)


def test_an_application_cannot_reach_the_database_of_another_instance(orders, new_orders):
    other = new_orders()
    orders.provision()
    other.provision()
    mine = orders.bind()
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(mine.credentials["uri"], dbname=other.name)


@pytest.mark.parametrize(
    "statement", ["COMMENT ON DATABASE {name} IS 'mine'", "ALTER DATABASE {name} CONNECTION LIMIT -1"]
)
def test_an_application_cannot_change_what_the_broker_keeps(orders, statement):
    orders.provision()
    with connect(orders.bind()) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement.format(name=orders.name))


def test_deprovision_drops_everything_in_spite_of_bindings_and_sessions(orders, admin, names):
    orders.provision()
    session = connect(orders.bind("one"))
    session.execute("CREATE TABLE t (n int)")
    orders.bind("two")
    orders.deprovision()
    session.close()
    assert names.databases(admin, orders.name) == []
    assert names.roles(admin, orders.name) == []
    with pytest.raises(errors.ErrInstanceDoesNotExist):
        orders.deprovision()


def test_the_plan_limits_the_connections(orders):
    orders.provision("SMALL", connection_limit=1)
    binding = orders.bind()
    with connect(binding):
        assert "too many connections for database" in refused(binding)
        orders.update("SMALL", connection_limit=2)
        connect(binding).close()


def test_update_changes_what_it_names_and_nothing_else(orders, broker, example, admin):
    orders.provision("SMALL", extensions=["citext"])
    orders.update("LARGE")
    found = broker.get_instance(orders.instance_id)
    assert (found.service_id, found.plan_id) == (example.SERVICE_ID, example.LARGE)
    assert found.parameters == {"extensions": ["citext"]}
    limit = admin.execute("SELECT datconnlimit FROM pg_database WHERE datname = %s", [orders.name]).fetchone()
    assert limit == (50,)
    details = orders.details("UpdateDetails", parameters={"connection_limit": 7, "extensions": ["citext", "hstore"]})
    details.plan_id = None
    broker.update(orders.instance_id, details, False)
    found = broker.get_instance(orders.instance_id)
    assert found.plan_id == example.LARGE
    assert found.parameters == {"connection_limit": 7, "extensions": ["citext", "hstore"]}
    with connect(orders.bind(plan="LARGE")) as connection:
        assert connection.execute("SELECT 'A'::citext = 'a', 'a=>1'::hstore -> 'a'").fetchone() == (True, "1")


def test_an_update_that_fails_changes_nothing(orders, broker, example, admin, monkeypatch):
    orders.provision("LARGE", connection_limit=40)
    with pytest.raises(errors.ErrPlanChangeNotSupported):  # UPD-29
        orders.update("SMALL")
    # The library cannot know the plan of an update that names none.
    for wrong in ({"connection_limit": 51}, {"connection_limit": ["no"]}, {"unheard_of": 1}):
        details = orders.details("UpdateDetails", parameters=wrong)
        details.plan_id = None
        with pytest.raises(errors.ErrInvalidParameters):
            broker.update(orders.instance_id, details, False)
    # One that is offered, and that this server does not have.
    monkeypatch.setattr(example, "EXTENSIONS", [*example.EXTENSIONS, "no_such_extension"])
    with pytest.raises(psycopg.Error):
        orders.update("LARGE", connection_limit=10, extensions=["citext", "no_such_extension"])
    found = broker.get_instance(orders.instance_id)
    assert (found.plan_id, found.parameters) == (example.LARGE, {"connection_limit": 40})
    limit = admin.execute("SELECT datconnlimit FROM pg_database WHERE datname = %s", [orders.name]).fetchone()
    assert limit == (40,)


@pytest.mark.rule("BIND-20")
def test_a_bind_that_names_another_plan_than_the_instances_is_refused(orders, broker, admin, names):
    orders.provision("SMALL")
    with pytest.raises(errors.ErrBadRequest):
        broker.bind(orders.instance_id, "binding", orders.details("BindDetails", "LARGE"), False)
    assert names.roles(admin, orders.name) == [orders.name]


@pytest.mark.rule("LOI-12", "LOB-10")
def test_what_is_there_can_be_polled_and_what_is_not_is_unknown(orders, broker):
    orders.provision()
    orders.bind("one")
    polled = (
        broker.last_operation(orders.instance_id, None, None, None),
        broker.last_binding_operation(orders.instance_id, "one", None, None, None),
    )
    assert [each.state for each in polled] == [OperationState.SUCCEEDED, OperationState.SUCCEEDED]
    with pytest.raises(errors.ErrBindingDoesNotExist):
        broker.last_binding_operation(orders.instance_id, "two", None, None, None)
    with pytest.raises(errors.ErrInstanceDoesNotExist):
        broker.last_operation("another", None, None, None)


@pytest.mark.parametrize(
    "odd", ["x" * 5000, 'quote"; DROP DATABASE postgres; --', "Grüße/日本 %41", "a b\tc", "\u0000", "\ud800", "osb_"]
)
def test_any_text_can_be_an_id(orders, odd):
    orders.instance_id = odd
    assert orders.provision().state is ProvisionState.SUCCESSFUL_CREATED
    binding = orders.bind(odd)
    assert len(binding.credentials["username"].encode()) <= 63
    connect(binding).close()
    orders.unbind(odd)


def test_ids_that_differ_never_share_a_name(example):
    ids = ["a", "A", "a ", "ä", "a\u0308", "", "a/b"]
    assert len({example.name_of(each) for each in ids}) == len(ids)
    assert len({example.name_of(one, two) for one in ids for two in ids}) == len(ids) ** 2


def test_no_password_is_kept_in_postgresql(orders, admin):
    orders.provision()
    password = orders.bind().credentials["password"]
    kept = admin.execute("SELECT description FROM pg_shdescription").fetchall()
    kept += admin.execute("SELECT rolpassword FROM pg_authid").fetchall()
    assert kept
    assert password not in str(kept)


def test_the_server_never_sees_a_readable_password(orders, postgresql, admin):
    admin.execute("ALTER ROLE postgres SET log_statement = 'all'")
    try:
        orders.provision()
        binding = orders.bind()
    finally:
        admin.execute("ALTER ROLE postgres RESET log_statement")
    log = (postgresql.folder / "log").read_text()
    assert f'CREATE ROLE "{binding.credentials["username"]}"' in log
    assert binding.credentials["password"] not in log


def test_an_instance_whose_deprovision_failed_is_no_more_until_it_is_repeated(orders, broker, admin, names):
    orders.provision()
    admin.execute(f"ALTER DATABASE {orders.name} IS_TEMPLATE true")  # PostgreSQL refuses to drop a template
    with pytest.raises(psycopg.errors.WrongObjectType):
        orders.deprovision()
    with pytest.raises(errors.ErrInstanceDoesNotExist):
        broker.get_instance(orders.instance_id)
    admin.execute(f"ALTER DATABASE {orders.name} IS_TEMPLATE false")
    orders.deprovision()
    assert names.databases(admin, orders.name) == []


def together(count: int, *calls: Any) -> list[Any]:
    barrier = Barrier(count * len(calls))

    def call(function: Any) -> Any:
        barrier.wait(30)
        try:
            return function().state
        except errors.ServiceException as error:
            return type(error)

    with ThreadPoolExecutor(barrier.parties) as pool:
        return list(pool.map(call, calls * count))


def test_identical_provisions_at_the_same_time_make_one_database(orders, admin, names):
    states = together(4, orders.provision)
    assert states.count(ProvisionState.SUCCESSFUL_CREATED) == 1
    assert states.count(ProvisionState.IDENTICAL_ALREADY_EXISTS) == 3
    assert names.databases(admin, orders.name) == [orders.name]


def test_different_provisions_at_the_same_time_make_one_database(orders):
    outcomes = together(2, orders.provision, lambda: orders.provision("LARGE"))
    assert outcomes.count(ProvisionState.SUCCESSFUL_CREATED) == 1
    assert outcomes.count(ProvisionState.IDENTICAL_ALREADY_EXISTS) == 1
    assert outcomes.count(errors.ErrInstanceAlreadyExists) == 2


def test_identical_binds_at_the_same_time_make_one_role(orders):
    orders.provision()
    states = together(4, orders.bind)
    assert sorted(state.name for state in states) == ["IDENTICAL_ALREADY_EXISTS"] * 3 + ["SUCCESSFUL_BOUND"]


def test_instances_can_be_made_at_the_same_time(new_orders):
    states = together(1, *(new_orders().provision for _ in range(4)))
    assert states == [ProvisionState.SUCCESSFUL_CREATED] * 4


def test_bindings_and_the_deprovision_at_the_same_time_leave_nothing_behind(orders, admin, names):
    def deprovision() -> Any:
        orders.deprovision()
        return SimpleNamespace(state="deprovisioned")

    orders.provision()
    binds = [partial(orders.bind, f"binding {n}") for n in range(4)]
    outcomes = together(1, *binds, deprovision)
    assert "deprovisioned" in outcomes
    assert set(outcomes) <= {BindState.SUCCESSFUL_BOUND, errors.ErrInstanceDoesNotExist, "deprovisioned"}
    assert names.databases(admin, orders.name) == []
    assert names.roles(admin, orders.name) == []


def test_a_request_that_waits_too_long_for_another_is_told_to_come_again(orders, example, postgresql):
    hasty = example.PostgresBroker(postgresql.url, "a secret of the tests", lock_timeout="50ms")
    with orders.broker._locked(orders.name):
        orders.broker = hasty
        with pytest.raises(errors.ErrConcurrentInstanceAccess):
            orders.provision()
    assert orders.provision().state is ProvisionState.SUCCESSFUL_CREATED


def test_a_database_without_a_record_is_a_leftover_and_does_not_exist(orders, broker, admin, names):
    admin.execute(f"CREATE DATABASE {orders.name}")
    admin.execute(f"CREATE ROLE {orders.name}_0123456789abcdef01234567 LOGIN")
    with pytest.raises(errors.ErrInstanceDoesNotExist):
        broker.get_instance(orders.instance_id)
    with pytest.raises(errors.ErrInstanceDoesNotExist):
        orders.bind()
    assert orders.provision().state is ProvisionState.SUCCESSFUL_CREATED
    assert names.roles(admin, orders.name) == [orders.name]


def test_the_factory_names_the_settings_that_are_missing(example, monkeypatch, postgresql):
    monkeypatch.setenv("POSTGRES_BROKER_URL", postgresql.url)
    monkeypatch.delenv("POSTGRES_BROKER_SECRET", raising=False)
    with pytest.raises(SystemExit, match="POSTGRES_BROKER_SECRET"):
        example.create_broker()
    monkeypatch.setenv("POSTGRES_BROKER_SECRET", "s")
    assert isinstance(example.create_broker(), example.PostgresBroker)
