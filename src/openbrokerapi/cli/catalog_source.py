"""Where `openbroker catalog` gets a catalog from: a file, a broker object, or a running broker."""

from __future__ import annotations

import contextlib
import inspect
import json
import sys
from typing import TYPE_CHECKING, Any

import click

from .variables import PASSWORD, TOKEN, USERNAME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .target import Target

_SUFFIXES = (".json", ".yaml", ".yml")
# What to change where a broker answers with another status than 200.
_STATUS_ADVICE = {
    401: f"set {USERNAME} and {PASSWORD}, or {TOKEN}, or give --credentials-file",
    403: "use credentials that may read the catalog",
    404: "give the address without /v2/catalog, with the path that the broker is mounted at",
    412: "the broker does not speak version 2.17",
}


class SourceError(click.ClickException):
    """No catalog can be had from a source; the message says what to change."""

    exit_code = 2


def read_catalog(source: str, given: Mapping[str, Any] | None = None) -> Any:
    """Read a catalog.

    Args:
        source: A file (`.json`, `.yaml`, `.yml`), a broker (`package.module:attribute`), or the address of a running
            broker (`http://` or `https://`).
        given: The options of `find_target` for a running broker, by name.

    Returns:
        The catalog as decoded JSON. Only a file is sure to be an object.

    Raises:
        SourceError: The source is none of these, or gives no JSON.
    """
    if "://" in source:
        return _from_address(source, given or {})
    if source.lower().endswith(_SUFFIXES):
        return _from_file(source)
    if ":" in source:
        return _from_broker(source)
    raise SourceError(
        f'"{source}" is no catalog; give a file (.json, .yaml or .yml), a broker (package.module:attribute), '
        "or the address of a broker (https://...)"
    )


def _from_file(path: str) -> Any:
    from openbrokerapi.catalog_file import CatalogFileError, read_document

    try:
        return read_document(path)
    except CatalogFileError as error:
        raise SourceError(str(error)) from None


def _from_address(address: str, given: Mapping[str, Any]) -> Any:
    from .target import find_target

    return fetch_catalog(find_target(address, **given))


def fetch_catalog(target: Target) -> Any:
    """Fetch the catalog of a running broker, whatever is wrong with it.

    Args:
        target: The broker.

    Returns:
        The answer as decoded JSON, of whatever type.

    Raises:
        SourceError: The broker cannot be reached, or answers with anything but 200 and JSON.

    Specification: section "Catalog Management".
    """
    from openbrokerapi.platform import NoAnswer, calls

    from .belongings.connection import connect

    address = f"{target.url}/v2/catalog"
    with connect(target) as client:
        try:
            response = client.exchange(calls.catalog().request)
        except NoAnswer as error:
            raise SourceError(str(error)) from None
    if response.status != 200:
        advice = _STATUS_ADVICE.get(response.status, "the catalog is a 200")
        raise SourceError(f"{address} answers with {response.status}; {advice}")
    if response.body is None:
        raise SourceError(f"{address} answers with more than a catalog can be, or with what cannot be unpacked")
    try:
        return json.loads(response.body)
    except (ValueError, RecursionError):  # also what is not UTF-8
        raise SourceError(f"{address} does not answer with JSON; check that it is the address of a broker") from None


def _from_broker(reference: str) -> Any:
    from .broker_reference import load_broker

    # What the author's code prints must not get between the lines of the catalog.
    with contextlib.redirect_stdout(sys.stderr):
        broker = load_broker(reference)
        try:
            return catalog_of(broker)
        except Exception as error:  # noqa: BLE001 - an author's catalog() may raise anything
            text = " ".join(str(error).split())
            raise SourceError(f"{reference}: catalog() fails: {type(error).__name__}: {text}") from None


def catalog_of(broker: Any) -> Any:
    """Return the catalog of a broker object as the JSON that platforms would read, decoded.

    `catalog()` may be `async`, and may return one offering or any number of them.

    Raises:
        TypeError: Something in the catalog cannot be written as JSON.
    """
    offerings = broker.catalog()
    if inspect.isawaitable(offerings):
        import asyncio

        offerings = asyncio.run(_awaited(offerings))
    return document_of(offerings)


def document_of(offerings: Any) -> Any:
    """Return what `catalog()` returned as the JSON that platforms would read, decoded.

    Raises:
        TypeError: Something in it cannot be written as JSON.
    """
    from openbrokerapi.protocol.catalog_document import encode_catalog

    several = isinstance(offerings, list | tuple) or hasattr(offerings, "__iter__")
    return json.loads(encode_catalog([*offerings] if several else [offerings]))


async def _awaited(awaitable: Any) -> Any:
    return await awaitable
