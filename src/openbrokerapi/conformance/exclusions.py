"""Traits that no plan of a catalog can have: what they are about does not occur with its broker."""

from __future__ import annotations

from .catalog_view import CatalogView
from .cooperation import Trait

#: What an offering has to require if its bindings are of a kind (BIND-06).
_REQUIRED = {
    Trait.LOG_DRAIN: "syslog_drain",
    Trait.ROUTE_SERVICE: "route_forwarding",
    Trait.ROUTE_OUT_OF_BAND: "route_forwarding",
    Trait.VOLUME: "volume_mount",
}

_OF_BINDINGS = frozenset(
    (Trait.FAILS_BIND, Trait.FAILS_UNBIND, Trait.REQUIRES_APP, Trait.NO_CREDENTIALS, Trait.SERIAL_BINDS, *_REQUIRED)
)


def excluded(trait: Trait, catalog: CatalogView) -> str:
    """Say why no plan of the catalog can have a trait; nothing where one may."""
    plans = list(catalog.plans())
    if trait in _OF_BINDINGS and not any(plan.bindable for plan in plans):
        return "no plan in the catalog is bindable"
    required = _REQUIRED.get(trait)
    if required and not any(required in plan.offering.requires for plan in plans):
        return f"no offering says that it requires {required}"
    return ""
