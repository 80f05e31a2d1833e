"""Parameters made from a plan's JSON Schema: good ones, different good ones, and bad ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jsonschema_rs

_Schema = Mapping[str, Any]
_DEEPEST = 8  # levels; a schema may refer to itself

#: A text of each format, and another one.
_FORMATS = {
    "date": ("2026-01-31", "2026-02-01"),
    "date-time": ("2026-01-31T12:00:00Z", "2026-02-01T12:00:00Z"),
    "time": ("12:00:00Z", "13:00:00Z"),
    "email": ("someone@example.com", "another@example.com"),
    "hostname": ("a.example.com", "b.example.com"),
    "ipv4": ("192.0.2.1", "192.0.2.2"),
    "ipv6": ("2001:db8::1", "2001:db8::2"),
    "uri": ("https://example.com/a", "https://example.com/b"),
    "uuid": ("6d1bbf9a-9a54-4f5e-8c9d-5d2b7a6f0c01", "6d1bbf9a-9a54-4f5e-8c9d-5d2b7a6f0c02"),
}


def _refuse(uri: str) -> Any:
    raise ValueError(f"{uri} is outside the schema")


def accepts(schema: _Schema, value: Any) -> bool:
    """Say whether a schema accepts a value; a schema that is none accepts nothing."""
    try:
        return bool(jsonschema_rs.validator_for(dict(schema), retriever=_refuse).is_valid(value))
    except Exception:  # noqa: BLE001 - whatever the broker calls a schema, it accepts nothing that can be guessed
        return False


def good(schema: _Schema | None) -> dict[str, Any] | None:
    """Make parameters that the schema accepts, with what it requires and no more; None where none can be guessed."""
    if schema is None:
        return {}
    tries: tuple[Any, ...] = ({}, _made(schema, 0, everything=False), _made(schema, 0, everything=True))
    return next((made for made in tries if isinstance(made, dict) and accepts(schema, made)), None)


def different(schema: _Schema | None, first: Mapping[str, Any]) -> dict[str, Any] | None:
    """Make parameters that the schema accepts and that are not `first`; None where none can be guessed."""
    if schema is None:
        return None
    for variant in (1, 0):
        for everything in (True, False):
            made = _made(schema, variant, everything=everything)
            for candidate in _narrower(made, first):
                if candidate != first and accepts(schema, candidate):
                    return candidate
    return None


def bad(schema: _Schema | None, first: Mapping[str, Any]) -> dict[str, Any] | None:
    """Make parameters that the schema refuses, by changing one value of `first`; None where it refuses none tried."""
    if schema is None:
        return None
    tries = [{**first, name: wrong} for name in _properties(schema) for wrong in (["no"], 7, "no", {"no": 1}, None)]
    tries.append({**first, "x-no-such-parameter": 1})
    return next((made for made in tries if not accepts(schema, made)), None)


def _made(schema: _Schema, variant: int, *, everything: bool) -> Any:
    try:
        return _Sample(schema, variant, everything=everything).of(schema)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        # The broker's schema is none: what is wrong with it is for the checks of the catalog to say.
        return None


def _properties(schema: _Schema) -> Mapping[str, Any]:
    found = schema.get("properties")
    return found if isinstance(found, dict) else {}


def _narrower(made: Any, first: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Give all of what was made, and each single change of `first` by it."""
    if not isinstance(made, dict):
        return
    for name, value in made.items():
        yield {**first, name: value}
    yield made


class _Sample:
    """Makes a value for a schema; `variant` 1 makes another one than 0 where there is more than one."""

    def __init__(self, root: _Schema, variant: int, *, everything: bool = False) -> None:
        self._root = root
        self._variant = variant
        self._everything = everything

    def of(self, schema: Any, depth: int = 0) -> Any:
        schema = self._resolved(schema)
        if not isinstance(schema, dict) or depth > _DEEPEST:
            return None
        named = self._named(schema)
        if named:
            return named[min(self._variant, len(named) - 1)]
        for choice in ("oneOf", "anyOf"):
            if isinstance(schema.get(choice), list) and schema[choice]:
                option = self._resolved(schema[choice][self._variant % len(schema[choice])])
                return self.of({**_without(schema, choice), **option}, depth + 1)
        if isinstance(schema.get("allOf"), list):
            return self.of(self._merged(schema), depth + 1)
        return self._by_type(schema, depth)

    def _named(self, schema: _Schema) -> list[Any]:
        """List the values that the schema itself names."""
        if "const" in schema:
            return [schema["const"]]
        named = list(schema["enum"]) if isinstance(schema.get("enum"), list) else []
        if not named and isinstance(schema.get("examples"), list):
            named = list(schema["examples"])
        if not named and "default" in schema and self._variant == 0:
            named = [schema["default"]]
        return named

    def _merged(self, schema: _Schema) -> dict[str, Any]:
        merged = _without(schema, "allOf")
        for part in map(self._resolved, schema["allOf"]):
            if not isinstance(part, dict):
                continue
            properties = {**merged.get("properties", {}), **part.get("properties", {})}
            required = [*merged.get("required", []), *part.get("required", [])]
            merged = {**merged, **part, "properties": properties, "required": required}
        return merged

    def _resolved(self, schema: Any) -> Any:
        for _ in range(_DEEPEST):
            reference = schema.get("$ref") if isinstance(schema, dict) else None
            if not isinstance(reference, str) or not reference.startswith("#"):
                break
            schema = self._root
            for step in filter(None, reference[1:].split("/")):
                key = step.replace("~1", "/").replace("~0", "~")
                schema = schema.get(key) if isinstance(schema, dict) else None
        return schema

    def _by_type(self, schema: _Schema, depth: int) -> Any:
        kind = schema.get("type", "object" if "properties" in schema or depth == 0 else "string")
        kind = kind[0] if isinstance(kind, list) and kind else kind
        makers: dict[str, Callable[[], Any]] = {
            "object": lambda: self._object(schema, depth),
            "array": lambda: self._array(schema, depth),
            "string": lambda: self._string(schema),
            "integer": lambda: int(self._number(schema)),
            "number": lambda: self._number(schema),
            "boolean": lambda: self._variant == 1,
        }
        return makers[kind]() if kind in makers else None

    def _object(self, schema: _Schema, depth: int) -> dict[str, Any]:
        properties = _properties(schema)
        required = [name for name in schema.get("required", []) if isinstance(name, str)]
        names = [*required, *(name for name in properties if self._everything and name not in required)]
        return {name: self.of(properties.get(name, {"type": "string"}), depth + 1) for name in names}

    def _array(self, schema: _Schema, depth: int) -> list[Any]:
        least = schema.get("minItems", 0)
        return [self.of(schema.get("items", {"type": "string"}), depth + 1) for _ in range(max(least, self._variant))]

    def _string(self, schema: _Schema) -> str:
        made = _FORMATS.get(str(schema.get("format")), ("sample", "another"))[self._variant]
        shortest, longest = schema.get("minLength", 0), schema.get("maxLength")
        return made.ljust(shortest, "x")[:longest]

    def _number(self, schema: _Schema) -> Any:
        low, high = schema.get("minimum"), schema.get("maximum")
        step = schema.get("multipleOf", 1)
        beyond = schema.get("exclusiveMinimum")
        if beyond is True or (beyond and low is None):
            # Draft 4 has a boolean beside the minimum, later drafts the number itself.
            low = (low if beyond is True else beyond) + step
        first = low if low is not None else min(high, step) if high is not None else step
        made = first + step * self._variant
        return made if high is None or made <= high else first


def _without(schema: _Schema, name: str) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != name}
