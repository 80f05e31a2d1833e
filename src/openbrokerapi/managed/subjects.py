"""What the author's methods are handed: the instance, the binding, and who asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from openbrokerapi.context import Context, Identity, typed_context, typed_identity

from .plans import Plan

P = TypeVar("P")


@dataclass(frozen=True)
class Who:
    """Who asked for something.

    Attributes:
        user: The user of the basic authentication, as the authenticator gave it.
        originating_identity: ``{"platform": str, "value": dict}`` (section "Originating Identity").
        request_identity: The request's identity header.
    """

    user: str | None = None
    originating_identity: Mapping[str, Any] | None = None
    request_identity: str | None = None

    @property
    def identity(self) -> Identity | None:
        """The originating identity, typed."""
        given = self.originating_identity
        return typed_identity(dict(given) if given is not None else None)


#: The package itself, such as when it revokes what has expired.
NOBODY = Who()


@dataclass(frozen=True, kw_only=True)
class Instance(Generic[P]):
    """An instance, as one of its operations wants it.

    Attributes:
        id: As the platform chose it: any text. Names of files, hosts or databases are to be made of it with care.
        service_id: The offering's.
        plan: Its plan; of one that has left the offering, only the id is known.
        parameters: As the offering's type; a dict where it has none.
        context: As the platform sent it last.
        organization_guid, space_guid: Where it belongs in Cloud Foundry.
        dashboard_url, metadata: What a provision or an update has given before.
        private: What the author keeps of it; None until the provision has succeeded.
        maintenance_version: The version of the plan's maintenance that it has, or is to get.
        who: Who asked for the operation.
    """

    id: str
    service_id: str
    plan: Plan
    parameters: P = field(repr=False)
    context: Mapping[str, Any] = field(default_factory=dict, repr=False)
    organization_guid: str | None = None
    space_guid: str | None = None
    maintenance_version: str | None = None
    dashboard_url: str | None = field(default=None, repr=False)
    metadata: Mapping[str, Any] | None = None
    private: Any = field(default=None, repr=False)
    who: Who = NOBODY

    @property
    def typed_context(self) -> Context | None:
        """The context, typed: of Cloud Foundry, of Kubernetes, or of another platform."""
        return typed_context(dict(self.context) or None)


@dataclass(frozen=True, kw_only=True)
class Binding(Generic[P]):
    """A binding, as one of its operations wants it.

    Attributes:
        id: As the platform chose it: any text.
        context: As the platform sent it.
        parameters: As the offering's type for bindings; a dict where it has none.
        app_guid: The application, if the binding is for one.
        bind_resource: As the platform sent it.
        credentials: What it has, once it is bound.
        expires_at: When it ends, if the bind said so.
        private: What the author keeps of it; None until the bind has succeeded.
        predecessor: Of a rotation: the binding that this one takes over from (2.17).
        who: Who asked for the operation.
    """

    id: str
    parameters: P = field(repr=False)
    context: Mapping[str, Any] = field(default_factory=dict, repr=False)
    app_guid: str | None = None
    bind_resource: Mapping[str, Any] = field(default_factory=dict, repr=False)
    credentials: Mapping[str, Any] | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    predecessor: Binding[P] | None = None
    private: Any = field(default=None, repr=False)
    who: Who = NOBODY
