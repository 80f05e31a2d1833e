"""The managed broker that is measured; which store it has is in the environment, as with `openbroker serve`."""

from __future__ import annotations

import base64
import os
from typing import Any

import msgspec
from bench.managed.slow_disk import slow_disk

from openbrokerapi.managed import AsyncWork, Bound, Broker, Instance, KeyRing, Offering, Plan, Provisioned
from openbrokerapi.stores.contract import Store
from openbrokerapi.stores.location import open_location
from openbrokerapi.stores.sqlite.store import SqliteStore

SERVICE_ID = "2f7c5a1e-6f0b-4f60-8f0a-0d6f7d0a9c11"
PLAN_ID = "7b1d2c3e-4a5f-4b6c-8d7e-9f0a1b2c3d4e"
#: The region in which a provision never ends.
NEVER = "never"
_FOR_EVER = 1e6
STORE = "BENCH_STORE"
FLUSH = "BENCH_FLUSH"  # seconds that a flush takes, if it is slowed down


class Parameters(msgspec.Struct):
    region: str = "eu-north"
    storage_gb: int = 1


class Nothing(Offering):
    """An offering that does nothing, so that all that is measured is the package's."""

    id = SERVICE_ID
    name = "nothing"
    description = "Nothing, kept safe"
    plans = (Plan(id=PLAN_ID, name="small", description="Nothing"),)
    parameters = Parameters

    async def provision(self, instance: Instance[Parameters], work: AsyncWork) -> Provisioned:
        if instance.parameters.region == NEVER:
            await work.sleep(_FOR_EVER)
        return Provisioned(dashboard_url=f"https://dashboard.example.org/{instance.id}")

    async def deprovision(self, instance: Instance[Parameters], work: AsyncWork) -> None:
        return None

    async def bind(self, instance: Instance[Parameters], binding: Any, work: AsyncWork) -> Bound:
        return Bound(credentials={"uri": "nothing://", "password": "none"})

    async def unbind(self, instance: Instance[Parameters], binding: Any, work: AsyncWork) -> None:
        return None


def ring() -> KeyRing:
    """Give the keys."""
    return KeyRing.from_text(f"bench:{base64.b64encode(bytes(range(32))).decode()}")


def store() -> Store:
    """Give the store that the environment names."""
    url = os.environ[STORE]
    name, disk = slow_disk(float(os.environ.get(FLUSH, "0")))
    if disk is None:
        return open_location(url)
    made = SqliteStore(url, vfs=name)
    _LIVING.append(disk)
    return made


# SQLite calls back into them for as long as the process lives.
_LIVING: list[Any] = []


def broker() -> Broker:
    """Give the broker, for `openbroker serve`."""
    return Broker(Nothing(), store=store(), ring=ring())
