"""What a new catalog changes for the instances that were made from the old one.

Platforms find offerings and plans by `id` alone (CAT-06). So what counts as breaking is what takes something from the
instances and bindings of an id, or makes an id or a name mean something else.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .catalog_rules.finding import Place, shown
from .schema_diff import narrowed


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two catalogs; `breaking` if existing instances or their users lose something by it."""

    kind: str
    breaking: bool
    where: str
    message: str


@dataclass(frozen=True, slots=True)
class _Plan:
    id: str
    value: Mapping[str, Any]
    offering_id: str
    offering: Mapping[str, Any]

    @property
    def name(self) -> str:
        return _name(self.value, self.id)

    @property
    def place(self) -> Place:
        return Place(f"{_offering_place(self.offering, self.offering_id).path}.plans[{shown(self.name)}]")

    def says(self, key: str, *, default: bool, inherited: bool = False) -> bool:
        """Return what holds for the plan: what it says, else its offering if it inherits, else the default."""
        for record in (self.value, self.offering) if inherited else (self.value,):
            value = record.get(key)
            if isinstance(value, bool):
                return value
        return default


@dataclass(frozen=True, slots=True)
class _Switch:
    """A boolean of the catalog, and what it means that it goes from true to false."""

    key: str
    withdrawn: str
    granted: str
    default: bool = False
    inherited: bool = False
    breaking: bool = True


_PLAN_SWITCHES = (
    _Switch("bindable", "instances can no longer be bound", "instances can be bound now", inherited=True),
    _Switch(
        "plan_updateable",
        "instances can no longer change to another plan",
        "instances can change to another plan now",
        inherited=True,
    ),
    _Switch("binding_rotatable", "bindings can no longer be rotated", "bindings can be rotated now"),
    _Switch("free", "the plan was free and now has a cost", "the plan had a cost and is free now", default=True),
)
_OFFERING_SWITCHES = (
    _Switch("instances_retrievable", "instances can no longer be fetched", "instances can be fetched now"),
    _Switch("bindings_retrievable", "bindings can no longer be fetched", "bindings can be fetched now"),
    _Switch(
        "allow_context_updates",
        "platforms no longer report changes of an instance's context",
        "platforms may report changes of an instance's context now",
        breaking=False,
    ),
)

# What is shown to people only, and what platforms treat as a blob.
_SHOWN_OFFERING_FIELDS = ("description", "tags", "metadata")
_SHOWN_PLAN_FIELDS = ("description", "metadata")

_SCHEMAS = (
    ("service_instance", "create", "new instances"),
    ("service_instance", "update", "updates of instances"),
    ("service_binding", "create", "new bindings"),
)


def diff(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Compare two catalogs by what the new one means for existing instances.

    Args:
        old: the catalog that instances were made from, as decoded JSON, `{"services": [...]}`.
        new: the catalog that is to take its place.

    Returns:
        The changes, in the order of the old catalog, then what only the new one has. What has no usable id is left
        out: `catalog_rules.check` finds it.

    Specification: "Catalog Management".
    """
    before, after = _offerings(old), _offerings(new)
    plans_before, plans_after = _all_plans(before), _all_plans(after)
    return [
        *_offering_changes(before, after),
        *_plan_changes(plans_before, plans_after, after),
        *_new_offerings(before, after),
        *_new_plans(plans_before, plans_after, before),
    ]


def _break(kind: str, place: Place, message: str) -> Change:
    return Change(kind, breaking=True, where=str(place), message=message)


def _note(kind: str, place: Place, message: str) -> Change:
    return Change(kind, breaking=False, where=str(place), message=message)


def _offerings(document: object) -> dict[str, Mapping[str, Any]]:
    return _by_id(document.get("services") if isinstance(document, Mapping) else None)


def _by_id(members: object) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for member in members if isinstance(members, list | tuple) else ():
        if isinstance(member, Mapping) and isinstance(member.get("id"), str):
            found.setdefault(member["id"], member)
    return found


def _all_plans(offerings: Mapping[str, Mapping[str, Any]]) -> dict[str, _Plan]:
    found: dict[str, _Plan] = {}
    for offering_id, offering in offerings.items():
        for plan_id, plan in _by_id(offering.get("plans")).items():
            found.setdefault(plan_id, _Plan(plan_id, plan, offering_id, offering))
    return found


def _name(record: Mapping[str, Any], record_id: str) -> str:
    name = record.get("name")
    return name if isinstance(name, str) and name else record_id


def _offering_place(offering: Mapping[str, Any], offering_id: str) -> Place:
    return Place(f"services[{shown(_name(offering, offering_id))}]")


def _offering_changes(
    before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]
) -> Iterator[Change]:
    for offering_id, offering in before.items():
        place = _offering_place(offering, offering_id)
        if offering_id in after:
            yield from _compare_offerings(offering, after[offering_id], place)
        else:
            message = f"the offering with id {shown(offering_id)} is gone; keep it as long as it has instances"
            yield _break("offering-removed", place, message)


def _compare_offerings(old: Mapping[str, Any], new: Mapping[str, Any], place: Place) -> Iterator[Change]:
    yield from _renamed(old, new, place, "offering")
    for switch in _OFFERING_SWITCHES:
        was, now = (record.get(switch.key) is True for record in (old, new))
        yield from _switched(switch, place, was=was, now=now)
    yield from _compare_permissions(old, new, place.key("requires"))
    yield from _compare_dashboard(old.get("dashboard_client"), new.get("dashboard_client"), place)
    yield from _shown_changes(old, new, place, _SHOWN_OFFERING_FIELDS)


def _renamed(old: Mapping[str, Any], new: Mapping[str, Any], place: Place, noun: str) -> Iterator[Change]:
    # Not breaking: platforms keep to the id, so that instances stay as they are (CAT-06). It is the users' scripts
    # that say the name; if the old name now means something else, that is a change of its own, and breaking.
    if old.get("name") != new.get("name"):
        message = f"is called {shown(str(new.get('name')))} now; instances stay, but scripts that say the old name fail"
        yield _note(f"{noun}-renamed", place.key("name"), message)


def _switched(switch: _Switch, place: Place, *, was: bool, now: bool) -> Iterator[Change]:
    if was and not now:
        yield Change(f"{switch.key}-withdrawn", switch.breaking, str(place.key(switch.key)), switch.withdrawn)
    elif now and not was:
        yield _note(f"{switch.key}-granted", place.key(switch.key), switch.granted)


def _compare_permissions(old: Mapping[str, Any], new: Mapping[str, Any], place: Place) -> Iterator[Change]:
    was, now = _permissions(old), _permissions(new)
    # Breaking in both directions: more must be granted by users, with less the broker's bindings become invalid.
    if now - was:
        message = f"asks for {', '.join(sorted(now - was))} as well; users must grant it"
        yield _break("requires-added", place, message)
    if was - now:
        message = f"no longer asks for {', '.join(sorted(was - now))}; platforms refuse bindings that still use it"
        yield _break("requires-removed", place, message)


def _permissions(offering: Mapping[str, Any]) -> set[str]:
    value = offering.get("requires")
    return {shown(item) for item in value if isinstance(item, str)} if isinstance(value, list | tuple) else set()


def _compare_dashboard(old: object, new: object, place: Place) -> Iterator[Change]:
    at = place.key("dashboard_client")
    if _same(old, new):
        return
    if old is None:
        yield _note("dashboard-client-added", at, "platforms make an OAuth client for the dashboard now")
    else:
        # No value is shown: one of them is the client's secret.
        what = "is gone" if new is None else f"is different in {', '.join(_different_keys(old, new)) or 'type'}"
        yield _break("dashboard-client-changed", at, f"{what}; users of dashboards may no longer sign in")


def _different_keys(old: object, new: object) -> list[str]:
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return []
    return [shown(key) for key in sorted({*old, *new}, key=str) if not _same(old.get(key), new.get(key))]


def _same(old: object, new: object) -> bool:
    # Not `==`: it takes true for 1, and JSON does not.
    return json.dumps(old, sort_keys=True, default=str) == json.dumps(new, sort_keys=True, default=str)


def _shown_changes(
    old: Mapping[str, Any], new: Mapping[str, Any], place: Place, fields: tuple[str, ...]
) -> Iterator[Change]:
    for field in fields:
        if not _same(old.get(field), new.get(field)):
            yield _note(f"{field}-changed", place.key(field), "is different")


def _plan_changes(
    before: Mapping[str, _Plan], after: Mapping[str, _Plan], offerings: Mapping[str, Mapping[str, Any]]
) -> Iterator[Change]:
    for plan_id, plan in before.items():
        if plan_id in after:
            yield from _compare_plans(plan, after[plan_id])
        elif plan.offering_id in offerings:  # else it went with its offering
            message = f"the plan with id {shown(plan_id)} is gone; keep it as long as it has instances"
            yield _break("plan-removed", plan.place, message)


def _compare_plans(old: _Plan, new: _Plan) -> Iterator[Change]:
    place = old.place
    if old.offering_id != new.offering_id:
        # The id of a plan always means the plan of the same offering (Service Plan object, `id`).
        message = (
            f"the plan with id {shown(old.id)} is now {new.place}; a plan of another offering needs an id of its own"
        )
        yield _break("plan-moved", place, message)
    yield from _renamed(old.value, new.value, place, "plan")
    for switch in _PLAN_SWITCHES:
        was, now = (plan.says(switch.key, default=switch.default, inherited=switch.inherited) for plan in (old, new))
        yield from _switched(switch, place, was=was, now=now)
    yield from _compare_schemas(old, new)
    yield from _compare_polling(old, new)
    yield from _compare_maintenance(old, new)
    yield from _shown_changes(old.value, new.value, place, _SHOWN_PLAN_FIELDS)


def _compare_schemas(old: _Plan, new: _Plan) -> Iterator[Change]:
    for group, request, what in _SCHEMAS:
        place = old.place.key("schemas").key(group).key(request).key("parameters")
        was, now = _schema(old, group, request), _schema(new, group, request)
        if now is None and was is not None:
            yield _note("schema-removed", place, f"parameters of {what} are no longer described")
        elif now is not None:
            if was is None:
                yield _note("schema-added", place, f"parameters of {what} are described now")
            for narrowing in narrowed(was, now, place):
                kind = "schema-stricter" if narrowing.breaking else "schema-changed"
                yield Change(kind, narrowing.breaking, str(narrowing.place), narrowing.message)


def _schema(plan: _Plan, *keys: str) -> Mapping[str, Any] | None:
    value: object = plan.value.get("schemas")
    for key in (*keys, "parameters"):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else None


def _compare_polling(old: _Plan, new: _Plan) -> Iterator[Change]:
    key = "maximum_polling_duration"
    was, now = (plan.value.get(key) for plan in (old, new))
    if _same(was, now):
        return
    if isinstance(was, int) and isinstance(now, int):
        message = f"was {was} and is {now} seconds"
        kind = "lowered" if now < was else "raised"
    else:
        message = "is left to the platform now" if now is None else "is different"
        kind = "changed"
    yield _note(f"maximum-polling-duration-{kind}", old.place.key(key), message)


def _compare_maintenance(old: _Plan, new: _Plan) -> Iterator[Change]:
    was, now = (_maintenance_version(plan) for plan in (old, new))
    if not _same(was, now):
        place = old.place.key("maintenance_info").key("version")
        if now is None:
            message = "is gone; instances are offered no maintenance"
        else:
            message = f"is {shown(str(now))} now; instances of another version will be offered the maintenance"
        yield _note("maintenance-version-changed", place, message)


def _maintenance_version(plan: _Plan) -> object:
    value = plan.value.get("maintenance_info")
    return value.get("version") if isinstance(value, Mapping) else None


def _new_offerings(before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]) -> Iterator[Change]:
    names = {_name(offering, offering_id): offering_id for offering_id, offering in before.items()}
    for offering_id, offering in after.items():
        place = _offering_place(offering, offering_id)
        if offering_id not in before:
            yield _note("offering-added", place, f"is new, with id {shown(offering_id)}")
        if offering_id not in before or _name(before[offering_id], offering_id) != _name(offering, offering_id):
            yield from _reused(names.get(_name(offering, offering_id)), offering_id, place, "offering")


def _new_plans(
    before: Mapping[str, _Plan], after: Mapping[str, _Plan], offerings: Mapping[str, Mapping[str, Any]]
) -> Iterator[Change]:
    names = {(plan.offering_id, plan.name): plan_id for plan_id, plan in before.items()}
    for plan_id, plan in after.items():
        if plan_id not in before and plan.offering_id in offerings:
            yield _note("plan-added", plan.place, f"is new, with id {shown(plan_id)}")
        if plan_id not in before or before[plan_id].name != plan.name:
            yield from _reused(names.get((plan.offering_id, plan.name)), plan_id, plan.place, "plan")


def _reused(former_id: str | None, new_id: str, place: Place, noun: str) -> Iterator[Change]:
    if former_id is not None:
        message = (
            f"the name meant the id {shown(former_id)} and means {shown(new_id)} now; "
            f"platforms take it for another {noun}, keep the id or choose another name"
        )
        yield _break(f"{noun}-name-reused", place.key("name"), message)
