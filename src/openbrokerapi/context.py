"""Typed views of ``context`` and of the originating identity (profile)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias


@dataclass(frozen=True)
class CloudFoundryContext:
    """The context of Cloud Foundry (profile, section "Cloud Foundry Context Object").

    What a version of the API did not have yet is None (CTX-03); what the platform adds beyond is in ``others``.
    """

    organization_guid: str | None = None
    organization_name: str | None = None
    organization_annotations: Mapping[str, Any] | None = None
    space_guid: str | None = None
    space_name: str | None = None
    space_annotations: Mapping[str, Any] | None = None
    instance_name: str | None = None
    instance_annotations: Mapping[str, Any] | None = None
    others: Mapping[str, Any] = field(default_factory=dict)
    platform: str = "cloudfoundry"


@dataclass(frozen=True)
class KubernetesContext:
    """The context of Kubernetes (profile, section "Kubernetes Context Object")."""

    namespace: str | None = None
    namespace_annotations: Mapping[str, Any] | None = None
    clusterid: str | None = None
    instance_name: str | None = None
    instance_annotations: Mapping[str, Any] | None = None
    others: Mapping[str, Any] = field(default_factory=dict)
    platform: str = "kubernetes"


@dataclass(frozen=True)
class OtherContext:
    """The context of any other platform."""

    platform: str | None = None
    others: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CloudFoundryIdentity:
    """A user of Cloud Foundry (profile, section "Cloud Foundry Originating Identity Header")."""

    user_id: str | None = None
    others: Mapping[str, Any] = field(default_factory=dict)
    platform: str = "cloudfoundry"


@dataclass(frozen=True)
class KubernetesIdentity:
    """A user of Kubernetes (profile, section "Kubernetes Originating Identity Header")."""

    username: str | None = None
    uid: str | None = None
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    others: Mapping[str, Any] = field(default_factory=dict)
    platform: str = "kubernetes"


@dataclass(frozen=True)
class OtherIdentity:
    """A user of any other platform."""

    platform: str
    others: Mapping[str, Any] = field(default_factory=dict)


Context: TypeAlias = CloudFoundryContext | KubernetesContext | OtherContext
Identity: TypeAlias = CloudFoundryIdentity | KubernetesIdentity | OtherIdentity

_CONTEXTS: dict[str, type[CloudFoundryContext | KubernetesContext]] = {
    "cloudfoundry": CloudFoundryContext,
    "kubernetes": KubernetesContext,
}
_NOT_FIELDS = frozenset(("platform", "others"))


def _known(kind: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    # A value of another type than the profile's stays among the others: no field ever lies about its type.
    known: dict[str, Any] = {}
    others = {}
    for name, value in values.items():
        wanted = Mapping if name.endswith("_annotations") else str
        if name in kind.__dataclass_fields__ and name not in _NOT_FIELDS and isinstance(value, wanted):
            known[name] = value
        elif name != "platform":
            others[name] = value
    return {**known, "others": others}


def typed_context(context: Mapping[str, Any] | None) -> Context | None:
    """Give the typed view of a request's ``context``; None where there was none."""
    if context is None:
        return None
    platform = context.get("platform")
    kind = _CONTEXTS.get(platform) if isinstance(platform, str) else None
    if kind is not None:
        return kind(**_known(kind, context))
    others = {name: value for name, value in context.items() if name != "platform"}
    return OtherContext(platform if isinstance(platform, str) else None, others)


def typed_identity(identity: Mapping[str, Any] | None) -> Identity | None:
    """Give the typed view of a details object's ``originating_identity``; None where there was none."""
    if identity is None:
        return None
    value = dict(identity["value"])
    if identity["platform"] == "cloudfoundry":
        return CloudFoundryIdentity(_text(value.pop("user_id", None)), value)
    if identity["platform"] == "kubernetes":
        name, uid = _text(value.pop("username", None)), _text(value.pop("uid", None))
        groups, extra = _texts(value.pop("groups", None)), value.pop("extra", None)
        extras = {key: _texts(held) for key, held in extra.items()} if isinstance(extra, dict) else {}
        return KubernetesIdentity(name, uid, groups, extras, value)
    return OtherIdentity(identity["platform"], value)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
