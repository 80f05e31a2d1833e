"""What the author's methods give back, and how they fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from openbrokerapi.specs import BindingMetadata, Endpoint, GetBindingSpec, InstanceMetadata, VolumeMount


def _check(name: str, given: Any, kinds: type | tuple[type, ...], what: str) -> None:
    # What is kept is answered ever after: what cannot be sent must fail where it is made.
    if given is not None and not isinstance(given, kinds):
        raise TypeError(f"{name} must be {what}, not {type(given).__name__}")


@dataclass(frozen=True, kw_only=True)
class Provisioned:
    """What a provision or an update made.

    Attributes:
        dashboard_url: Where the user manages the instance (PROV-28).
        metadata: Labels and attributes (section "Service Instance Metadata").
        private: What the author wants to find again as ``instance.private``, such as the host of the database: any
            JSON. It is sealed, and nobody else ever sees it. An update that leaves it out keeps it.
    """

    dashboard_url: str | None = None
    metadata: InstanceMetadata | Mapping[str, Any] | None = None
    private: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        _check("dashboard_url", self.dashboard_url, str, "text")
        _check("metadata", self.metadata, (InstanceMetadata, Mapping), "InstanceMetadata(...) or a mapping")
        if isinstance(self.metadata, Mapping):
            for name in ("labels", "attributes"):
                _check(f"metadata.{name}", self.metadata.get(name), Mapping, "a mapping")


@dataclass(frozen=True, kw_only=True)
class Bound:
    """What a bind made (section "Binding"); all of it is sealed.

    Attributes:
        credentials: What the application needs to connect.
        syslog_drain_url, route_service_url, volume_mounts: Of offerings that say so in ``requires``.
        endpoints: Every host and port that it needs (BIND-50).
        expires_at: When the binding ends: a datetime with a time zone, or text such as ``2026-12-31T23:59:59.0Z``.
        renew_before: By when the platform should rotate it, not after ``expires_at``.
        private: What the author wants to find again as ``binding.private``: any JSON.
    """

    credentials: Mapping[str, Any] | None = field(default=None, repr=False)
    syslog_drain_url: str | None = field(default=None, repr=False)
    route_service_url: str | None = field(default=None, repr=False)
    volume_mounts: Sequence[VolumeMount | Mapping[str, Any]] | None = field(default=None, repr=False)
    endpoints: Sequence[Endpoint | Mapping[str, Any]] | None = None
    expires_at: datetime | str | None = None
    renew_before: datetime | str | None = None
    private: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        _check("credentials", self.credentials, Mapping, "a mapping")
        for name in ("syslog_drain_url", "route_service_url"):
            _check(name, getattr(self, name), str, "text")
        for name in ("volume_mounts", "endpoints"):
            _check(name, getattr(self, name), (list, tuple), "a list")
        for each in self.endpoints or ():
            _check("each of endpoints", each, (Endpoint, Mapping), "Endpoint(...) or a mapping")
        GetBindingSpec(endpoints=self.endpoints)  # EPT-01 to EPT-03

    def metadata(self) -> BindingMetadata | None:
        """Give the metadata object.

        Raises:
            ValueError: A moment is none, or has no time zone, or ``renew_before`` is after ``expires_at``.
        """
        if self.expires_at is None and self.renew_before is None:
            return None
        return BindingMetadata(self.expires_at, self.renew_before)


class Failed(Exception):  # noqa: N818 - it is an outcome of the author's work, named as the specification names the state
    """Raised by the author's methods: the operation has failed.

    Args:
        description: One sentence for the user: what failed, and what to change. It must carry no secret.
        usable: Of an update or a deprovision: whether the instance still works (LOI-18).
        repeatable: Of an update: whether the same update can succeed when sent again (LOI-20).
    """

    def __init__(self, description: str, *, usable: bool | None = None, repeatable: bool | None = None) -> None:
        super().__init__(description)
        self.description = description
        self.usable = usable
        self.repeatable = repeatable
