"""As much of JSON Schema as the catalog's schemas use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
}

# keyword -> whether a value keeps to it; numbers and lengths are asked for only where the type is right.
LIMITS: dict[str, Callable[[Any, Any], bool]] = {
    "minimum": lambda limit, value: value >= limit,
    "maximum": lambda limit, value: value <= limit,
    "minLength": lambda limit, value: len(value) >= limit,
    "maxLength": lambda limit, value: len(value) <= limit,
    "enum": lambda allowed, value: value in allowed,
}


def find_fault(schema: Mapping[str, Any], value: Any, root: Mapping[str, Any] | None = None) -> str:
    """Return what is wrong with a value, or "" when it fits; the value itself is not in the sentence."""
    root = root or schema
    if reference := schema.get("$ref"):
        return find_fault(follow(root, reference), value, root)
    if not TYPES[schema["type"]](value):
        return f"is not of type {schema['type']}"
    for keyword, keeps in LIMITS.items():
        if keyword in schema and not keeps(schema[keyword], value):
            return f"is outside of its {keyword}"
    return find_fault_in_properties(schema, value, root) if schema["type"] == "object" else ""


def find_fault_in_properties(schema: Mapping[str, Any], value: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    """Return what is wrong with the members of an object, or ""."""
    known = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            return f"lacks {name}"
    for name, member in value.items():
        if name in known:
            if wrong := find_fault(known[name], member, root):
                return f"{name} {wrong}"
        elif schema.get("additionalProperties") is False:
            return "has a name that is not known"
    return ""


def follow(root: Mapping[str, Any], reference: str) -> Mapping[str, Any]:
    """Return the part of a schema that a local reference such as `#/definitions/size` names."""
    found = root
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found
