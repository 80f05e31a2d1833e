"""Faults of the schemas in the catalog."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.checker.reference.faults import fault_catalog, find_spare


def spoil_schemas(rule: str, says: str) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    """Register a change of the schemas of the spare offering's first plan."""

    def keep(edit: Callable[[Any], None]) -> Callable[[Any], None]:
        fault_catalog(rule, says)(lambda catalog: edit(find_spare(catalog)["plans"][0]["schemas"]))
        return edit

    return keep


def spoil_parameters(rule: str, says: str, **values: Any) -> None:
    """Register other values in the schema of what the spare plan takes for a binding."""
    spoil_schemas(rule, says)(lambda schemas: schemas["service_binding"]["create"]["parameters"].update(values))


@spoil_schemas("SCH-01", "the schemas of instances are an array")
def list_schemas(schemas: Any) -> None:
    schemas["service_instance"] = [schemas["service_instance"]]


@spoil_schemas("SCH-01", "the schema of an update is a text")
def write_schema(schemas: Any) -> None:
    schemas["service_instance"]["update"] = "none"


@spoil_schemas("SCH-02", "the schema of a binding is an array")
def list_schema(schemas: Any) -> None:
    schemas["service_binding"]["create"] = []


@spoil_schemas("SCH-03", "the parameters are a text")
def write_parameters(schemas: Any) -> None:
    schemas["service_binding"]["create"]["parameters"] = "role: reader or writer"


@spoil_schemas("SCH-04", "a schema does not say its draft")
def hide_draft(schemas: Any) -> None:
    del schemas["service_instance"]["update"]["parameters"]["$schema"]


spoil_parameters("SCH-03", "a schema is not valid by its draft", required="role")
spoil_parameters("SCH-03", "a schema is of a string", type="string")
spoil_parameters("SCH-05", "a schema is elsewhere", allOf=[{"$ref": "https://schemas.reference.example/role.json"}])
spoil_parameters(
    "SCH-05", "a schema is in a file", properties={"role": {"items": {"$ref": "role.json#/definitions/role"}}}
)
spoil_parameters("SCH-06", "a schema has more than 64 kB", description="x" * 65_600)
