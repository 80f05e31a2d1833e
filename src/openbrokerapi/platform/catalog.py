"""A broker's catalog as a platform sees it; unknown fields are kept, and refused by nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .answers import Answer, MaintenanceInfo


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A plan (section "Service Plan Object"), with what it takes over from its offering.

    Attributes:
        bindable: The plan's own word, or the offering's (PLAN-09).
        plan_updateable: The plan's own word, or the offering's.
        maximum_polling_duration: Seconds, or None.
        fields: The whole object, with the fields that the specification does not name.
    """

    id: str
    name: str
    description: str = ""
    free: bool = True
    bindable: bool = False
    binding_rotatable: bool = False
    plan_updateable: bool = False
    metadata: Mapping[str, Any] = field(default_factory=dict, repr=False)
    schemas: Mapping[str, Any] = field(default_factory=dict, repr=False)
    maximum_polling_duration: int | None = None
    maintenance_info: MaintenanceInfo | None = None
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def schema(self, endpoint: str) -> Mapping[str, Any] | None:
        """Give the JSON Schema of the parameters of a request, or None.

        Args:
            endpoint: ``provision``, ``update`` or ``bind``.
        """
        kind, moment = _SCHEMAS[endpoint]
        found: Any = self.schemas
        for name in (kind, moment, "parameters"):
            found = found.get(name) if isinstance(found, Mapping) else None
        return found if isinstance(found, Mapping) else None


_SCHEMAS = {
    "provision": ("service_instance", "create"),
    "update": ("service_instance", "update"),
    "bind": ("service_binding", "create"),
}


@dataclass(frozen=True, kw_only=True)
class Offering:
    """A service offering (section "Service Offering Object").

    Attributes:
        fields: The whole object, with the fields that the specification does not name.
    """

    id: str
    name: str
    plans: Sequence[Plan]
    description: str = ""
    bindable: bool = False
    tags: Sequence[str] = ()
    requires: Sequence[str] = ()
    instances_retrievable: bool = False
    bindings_retrievable: bool = False
    allow_context_updates: bool = False
    plan_updateable: bool = False
    metadata: Mapping[str, Any] = field(default_factory=dict, repr=False)
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def plan(self, name_or_id: str) -> Plan:
        """Find a plan by its id or its name; the id goes first (CAT-06).

        Args:
            name_or_id: One of both.

        Raises:
            LookupError: there is none; the message names those that there are.
        """
        return _find("plan", name_or_id, self.plans, f" in the offering {self.name}")


@dataclass(frozen=True, kw_only=True)
class Catalog(Answer):
    """What a broker offers.

    Attributes:
        offerings: The offerings, in the broker's order.
        etag: What the broker calls this version of its catalog, or None.
        last_modified: When the broker says that it changed, or None.
    """

    offerings: Sequence[Offering]
    etag: str | None = None
    last_modified: str | None = None

    def offering(self, name_or_id: str) -> Offering:
        """Find an offering by its id or its name; the id goes first (CAT-06).

        Args:
            name_or_id: One of both.

        Raises:
            LookupError: there is none; the message names those that there are.
        """
        return _find("offering", name_or_id, self.offerings, "")


_Named = TypeVar("_Named", Offering, Plan)


def _find(kind: str, name_or_id: str, among: Sequence[_Named], where: str) -> _Named:
    for by in ("id", "name"):
        for each in among:
            if getattr(each, by) == name_or_id:
                return each
    names = ", ".join(each.name for each in among) or "none at all"
    raise LookupError(f"there is no {kind} {name_or_id!r}{where}; there is {names}")
