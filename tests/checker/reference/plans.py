"""The offerings and plans: what the catalog says of each, and how the broker behaves for it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

NAMESPACE = uuid.UUID("5d2c1b1e-7f53-4a6b-9a0d-1f2a6f0f4d10")
"""The ids of offerings and plans follow from it and their names, so that they are the same for ever."""

Mode = Literal["sync", "async", "either"]


@dataclass(frozen=True)
class Behaviour:
    """How instances and bindings of a plan behave.

    A mode says whether the work is done in the request: `async` never, `either` unless the request allows 202.
    `fails` and `fails_once` name operations that end as failed, `breaks` those that answer 500.
    """

    provision: Mode = "sync"
    update: Mode = "sync"
    deprovision: Mode = "sync"
    bind: Mode = "sync"
    unbind: Mode = "sync"
    fails: frozenset[str] = frozenset()
    fails_once: frozenset[str] = frozenset()
    breaks: frozenset[str] = frozenset()
    operation: str = "{kind}-{number}"  # "" where the platform is told none
    halts_creation: bool = True
    fetchable_while_updating: bool = True
    gone_after_delete: bool = False  # True: polls after the end of a deletion answer 410, else 200 `succeeded`
    locked: bool = False
    is_full: bool = False
    quota: int = 100
    requires_app: bool = False
    serial_binds: bool = False
    gives: tuple[str, ...] = ("credentials", "endpoints")
    expires: bool = False
    retired: bool = False  # in the changed catalog no longer
    arrives: bool = False  # in the changed catalog only


@dataclass(frozen=True, eq=False)
class Plan:
    """One plan: its id, what the catalog says of it, its behaviour."""

    service_id: str
    id: str
    name: str
    description: str
    behaviour: Behaviour
    says: Mapping[str, Any]

    @property
    def version(self) -> str | None:
        """The version of its `maintenance_info`, None without."""
        info = self.says.get("maintenance_info")
        return info["version"] if info else None


@dataclass(frozen=True, eq=False)
class Offering:
    """One offering: its id, what the catalog says of it, all plans it ever has by id."""

    id: str
    name: str
    description: str
    says: Mapping[str, Any]
    plans: Mapping[str, Plan] = field(default_factory=dict)


def make_id(*names: str) -> str:
    """Return the GUID of what has these names."""
    return str(uuid.uuid5(NAMESPACE, "/".join(names)))


def make_offering(name: str, description: str, plans: Mapping[str, tuple[Any, ...]], **says: Any) -> Offering:
    """Return an offering; a plan's value is its description, its behaviour, and what else the catalog says of it."""
    service_id = make_id(name)
    made = [make_plan(service_id, name, plan, *about) for plan, about in plans.items()]
    return Offering(service_id, name, description, says, {plan.id: plan for plan in made})


def make_plan(
    service_id: str,
    service: str,
    name: str,
    description: str,
    behaviour: Behaviour,
    says: Mapping[str, Any] | None = None,
) -> Plan:
    """Return one plan."""
    return Plan(service_id, make_id(service, name), name, description, behaviour, says or {})


SIZE = {"type": "integer", "minimum": 1, "maximum": 100}
LABEL = {"type": "string", "minLength": 1, "maxLength": 40}
DRAFT_7 = "http://json-schema.org/draft-07/schema#"
DRAFT_4 = "http://json-schema.org/draft-04/schema#"
SECRETS = ("admin_password",)
"""Parameters that a fetch does not show."""


def describe_parameters(draft: str, **properties: Any) -> dict[str, Any]:
    """Return what a catalog holds about the parameters of one kind of request."""
    schema = {"$schema": draft, "type": "object", "properties": properties, "additionalProperties": False}
    return {"parameters": schema}


SIZED = describe_parameters(DRAFT_4, size={"$ref": "#/definitions/size"}, label=LABEL)
SIZED["parameters"]["definitions"] = {"size": SIZE}
ROLE = describe_parameters(DRAFT_7, role={"type": "string", "enum": ["reader", "writer"]})
SECRET = {"type": "string", "minLength": 1, "writeOnly": True}
SCHEMAS = {
    "service_instance": {
        "create": describe_parameters(DRAFT_7, size=SIZE, label=LABEL, admin_password=SECRET),
        "update": SIZED,
    },
    "service_binding": {"create": ROLE},
}
MAINTENANCE = {
    "version": "2.1.1+abcdef",
    "description": "Takes a minute, during which connections break.",
}
FULL = {"schemas": SCHEMAS, "maintenance_info": MAINTENANCE}
PAID = {
    "free": False,
    "metadata": {
        "displayName": "Large",
        "bullets": ["100 GB", "A machine of its own"],
        "costs": [{"amount": {"usd": 99.0, "eur": 89.5}, "unit": "MONTHLY"}],
    },
}
FREE = {"free": True, "metadata": {"displayName": "Small", "bullets": ["1 GB"]}}
CLIENT = {
    "id": "reference-dashboard",
    "secret": "277cabb0-made-up",
    "redirect_uri": "https://dashboard.reference.example/login",
}
SPARE = {"bindable": True, "binding_rotatable": False, "plan_updateable": True}
POLLED = {**FULL, "maximum_polling_duration": 60}
ROTATABLE = {**FULL, "binding_rotatable": True}


def slow(**further: Any) -> Behaviour:
    """Return the behaviour of a plan whose every operation is asynchronous."""
    modes: dict[str, Any] = dict.fromkeys(("provision", "update", "deprovision", "bind", "unbind"), "async")
    return Behaviour(**{**modes, **further})


def either(**further: Any) -> Behaviour:
    """Return the behaviour of a plan whose every operation is asynchronous where the request allows it."""
    modes: dict[str, Any] = dict.fromkeys(("provision", "update", "deprovision", "bind", "unbind"), "either")
    return Behaviour(**{**modes, **further})


DATABASE = make_offering(
    "reference-db",
    "A database that never was",
    {
        "quick": ("Everything is done in the request", Behaviour(), {**FULL, **FREE, "bindable": True}),
        "large": ("What a quick one may become", Behaviour(), {**FULL, **PAID}),
        "locked": ("No other plan may become it", Behaviour(locked=True), FULL),
        "breaks-provision": ("Creation breaks", Behaviour(breaks=frozenset({"provision"})), FULL),
        "breaks-update": ("Updates break", Behaviour(breaks=frozenset({"update"})), FULL),
        "app-only": ("Binds only to an application", Behaviour(requires_app=True), FULL),
        "full": ("Has no room left", Behaviour(is_full=True), FULL),
        "quota-update": ("At most of size 10", Behaviour(quota=10), FULL),
        "retiring": ("Leaves the catalog when it changes", Behaviour(retired=True), FULL),
        "arriving": ("Comes when the catalog changes", Behaviour(arrives=True), FULL),
        "rotatable": ("Its bindings expire", Behaviour(expires=True), ROTATABLE),
    },
    tags=["sql", "relational"],
    bindable=True,
    instances_retrievable=True,
    bindings_retrievable=True,
    plan_updateable=True,
    allow_context_updates=True,
    metadata={
        "displayName": "Reference database",
        "imageUrl": "https://reference.example/database.png",
        "longDescription": "It obeys the specification, and holds no data.",
        "providerDisplayName": "Reference",
        "documentationUrl": "https://reference.example/documentation",
        "supportUrl": "https://reference.example/support",
        "shareable": True,
    },
    dashboard_client=CLIENT,
)

SLOW = make_offering(
    "reference-slow",
    "A database that takes its time",
    {
        "patient": ("All is asynchronous", slow(fetchable_while_updating=False), POLLED),
        "patient-large": ("What a patient one may become", slow(), {**POLLED, **PAID}),
        "patient-locked": ("No other plan may become it", slow(locked=True), POLLED),
        "either": ("Asynchronous where it is allowed", either(operation="", gone_after_delete=True), POLLED),
        "hard-operation": (
            "Names its operations oddly",
            slow(operation="a b/c?d=é-{number}", halts_creation=False),
            {},
        ),
        "rotatable-slow": ("Its bindings expire, and take time", slow(expires=True), {**ROTATABLE, **POLLED}),
        "serial-binds": ("One binding at a time", Behaviour(bind="either", serial_binds=True), POLLED),
        "fails-provision": ("Creation fails", Behaviour(provision="async", fails=frozenset({"provision"})), POLLED),
        "fails-update": ("Updates fail", Behaviour(update="async", fails=frozenset({"update"})), POLLED),
        "fails-deprovision": (
            "The first deletion fails",
            Behaviour(deprovision="async", fails_once=frozenset({"deprovision"})),
            POLLED,
        ),
        "fails-bind": ("Binding fails", Behaviour(bind="async", fails=frozenset({"bind"})), POLLED),
        "fails-unbind": (
            "The first unbinding fails",
            Behaviour(unbind="async", fails_once=frozenset({"unbind"})),
            POLLED,
        ),
        # UNB-15
        "unhaltable-bind": (
            "A binding is unbound only when it is there",
            Behaviour(bind="async", halts_creation=False),
            POLLED,
        ),
    },
    bindable=True,
    instances_retrievable=True,
    bindings_retrievable=True,
    plan_updateable=True,
    metadata={"displayName": "Slow database"},
)


def make_small(name: str, description: str, behaviour: Behaviour, **says: Any) -> Offering:
    """Return an offering with one plan, `standard`, that is like the database's but for what is said here."""
    about = {"bindable": True, "instances_retrievable": True, "bindings_retrievable": True, **says}
    return make_offering(name, description, {"standard": ("The only plan", behaviour, {"schemas": SCHEMAS})}, **about)


OFFERINGS = (
    DATABASE,
    SLOW,
    # CAT-12: its name differs from the first one's in capital letters only.
    make_small("Reference-DB", "Another service, in capital letters", Behaviour(), tags=[]),
    make_small("log-drain", "Takes logs", Behaviour(gives=("syslog_drain_url",)), requires=["syslog_drain"]),
    make_small(
        "proxy", "Stands before a route", Behaviour(gives=("route_service_url",)), requires=["route_forwarding"]
    ),
    make_small("out-of-band", "Is wired to a route elsewhere", Behaviour(gives=()), requires=["route_forwarding"]),
    make_small("volume", "A shared directory", Behaviour(gives=("volume_mounts",)), requires=["volume_mount"]),
    make_small("unretrievable", "Shows nothing", Behaviour(), instances_retrievable=False, bindings_retrievable=False),
    make_offering(
        "unbindable",
        "Is not for binding",
        {"standard": ("The only plan", Behaviour(), {"schemas": {"service_instance": SCHEMAS["service_instance"]}})},
        bindable=False,
        instances_retrievable=True,
    ),
    make_offering(
        "fixed-plan",
        "Keeps its plan",
        {
            "standard": ("Its parameters may change", Behaviour(), {**FULL, "plan_updateable": False}),
            "other": ("Is not to be had from the first", Behaviour(), {**FULL, "bindable": False}),
        },
        bindable=True,
        instances_retrievable=True,
        bindings_retrievable=True,
        plan_updateable=False,
    ),
    # The checker's file does not name it: a fault may spoil what the catalog says of it, and the others work.
    make_offering(
        "spare",
        "For faults of the catalog to spoil",
        {
            "standard": ("Says all that a plan can say", Behaviour(), {**POLLED, **PAID, **SPARE}),
            "other": ("Says something else", Behaviour(), {**FULL, **FREE}),
        },
        **{**DATABASE.says, "tags": ["spare"], "dashboard_client": {**CLIENT, "id": "spare-dashboard"}},
    ),
)
