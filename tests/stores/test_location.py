"""A store's location: one text, and never a password in what is shown of it."""

import sys
from pathlib import Path
from typing import Any

import pytest

from openbrokerapi.stores.contract import StoreError
from openbrokerapi.stores.location import open_location, without_password
from openbrokerapi.stores.sqlite.store import SqliteStore


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///broker.db", "broker.db"),
        ("sqlite:///data/broker.sqlite", "data/broker.sqlite"),
        ("sqlite:////var/lib/broker.db", "/var/lib/broker.db"),
        ("SQLite:///broker.db", "broker.db"),
        ("sqlite:///my%20broker.db", "my broker.db"),
        ("broker.db", "broker.db"),
        ("./data/broker.db", "data/broker.db"),
        ("/var/lib/broker.db", "/var/lib/broker.db"),
    ],
)
async def test_a_file_is_a_sqlite_store(url: str, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("data",):
        (tmp_path / folder).mkdir()
    store = open_location(url)
    assert isinstance(store, SqliteStore)
    assert not store.shared
    assert store.path == (tmp_path / path if not path.startswith("/") else Path(path)).resolve()


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "PostgreSQL"])
def test_a_postgresql_url_is_a_postgresql_store(scheme: str) -> None:
    assert open_location(f"{scheme}://broker:hush@db.example.com/state").shared


def test_the_clock_is_the_stores(tmp_path: Path) -> None:
    store: Any = open_location(str(tmp_path / "broker.db"), lambda: 42.0)
    assert store._clock() == 42.0


def test_a_driver_that_is_missing_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("openbrokerapi.stores.postgres")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError) as raised:
        open_location("postgresql://broker:hush@db.example.com/state")
    assert 'pip install "openbrokerapi[postgres]"' in raised.value.operator_message
    assert "hush" not in raised.value.operator_message
    assert "db.example.com" in raised.value.operator_message


@pytest.mark.parametrize(
    "url",
    [
        "",
        "broker",
        "mysql://u:hush@host/db",
        "sqlite://broker.db",
        "sqlite:///",
        "http://u:hush@[bad/x",
        "u:hush@host/db",
    ],
)
def test_what_names_no_store_is_refused_with_what_there_is(url: str) -> None:
    with pytest.raises(StoreError) as raised:
        open_location(url)
    message = raised.value.operator_message
    assert "hush" not in message
    assert "sqlite:///broker.db" in message
    assert "postgresql://" in message


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:hush@host:5432/db", "postgresql://u:***@host:5432/db"),
        ("postgresql://u:hu%40sh@host/db?sslmode=require", "postgresql://u:***@host/db?sslmode=require"),
        ("postgresql://u:hu@sh@host/db", "postgresql://u:***@host/db"),
        ("postgresql://u:hu/sh@host/db", "postgresql://u:***@host/db"),
        ("postgresql://u:hu?sh@host/db", "postgresql://u:***@host/db"),
        ("postgresql://u:hu#sh@host/db", "postgresql://u:***@host/db"),
        ("postgresql://u@host/db", "postgresql://u@host/db"),
        ("postgresql:///db?user=u&password=hush", "postgresql:///db?user=u&password=***"),
        ("postgresql:///db?PassWord=hush&host=x", "postgresql:///db?PassWord=***&host=x"),
        ("postgresql://[bad:hush@host", "postgresql://[bad:***@host"),
        ("postgresql://u:hu://sh@host/db", "postgresql://u:***@host/db"),
        ("postgresql:///db?p%61ssword=hush&host=x", "postgresql:///db?p%61ssword=***&host=x"),
        ("postgresql:///db?sslpassword=hush#x", "postgresql:///db?sslpassword=***"),
        ("host=x password=hush dbname=y", "host=x password=*** dbname=y"),
        ("host=x password = 'hush \\' hush' dbname=y", "host=x password = *** dbname=y"),
        ("sqlite:///broker.db", "sqlite:///broker.db"),
        ("/var/lib/broker.db", "/var/lib/broker.db"),
    ],
)
def test_a_location_is_shown_without_its_password(url: str, shown: str) -> None:
    assert without_password(url) == shown
