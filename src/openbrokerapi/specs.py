"""What the broker's methods return."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, overload

_LEGACY_BINDING = ("credentials", "syslog_drain_url", "route_service_url", "volume_mounts")
_PORTS = re.compile(r"[0-9]{1,5}(-[0-9]{1,5})?")
_BINDING = ("state", *_LEGACY_BINDING, "operation")


class ProvisionState(Enum):
    """How far a provision came."""

    SUCCESSFUL_CREATED = "successfully created"
    IDENTICAL_ALREADY_EXISTS = "exists with identical config"
    IS_ASYNC = "is_async"


class BindState(Enum):
    """How far a bind came."""

    SUCCESSFUL_BOUND = "successfully created"
    IDENTICAL_ALREADY_EXISTS = "exists with identical config"
    IS_ASYNC = "is_async"


class OperationState(Enum):
    """The state of an asynchronous operation."""

    IN_PROGRESS = "in progress"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class InstanceMetadata:
    """Metadata of an instance (section "Service Instance Metadata").

    Args:
        labels: Pairs for users (2.16).
        attributes: Pairs that the platform may act upon (2.17).
    """

    def __init__(self, labels: Mapping[str, Any] | None = None, attributes: Mapping[str, Any] | None = None) -> None:
        self.labels = labels
        self.attributes = attributes


def _moment(given: datetime | str | None, name: str) -> datetime | None:
    if given is None:
        return None
    try:
        moment = given if isinstance(given, datetime) else datetime.fromisoformat(given)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a datetime or text such as 2026-12-31T23:59:59.0Z") from None
    if moment.tzinfo is None:
        raise ValueError(f"{name} needs a time zone: datetime(..., tzinfo=timezone.utc)")
    return moment.astimezone(UTC)


def _timestamp(moment: datetime | None) -> str | None:
    # BMD-03, BMD-04: yyyy-mm-ddThh:mm:ss.sZ, one digit.
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 100_000}Z"


class BindingMetadata:
    """Metadata of a binding (section "Binding Metadata Object").

    Args:
        expires_at: When the binding ends: a datetime with a time zone, or text such as ``2026-12-31T23:59:59.0Z``.
        renew_before: By when it should be renewed, not after ``expires_at`` (BMD-05).

    Raises:
        ValueError: One of them is no moment or has no time zone, or ``renew_before`` is after ``expires_at``.
    """

    def __init__(self, expires_at: datetime | str | None = None, renew_before: datetime | str | None = None) -> None:
        end, renewal = _moment(expires_at, "expires_at"), _moment(renew_before, "renew_before")
        if end is not None and renewal is not None and renewal > end:
            raise ValueError("renew_before must not be after expires_at")
        self.expires_at = _timestamp(end)
        self.renew_before = _timestamp(renewal)


class Endpoint:
    """A host and its ports that an application needs (section "Endpoint Object").

    Args:
        host: A host name or an IP address.
        ports: Ports and ranges: ``["443", "9000-9010"]``; numbers are written as text (EPT-02).
        protocol: ``tcp``, ``udp`` or ``all``; None means ``tcp``.

    Raises:
        ValueError: One of them is none of that.
    """

    def __init__(self, host: str, ports: Sequence[str | int], protocol: str | None = None) -> None:
        if not host or not isinstance(host, str):
            raise ValueError("host must be a host name or an IP address")
        if not ports or isinstance(ports, str) or not all(_PORTS.fullmatch(str(port)) for port in ports):
            raise ValueError('ports must be a list with at least one port, such as ["443"] or ["9000-9010"]')
        if protocol not in (None, "tcp", "udp", "all"):
            raise ValueError(f"protocol must be tcp, udp or all, not {protocol!r}")
        self.host = host
        self.ports = [str(port) for port in ports]
        self.protocol = protocol


def _checked(kind: type, names: tuple[str, ...], given: Any) -> Any:
    # A mapping is held to the same rules as the class; what else is in it stays.
    if not isinstance(given, Mapping):
        return given
    made = vars(kind(*(given.get(name) for name in names)))
    return {**given, **{name: value for name, value in made.items() if value is not None}}


def _metadata(given: Any) -> Any:
    return _checked(BindingMetadata, ("expires_at", "renew_before"), given)


def _endpoints(given: Any) -> Any:
    names = ("host", "ports", "protocol")
    return [_checked(Endpoint, names, each) for each in given] if isinstance(given, (list, tuple)) else given


class SharedDevice:
    """The device of a volume mount (section "Device Object")."""

    def __init__(self, volume_id: str, mount_config: Mapping[str, Any] | None = None) -> None:
        self.volume_id = volume_id
        self.mount_config = mount_config


class VolumeMount:
    """A volume that a binding brings (section "Volume Mount Object").

    Args:
        mode: ``r`` or ``rw``.
        device_type: ``shared``.
    """

    def __init__(self, driver: str, container_dir: str, mode: str, device_type: str, device: SharedDevice) -> None:
        self.driver = driver
        self.container_dir = container_dir
        self.mode = mode
        self.device_type = device_type
        self.device = device


class _Spec:
    extensions: Mapping[str, Any] | None = None

    def __repr__(self) -> str:
        # Credentials and parameters are in here.
        return f"<{type(self).__name__}>"


class ProvisionedServiceSpec(_Spec):
    """The answer to a provision.

    Args:
        state: How far it came. 0.3.6's ``is_async``, true or false, is taken too, by position or by name.
        dashboard_url: Where the user manages the instance; also with ``IS_ASYNC``, for it cannot come later (PROV-28).
        operation: With ``IS_ASYNC``: what the platform gives back when it polls, at most 10,000 characters.
        metadata: Labels and attributes of the instance.
        extensions: Vendor extension fields, their names with a prefix of your own (EXT-01, EXT-02).
    """

    def __init__(
        self,
        state: ProvisionState | bool = ProvisionState.SUCCESSFUL_CREATED,
        dashboard_url: str | None = None,
        operation: str | None = None,
        *,
        is_async: bool | None = None,
        metadata: InstanceMetadata | Mapping[str, Any] | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> None:
        if isinstance(state, bool):
            is_async = state
        if is_async is not None:
            state = ProvisionState.IS_ASYNC if is_async else ProvisionState.SUCCESSFUL_CREATED
        self.state = state
        self.dashboard_url = dashboard_url
        self.operation = operation
        self.metadata = metadata
        self.extensions = extensions

    @property
    def is_async(self) -> bool:
        """Tell whether the provision goes on after the answer."""
        return self.state == ProvisionState.IS_ASYNC

    @is_async.setter
    def is_async(self, is_async: bool) -> None:
        # A plain attribute in 0.3.6.
        self.state = ProvisionState.IS_ASYNC if is_async else ProvisionState.SUCCESSFUL_CREATED


class UpdateServiceSpec(_Spec):
    """The answer to an update; ``dashboard_url`` replaces the old one where it is given (UPD-36)."""

    def __init__(
        self,
        is_async: bool = False,
        operation: str | None = None,
        dashboard_url: str | None = None,
        *,
        metadata: InstanceMetadata | Mapping[str, Any] | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> None:
        self.is_async = is_async
        self.operation = operation
        self.dashboard_url = dashboard_url
        self.metadata = metadata
        self.extensions = extensions


class DeprovisionServiceSpec(_Spec):
    """The answer to a deprovision."""

    def __init__(
        self, is_async: bool = False, operation: str | None = None, *, extensions: Mapping[str, Any] | None = None
    ) -> None:
        self.is_async = is_async
        self.operation = operation
        self.extensions = extensions


class UnbindSpec(DeprovisionServiceSpec):
    """The answer to an unbind."""


class _BindingSpec(_Spec):
    credentials: Mapping[str, Any] | None
    syslog_drain_url: str | None
    route_service_url: str | None
    volume_mounts: Sequence[VolumeMount] | None
    metadata: BindingMetadata | Mapping[str, Any] | None
    endpoints: Sequence[Endpoint | Mapping[str, Any]] | None


class Binding(_BindingSpec):
    """The answer to a bind.

    Args:
        state: How far it came. Credentials in this place, as 0.3.6 had them, are taken for what they are.
        credentials: What the application needs to connect; any keys.
        syslog_drain_url, route_service_url, volume_mounts: Only if the offering's ``requires`` has ``syslog_drain``,
            ``route_forwarding``, ``volume_mount``.
        operation: With ``IS_ASYNC``: what the platform gives back when it polls.
        metadata: When the binding expires, and when to renew it.
        endpoints: Every host and port that the application needs (BIND-50).
    """

    @overload
    def __init__(
        self,
        state: BindState = BindState.SUCCESSFUL_BOUND,
        credentials: Mapping[str, Any] | None = None,
        syslog_drain_url: str | None = None,
        route_service_url: str | None = None,
        volume_mounts: Sequence[VolumeMount] | None = None,
        operation: str | None = None,
        *,
        metadata: BindingMetadata | Mapping[str, Any] | None = None,
        endpoints: Sequence[Endpoint | Mapping[str, Any]] | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self,
        credentials: Mapping[str, Any] | None,
        syslog_drain_url: str | None = None,
        route_service_url: str | None = None,
        volume_mounts: Sequence[VolumeMount] | None = None,
    ) -> None: ...

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # 0.3.6 had no state, and credentials in its place.
        legacy = bool(args) and (args[0] is None or isinstance(args[0], Mapping))
        self._set(**_by_name("Binding", _LEGACY_BINDING if legacy else _BINDING, args, kwargs))

    def _set(
        self,
        state: BindState = BindState.SUCCESSFUL_BOUND,
        credentials: Mapping[str, Any] | None = None,
        syslog_drain_url: str | None = None,
        route_service_url: str | None = None,
        volume_mounts: Sequence[VolumeMount] | None = None,
        operation: str | None = None,
        metadata: BindingMetadata | Mapping[str, Any] | None = None,
        endpoints: Sequence[Endpoint | Mapping[str, Any]] | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> None:
        self.state = state
        self.credentials = credentials
        self.syslog_drain_url = syslog_drain_url
        self.route_service_url = route_service_url
        self.volume_mounts = volume_mounts
        self.operation = operation
        self.metadata = _metadata(metadata)
        self.endpoints = _endpoints(endpoints)
        self.extensions = extensions


def _by_name(what: str, names: tuple[str, ...], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    twice = set(names[: len(args)]) & set(kwargs)
    if len(args) > len(names) or twice:
        reason = f"takes {len(names)} positional arguments" if not twice else f"got two values for {min(twice)}"
        raise TypeError(f"{what}() {reason}")
    return {**dict(zip(names, args, strict=False)), **kwargs}


class GetInstanceDetailsSpec(_Spec):
    """The answer to fetching an instance; secrets among the parameters may be left out (GETI-10)."""

    def __init__(
        self,
        service_id: str,
        plan_id: str,
        dashboard_url: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        *,
        maintenance_info: Any = None,
        metadata: InstanceMetadata | Mapping[str, Any] | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> None:
        self.service_id = service_id
        self.plan_id = plan_id
        self.dashboard_url = dashboard_url
        self.parameters = parameters
        self.maintenance_info = maintenance_info
        self.metadata = metadata
        self.extensions = extensions


class GetBindingSpec(_BindingSpec):
    """The answer to fetching a binding; secrets among the parameters may be left out (GETB-12)."""

    def __init__(
        self,
        credentials: Mapping[str, Any] | None = None,
        syslog_drain_url: str | None = None,
        route_service_url: str | None = None,
        volume_mounts: Sequence[VolumeMount] | None = None,
        parameters: Mapping[str, Any] | None = None,
        *,
        metadata: BindingMetadata | Mapping[str, Any] | None = None,
        endpoints: Sequence[Endpoint | Mapping[str, Any]] | None = None,
        extensions: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self.credentials = credentials
        self.syslog_drain_url = syslog_drain_url
        self.route_service_url = route_service_url
        self.volume_mounts = volume_mounts
        self.parameters = parameters
        self.metadata = _metadata(metadata)
        self.endpoints = _endpoints(endpoints)
        self.extensions = extensions


class LastOperation(_Spec):
    """The state of an asynchronous operation.

    Args:
        description: What the user reads while it runs, or why it failed.
        retry_after: How long the platform should wait before it polls again: seconds, or a timedelta.
        instance_usable: Of a failed update or deprovision: whether the instance still works (LOI-18).
        update_repeatable: Of a failed update: whether the same update may succeed when sent again (LOI-20).
    """

    def __init__(
        self,
        state: OperationState,
        description: str | None = None,
        *,
        retry_after: float | timedelta | None = None,
        instance_usable: bool | None = None,
        update_repeatable: bool | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> None:
        self.state = state
        self.description = description
        seconds = retry_after.total_seconds() if isinstance(retry_after, timedelta) else retry_after
        self.retry_after = None if seconds is None else max(0, math.ceil(seconds))
        self.instance_usable = instance_usable
        self.update_repeatable = update_repeatable
        self.extensions = extensions
