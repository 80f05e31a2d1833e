"""The catalog that was encoded last, for as long as it holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from openbrokerapi.calling import offerings_of
from openbrokerapi.observed import Watch, same
from openbrokerapi.protocol.catalog_document import CatalogDocument, encode_catalog
from openbrokerapi.protocol.offerings import Index


class _Kept(NamedTuple):
    roots: list[Any]
    watch: Watch | None
    document: CatalogDocument


class CatalogKeeper:
    """Keeps the encoded catalog while what ``catalog()`` returns has not changed.

    Args:
        clock: Seconds since 1970.
        notice: Told every new state of the catalog.
    """

    def __init__(self, clock: Callable[[], float], notice: Callable[[CatalogDocument], None]) -> None:
        self._clock = clock
        self._notice = notice
        # One attribute, so that a thread never sees the watch of one state with the document of another.
        self._kept: _Kept | None = None

    def document(self, result: Any) -> CatalogDocument | None:
        """Give the document of what ``catalog()`` returned; None where it returned nothing that could be a catalog.

        Raises:
            TypeError: Something in it cannot be written as JSON.
        """
        kept = self._kept
        offerings = result if type(result) is list else offerings_of(result)
        if offerings is None:
            return None
        if kept is not None and kept.watch is not None and kept.watch.holds(offerings):
            return kept.document
        offerings = list(offerings)  # what is kept must not change with the author's list
        # Only objects that come a second time are worth watching: many brokers make theirs anew at each call.
        again = kept is not None and same(kept.roots, offerings)
        # The watch before the bytes: a change in between makes the next request look again.
        watch = Watch(offerings) if again else None
        document = self._encoded(encode_catalog(offerings), kept.document if kept is not None else None)
        self._kept = _Kept(offerings, watch, document)
        return document

    def _encoded(self, body: bytes, last: CatalogDocument | None) -> CatalogDocument:
        if last is not None and last.body == body:
            return last
        now = int(self._clock())
        # CAT-11: two states never share a date, even within one second.
        document = CatalogDocument(body, now if last is None else max(now, last.modified + 1))
        self._notice(document)
        return document

    @property
    def last(self) -> Index | None:
        """The index of the catalog that was seen last; None before the first."""
        return None if self._kept is None else self._kept.document.index
