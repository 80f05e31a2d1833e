"""What a simulated platform does with a broker, as conversations."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from .catalog import Catalog, Offering, Plan
from .conversation import Ask, Conversation
from .errors import PlatformError
from .habits import Habits
from .instance_life import InstanceLife

InstanceT = TypeVar("InstanceT", bound=InstanceLife[Any])


class PlatformLife(ABC, Generic[InstanceT]):
    """A platform with one broker.

    Attributes:
        habits: How it goes about things.
        instances: The instances that it remembers, by id: those that exist, and those that may.
    """

    def __init__(self, fetch_catalog: Callable[[], Conversation[Catalog]], habits: Habits) -> None:
        self._fetch_catalog = fetch_catalog
        self._catalog: Catalog | None = None
        self.habits = habits
        self.instances: dict[str, InstanceT] = {}

    @abstractmethod
    def _instance(self, instance_id: str, name: str, offering: Offering, plan: Plan) -> InstanceT:
        """Make the handle of an instance."""

    def forget(self, instance_id: str) -> None:
        """Remember an instance no more, whether it exists or not.

        Args:
            instance_id: Its id.
        """
        self.instances.pop(instance_id, None)

    def refreshing(self) -> Conversation[Catalog]:
        """Fetch the catalog anew (CAT-05).

        Returns:
            The catalog; it is used from now on.
        """
        self._catalog = yield from self._fetch_catalog()
        return self._catalog

    def creating(
        self,
        offering: str,
        plan: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        name: str | None = None,
        instance_id: str | None = None,
    ) -> Conversation[InstanceT]:
        """Provision, wait, and clean up after a failure (section "Provisioning").

        Args:
            offering: The name or the id of the offering.
            plan: The name or the id of the plan.
            parameters: What the user sets.
            name: What the user calls it; its id unless given.
            instance_id: Its id; a new one unless given (URL-05).

        Returns:
            The instance. It is in `instances` before the broker hears of it.

        Raises:
            LookupError: the catalog has no such offering or plan.
            MaintenanceInfoConflict: the catalog has changed; it is fetched anew, so try again (ERR-15).
            OrphanLeft: it failed, and what it left could not be deleted.
            PlatformError: it failed.
        """
        made = yield from self.knowing(offering, plan, name=name, instance_id=instance_id)
        yield from made.creating(parameters)
        return made

    def knowing(
        self, offering: str, plan: str, *, name: str | None = None, instance_id: str | None = None
    ) -> Conversation[InstanceT]:
        """Take up an instance that was made before, without asking the broker for it.

        Args:
            offering: The name or the id of its offering.
            plan: The name or the id of its plan.
            name: What the user calls it; its id unless given.
            instance_id: Its id; a new one unless given.

        Returns:
            The instance.

        Raises:
            LookupError: the catalog has no such offering or plan.
            PlatformError: the catalog cannot be had.
        """
        catalog = self._catalog or (yield from self.refreshing())
        found = catalog.offering(offering)
        chosen = instance_id or str((yield Ask.ID))
        made = self._instance(chosen, name or chosen, found, found.plan(plan))
        self.instances[chosen] = made
        return made

    def cleaning_up(self) -> Conversation[list[PlatformError]]:
        """Delete every instance that the platform remembers, with its bindings; go on if one cannot be deleted.

        Returns:
            What went wrong; empty if nothing is left.
        """
        errors: list[PlatformError] = []
        for instance in list(self.instances.values()):
            try:
                yield from instance.deleting()
            except PlatformError as error:
                errors.append(error)
        return errors
