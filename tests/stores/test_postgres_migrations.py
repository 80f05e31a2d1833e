"""The tables of PostgreSQL: made once, whoever begins; and left alone by a program that does not know them."""

import asyncio
import re
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.stores.postgresql import Server, on_a_loop

from openbrokerapi.stores.contract import Change, Key, SchemaMismatchError, StoreError
from openbrokerapi.stores.postgres import schema
from openbrokerapi.stores.postgres.store import PostgresStore
from openbrokerapi.stores.rows import Event, OperationRow

FOLDER = Path(schema.__file__).parent
EVENT = Event(at=1.0, instance_id="i", what="written")


def ask(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def describe(url: str) -> list[tuple[Any, ...]]:
    """Tell all that there is in the schema, but for the queue's."""
    return [
        *ask(
            url,
            "SELECT table_name, column_name, ordinal_position, data_type, is_nullable, column_default, collation_name,"
            " is_identity FROM information_schema.columns"
            " WHERE table_schema = 'openbroker' AND table_name NOT LIKE 'procrastinate%' ORDER BY 1, 3",
        ),
        *ask(
            url,
            "SELECT indexdef FROM pg_indexes WHERE schemaname = 'openbroker' AND tablename NOT LIKE 'procrastinate%'"
            " ORDER BY 1",
        ),
        *ask(
            url,
            "SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE connamespace = 'openbroker'::regnamespace"
            " AND conrelid::regclass::text NOT LIKE '%procrastinate%' ORDER BY 1, 2",
        ),
    ]


@on_a_loop
async def test_the_schema_for_people_is_what_all_migrations_make(empty_database: str, database: str) -> None:
    ask(empty_database, (FOLDER / "schema.sql").read_text("utf-8"))
    assert describe(empty_database) == describe(database)
    assert len(describe(database)) > 60


@on_a_loop
async def test_replicas_that_start_together_migrate_once(empty_database: str) -> None:
    made = await asyncio.gather(*(PostgresStore(empty_database).migrate() for _ in range(6)))
    assert sorted(map(len, made)) == [0, 0, 0, 0, 0, len(schema.MIGRATIONS) + 1]
    stores = [PostgresStore(empty_database) for _ in range(3)]
    await asyncio.gather(*(store.open() for store in stores))
    status = await stores[0].status()
    assert (status.version, status.pending, status.unknown) == (schema.VERSION, (), False)
    for store in stores:
        await store.close()


@on_a_loop
async def test_the_status_of_an_empty_database_names_what_is_missing_and_makes_nothing(empty_database: str) -> None:
    status = await PostgresStore(empty_database).status()
    assert status.version == 0
    assert status.pending[0] == "0001_first"
    assert ask(empty_database, "SELECT 1 FROM pg_namespace WHERE nspname = 'openbroker'") == []


@on_a_loop
async def test_an_old_program_does_not_start_on_newer_tables(database: str) -> None:
    ask(database, "INSERT INTO openbroker.schema_migration VALUES (9999, '9999_later', 1, 0)")
    store = PostgresStore(database)
    with pytest.raises(SchemaMismatchError, match="9999"):
        await store.open()
    with pytest.raises(SchemaMismatchError, match="9999"):
        await store.migrate()
    assert (await store.status()).unknown
    await store.close()


@on_a_loop
async def test_an_old_program_that_runs_when_the_tables_change_writes_on_only_if_they_permit_it(database: str) -> None:
    store = PostgresStore(database)
    await store.open()
    row = OperationRow(operation_id="o", instance_id="i", kind="provision", created_at=1.0)
    await store.change(Key("i"), lambda _: Change(result=None, operations=(row,)))
    ask(database, "INSERT INTO openbroker.schema_migration VALUES (9998, '9998_compatible', 1, 0)")
    await store.change(Key("i"), lambda _: Change(result=None, events=(EVENT,)))
    ask(database, "INSERT INTO openbroker.schema_migration VALUES (9999, '9999_incompatible', 9999, 0)")
    with pytest.raises(SchemaMismatchError, match="newer program"):
        await store.change(Key("i"), lambda _: Change(result=None, events=(EVENT,)))
    assert await store.claim("o", "w", 10.0) is None
    assert len(await store.events()) == 1
    await store.close()


@on_a_loop
async def test_the_queue_is_brought_up_to_date_by_its_own_migrations(
    database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # A later version of Procrastinate, with one migration more.
    (tmp_path / "migrations").mkdir()
    for file in (schema.queue_folder() / "migrations").glob("*.sql"):
        (tmp_path / "migrations" / file.name).touch()
    later = "ALTER TABLE procrastinate_jobs ADD COLUMN later text;"
    (tmp_path / "migrations" / "99.00.00_01_pre_later.sql").write_text(later)
    store = PostgresStore(database)
    assert await store.migrate() == []
    with monkeypatch.context() as patched:
        patched.setattr(schema, "queue_folder", lambda: tmp_path)
        assert (await store.status()).pending == ("99.00.00_01_pre_later",)
        await store.open()
        assert await store.migrate() == []
    assert ask(database, "SELECT later FROM openbroker.procrastinate_jobs") == []
    # And the earlier version beside it.
    with pytest.raises(SchemaMismatchError, match="_pre_later"):
        await store.open()
    await store.close()


def with_user(url: str, user: str, password: str) -> str:
    return re.sub(r"//[^@]+@", f"//{user}:{password}@", url)


@on_a_loop
async def test_what_the_server_refuses_is_told_in_a_sentence_without_a_password(
    postgresql_server: Server, empty_database: str
) -> None:
    ask(empty_database, "DROP ROLE IF EXISTS limited; CREATE ROLE limited LOGIN PASSWORD 'limited-secret'")
    addresses = {
        "refuses the password": with_user(empty_database, "postgres", "wrong-secret"),
        "no such database": postgresql_server.url_of("nowhere"),
        "does not permit": with_user(empty_database, "limited", "limited-secret"),
        "cannot be reached": "postgresql://postgres:some-secret@127.0.0.1:1/x",
    }
    for words, url in addresses.items():
        for call in (PostgresStore(url, patience=0.1).open(), PostgresStore(url).migrate()):
            with pytest.raises(StoreError, match=words) as refused:
                await call
            assert "secret" not in refused.value.operator_message
            assert postgresql_server._password not in refused.value.operator_message


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:se@cret@host/database",
        "postgresql://user:se/cret@host/database",
        "postgresql://user:se:cret@host/database",
        "postgresql://user:se#cret@host/database",
        "postgresql://user:se?cret@host/database",
        "postgresql://user:secret@host/database?sslmode=[",
        "postgresql://user:secret@host/database?prepare_threshold=cret",
        "nonsense se cret",
    ],
)
def test_a_url_that_cannot_be_read_is_refused_and_not_shown(url: str) -> None:
    async def scenario() -> None:
        await PostgresStore(url, patience=0.0).open()

    with pytest.raises(StoreError) as refused:
        asyncio.run(scenario())
    assert "cret" not in refused.value.operator_message


@on_a_loop
async def test_nothing_is_prepared_on_the_server_where_the_url_says_so(database: str) -> None:
    prepared: dict[str, int] = {}
    for url in (database, f"{database}&prepare_threshold=none"):
        store = PostgresStore(url, size=1)
        for _ in range(8):
            await store.change(Key("i"), lambda _: Change(result=None, events=(EVENT,)))
            await store.instance("i")
        found = await store.run(lambda connection: connection.execute("SELECT count(*) FROM pg_prepared_statements"))
        prepared[url] = (await found.fetchall())[0][0]
        await store.close()
    assert prepared[database] > 3
    assert prepared[f"{database}&prepare_threshold=none"] == 0


def test_a_store_does_not_show_its_password() -> None:
    store = PostgresStore("postgresql://user:secret@host/database")
    assert "secret" not in repr(store)
    assert "secret" not in repr(store.address)
