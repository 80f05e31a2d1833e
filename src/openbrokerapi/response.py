"""The bodies of responses as classes: names that brokers of 0.3.6 and 4.7.3 import."""

from __future__ import annotations

from typing import Any, Optional  # noqa: F401 - brokers of 4.7.3 get it by `import *`

from .service_broker import OperationState, Service, VolumeMount


class EmptyResponse:
    """A body without fields."""


class AsyncResponse:
    """The body of a 202."""

    def __init__(self, operation: str | None = None) -> None:
        self.operation = operation


class ErrorResponse:
    """The body of a failure (section "Service Broker Errors")."""

    def __init__(self, error: str | None = None, description: str | None = None) -> None:
        self.error = error
        self.description = description


class CatalogResponse:
    """The body of a catalog."""

    def __init__(self, services: list[Service]) -> None:
        self.services = services


class ProvisioningResponse(AsyncResponse):
    """The body of an answered provision."""

    def __init__(self, dashboard_url: str | None, operation: str | None) -> None:
        super().__init__(operation)
        self.dashboard_url = dashboard_url


class UpdateResponse(AsyncResponse):
    """The body of an answered update."""

    def __init__(self, operation: str | None, dashboard_url: str | None = None) -> None:
        super().__init__(operation)
        self.dashboard_url = dashboard_url


class DeprovisionResponse(AsyncResponse):
    """The body of an answered deprovision."""


class UnbindResponse(AsyncResponse):
    """The body of an answered unbind."""


class _BindingFields:
    def __init__(
        self,
        credentials: dict[str, Any] | None = None,
        syslog_drain_url: str | None = None,
        route_service_url: str | None = None,
        volume_mounts: list[VolumeMount] | None = None,
    ) -> None:
        self.credentials = credentials
        self.syslog_drain_url = syslog_drain_url
        self.route_service_url = route_service_url
        self.volume_mounts = volume_mounts


class BindResponse(_BindingFields):
    """The body of an answered bind."""

    def __init__(
        self,
        credentials: dict[str, Any] | None = None,
        syslog_drain_url: str | None = None,
        route_service_url: str | None = None,
        volume_mounts: list[VolumeMount] | None = None,
        operation: str | None = None,
    ) -> None:
        super().__init__(credentials, syslog_drain_url, route_service_url, volume_mounts)
        self.operation = operation


class GetInstanceResponse:
    """The body of a fetched instance."""

    def __init__(
        self,
        service_id: str,
        plan_id: str,
        dashboard_url: str | None = None,
        parameters: dict[str, Any] | None = None,
    ) -> None:
        self.service_id = service_id
        self.plan_id = plan_id
        self.dashboard_url = dashboard_url
        self.parameters = parameters


class GetBindingResponse(_BindingFields):
    """The body of a fetched binding."""

    def __init__(
        self,
        credentials: dict[str, Any] | None = None,
        syslog_drain_url: str | None = None,
        route_service_url: str | None = None,
        volume_mounts: list[VolumeMount] | None = None,
        parameters: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(credentials, syslog_drain_url, route_service_url, volume_mounts)
        self.parameters = parameters


class LastOperationResponse:
    """The body of an answered poll."""

    def __init__(self, state: OperationState, description: str | None) -> None:
        self.state = state
        self.description = description
