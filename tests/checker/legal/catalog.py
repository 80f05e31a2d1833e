"""The one offering, by the habits of its broker."""

from __future__ import annotations

from typing import Any

from tests.checker.legal.habits import Habits

SERVICE = "5b0b8a1e-58a2-4a38-8f61-3f6c2f3d0001"
PLANS = {"5b0b8a1e-58a2-4a38-8f61-3f6c2f3d0002": "small", "5b0b8a1e-58a2-4a38-8f61-3f6c2f3d0003": "large"}
_SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {"size": {"type": "integer", "minimum": 1}, "label": {"type": "string"}},
    "additionalProperties": False,
}


def write_catalog(habits: Habits) -> dict[str, Any]:
    """Return the body of the catalog."""
    more: dict[str, Any] = {}
    if habits.has_schema:
        create = {"create": {"parameters": _SCHEMA}}
        both = {**create, "update": {"parameters": _SCHEMA}} if habits.updates else create
        more["schemas"] = {"service_instance": both, "service_binding": create}
    if habits.has_maintenance:
        more["maintenance_info"] = {"version": "1.0.0"}
    offering = {
        "id": SERVICE,
        "name": "legal",
        "description": "Within the specification",
        "bindable": habits.bindable,
        "instances_retrievable": habits.shows,
        "bindings_retrievable": habits.shows,
        "plan_updateable": habits.plan_updateable,
        "plans": [{"id": each, "name": name, "description": name, **more} for each, name in PLANS.items()],
    }
    return habits.catalog({"services": [offering]})
