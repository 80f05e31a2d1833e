"""The catalog as requests are checked against it: an index of offerings and plans."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .endpoints import BIND, PROVISION, UPDATE, Endpoint
from .parameters import ParameterSchema

# Where a plan's `schemas` keeps the schema of each request (SCH-01, SCH-02).
_SCHEMAS = {
    PROVISION: ("service_instance", "create"),
    UPDATE: ("service_instance", "update"),
    BIND: ("service_binding", "create"),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What requests are checked against in one plan; what is inherited from the offering is filled in."""

    id: str
    bindable: bool
    plan_updateable: bool
    binding_rotatable: bool
    maintenance_version: str | None
    schemas: Mapping[Endpoint, ParameterSchema] = field(repr=False, default_factory=dict)


@dataclass(frozen=True, slots=True)
class Offering:
    """What requests are checked against in one service offering."""

    id: str
    requires: frozenset[str]
    plan_updateable: bool
    plans: Mapping[str, Plan]


Index = Mapping[str, Offering]


def index(document: Any) -> Index:
    """Index a decoded catalog by the ids of its offerings; what is not of the specification's form is left out."""
    return {offering.id: offering for offering in map(_offering, _objects(document, "services")) if offering.id}


def _objects(parent: Any, name: str) -> Iterator[dict[str, Any]]:
    values = parent.get(name) if isinstance(parent, dict) else None
    return (value for value in values if isinstance(value, dict)) if isinstance(values, list) else iter(())


def _offering(service: dict[str, Any]) -> Offering:
    requires = service.get("requires")
    plans = (_plan(plan, service) for plan in _objects(service, "plans"))
    return Offering(
        id=_text(service.get("id")),
        requires=frozenset(filter(_text, requires)) if isinstance(requires, list) else frozenset(),
        plan_updateable=service.get("plan_updateable") is True,
        plans={plan.id: plan for plan in plans if plan.id},
    )


def _plan(plan: dict[str, Any], service: dict[str, Any]) -> Plan:
    maintenance = plan.get("maintenance_info")
    version = maintenance.get("version") if isinstance(maintenance, dict) else None
    return Plan(
        id=_text(plan.get("id")),
        # PLAN-09, PLAN-11: what the plan does not say it inherits.
        bindable=_first_bool(plan.get("bindable"), service.get("bindable"), otherwise=True),
        plan_updateable=_first_bool(plan.get("plan_updateable"), service.get("plan_updateable"), otherwise=False),
        binding_rotatable=plan.get("binding_rotatable") is True,
        maintenance_version=_text(version) or None,
        schemas=dict(_schemas(plan.get("schemas"))),
    )


def _schemas(schemas: Any) -> Iterator[tuple[Endpoint, ParameterSchema]]:
    for endpoint, path in _SCHEMAS.items():
        node = schemas
        for name in (*path, "parameters"):
            node = node.get(name) if isinstance(node, dict) else None
        if node is not None:
            yield endpoint, ParameterSchema(node)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _first_bool(*values: Any, otherwise: bool) -> bool:
    return next((value for value in values if isinstance(value, bool)), otherwise)
