"""Every rule of the catalog, over one catalog."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from .fields import CATALOG, OFFERING_METADATA, PLAN_METADATA, Field, check_fields
from .finding import Finding, Place, finding
from .kinds import describe, is_array
from .schemas import check_schemas

_LONGEST_STRING = 255

# Long by their nature: a schema has a size limit of its own, and an image may be in its URL.
_LONG_BY_NATURE = frozenset({"plans", "schemas", "longDescription", "imageUrl"})


class _Record(NamedTuple):
    value: Mapping[str, Any]
    place: Place


def check(document: Mapping[str, Any]) -> list[Finding]:
    """Check a catalog against every rule of the specification that can be seen in one catalog.

    Args:
        document: the catalog as decoded JSON, `{"services": [...]}`. Any JSON is survived.

    Returns:
        What breaks a rule, in the order of the document; the same for the same document. Empty if all is well.

    Specification: "Catalog Management"; profile: "Service Metadata", "Catalog Extensions".
    """
    if not isinstance(document, Mapping):
        message = f'is {describe(document)}; write an object with the key "services"'
        return [finding("CAT-02", Place(), message)]
    return [*check_fields(document, CATALOG, Place()), *_check_offerings(document)]


def _check_offerings(document: Mapping[str, Any]) -> Iterator[Finding]:
    offerings = _records(document, Place(), "services", "offering")
    plans = [(offering, _records(offering.value, offering.place, "plans", "plan")) for offering in offerings]
    yield from _repeated(offerings, "name", "SVC-02")
    yield from _repeated(offerings, "id", "SVC-04")
    every_plan = [plan for _, of_offering in plans for plan in of_offering]
    yield from _repeated(every_plan, "id", "PLAN-02")
    yield from _shared(offerings, every_plan)
    for offering, of_offering in plans:
        yield from _repeated(of_offering, "name", "PLAN-05")
        yield from _check_offering(offering, of_offering)
        for plan in of_offering:
            yield from _check_plan(plan, offering)


def _records(parent: Mapping[str, Any], place: Place, key: str, noun: str) -> list[_Record]:
    members = parent.get(key)
    if not isinstance(members, list | tuple):
        return []
    at = place.key(key)
    numbered = ((position, member) for position, member in enumerate(members) if isinstance(member, Mapping))
    return [_Record(member, at.index(position).named(noun, member)) for position, member in numbered]


def _text(record: _Record, key: str) -> str:
    value = record.value.get(key)
    return value if isinstance(value, str) else ""


def _repeated(records: Iterable[_Record], key: str, rule: str) -> Iterator[Finding]:
    first: dict[str, Place] = {}
    for record in records:
        value = _text(record, key)
        if value in first:
            yield finding(rule, record.place.key(key), f"is also the {key} of {first[value]}; each needs its own")
        elif value:
            first[value] = record.place


def _shared(offerings: Iterable[_Record], plans: Iterable[_Record]) -> Iterator[Finding]:
    of_plan = {_text(plan, "id"): plan.place for plan in plans}
    for offering in offerings:  # SVC-04
        value = _text(offering, "id")
        if value and value in of_plan:
            message = f"is also the id of {of_plan[value]}; each needs its own"
            yield finding("SVC-04", offering.place.key("id"), message)


def _check_offering(offering: _Record, plans: list[_Record]) -> Iterator[Finding]:
    yield from _check_lengths(offering)
    yield from _check_spelling(offering, "SVC-15")
    yield from _check_conventions(offering, OFFERING_METADATA, "META-01")
    if plans and all(_bindable(plan, offering) is False for plan in plans):
        yield from _check_unbindable_offering(offering)


def _check_plan(plan: _Record, offering: _Record) -> Iterator[Finding]:
    yield from _check_lengths(plan)
    yield from _check_spelling(plan, "PLAN-11")
    yield from _check_conventions(plan, PLAN_METADATA, "META-03")
    schemas = plan.value.get("schemas")
    if isinstance(schemas, Mapping):
        yield from check_schemas(schemas, plan.place.key("schemas"))
    if _bindable(plan, offering) is False:
        yield from _check_unbindable_plan(plan)


def _bindable(plan: _Record, offering: _Record) -> bool | None:
    """Return what holds for the plan; None if the catalog does not say it in a way that can be read."""
    value = plan.value.get("bindable", offering.value.get("bindable"))
    return value if isinstance(value, bool) else None


def _check_unbindable_offering(offering: _Record) -> Iterator[Finding]:
    # BIND-02: only hints, because no catalog shows what a service really can do.
    hints = {
        "requires": "asks for permissions that only bindings use",
        "bindings_retrievable": "promises to fetch bindings",
    }
    for key, what in hints.items():
        value = offering.value.get(key)
        if value is True or (key == "requires" and is_array(value) and value):
            message = f"{what}, but no plan is bindable; write bindable: true, or take this out"
            yield finding("BIND-02", offering.place.key(key), message, "SHOULD")


def _check_unbindable_plan(plan: _Record) -> Iterator[Finding]:
    if plan.value.get("binding_rotatable") is True:
        message = "promises to rotate bindings, but the plan is not bindable; write bindable: true, or take this out"
        yield finding("BIND-02", plan.place.key("binding_rotatable"), message, "SHOULD")
    schemas = plan.value.get("schemas")
    if isinstance(schemas, Mapping) and "service_binding" in schemas:
        # SCH-02: the specification says that it is not used, not that it is forbidden.
        message = (
            "is used on bindable plans only, and this plan is not bindable; write bindable: true, or take this out"
        )
        yield finding("SCH-02", plan.place.key("schemas").key("service_binding"), message, "SHOULD")


def _check_spelling(record: _Record, rule: str) -> Iterator[Finding]:
    # Additional fields are allowed, so the other spelling is only a hint: but platforms read it nowhere.
    if "plan_updatable" in record.value and "plan_updateable" not in record.value:
        message = "is read by no platform; the specification spells it plan_updateable"
        yield finding(rule, record.place.key("plan_updatable"), message, "SHOULD")


def _check_conventions(record: _Record, fields: tuple[Field, ...], rule: str) -> Iterator[Finding]:
    metadata = record.value.get("metadata")
    if not isinstance(metadata, Mapping):
        return
    conventional = {_squeezed(field.name): field.name for field in fields}
    for key in metadata:
        name = conventional.get(_squeezed(str(key)))
        if name is not None and name not in metadata:
            at = record.place.key("metadata").key(key)
            yield finding(rule, at, f"is read by no platform; by convention it is called {name}", "SHOULD")


def _squeezed(key: str) -> str:
    return key.replace("_", "").replace("-", "").lower()


def _check_lengths(record: _Record) -> Iterator[Finding]:  # CAT-08
    pending: list[tuple[Place, object]] = [(record.place, record.value)]
    while pending:  # not recursive: metadata may be deeper than Python's stack
        place, value = pending.pop()
        if isinstance(value, str) and len(value) > _LONGEST_STRING:
            message = f"has {len(value)} characters; platforms may cut off or refuse more than {_LONGEST_STRING}"
            yield finding("CAT-08", place, message)
        pending.extend(reversed([*_members(place, value)]))


def _members(place: Place, value: object) -> Iterator[tuple[Place, object]]:
    if isinstance(value, Mapping):
        yield from ((place.key(key), item) for key, item in value.items() if key not in _LONG_BY_NATURE)
    elif isinstance(value, list | tuple):
        yield from ((place.index(position), item) for position, item in enumerate(value))
