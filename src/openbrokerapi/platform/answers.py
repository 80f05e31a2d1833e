"""The answers of a broker as values; what may be secret is in no `repr`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

SUCCEEDED = "succeeded"
FAILED = "failed"
IN_PROGRESS = "in progress"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What every answer has.

    Attributes:
        status: The HTTP status.
        body: The whole JSON object, with the fields that the specification does not name (EXT-05).
        retry_after: The seconds that the broker asks to wait, or None.
        request_identity: The identity that the request carried.
    """

    status: int
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    retry_after: float | None = None
    request_identity: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class Begun(Answer):
    """The answer of an endpoint that may answer 202.

    Attributes:
        operation: What to send with every poll, or None.
    """

    operation: str | None = None

    @property
    def in_progress(self) -> bool:
        """Tell whether the work goes on: poll ``last_operation``."""
        return self.status == 202


@dataclass(frozen=True, kw_only=True)
class InstanceMetadata:
    """Labels and attributes of an instance (section "Service Instance Metadata")."""

    labels: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class BindingMetadata:
    """When a binding ends, and by when it should be renewed (section "Binding Metadata Object")."""

    expires_at: datetime | None = None
    renew_before: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class MaintenanceInfo:
    """A maintenance version and what it is about (section "Maintenance Info Object")."""

    version: str
    description: str | None = None


@dataclass(frozen=True, kw_only=True)
class NetworkEndpoint:
    """A host and its ports that the application connects to (section "Endpoint Object")."""

    host: str
    ports: Sequence[str]
    protocol: str = "tcp"


@dataclass(frozen=True, kw_only=True)
class Provisioned(Begun):
    """The answer to a provision; `existed` is true for 200, an identical instance that was there already."""

    dashboard_url: str | None = None
    metadata: InstanceMetadata | None = None

    @property
    def existed(self) -> bool:
        """Tell whether an identical instance was there already."""
        return self.status == 200


@dataclass(frozen=True, kw_only=True)
class Updated(Begun):
    """The answer to an update. A dashboard_url of None means: as it was (UPD-36)."""

    dashboard_url: str | None = None
    metadata: InstanceMetadata | None = None


@dataclass(frozen=True, kw_only=True)
class Deprovisioned(Begun):
    """The answer to a deprovision."""


@dataclass(frozen=True, kw_only=True)
class Unbound(Begun):
    """The answer to an unbind."""


@dataclass(frozen=True, kw_only=True)
class _Connection:
    credentials: Mapping[str, Any] | None = field(default=None, repr=False)
    syslog_drain_url: str | None = field(default=None, repr=False)
    route_service_url: str | None = field(default=None, repr=False)
    volume_mounts: Sequence[Mapping[str, Any]] | None = field(default=None, repr=False)
    endpoints: Sequence[NetworkEndpoint] | None = None
    metadata: BindingMetadata | None = None


@dataclass(frozen=True, kw_only=True)
class Bound(_Connection, Begun):
    """The answer to a bind or a rotation; a 202 carries none of it but the operation."""

    @property
    def existed(self) -> bool:
        """Tell whether an identical binding was there already."""
        return self.status == 200


@dataclass(frozen=True, kw_only=True)
class Binding(_Connection, Answer):
    """A binding as it was fetched; the broker need not show all parameters."""

    parameters: Mapping[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Instance(Answer):
    """An instance as it was fetched; the broker need not show all parameters."""

    service_id: str | None = None
    plan_id: str | None = None
    dashboard_url: str | None = None
    parameters: Mapping[str, Any] | None = field(default=None, repr=False)
    maintenance_info: MaintenanceInfo | None = None
    metadata: InstanceMetadata | None = None


@dataclass(frozen=True, kw_only=True)
class LastOperation(Answer):
    """The state of the last operation.

    Attributes:
        state: ``in progress``, ``succeeded`` or ``failed``.
        description: What the broker says to the user, or None.
        instance_usable, update_repeatable: True if the broker does not say (ERR-09).
    """

    state: str
    description: str | None = None
    instance_usable: bool = True
    update_repeatable: bool = True

    @property
    def in_progress(self) -> bool:
        """Tell whether the work goes on."""
        return self.state == IN_PROGRESS

    @property
    def succeeded(self) -> bool:
        """Tell whether the work ended well."""
        return self.state == SUCCEEDED

    @property
    def failed(self) -> bool:
        """Tell whether the work ended badly."""
        return self.state == FAILED
