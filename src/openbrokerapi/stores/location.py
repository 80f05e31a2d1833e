"""Where a store is: one text, from the author, the environment or the command line."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from urllib.parse import unquote

from .contract import Store, StoreError

_POSTGRES = ("postgresql", "postgres")
_SQLITE = "sqlite:///"
#: The parameters of a PostgreSQL address that hold a secret.
_SECRETS = frozenset({"password", "sslpassword"})
#: One parameter of an address, and one setting as libpq writes it otherwise: ``password='not shown'``.
_PARAMETER = re.compile(r"([?&])([^=&]*)=([^&]*)")
_SETTING = re.compile(r"(password\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&]+)", re.IGNORECASE)
_HIDDEN = "***"
_KINDS = (
    "give sqlite:///broker.db (a file in this folder), sqlite:////var/lib/broker.db (a file by its full path),"
    " a path that ends in .db, or postgresql://user@host/database"
)


def open_location(url: str, clock: Callable[[], float] = time.time) -> Store:
    """Make the store of a location; it is not opened yet.

    Args:
        url: ``sqlite:///relative/path.db``, ``sqlite:////absolute/path.db``, a path that ends in ``.db``, or
            ``postgresql://...``, which may also be written ``postgres://...``.
        clock: The clock of a store that has none of its own: seconds since 1970.

    Returns:
        A store, ready for :meth:`~openbrokerapi.stores.contract.Store.open`.

    Raises:
        StoreError: There is no such kind of store, or its driver is not installed.
    """
    scheme, slashes, rest = url.partition("://")
    scheme = scheme.lower() if slashes else ""
    if scheme in _POSTGRES:
        return _postgres(f"{scheme}{slashes}{rest}")
    if path := _sqlite_path(url, scheme):
        from .sqlite.store import SqliteStore

        return SqliteStore(path, clock)
    raise StoreError(f"{without_password(url)!r} names no store; {_KINDS}.")


def _sqlite_path(url: str, scheme: str) -> str | None:
    if scheme == "sqlite" and url.lower().startswith(_SQLITE):
        return unquote(url[len(_SQLITE) :])
    if not scheme and url.endswith(".db"):
        return url
    return None


def _postgres(url: str) -> Store:
    try:
        from .postgres.store import PostgresStore
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("openbrokerapi"):
            raise
        raise StoreError(
            f"The store {without_password(url)} needs {error.name}, which is not installed;"
            ' run: pip install "openbrokerapi[postgres]".'
        ) from error
    return PostgresStore(url)


def without_password(url: str) -> str:
    """Give a location as it may be shown: with ``***`` for each password in it.

    Args:
        url: A location, also one that cannot be read as a URL.
    """
    # Up to the last "@": a password that was not encoded may hold any character.
    before, at, after = url.rpartition("@")
    head, slashes, user = before.partition("://") if "://" in before else ("", "", before)
    name, colon, _ = user.partition(":")
    shown = f"{head}{slashes}{name}{colon}{_HIDDEN if colon else ''}{at}{after}"
    return _SETTING.sub(f"\\1{_HIDDEN}", _PARAMETER.sub(_hidden, shown))


def _hidden(parameter: re.Match[str]) -> str:
    start, name, value = parameter.groups()
    return f"{start}{name}={_HIDDEN if unquote(name).lower() in _SECRETS else value}"
