"""The brokers that are measured: stateless, so that what is measured is the library.

This module is imported in the environment of the published release, too.
"""

from __future__ import annotations

import os
import time
from typing import Any

from bench.offerings import offerings

from openbrokerapi.service_broker import (
    LastOperation,
    OperationState,
    ProvisionDetails,
    ProvisionedServiceSpec,
    ProvisionState,
    Service,
    ServiceBroker,
)

USERNAME, PASSWORD = "platform", "of-the-benchmark"
SLOW_PROVISION = 1.0  # seconds


def shape() -> str:
    """Give the catalog's shape, as the benchmark told this process."""
    return os.environ.get("BENCH_CATALOG", "10x5")


def provisioned(instance_id: str) -> ProvisionedServiceSpec:
    """Give the answer to a provision."""
    return ProvisionedServiceSpec(
        ProvisionState.SUCCESSFUL_CREATED, dashboard_url=f"https://broker.example.com/dashboards/{instance_id}"
    )


def polled() -> LastOperation:
    """Give the answer to a poll."""
    return LastOperation(OperationState.IN_PROGRESS, "The database is being created: step 3 of 5")


class PlainBroker(ServiceBroker):
    """A broker as they are written for 4.7.3."""

    def __init__(self) -> None:
        self._offerings = offerings(shape())

    def catalog(self) -> list[Service]:
        return self._offerings

    def provision(
        self, instance_id: str, details: ProvisionDetails, async_allowed: bool, **kwargs: Any
    ) -> ProvisionedServiceSpec:
        return provisioned(instance_id)

    def last_operation(
        self, instance_id: str, operation_data: str | None, service_id: str | None, plan_id: str | None, **kwargs: Any
    ) -> LastOperation:
        return polled()


class SlowBroker(PlainBroker):
    """A plain broker that waits in ``provision``, as one does that talks to a cloud."""

    def provision(
        self, instance_id: str, details: ProvisionDetails, async_allowed: bool, **kwargs: Any
    ) -> ProvisionedServiceSpec:
        time.sleep(SLOW_PROVISION)
        return provisioned(instance_id)


class AsyncBroker:
    """The same broker with ``async def`` methods."""

    def __init__(self) -> None:
        self._offerings = offerings(shape())

    async def catalog(self) -> list[Service]:
        return self._offerings

    async def provision(
        self, instance_id: str, details: ProvisionDetails, async_allowed: bool, **kwargs: Any
    ) -> ProvisionedServiceSpec:
        return provisioned(instance_id)

    async def last_operation(
        self, instance_id: str, operation_data: str | None, service_id: str | None, plan_id: str | None, **kwargs: Any
    ) -> LastOperation:
        return polled()
