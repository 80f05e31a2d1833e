"""The broker's help: a file that says what cannot be seen in a catalog."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml


class Trait(StrEnum):
    """What a plan does that a catalog does not say; each with how to get such a plan in `HOW_TO_GET`."""

    SLOW = "slow"
    FAILS_PROVISION = "fails-provision"
    FAILS_UPDATE = "fails-update"
    FAILS_DEPROVISION = "fails-deprovision"
    FAILS_BIND = "fails-bind"
    FAILS_UNBIND = "fails-unbind"
    BREAKS_PROVISION = "breaks-provision"
    BREAKS_UPDATE = "breaks-update"
    REQUIRES_APP = "requires-app"
    OVER_QUOTA = "over-quota"
    OVER_QUOTA_UPDATE = "over-quota-update"
    LOG_DRAIN = "log-drain"
    ROUTE_SERVICE = "route-service"
    ROUTE_OUT_OF_BAND = "route-out-of-band"
    VOLUME = "volume"
    NO_CREDENTIALS = "no-credentials"
    SERIAL_BINDS = "serial-binds"
    HARD_OPERATION = "hard-operation"


HOW_TO_GET: Mapping[Trait, str] = {
    Trait.SLOW: "a plan whose asynchronous operations take two seconds or more, so that requests can be sent meanwhile",
    Trait.FAILS_PROVISION: "a plan, or parameters, with which an asynchronous provision ends 'failed'",
    Trait.FAILS_UPDATE: "a plan, or update_parameters, with which an asynchronous update ends 'failed'",
    Trait.FAILS_DEPROVISION: "a plan whose first asynchronous deprovision ends 'failed'; a later one has to succeed",
    Trait.FAILS_BIND: "a plan, or bind_parameters, with which an asynchronous bind ends 'failed'",
    Trait.FAILS_UNBIND: "a plan whose first asynchronous unbind ends 'failed'; a later one has to succeed",
    Trait.BREAKS_PROVISION: "a plan, or parameters, with which a provision is answered with a status of 5xx",
    Trait.BREAKS_UPDATE: "a plan, or update_parameters, with which an update is answered with a status of 5xx",
    Trait.REQUIRES_APP: "a plan that can only be bound to an application",
    Trait.OVER_QUOTA: "a plan of which no further instance may be made",
    Trait.OVER_QUOTA_UPDATE: "a plan with an update_to, or update_parameters, that the quota or the usage forbids",
    Trait.LOG_DRAIN: "a plan whose bindings have a syslog_drain_url",
    Trait.ROUTE_SERVICE: "a plan of a route service that is proxied: its bindings have a route_service_url",
    Trait.ROUTE_OUT_OF_BAND: "a plan of a route service that is wired up by other means",
    Trait.VOLUME: "a plan whose bindings have volume_mounts",
    Trait.NO_CREDENTIALS: "a plan whose bindings have no credentials",
    Trait.SERIAL_BINDS: "a plan that takes one bind of an instance at a time, and takes a while for it",
    Trait.HARD_OPERATION: "a plan whose operation ids hold spaces, slashes or letters beyond ASCII",
}

#: With these nothing can be provisioned, so there is nothing to survey.
UNMAKEABLE = frozenset({Trait.FAILS_PROVISION, Trait.BREAKS_PROVISION, Trait.OVER_QUOTA})


class BadFile(Exception):  # noqa: N818 - it carries the sentence for the user
    """A file that cannot be used; the text says what to change, and where."""


@dataclass(frozen=True)
class PlanHelp:
    """What the file says of one plan. All parameters are optional: what is missing is made from the plan's schema."""

    service: str
    plan: str
    parameters: Mapping[str, Any] | None = field(default=None, repr=False)
    other_parameters: Mapping[str, Any] | None = field(default=None, repr=False)
    bad_parameters: Mapping[str, Any] | None = field(default=None, repr=False)
    update_parameters: Mapping[str, Any] | None = field(default=None, repr=False)
    bad_update_parameters: Mapping[str, Any] | None = field(default=None, repr=False)
    bind_parameters: Mapping[str, Any] | None = field(default=None, repr=False)
    other_bind_parameters: Mapping[str, Any] | None = field(default=None, repr=False)
    bad_bind_parameters: Mapping[str, Any] | None = field(default=None, repr=False)
    update_to: str | None = None
    update_not_to: str | None = None
    traits: frozenset[Trait] = frozenset()


@dataclass(frozen=True)
class Switch:
    """Something to be done to the broker from outside: a POST to a path, or a command."""

    post: str | None = None
    get: str | None = None
    command: str | None = None
    file: str | None = None


@dataclass(frozen=True)
class SecondPlatform:
    """The broker as another platform sees it (AUTH-10)."""

    url: str
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class BrokerHelp:
    """What the file says of the broker as a whole."""

    minimum_version: str | None = None
    token: str | None = field(default=None, repr=False)
    second_platform: SecondPlatform | None = None
    restart: Switch | None = None
    change_catalog: Switch | None = None
    restore_catalog: Switch | None = None
    request_log: Switch | None = None


@dataclass(frozen=True)
class Cooperation:
    """The whole file; empty where there is none."""

    plans: tuple[PlanHelp, ...] = ()
    broker: BrokerHelp = BrokerHelp()

    @classmethod
    def read(cls, path: Path) -> Cooperation:
        """Read a file in YAML or JSON.

        Raises:
            BadFile: It cannot be read, or says something unknown; the text names the place.
        """
        try:
            found = yaml.safe_load(path.read_text("utf-8"))
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise BadFile(f"{path}: cannot be read: {error}") from error
        try:
            return cls.of(found or {})
        except BadFile as error:
            raise BadFile(f"{path}: {error}") from None

    @classmethod
    def of(cls, found: Any) -> Cooperation:
        """Make it of what a file holds."""
        top = _mapping(found, "the file", ("plans", "broker"))
        listed = [] if top.get("plans") is None else top["plans"]
        if not isinstance(listed, list):
            raise BadFile("plans: must be a list")
        plans = tuple(_plan(item, f"plans[{index}]") for index, item in enumerate(listed))
        return cls(plans, _broker(top.get("broker") or {}))

    def secrets(self) -> Iterator[str]:
        """Go through the texts of the file that no report may show: the values of all parameters, and passwords."""
        for plan in self.plans:
            for item in fields(plan):
                if item.name.endswith("parameters"):
                    yield from _texts(getattr(plan, item.name))
        if self.broker.token:
            yield self.broker.token
        if self.broker.second_platform:
            yield self.broker.second_platform.password


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _mapping(found: Any, where: str, known: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise BadFile(f"{where}: must be a mapping of names to values")
    unknown = [key for key in found if key not in known]
    if unknown:
        raise BadFile(f"{where}: {unknown[0]!r} is not known here; known are {', '.join(known)}")
    return found


def _plan(found: Any, where: str) -> PlanHelp:
    values = _mapping(found, where, tuple(item.name for item in fields(PlanHelp)))
    for name in ("service", "plan"):
        if not isinstance(values.get(name), str):
            raise BadFile(f"{where}.{name}: must be the name or the id from the catalog")
    for name, value in values.items():
        if name.endswith("parameters") and value is not None and not isinstance(value, dict):
            raise BadFile(f"{where}.{name}: must be a mapping: parameters are a JSON object")
    return PlanHelp(**{**values, "traits": _traits(values.get("traits") or [], f"{where}.traits")})


def _traits(found: Any, where: str) -> frozenset[Trait]:
    if not isinstance(found, list):
        raise BadFile(f"{where}: must be a list")
    try:
        return frozenset(Trait(name) for name in found)
    except ValueError as error:
        raise BadFile(f"{where}: {error}; known are {', '.join(Trait)}") from None


def _broker(found: Any) -> BrokerHelp:
    values = dict(_mapping(found, "broker", tuple(item.name for item in fields(BrokerHelp))))
    for name in ("minimum_version", "token"):
        if not isinstance(values.get(name) or "", str):
            raise BadFile(f"broker.{name}: must be a text, in quotes: 2.10 without them is the number 2.1")
    for name in ("restart", "change_catalog", "restore_catalog", "request_log"):
        if values.get(name) is not None:
            known = tuple(item.name for item in fields(Switch))
            values[name] = Switch(**_mapping(values[name], f"broker.{name}", known))
    if values.get("second_platform") is not None:
        known = tuple(item.name for item in fields(SecondPlatform))
        second = _mapping(values["second_platform"], "broker.second_platform", known)
        missing = [name for name in known if not isinstance(second.get(name), str)]
        if missing:
            raise BadFile(f"broker.second_platform.{missing[0]}: must be given, as text")
        values["second_platform"] = SecondPlatform(**second)
    return BrokerHelp(**values)
