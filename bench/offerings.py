"""The catalog that is measured: offerings and plans as real catalogs have them, made with the names of 4.7.3.

This module is imported in the environment of the published release, too.
"""

from __future__ import annotations

import uuid
from typing import Any

from openbrokerapi.catalog import Schemas, ServiceMetadata, ServicePlan, ServicePlanCost, ServicePlanMetadata
from openbrokerapi.service_broker import Service

_SPACE = uuid.UUID("6f1a3f52-6a0d-4a63-9d0c-0c9c3e6f8a11")
_CREATE = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "storage_gb": {"type": "integer", "minimum": 1, "maximum": 2048, "description": "Size of the volume."},
        "region": {"type": "string", "enum": ["eu-central", "eu-north", "us-east"], "description": "Where it runs."},
        "backup": {"type": "boolean", "description": "Whether it is backed up each night."},
    },
    "required": ["region"],
}
_BIND = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "properties": {"role": {"type": "string", "enum": ["reader", "writer"]}},
}


def service_id(number: int) -> str:
    """Give the id of an offering by its number."""
    return str(uuid.uuid5(_SPACE, f"offering {number}"))


def plan_id(number: int, plan: int) -> str:
    """Give the id of a plan by its offering's number and its own."""
    return str(uuid.uuid5(_SPACE, f"offering {number} plan {plan}"))


def offerings(shape: str) -> list[Service]:
    """Make the offerings of a shape such as ``10x5``: ten offerings of five plans each."""
    count, plans = map(int, shape.split("x"))
    return [_offering(number, plans) for number in range(count)]


def _offering(number: int, plans: int) -> Service:
    return Service(
        id=service_id(number),
        name=f"database-{number}",
        description=f"A managed database of family {number}, with backups and monitoring",
        bindable=True,
        plans=[_plan(number, plan) for plan in range(plans)],
        tags=["database", "relational", f"family-{number}"],
        metadata=ServiceMetadata(
            displayName=f"Database {number}",
            imageUrl=f"https://broker.example.com/images/{number}.svg",
            longDescription="A database that somebody else patches, backs up and watches over. " * 3,
            providerDisplayName="The database team",
            documentationUrl=f"https://broker.example.com/docs/{number}",
            supportUrl="https://broker.example.com/support",
        ),
        plan_updateable=True,
    )


def _plan(number: int, plan: int) -> ServicePlan:
    return ServicePlan(
        id=plan_id(number, plan),
        name=f"size-{plan}",
        description=f"{2 ** (plan % 8)} cores and {2 ** (plan % 8 + 2)} GB of memory",
        metadata=ServicePlanMetadata(
            displayName=f"Size {plan}",
            bullets=["Backed up each night", "Patched each month", f"{20 * (plan + 1)} connections"],
            costs=[ServicePlanCost(amount={"usd": 10.0 * (plan + 1)}, unit="MONTHLY")],
        ),
        free=plan == 0,
        schemas=Schemas(service_instance=_instance_schemas(), service_binding={"create": {"parameters": _BIND}}),
    )


def _instance_schemas() -> dict[str, Any]:
    return {"create": {"parameters": _CREATE}, "update": {"parameters": _CREATE}}
