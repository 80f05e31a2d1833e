"""``openbroker db``: the store of a managed broker."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click
import msgspec

from .managing import ManagingError, finished, opened, store_at, store_option, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openbrokerapi.stores.contract import Status

    from .state_file import Counts

_PIPE = "-"


@click.group()
def db() -> None:
    """Look after the store of a managed broker."""


@db.command(short_help="Bring the tables up to date.")
@store_option
def migrate(store: str | None) -> None:
    """Bring the tables of the store up to date.

    A broker does it itself when it starts; this is for doing it before.

    Exit codes: 0 they are up to date, 2 the store cannot be used.
    """
    with told():
        names = finished(store_at(store).migrate())
    for name in names:
        click.echo(name)
    click.echo("The tables are up to date.")


@db.command(short_help="Show the version of the tables.")
@store_option
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def status(store: str | None, as_json: bool) -> None:
    """Show the version of the tables, and what is missing.

    Exit codes: 0 they are up to date; 1 something is missing, or they are newer than this program; 2 the store cannot
    be used.
    """
    with told():
        found = finished(store_at(store).status())
    if as_json:
        click.echo(msgspec.json.encode(found))
    else:
        _write_status(found)
    sys.exit(1 if found.pending or found.unknown else 0)


def _write_status(found: Status) -> None:
    click.echo(f"{found.where}: version {found.version}")
    for name in found.pending:
        click.echo(f"missing: {name}; run `openbroker db migrate`")
    if found.unknown:
        click.echo("It has had migrations that this program does not know: a newer openbroker has been here.")
    elif not found.pending:
        click.echo("The tables are up to date.")


@db.command(short_help="Write the whole state to a file.")
@click.argument("target", metavar="FILE", type=click.Path(allow_dash=True))
@store_option
def export(target: str, store: str | None) -> None:
    """Write the whole state to a FILE, or to standard output (-).

    It works beside a running broker. Secrets stay sealed: to use the file, its keys are needed. It appears under its
    name when it is whole.

    Exit codes: 0 written, 2 the file or the store cannot be used.
    """
    try:
        with _written(target) as file:
            counts = finished(_exported(store, file))
    except OSError as error:
        raise ManagingError(f"{target} cannot be written: {error.strerror or error}") from None
    click.echo(f"Exported {counts}.", err=True)


async def _exported(url: str | None, file: IO[bytes]) -> Counts:
    from .state_file import write_state

    async with opened(url) as store:
        return await write_state(store, file)


@contextmanager
def _written(target: str) -> Iterator[IO[bytes]]:
    """Give a file that gets its name when it is whole; only its owner can read it."""
    if target == _PIPE:
        with tempfile.TemporaryFile() as file:
            yield file
            file.seek(0)
            shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        return
    path = Path(target)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with open(handle, "wb") as file:  # noqa: PTH123 - a descriptor
            yield file
            file.flush()
            os.fsync(handle)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise


@db.command("import", short_help="Read the whole state from a file.")
@click.argument("source", metavar="FILE", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@store_option
def import_(source: str, store: str | None) -> None:
    """Read the whole state from a FILE of `openbroker db export`, or from standard input (-).

    The store must be empty, and no broker may run on it. SQLite and PostgreSQL read what the other one wrote. The file
    is checked to its end before anything is written.

    Exit codes: 0 imported, 2 the file or the store cannot be used.
    """
    try:
        with _read(source) as file:
            counts = finished(_imported(store, file, "standard input" if source == _PIPE else source))
    except OSError as error:
        raise ManagingError(f"{source} cannot be read: {error.strerror or error}") from None
    click.echo(f"Imported {counts}.", err=True)


async def _imported(url: str | None, file: IO[bytes], name: str) -> Counts:
    from .state_file import checked, load_state

    content = checked(file, name)
    async with opened(url, owner=True) as store:
        file.seek(0)
        await load_state(store, file, content, name)
    return content.counts


@contextmanager
def _read(source: str) -> Iterator[IO[bytes]]:
    """Give a file that can be read twice."""
    if source != _PIPE:
        with Path(source).open("rb") as file:
            yield file
        return
    with tempfile.TemporaryFile() as spooled:
        shutil.copyfileobj(sys.stdin.buffer, spooled)
        spooled.seek(0)
        yield spooled
