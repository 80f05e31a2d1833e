"""The platform of a test: whole lives of instances in a line, on the handles of `openbrokerapi.platform`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from openbrokerapi.platform import (
    Binding,
    Client,
    Gone,
    Habits,
    Instance,
    LastOperation,
    NotFound,
    Platform,
    Polling,
    ServiceBinding,
    ServiceInstance,
)
from openbrokerapi.platform import Offering as CatalogOffering
from openbrokerapi.platform import Plan as CatalogPlan

from .clock import Clock
from .hosts import Host

_GROWTH, _LONGEST = 1.5, 300.0
#: A real broker is polled more often than a platform would: a test does not want to wait.
_QUICK = Polling(interval=0.05, growth=1.3, longest=1.0)
#: Where time is moved, a poll costs more than an hour does.
_SELDOM = Polling(interval=1.0, growth=_GROWTH, longest=_LONGEST)


class KeptBinding(ServiceBinding):
    """A binding that is deleted at the end of its ``with`` block."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.delete()


class KeptInstance(ServiceInstance):
    """An instance whose bindings can be used in ``with`` blocks."""

    def known_binding(self, binding_id: str) -> KeptBinding:
        """Take up a binding that was made before, without asking the broker.

        Args:
            binding_id: Its id.
        """
        return KeptBinding(self, binding_id)

    def bind(self, **arguments: Any) -> KeptBinding:
        """Bind, wait, fetch the credentials; deleted at the end of a ``with`` block.

        Args:
            arguments: ``app_guid``, ``parameters``, ``bind_resource``, ``binding_id``.
        """
        made = self.run(self.binding(**arguments))
        assert isinstance(made, KeptBinding)  # noqa: S101 - known_binding makes all of them
        return made

    def is_gone(self) -> bool:
        """Tell whether the broker knows nothing of it: a deletion is answered with 410 (DEP-16), a fetch with 404."""
        client = self.platform.client
        try:
            client.deprovision(self.id, self.offering.id, self.plan.id)
        except Gone:
            return not self.offering.instances_retrievable or self._is_not_found()
        return False

    def _is_not_found(self) -> bool:
        try:
            self.platform.client.fetch_instance(self.id)
        except NotFound:
            return True
        return False


@dataclass(frozen=True)
class Life:
    """What was seen of an instance from its provision to its end.

    Attributes:
        instance: As it was fetched; None where it cannot be.
        credentials: Those of the first binding; empty where there was none.
        bindings: The bindings as they were fetched.
        rotated: Whether a binding was replaced by its successor.
        updated: Whether it was updated.
    """

    instance: Instance | None = None
    credentials: Mapping[str, Any] = field(default_factory=dict, repr=False)
    bindings: tuple[Binding, ...] = field(default=(), repr=False)
    rotated: bool = False
    updated: bool = False


class BrokerPlatform(Platform):
    """A platform with the broker under test.

    Args:
        host: Where the broker runs.
        habits: How the platform goes about things, such as in which context its instances live.

    Attributes:
        host: Where the broker runs.
        clock: Its time; in the same process ``clock.advance(3600)`` lets an hour pass at once.
    """

    def __init__(self, host: Host, habits: Habits | None = None) -> None:
        self.host = host
        clock: Clock = host.clock
        self.clock = clock
        shown = host.credentials
        client = Client(
            host.url,
            username=shown.username,
            password=shown.password,
            token=shown.token,
            transport=host.transport(),
            clock=clock.monotonic,
            wall=clock.now,
            sleep=self._sleep,
        )
        self._polls = 0
        moved = Habits(polling=_SELDOM, on_poll=self._polled)
        super().__init__(client, habits or (moved if host.moves else Habits(polling=_QUICK)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.client.close()

    def _polled(self, last: LastOperation) -> None:
        self._polls = self._polls + 1 if last.state == "in progress" else 0

    def _sleep(self, seconds: float) -> None:
        # Retry-After is the least that a platform waits: the longer an operation goes on, the seldomer it is polled.
        self.host.sleep(max(seconds, min(_LONGEST, _GROWTH**self._polls)) if self._polls else seconds)

    def _instance(self, instance_id: str, name: str, offering: CatalogOffering, plan: CatalogPlan) -> KeptInstance:
        return KeptInstance(self, instance_id=instance_id, name=name, offering=offering, plan=plan)

    def made(
        self,
        offering: str,
        plan: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        name: str | None = None,
        instance_id: str | None = None,
    ) -> KeptInstance:
        """Make an instance, and wait until it is there; it is deleted at the end of the test.

        Args:
            offering: The name or the id of the offering.
            plan: The name or the id of the plan.
            parameters: What the user sets.
            name: What the user calls it.
            instance_id: Its id; a new one unless given.

        Raises:
            PlatformError: It was not made.
        """
        made = self.create(offering, plan, parameters=parameters or None, name=name, instance_id=instance_id)
        assert isinstance(made, KeptInstance)  # noqa: S101 - _instance makes all of them
        return made

    @contextmanager
    def instance(self, offering: str, plan: str, /, **parameters: Any) -> Iterator[KeptInstance]:
        """Make an instance with these parameters; delete it, with its bindings, at the end of the ``with`` block.

        Args:
            offering: The name or the id of the offering.
            plan: The name or the id of the plan.
            parameters: What the user sets.

        Raises:
            PlatformError: It was not made, or not deleted.
        """
        made = self.made(offering, plan, parameters)
        try:
            yield made
        finally:
            made.delete()

    def life(
        self,
        offering: str,
        plan: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        bind_parameters: Mapping[str, Any] | None = None,
        update_parameters: Mapping[str, Any] | None = None,
        update_to: str | None = None,
        app_guid: str | None = "00000000-0000-4000-8000-00000000a001",
    ) -> Life:
        """Lead an instance through its whole life, and see that nothing is left of it.

        Provision, fetch, bind, fetch, rotate, update, unbind, deprovision; each is waited for, and what the catalog
        does not offer is left out.

        Args:
            offering: The name or the id of the offering.
            plan: The name or the id of the plan.
            parameters: Of the provision.
            bind_parameters: Of the bind.
            update_parameters: Of the update.
            update_to: The plan to update to, its name or its id. Without it and parameters there is no update.
            app_guid: The application that is bound.

        Returns:
            What was seen.

        Raises:
            AssertionError: The broker still knows the instance afterwards.
            PlatformError: A step failed.
        """
        self.catalog()
        with self.instance(offering, plan, **(parameters or {})) as instance:
            fetched = instance.fetch() if instance.offering.instances_retrievable else None
            bindings: tuple[Binding, ...] = ()
            credentials: Mapping[str, Any] = {}
            rotated = False
            if instance.plan.bindable:
                bindings, credentials, rotated = _bound(instance, app_guid, bind_parameters)
            updated = update_parameters is not None or update_to is not None
            if updated:
                instance.update(plan=update_to, parameters=update_parameters)
        assert instance.is_gone(), f"the broker still knows {instance!r} after its deprovision"  # noqa: S101
        return Life(fetched, credentials, bindings, rotated, updated)


def _bound(
    instance: KeptInstance, app_guid: str | None, parameters: Mapping[str, Any] | None
) -> tuple[tuple[Binding, ...], Mapping[str, Any], bool]:
    retrievable = instance.offering.bindings_retrievable
    with instance.bind(app_guid=app_guid, parameters=parameters) as binding:
        credentials = binding.credentials
        fetched = [binding.fetch()] if retrievable else []
        if instance.plan.binding_rotatable:
            successor = binding.rotate()
            fetched += [successor.fetch()] if retrievable else []
            successor.delete()
    return tuple(fetched), credentials, instance.plan.binding_rotatable
