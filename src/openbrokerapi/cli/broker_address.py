"""The catalog of a running broker, by its address."""

from __future__ import annotations

import base64
import json
import os
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from pathlib import Path

_SCHEMES = ("http", "https")
_TIMEOUT_SECONDS = 30
_LARGEST_ANSWER = 64 * 1024 * 1024
_VERSION = "2.17"

# What to change where a broker answers with another status than 200.
_STATUS_ADVICE = {
    401: "set OPENBROKER_USERNAME and OPENBROKER_PASSWORD, or give --credentials-file",
    403: "use credentials that may read the catalog",
    404: "give the address without /v2/catalog, with the path that the broker is mounted at",
    412: f"the broker does not speak version {_VERSION}",
}


class AddressError(ValueError):
    """A running broker gives no catalog; the message says what to change, and no credentials."""


def fetch_catalog(address: str, credentials_file: Path | None = None) -> Any:
    """Fetch the catalog of a running broker.

    Args:
        address: The broker's, `http://` or `https://`, without `/v2/catalog`.
        credentials_file: A file whose first pair of `username:password` is used; None takes `OPENBROKER_USERNAME` and
            `OPENBROKER_PASSWORD` from the environment, and asks without credentials if neither is set.

    Returns:
        The answer as decoded JSON, of whatever type.

    Raises:
        AddressError: The broker cannot be reached, or answers with anything but 200 and JSON.

    Specification: section "Catalog Management".
    """
    request = urllib.request.Request(_catalog_address(address))  # noqa: S310 - only http and https, as checked there
    request.add_header("Accept", "application/json")
    request.add_header("X-Broker-API-Version", _VERSION)  # VER-01
    credentials = _credentials(credentials_file)
    if credentials is not None:
        token = base64.b64encode(credentials.encode()).decode("ascii")
        # Not passed on if the broker redirects: the other end may be somebody else.
        request.add_unredirected_header("Authorization", f"Basic {token}")
    return _decoded(_answer(request), request.full_url)


def _catalog_address(address: str) -> str:
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise AddressError("the address of the broker is not a URL; write https://host:port/path") from None
    if parts.username is not None or parts.password is not None:
        raise AddressError(
            "the address holds credentials, which others can read on the command line; "
            "set OPENBROKER_USERNAME and OPENBROKER_PASSWORD, or give --credentials-file"
        )
    if parts.scheme.lower() not in _SCHEMES or not host or not address.isascii() or not address.isprintable():
        raise AddressError(f'"{address}" is no address of a broker; write https://host:port/path')
    path = parts.path.rstrip("/")
    return parts._replace(path=path if path.endswith("/v2/catalog") else f"{path}/v2/catalog", fragment="").geturl()


def _credentials(file: Path | None) -> str | None:
    if file is not None:
        return _first_pair(file)
    username, password = os.environ.get("OPENBROKER_USERNAME"), os.environ.get("OPENBROKER_PASSWORD")
    if bool(username) != bool(password):
        raise AddressError("set both OPENBROKER_USERNAME and OPENBROKER_PASSWORD, or neither")
    return f"{username}:{password}" if username else None


def _first_pair(file: Path) -> str:
    """Return the first pair of a file that `openbroker serve` reads, too: one on each line, and comments after #."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise AddressError(f"{file} cannot be read as text; give a file with username:password") from None
    for line in lines:
        if line.strip() and not line.startswith("#"):
            username, _, password = line.partition(":")
            if username and password:
                return line
            break
    raise AddressError(f"{file} has no credentials; write username:password")


def _answer(request: urllib.request.Request) -> bytes:
    address = request.full_url
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 - as above
            body: bytes = answer.read(_LARGEST_ANSWER + 1)
            status: int = answer.status
    except urllib.error.HTTPError as error:
        with error:
            _refuse_status(address, error.code)
    except urllib.error.URLError as error:
        raise AddressError(f"{address} cannot be reached: {error.reason}") from None
    except (OSError, HTTPException) as error:
        raise AddressError(f"{address} gives no answer: {_reason(error)}") from None
    if status != 200:
        _refuse_status(address, status)
    if len(body) > _LARGEST_ANSWER:
        raise AddressError(f"{address} answers with more than {_LARGEST_ANSWER} bytes; that is no catalog")
    return body


def _reason(error: Exception) -> str:
    return "it took too long" if isinstance(error, TimeoutError) else type(error).__name__


def _refuse_status(address: str, status: int) -> NoReturn:
    raise AddressError(f"{address} answers with {status}; {_STATUS_ADVICE.get(status, 'the catalog is a 200')}")


def _decoded(body: bytes, address: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):  # also what is not UTF-8
        raise AddressError(f"{address} does not answer with JSON; check that it is the address of a broker") from None
