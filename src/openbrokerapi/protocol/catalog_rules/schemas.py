"""The rules for the schemas of a plan's parameters (Schemas object, Input Parameters Schema object)."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import jsonschema_rs

from .finding import Finding, Place, finding, shown
from .kinds import describe, is_array

# The specification says 64kB and not which: what is above 65,536 bytes is too much by either reading.
_LARGEST_SCHEMA = 64 * 1024

# The requests that have a schema, by the key of `schemas`, and the rule that says so.
_REQUESTS = {
    "service_instance": ("SCH-01", ("create", "update")),
    "service_binding": ("SCH-02", ("create",)),
}
_DRAFTS = (
    "http://json-schema.org/draft-04/schema",
    "http://json-schema.org/draft-06/schema",
    "http://json-schema.org/draft-07/schema",
    "https://json-schema.org/draft/2019-09/schema",
    "https://json-schema.org/draft/2020-12/schema",
)

# Where a schema holds other schemas. What stands elsewhere (enum, const, default, examples) is data, and a property
# called "$ref" is a property.
_ONE_OR_MANY = (
    "additionalItems", "additionalProperties", "allOf", "anyOf", "contains", "contentSchema", "else", "if", "items",
    "not", "oneOf", "prefixItems", "propertyNames", "then", "unevaluatedItems", "unevaluatedProperties",
)  # fmt: skip
_NAMED = ("$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties")
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")


def check_schemas(schemas: Mapping[str, Any], place: Place) -> Iterator[Finding]:
    """Find what is wrong with the schemas of one plan."""
    for key, (rule, requests) in _REQUESTS.items():
        if key not in schemas:
            continue
        at = place.key(key)
        if isinstance(schemas[key], Mapping):
            yield from _check_requests(schemas[key], rule, requests, at)
        else:
            yield finding(rule, at, f"is {describe(schemas[key])}; write an object with {' or '.join(requests)}")


def _check_requests(entry: Mapping[str, Any], rule: str, requests: tuple[str, ...], place: Place) -> Iterator[Finding]:
    for key, value in entry.items():
        at = place.key(key)
        if key not in requests:
            # Additional fields are allowed everywhere, so this is a hint only; but nobody reads them here.
            yield finding(rule, at, f"is read by no platform; only {' and '.join(requests)} have a schema", "SHOULD")
        elif not isinstance(value, Mapping):
            yield finding(rule, at, f"is {describe(value)}; write an object with parameters")
        elif "parameters" not in value:
            yield finding(rule, at, "has no parameters; put the schema under the key parameters", "SHOULD")
        else:
            yield from check_parameters(value["parameters"], at.key("parameters"))


def check_parameters(schema: object, place: Place) -> Iterator[Finding]:  # SCH-03
    """Find what is wrong with one schema of input parameters."""
    if not isinstance(schema, Mapping):
        yield finding("SCH-03", place, f"is {describe(schema)}; write a JSON Schema, which is an object")
        return
    yield from _check_size(schema, place)
    yield from _check_type(schema, place)
    outside = [*_check_references(schema, place)]
    yield from outside
    undeclared = [*_check_draft(schema, place)]
    yield from undeclared
    if not undeclared:
        yield from _check_validity(schema, place, resolve=not outside)


def _check_size(schema: Mapping[str, Any], place: Place) -> Iterator[Finding]:  # SCH-06
    try:
        text = json.dumps(schema, separators=(",", ":"), ensure_ascii=False, default=str)
    except (ValueError, TypeError, RecursionError):
        yield finding("SCH-03", place, "cannot be written as JSON; make it less deep, without anything but JSON in it")
        return
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > _LARGEST_SCHEMA:
        yield finding("SCH-06", place, f"has {size} bytes; make it at most {_LARGEST_SCHEMA} (64 kB)")


def _check_type(schema: Mapping[str, Any], place: Place) -> Iterator[Finding]:  # SCH-03
    types = schema.get("type", "object")
    accepted = types if is_array(types) else [types]
    if "object" not in accepted:
        yield finding("SCH-03", place.key("type"), 'refuses objects, but parameters are an object; write "object"')


def _check_draft(schema: Mapping[str, Any], place: Place) -> Iterator[Finding]:  # SCH-04
    at = place.key("$schema")
    draft = schema.get("$schema")
    example = 'such as "https://json-schema.org/draft/2020-12/schema"'
    if "$schema" not in schema:
        yield finding("SCH-04", at, f"is missing; add the version of JSON Schema, {example}")
    elif not isinstance(draft, str) or draft.removesuffix("#") not in _DRAFTS:
        yield finding("SCH-04", at, f"is {describe(draft)}; write a version of JSON Schema from draft 4 on, {example}")


def _check_references(schema: Mapping[str, Any], place: Place) -> Iterator[Finding]:  # SCH-05
    pending: list[tuple[Place, object]] = [(place, schema)]
    while pending:  # not recursive: a schema may be deeper than Python's stack
        at, value = pending.pop()
        if not isinstance(value, Mapping):
            continue
        for keyword in _REFERENCES:
            target = value.get(keyword)
            if isinstance(target, str) and not target.startswith("#"):
                yield _outside(at.key(keyword), target)
        pending.extend(reversed([*_subschemas(value, at)]))


def _subschemas(schema: Mapping[str, Any], place: Place) -> Iterator[tuple[Place, object]]:
    for keyword in _ONE_OR_MANY:
        value = schema.get(keyword)
        at = place.key(keyword)
        if isinstance(value, list | tuple):
            yield from ((at.index(position), item) for position, item in enumerate(value))
        else:
            yield at, value
    for keyword in _NAMED:
        value = schema.get(keyword)
        if isinstance(value, Mapping):
            yield from ((place.key(keyword).key(name), item) for name, item in value.items())


def _outside(place: Place, target: str) -> Finding:
    message = f'refers to "{shown(target)}" outside this schema; copy it in and refer to it with "#/..."'
    return finding("SCH-05", place, message)


def _check_validity(schema: Mapping[str, Any], place: Place, *, resolve: bool) -> Iterator[Finding]:  # SCH-03
    asked_for: list[str] = []

    def refuse(uri: str) -> NoReturn:
        asked_for.append(uri)
        raise LookupError("outside references are not fetched")

    try:
        if resolve:
            jsonschema_rs.validator_for(dict(schema), retriever=refuse)
        else:
            jsonschema_rs.meta.validate(dict(schema))
    except jsonschema_rs.ValidationError as error:
        # A reference can stand where no keyword is, and be reached by another one: then only the library sees it.
        if asked_for:
            yield _outside(place, asked_for[0])
        else:
            yield finding("SCH-03", _inside(place, error), f"is not valid JSON Schema: {shown(error.message)}")
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        yield finding("SCH-03", place, f"is not valid JSON Schema: {shown(str(error))}")


def _inside(place: Place, error: jsonschema_rs.ValidationError) -> Place:
    for step in error.instance_path:
        place = place.index(step) if isinstance(step, int) else place.key(step)
    return place
