"""Where `openbroker catalog` gets a catalog from: a file, a broker object, or a running broker."""

from __future__ import annotations

import contextlib
import inspect
import json
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pathlib import Path

_SUFFIXES = (".json", ".yaml", ".yml")


class SourceError(click.ClickException):
    """No catalog can be had from a source; the message says what to change."""

    exit_code = 2


def read_catalog(source: str, credentials_file: Path | None = None) -> Any:
    """Read a catalog.

    Args:
        source: A file (`.json`, `.yaml`, `.yml`), a broker (`package.module:attribute`), or the address of a running
            broker (`http://` or `https://`).
        credentials_file: A file with `username:password` for a running broker; None takes them from the environment.

    Returns:
        The catalog as decoded JSON. Only a file is sure to be an object.

    Raises:
        SourceError: The source is none of these, or gives no JSON.
    """
    if "://" in source:
        return _from_address(source, credentials_file)
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


def _from_address(address: str, credentials_file: Path | None) -> Any:
    from .broker_address import AddressError, fetch_catalog

    try:
        return fetch_catalog(address, credentials_file)
    except AddressError as error:
        raise SourceError(str(error)) from None


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
