"""The catalog's representation: encoded once, with its validators (CAT-09 to CAT-11)."""

from __future__ import annotations

import hashlib
from email.utils import formatdate, parsedate_to_datetime
from typing import Any

import msgspec

from .documents import encode, without_unset
from .offerings import Index, index
from .rendering import JSON
from .request import Headers, Response

_NO_TAG = b"*"


def encode_catalog(services: list[Any]) -> bytes:
    """Encode the offerings as the body of ``GET /v2/catalog``.

    Raises:
        TypeError: Something in them cannot be written as JSON.
    """
    return encode({"services": without_unset(services)})


class CatalogDocument:
    """One state of the catalog: its bytes, its validators, and its index.

    Args:
        body: The encoded catalog.
        modified: When this state was first seen, in whole seconds since 1970.
    """

    __slots__ = ("_full", "_unchanged", "body", "index", "modified", "tag")

    def __init__(self, body: bytes, modified: int) -> None:
        self.body = body
        self.modified = modified
        self.tag = b'"' + hashlib.sha256(body).hexdigest()[:32].encode() + b'"'
        self.index: Index = index(msgspec.json.decode(body))
        validators = ((b"etag", self.tag), (b"last-modified", formatdate(modified, usegmt=True).encode()))
        self._full = Response(200, (JSON, *validators), body)
        # RFC 7232, section 4.1: the tag alone.
        self._unchanged = Response(304, validators[:1], b"")

    def response(self, headers: Headers) -> Response:
        """Answer a request for the catalog: 200, or 304 where the platform has this state already."""
        return self._unchanged if self._known(headers) else self._full

    def _known(self, headers: Headers) -> bool:
        tags = headers.get(b"if-none-match")
        if tags is not None:
            # RFC 7232, section 3.2: weak comparison; with this header the date does not count.
            given = {tag.strip().removeprefix(b"W/") for tag in tags.split(b",")}
            return self.tag in given or _NO_TAG in given
        since = headers.get(b"if-modified-since")
        return since is not None and self._unmodified_since(since)

    def _unmodified_since(self, since: bytes) -> bool:
        try:
            return parsedate_to_datetime(since.decode("latin-1")).timestamp() >= self.modified
        except (ValueError, OverflowError):  # RFC 7232, section 3.3: a date that cannot be read is ignored
            return False
