"""The names of offerings and plans that brokers had, for shells to complete; nothing else of a catalog is kept."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from .private_file import write_private

if TYPE_CHECKING:
    from openbrokerapi.platform import Catalog


class Names(msgspec.Struct, frozen=True):
    """What one broker offered last.

    Attributes:
        broker: Its address.
        offerings: The names of the plans by the name of the offering.
    """

    broker: str
    offerings: dict[str, list[str]]


def remember(broker: str, catalog: Catalog) -> None:
    """Keep the names of a catalog; where that is not possible, do without."""
    offerings = {each.name: [plan.name for plan in each.plans] for each in catalog.offerings}
    name = hashlib.sha256(broker.encode()).hexdigest()[:32]
    with suppress(OSError):
        write_private(_folder() / f"{name}.json", msgspec.json.encode(Names(broker, offerings)))


def recall(broker: str | None) -> Iterator[Names]:
    """Give the names that one broker, or (None) every broker, offered last."""
    with suppress(OSError):
        for path in sorted(_folder().glob("*.json")):
            with suppress(OSError, msgspec.DecodeError, UnicodeDecodeError):
                names = msgspec.json.decode(path.read_bytes(), type=Names)
                if broker is None or names.broker == broker:
                    yield names


def _folder() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME")
    base = Path(cache) if cache and Path(cache).is_absolute() else Path.home() / ".cache"
    return base / "openbroker" / "catalogs"
