"""The catalog as tables: one row a field, with its kind and its rule."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from .finding import Finding, Place, finding
from .kinds import (
    AMOUNT,
    BOOLEAN,
    IMAGE_URL,
    OBJECT,
    OBJECTS,
    PLANS,
    REQUIRED_PERMISSIONS,
    SECONDS,
    SEMVER,
    STRING,
    STRINGS,
    TEXT,
    URI,
    Kind,
    describe,
)


@dataclass(frozen=True, slots=True)
class Advice:
    """What a value of the right kind is better not like."""

    rule: str
    holds: Callable[[str], object]
    message: str


@dataclass(frozen=True, slots=True)
class Field:
    """One row of the specification's tables.

    `rule` is broken by a value of another kind, and by none at all if the field is required; `absent_rule` is
    named instead of it where the specification has a rule of its own for a missing field. `fields` are those of the
    object, or of each object in the array; `noun` says what such an object is called.
    """

    name: str
    kind: Kind
    rule: str
    required: bool = False
    absent_rule: str = ""
    advice: tuple[Advice, ...] = ()
    fields: "tuple[Field, ...]" = ()
    noun: str = ""


# For one value the first piece of advice that it does not follow is enough.
_NAME_ADVICE = (
    Advice(
        "CAT-13",
        re.compile(r"[A-Za-z0-9.-]+").fullmatch,
        "is not CLI-friendly; use only letters, digits, periods and hyphens",
    ),
    Advice(
        "CAT-14",
        re.compile(r"(?!-)(?=.*[A-Za-z0-9]).*").fullmatch,
        "says nothing to a user or reads like an option of a command; "
        "begin with a letter or digit and choose a meaningful name",
    ),
)
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_UNRESERVED = Advice(
    "URL-02",
    re.compile(r"[A-Za-z0-9._~-]+").fullmatch,
    "has characters that must be encoded in a URL; use letters, digits and -._~ only, best a GUID",
)


def _id_advice(rule: str) -> tuple[Advice, ...]:
    return (_UNRESERVED, Advice(rule, _GUID.fullmatch, "is not a GUID; a GUID is unique for all brokers"))


COST = (
    Field("amount", AMOUNT, "META-04", required=True),
    Field("unit", STRING, "META-05", required=True),
)
PLAN_METADATA = (
    Field("displayName", STRING, "META-03"),
    Field("bullets", STRINGS, "META-03"),
    Field("costs", OBJECTS, "META-03", fields=COST),
)
OFFERING_METADATA = (
    Field("displayName", STRING, "META-01"),
    Field("imageUrl", IMAGE_URL, "META-02"),
    Field("longDescription", STRING, "META-01"),
    Field("providerDisplayName", STRING, "META-01"),
    Field("documentationUrl", STRING, "META-01"),
    Field("supportUrl", STRING, "META-01"),
    Field("shareable", BOOLEAN, "META-07"),
)
DASHBOARD_CLIENT = (
    Field("id", TEXT, "DSH-01", required=True),
    Field("secret", TEXT, "DSH-02", required=True),
    Field("redirect_uri", URI, "DSH-03"),
)
MAINTENANCE_INFO = (
    Field("version", SEMVER, "MNT-01", required=True, absent_rule="PLAN-14"),
    Field("description", STRING, "MNT-02"),
)
PLAN = (
    Field("id", TEXT, "PLAN-01", required=True, advice=_id_advice("PLAN-03")),
    Field("name", TEXT, "PLAN-04", required=True, advice=_NAME_ADVICE),
    Field("description", TEXT, "PLAN-06", required=True),
    Field("metadata", OBJECT, "PLAN-07", fields=PLAN_METADATA),
    Field("free", BOOLEAN, "PLAN-08"),
    Field("bindable", BOOLEAN, "PLAN-09"),
    Field("binding_rotatable", BOOLEAN, "PLAN-10"),
    Field("plan_updateable", BOOLEAN, "PLAN-11"),
    Field("schemas", OBJECT, "PLAN-12"),
    Field("maximum_polling_duration", SECONDS, "PLAN-13"),
    Field("maintenance_info", OBJECT, "PLAN-14", fields=MAINTENANCE_INFO),
)
OFFERING = (
    Field("name", TEXT, "SVC-01", required=True, advice=_NAME_ADVICE),
    Field("id", TEXT, "SVC-03", required=True, advice=_id_advice("SVC-05")),
    Field("description", TEXT, "SVC-06", required=True),
    Field("tags", STRINGS, "SVC-07"),
    Field("requires", REQUIRED_PERMISSIONS, "SVC-08"),
    Field("bindable", BOOLEAN, "SVC-09", required=True),
    Field("instances_retrievable", BOOLEAN, "SVC-10"),
    Field("bindings_retrievable", BOOLEAN, "SVC-11"),
    Field("allow_context_updates", BOOLEAN, "SVC-12"),
    Field("metadata", OBJECT, "SVC-13", fields=OFFERING_METADATA),
    Field("dashboard_client", OBJECT, "SVC-14", fields=DASHBOARD_CLIENT),
    Field("plan_updateable", BOOLEAN, "SVC-15"),
    Field("plans", PLANS, "SVC-16", required=True, fields=PLAN, noun="plan"),
)
CATALOG = (Field("services", OBJECTS, "CAT-02", required=True, fields=OFFERING, noun="offering"),)


def check_fields(record: Mapping[str, Any], fields: tuple[Field, ...], place: Place) -> Iterator[Finding]:
    """Find each field of an object, and of the objects in it, that is missing or not of its kind."""
    for field in fields:
        at = place.key(field.name)
        if field.name in record:
            yield from _check_value(record[field.name], field, at)
        elif field.required:
            yield finding(field.absent_rule or field.rule, at, f"is missing; add it: {field.kind.phrase}")


def _check_value(value: object, field: Field, place: Place) -> Iterator[Finding]:
    if not field.kind.holds(value):
        yield finding(field.rule, place, _wrong_kind(value, field))
    elif field.kind.items is not None:
        yield from _check_items(cast("list[object]", value), field, field.kind.items, place)
    elif isinstance(value, Mapping):
        yield from check_fields(value, field.fields, place)
    elif isinstance(value, str):
        broken = (advice for advice in field.advice if not advice.holds(value))
        yield from (finding(advice.rule, place, f"{describe(value)} {advice.message}") for advice in [*broken][:1])


def _wrong_kind(value: object, field: Field) -> str:
    instead = "leave the field out, or write" if value is None and not field.required else "write"
    return f"is {describe(value)}; {instead} {field.kind.phrase}"


def _check_items(items: list[object], field: Field, kind: Kind, place: Place) -> Iterator[Finding]:
    for position, item in enumerate(items):
        at = place.index(position).named(field.noun, item)
        if not kind.holds(item):
            yield finding(field.rule, at, f"is {describe(item)}; write {kind.phrase}")
        elif isinstance(item, Mapping):
            yield from check_fields(item, field.fields, at)
