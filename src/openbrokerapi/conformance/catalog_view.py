"""The broker's catalog, read with patience: whatever is wrong in it is for the checks to say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


@dataclass(frozen=True)
class Plan:
    """One plan as the catalog has it, with its offering.

    Attributes:
        raw: The JSON object.
        offering: The offering it belongs to.
    """

    raw: Mapping[str, Any]
    offering: Offering

    @property
    def id(self) -> str:
        """Its id; empty where there is none."""
        return _text(self.raw.get("id"))

    @property
    def name(self) -> str:
        """Its name; empty where there is none."""
        return _text(self.raw.get("name"))

    @property
    def bindable(self) -> bool:
        """Whether it can be bound: its own word, else the offering's (PLAN-09)."""
        return self._own_or_offerings("bindable")

    @property
    def updateable(self) -> bool:
        """Whether instances of it may change to another plan (PLAN-11)."""
        return self._own_or_offerings("plan_updateable")

    @property
    def rotatable(self) -> bool:
        """Whether its bindings can be rotated (PLAN-10)."""
        return self.raw.get("binding_rotatable") is True

    @property
    def maintenance_version(self) -> str | None:
        """The version of its maintenance_info, where it has one."""
        info = self.raw.get("maintenance_info")
        version = info.get("version") if isinstance(info, dict) else None
        return version if isinstance(version, str) else None

    @property
    def maximum_polling_duration(self) -> float | None:
        """For how many seconds the platform is to poll, where the plan says so."""
        seconds = self.raw.get("maximum_polling_duration")
        return float(seconds) if isinstance(seconds, int) and not isinstance(seconds, bool) else None

    def schema(self, resource: str, action: str) -> Mapping[str, Any] | None:
        """Return the parameters' schema of ``service_instance`` or ``service_binding``, ``create`` or ``update``."""
        found: Any = self.raw.get("schemas")
        for key in (resource, action, "parameters"):
            found = found.get(key) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else None

    def _own_or_offerings(self, name: str) -> bool:
        own = self.raw.get(name)
        return own if isinstance(own, bool) else self.offering.raw.get(name) is True


@dataclass(frozen=True)
class Offering:
    """One service offering as the catalog has it."""

    raw: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Its id; empty where there is none."""
        return _text(self.raw.get("id"))

    @property
    def name(self) -> str:
        """Its name; empty where there is none."""
        return _text(self.raw.get("name"))

    @property
    def plans(self) -> list[Plan]:
        """Its plans."""
        return [Plan(raw, self) for raw in _objects(self.raw.get("plans"))]

    @property
    def requires(self) -> list[str]:
        """The permissions that it asks of the platform."""
        value = self.raw.get("requires")
        return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []

    @property
    def instances_retrievable(self) -> bool:
        """Whether instances can be fetched."""
        return self.raw.get("instances_retrievable") is True

    @property
    def bindings_retrievable(self) -> bool:
        """Whether bindings can be fetched."""
        return self.raw.get("bindings_retrievable") is True


@dataclass(frozen=True)
class CatalogView:
    """A catalog as the broker answered it.

    Attributes:
        raw: The whole JSON body.
    """

    raw: Any

    @property
    def offerings(self) -> list[Offering]:
        """The offerings that are JSON objects."""
        services = self.raw.get("services") if isinstance(self.raw, dict) else None
        return [Offering(raw) for raw in _objects(services)]

    def plans(self) -> Iterator[Plan]:
        """Go through all plans of all offerings."""
        for offering in self.offerings:
            yield from offering.plans

    def find(self, service: str, plan: str) -> Plan | None:
        """Find a plan by the names or ids of the offering and of itself."""
        for candidate in self.plans():
            if service in (candidate.offering.id, candidate.offering.name) and plan in (candidate.id, candidate.name):
                return candidate
        return None
