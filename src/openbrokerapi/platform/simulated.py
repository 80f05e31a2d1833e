"""A simulated platform: what Cloud Foundry or Kubernetes does with a broker, in a few lines; blocking and asyncio."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

from .async_client import AsyncClient
from .binding_life import BindingLife
from .catalog import Offering, Plan
from .client import Client
from .conversation import Work
from .driving import awaited_method, blocking_method
from .habits import Habits
from .instance_life import InstanceLife
from .platform_life import PlatformLife

T = TypeVar("T")


class ServiceBinding(BindingLife):
    """A binding of a `ServiceInstance`."""

    def __init__(self, instance: ServiceInstance, binding_id: str) -> None:
        super().__init__(instance, binding_id)
        self.instance = instance

    def run(self, work: Work[T]) -> T:
        """Run a call or a conversation with the broker."""
        return self.instance.run(work)

    def rotate(self, *, binding_id: str | None = None) -> ServiceBinding:
        """Make the successor; both are valid from then on.

        Args:
            binding_id: The id of the successor; a new one unless given.
        """
        return self.run(self.instance.rotating(self, binding_id=binding_id))

    fetch = blocking_method(BindingLife.fetching)
    delete = blocking_method(BindingLife.deleting)


class ServiceInstance(InstanceLife[ServiceBinding]):
    """An instance on a `Platform`."""

    def __init__(self, platform: Platform, **more: Any) -> None:
        super().__init__(home=platform, **more)
        self.platform = platform

    def known_binding(self, binding_id: str) -> ServiceBinding:
        """Take up a binding that was made before, without asking the broker.

        Args:
            binding_id: Its id.
        """
        return ServiceBinding(self, binding_id)

    def run(self, work: Work[T]) -> T:
        """Run a call or a conversation with the broker."""
        return self.platform.run(work)

    update = blocking_method(InstanceLife[ServiceBinding].updating)
    bind = blocking_method(InstanceLife[ServiceBinding].binding)
    fetch = blocking_method(InstanceLife[ServiceBinding].fetching)
    delete = blocking_method(InstanceLife[ServiceBinding].deleting)


class Platform(PlatformLife[ServiceInstance]):
    """Do with a broker what a platform does: wait, fetch, remember, clean up.

    Args:
        client: Speaks to the broker.
        habits: How the platform goes about things; `Habits()` unless given.
        more: Single habits, such as ``polling=Polling(interval=0.1)``.
    """

    def __init__(self, client: Client, habits: Habits | None = None, **more: Any) -> None:
        super().__init__(client.fetching_catalog, replace(habits or Habits(), **more))
        self.client = client

    def run(self, work: Work[T]) -> T:
        """Run a call or a conversation with the broker."""
        return self.client.run(work)

    def _instance(self, instance_id: str, name: str, offering: Offering, plan: Plan) -> ServiceInstance:
        return ServiceInstance(self, instance_id=instance_id, name=name, offering=offering, plan=plan)

    catalog = blocking_method(PlatformLife[ServiceInstance].refreshing)
    create = blocking_method(PlatformLife[ServiceInstance].creating)
    known = blocking_method(PlatformLife[ServiceInstance].knowing)
    clean_up = blocking_method(PlatformLife[ServiceInstance].cleaning_up)


class AsyncServiceBinding(BindingLife):
    """A binding of an `AsyncServiceInstance`."""

    def __init__(self, instance: AsyncServiceInstance, binding_id: str) -> None:
        super().__init__(instance, binding_id)
        self.instance = instance

    async def run(self, work: Work[T]) -> T:
        """Run a call or a conversation with the broker."""
        return await self.instance.run(work)

    async def rotate(self, *, binding_id: str | None = None) -> AsyncServiceBinding:
        """Make the successor; both are valid from then on.

        Args:
            binding_id: The id of the successor; a new one unless given.
        """
        return await self.run(self.instance.rotating(self, binding_id=binding_id))

    fetch = awaited_method(BindingLife.fetching)
    delete = awaited_method(BindingLife.deleting)


class AsyncServiceInstance(InstanceLife[AsyncServiceBinding]):
    """An instance on an `AsyncPlatform`."""

    def __init__(self, platform: AsyncPlatform, **more: Any) -> None:
        super().__init__(home=platform, **more)
        self.platform = platform

    def known_binding(self, binding_id: str) -> AsyncServiceBinding:
        """Take up a binding that was made before, without asking the broker.

        Args:
            binding_id: Its id.
        """
        return AsyncServiceBinding(self, binding_id)

    async def run(self, work: Work[T]) -> T:
        """Run a call or a conversation with the broker."""
        return await self.platform.run(work)

    update = awaited_method(InstanceLife[AsyncServiceBinding].updating)
    bind = awaited_method(InstanceLife[AsyncServiceBinding].binding)
    fetch = awaited_method(InstanceLife[AsyncServiceBinding].fetching)
    delete = awaited_method(InstanceLife[AsyncServiceBinding].deleting)


class AsyncPlatform(PlatformLife[AsyncServiceInstance]):
    """Do with a broker what a platform does, without blocking: `Platform` for asyncio.

    Args:
        client: Speaks to the broker.
        habits: How the platform goes about things; `Habits()` unless given.
        more: Single habits, such as ``polling=Polling(interval=0.1)``.
    """

    def __init__(self, client: AsyncClient, habits: Habits | None = None, **more: Any) -> None:
        super().__init__(client.fetching_catalog, replace(habits or Habits(), **more))
        self.client = client

    async def run(self, work: Work[T]) -> T:
        """Run a call or a conversation with the broker."""
        return await self.client.run(work)

    def _instance(self, instance_id: str, name: str, offering: Offering, plan: Plan) -> AsyncServiceInstance:
        return AsyncServiceInstance(self, instance_id=instance_id, name=name, offering=offering, plan=plan)

    catalog = awaited_method(PlatformLife[AsyncServiceInstance].refreshing)
    create = awaited_method(PlatformLife[AsyncServiceInstance].creating)
    known = awaited_method(PlatformLife[AsyncServiceInstance].knowing)
    clean_up = awaited_method(PlatformLife[AsyncServiceInstance].cleaning_up)
