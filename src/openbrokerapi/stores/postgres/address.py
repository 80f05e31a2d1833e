"""Where the database is: what a URL says, and how it is shown."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from openbrokerapi.stores.contract import StoreError

#: A server that is gone without a word is noticed within some ten seconds.
_DEFAULTS: dict[str, Any] = {
    "application_name": "openbrokerapi",
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
_OPTION = "prepare_threshold"
_MALFORMED = (
    "The store's URL cannot be read; write postgresql://user:password@host:port/database, and percent-encode each of"
    " the characters : / ? # @ % in the password."
)


class Address(msgspec.Struct, frozen=True):
    """Where the database is.

    Attributes:
        conninfo: For psycopg; with the password.
        where: For people; without.
        prepares: Whether statements are prepared: not behind pgbouncer.
    """

    conninfo: str
    where: str
    prepares: bool

    def __repr__(self) -> str:
        return f"Address({self.where})"

    def __rich_repr__(self) -> Any:
        yield self.where


def read_address(url: str) -> Address:
    """Read a URL.

    Raises:
        StoreError: It cannot be read.
    """
    plain, prepares = _take_option(url)
    try:
        given = conninfo_to_dict(plain)
        conninfo = make_conninfo("", **{**_DEFAULTS, **given})
    except (psycopg.Error, ValueError):
        # What psycopg says of it quotes it.
        raise StoreError(_MALFORMED) from None
    # A password that was not encoded ends up in the other parts, which are shown.
    if "@" in f"{given.get('host')}{given.get('dbname')}" or not str(given.get("port", "5432")).isdecimal():
        raise StoreError(_MALFORMED)
    return Address(conninfo, _show(given), prepares)


def _take_option(url: str) -> tuple[str, bool]:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise StoreError(_MALFORMED) from None
    query = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(name, value) for name, value in query if name != _OPTION]
    if len(kept) == len(query):
        return url, True
    values = {value.lower() for name, value in query if name == _OPTION}
    if values != {"none"}:
        raise StoreError(f"The store's URL has an option {_OPTION} that is not understood; it can only be none.")
    return urlunsplit(parts._replace(query=urlencode(kept))), False


def _show(given: dict[str, Any]) -> str:
    user = f"{given['user']}@" if "user" in given else ""
    port = f":{given['port']}" if "port" in given else ""
    return f"postgresql://{user}{given.get('host', '')}{port}/{given.get('dbname', '')}"
