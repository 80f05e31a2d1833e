"""The catalog that was encoded last, for as long as it holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openbrokerapi.calling import offerings_of
from openbrokerapi.observed import Watch
from openbrokerapi.protocol.catalog_document import CatalogDocument, encode_catalog
from openbrokerapi.protocol.offerings import Index


class CatalogKeeper:
    """Keeps the encoded catalog while what ``catalog()`` returns has not changed.

    Args:
        clock: Seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        # One attribute, so that a thread never sees a watch of one state with the document of another.
        self._kept: tuple[Watch, CatalogDocument] | None = None

    def document(self, result: Any) -> CatalogDocument | None:
        """Give the document of what ``catalog()`` returned; None where it returned nothing that could be a catalog.

        Raises:
            TypeError: Something in it cannot be written as JSON.
        """
        offerings = offerings_of(result)
        if offerings is None:
            return None
        kept = self._kept
        if kept is not None and kept[0].holds(offerings):
            return kept[1]
        # The watch before the bytes: a change in between makes the next request look again.
        watch = Watch(offerings)
        document = self._encoded(encode_catalog(offerings), kept[1] if kept is not None else None)
        self._kept = (watch, document)
        return document

    def _encoded(self, body: bytes, last: CatalogDocument | None) -> CatalogDocument:
        if last is None:
            return CatalogDocument(body, int(self._clock()))
        if last.body == body:
            return last
        # CAT-11: two states never share a date, even within one second.
        return CatalogDocument(body, max(int(self._clock()), last.modified + 1))

    @property
    def last(self) -> Index | None:
        """The index of the catalog that was seen last; None before the first."""
        return None if self._kept is None else self._kept[1].index
