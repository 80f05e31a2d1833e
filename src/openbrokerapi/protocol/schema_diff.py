"""Where one JSON Schema refuses what another accepted.

What can be judged is compared keyword by keyword; what cannot (a changed pattern, a changed `anyOf`) counts as
narrower, since a false alarm costs a look and a missed one costs the users their requests.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .catalog_rules.finding import Place, shown
from .catalog_rules.kinds import is_number

_Schema = Mapping[str, Any]
# Two schemas for the same value, still to be compared.
_Pair = tuple[Place, object, object]

_ANYTHING: _Schema = {}
_NOTHING: _Schema = {"not": {}}
# Parameters are always an object, also where no schema says so (Input Parameters Schema object).
_ANY_PARAMETERS: _Schema = {"type": "object"}

_TYPES = frozenset({"array", "boolean", "null", "number", "object", "string"})
_MOST_REFERENCES = 50

# Limits on a count: absent means from 0, and without end.
_LOWER_COUNTS = ("minLength", "minItems", "minProperties")
_UPPER_COUNTS = ("maxLength", "maxItems", "maxProperties")

# What cannot be compared but for being the same.
_OPAQUE = (
    "additionalItems", "allOf", "anyOf", "contains", "dependencies", "dependentRequired", "dependentSchemas", "else",
    "format", "if", "maxContains", "minContains", "multipleOf", "not", "oneOf", "pattern", "patternProperties",
    "prefixItems", "propertyNames", "then", "unevaluatedItems", "unevaluatedProperties", "uniqueItems",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Narrowing:
    """One difference of two schemas; `breaking` if a value can be refused now that was accepted."""

    place: Place
    breaking: bool
    message: str


def narrowed(old: Mapping[str, Any] | None, new: Mapping[str, Any], place: Place) -> Iterator[Narrowing]:
    """Find where the new schema of parameters may refuse what the old one accepted, and what it adds.

    Args:
        old: the schema that was published, None if there was none.
        new: the schema that takes its place.
        place: where the two stand in the catalog.
    """
    old = _ANY_PARAMETERS if old is None else old
    pending: list[_Pair] = [(place, old, new)]
    seen: set[tuple[int, int]] = set()  # by identity: both documents outlive this call, and references may be circular
    while pending:  # not recursive: a schema may be deeper than Python's stack
        at, one, other = pending.pop()
        was, now = _resolved(one, old), _resolved(other, new)
        if was is _NOTHING or (id(was), id(now)) in seen:
            continue
        seen.add((id(was), id(now)))
        for rule in _COMPARISONS:
            yield from rule(was, now, at)
        pending.extend(reversed([*_children(was, now, at)]))


def _break(place: Place, message: str) -> Narrowing:
    return Narrowing(place, breaking=True, message=message)


def _note(place: Place, message: str) -> Narrowing:
    return Narrowing(place, breaking=False, message=message)


def _resolved(schema: object, root: Mapping[str, Any]) -> _Schema:
    for _ in range(_MOST_REFERENCES):
        if not isinstance(schema, Mapping):
            return _NOTHING if schema is False else _ANYTHING
        target = schema.get("$ref")
        if not isinstance(target, str) or not target.startswith("#"):
            return schema
        schema = _pointed(root, target)
    return _ANYTHING  # a circle of references accepts whatever comes


def _pointed(root: Mapping[str, Any], target: str) -> object:
    value: object = root
    for step in target.removeprefix("#").split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list | tuple):
            value = value[int(key)] if key.isdecimal() and int(key) < len(value) else None
        else:
            value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _written(value: object) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _listed(values: list[str]) -> str:
    return shown(", ".join(values))


def _compare_required(old: _Schema, new: _Schema, place: Place) -> Iterator[Narrowing]:
    was = old.get("required")
    now = new.get("required")
    known = was if isinstance(was, list) else []
    for name in now if isinstance(now, list) else []:
        if name not in known:
            yield _break(place.key("required"), f"{shown(str(name))} is required now")


def _types(schema: _Schema) -> frozenset[str]:
    declared = schema.get("type")
    if declared is None:
        values = _values(schema)
        return _TYPES if values is None else frozenset(_type_of(json.loads(value)) for value in values)
    names = {str(name) for name in (declared if isinstance(declared, list) else [declared])}
    # A whole number is a number: where both are named, number says all.
    return frozenset(names - {"integer"} if "number" in names else names)


def _type_of(value: object) -> str:
    if value is None:
        return "null"
    kinds = ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (list, "array"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "object")


def _compare_types(old: _Schema, new: _Schema, place: Place) -> Iterator[Narrowing]:
    now = _types(new)
    refused = _types(old) - now - ({"integer"} if "number" in now else set())
    # What only an enumeration narrows is said by the enumeration.
    if refused and "type" in new:
        yield _break(place.key("type"), f"no longer accepts: {', '.join(sorted(refused))}")


def _values(schema: _Schema) -> list[str] | None:
    """Return the only values that are accepted, written as JSON; None if they are not enumerated."""
    if "const" in schema:
        return [_written(schema["const"])]
    values = schema.get("enum")
    return [_written(value) for value in values] if isinstance(values, list) else None


def _compare_values(old: _Schema, new: _Schema, place: Place) -> Iterator[Narrowing]:
    was, now = _values(old), _values(new)
    if now is None:
        return
    at = place.key("const" if "const" in new else "enum")
    if was is None:
        yield _break(at, f"accepts only these values now: {_listed(now)}")
    elif removed := [value for value in was if value not in now]:
        yield _break(at, f"no longer accepts: {_listed(removed)}")


def _compare_counts(old: _Schema, new: _Schema, place: Place) -> Iterator[Narrowing]:
    for keyword in _LOWER_COUNTS:
        was, now = old.get(keyword), new.get(keyword)
        if is_number(now) and now > (was if is_number(was) else 0):
            yield _break(place.key(keyword), f"is {now} now: it was raised")
    for keyword in _UPPER_COUNTS:
        was, now = old.get(keyword), new.get(keyword)
        if is_number(now) and not (is_number(was) and was <= now):
            yield _break(place.key(keyword), f"is {now} now: it was lowered")


def _bound(schema: _Schema, keyword: str, sign: int) -> tuple[float, bool] | None:
    """Return the limit of a number, the greater the stricter, and whether the limit itself is refused.

    `exclusiveMinimum` is a boolean beside `minimum` in draft 4, and a number of its own since draft 6.
    """
    exclusive = schema.get(f"exclusive{keyword.capitalize()}")
    limits = []
    if is_number(schema.get(keyword)):
        limits.append((sign * schema[keyword], exclusive is True))
    if exclusive is not None and is_number(exclusive):
        limits.append((sign * exclusive, True))
    return max(limits, default=None)


def _compare_bounds(old: _Schema, new: _Schema, place: Place) -> Iterator[Narrowing]:
    for keyword, sign, word in (("minimum", 1, "raised"), ("maximum", -1, "lowered")):
        was, now = _bound(old, keyword, sign), _bound(new, keyword, sign)
        if now is not None and (was is None or now > was):
            exactly = " (the limit itself refused)" if now[1] else ""
            yield _break(place.key(keyword), f"is {sign * now[0]}{exactly} now: it was {word}")


def _compare_opaque(old: _Schema, new: _Schema, place: Place) -> Iterator[Narrowing]:
    for keyword in _OPAQUE:
        now = new.get(keyword)
        if keyword in new and now is not False and _written(old.get(keyword)) != _written(now):
            how = "was changed" if keyword in old else "was added"
            message = f"{how}, so that it may refuse what was accepted: compare by hand"
            yield _break(place.key(keyword), message)


def _compare_additional(old: _Schema, new: _Schema, place: Place) -> Iterator[Narrowing]:
    at = place.key("additionalProperties")
    was, now = old.get("additionalProperties", True), new.get("additionalProperties", True)
    if now is False and was is not False:
        yield _break(at, "is false now: what is not described is refused")
    elif isinstance(now, Mapping) and was is True:
        yield _break(at, "is a schema now: what is not described may be refused")


def _properties(schema: _Schema) -> Mapping[str, Any]:
    value = schema.get("properties")
    return value if isinstance(value, Mapping) else {}


def _compare_properties(old: _Schema, new: _Schema, place: Place) -> Iterator[Narrowing]:
    was, now, at = _properties(old), _properties(new), place.key("properties")
    refused = new.get("additionalProperties") is False
    for name in was:
        if name not in now:
            gone = at.key(name)
            yield _break(gone, "is gone and is refused now") if refused else _note(gone, "is no longer described")
    for name in now:
        if name not in was:
            yield _note(at.key(name), "is new")


_COMPARISONS: tuple[Callable[[_Schema, _Schema, Place], Iterator[Narrowing]], ...] = (
    _compare_types,
    _compare_values,
    _compare_required,
    _compare_properties,
    _compare_additional,
    _compare_bounds,
    _compare_counts,
    _compare_opaque,
)


def _children(old: _Schema, new: _Schema, place: Place) -> Iterator[_Pair]:
    was, now = _properties(old), _properties(new)
    additional = new.get("additionalProperties")
    for name, schema in was.items():
        if name in now:
            yield place.key("properties").key(name), schema, now[name]
        elif isinstance(additional, Mapping):  # described by the schema for what is not described
            yield place.key("additionalProperties"), schema, additional
    if isinstance(additional, Mapping) and isinstance(old.get("additionalProperties"), Mapping):
        yield place.key("additionalProperties"), old["additionalProperties"], additional
    yield from _items(old.get("items", _ANYTHING), new.get("items", _ANYTHING), place.key("items"))


def _items(old: object, new: object, place: Place) -> Iterator[_Pair]:
    if isinstance(new, list):  # up to 2019-09: one schema for each position
        olds = old if isinstance(old, list) else [old] * len(new)
        for position, schema in enumerate(new[: len(olds)]):
            yield place.index(position), olds[position], schema
    elif new is not _ANYTHING:
        for schema in old if isinstance(old, list) else [old]:
            yield place, schema, new
