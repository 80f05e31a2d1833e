"""The life of an instance on a simulated platform, as conversations."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Generic, Protocol, TypeVar

from . import calls
from .answers import Begun, Deprovisioned, Instance, InstanceMetadata, MaintenanceInfo, Provisioned, Updated
from .binding_life import BindingLife
from .catalog import Catalog, Offering, Plan
from .conversation import Ask, Conversation, ask
from .errors import BrokerError, Gone, MaintenanceInfoConflict, NotAllowed, OperationFailed, PlatformError
from .habits import Habits, left_behind
from .orphans import Orphan
from .polling import wait_for_instance
from .request import Endpoint

BindingT = TypeVar("BindingT", bound=BindingLife)
_Object = Mapping[str, Any]


class Home(Protocol):
    """What an instance needs of its platform."""

    habits: Habits

    def forget(self, instance_id: str) -> None:
        """Remember an instance no more."""

    def refreshing(self) -> Conversation[Catalog]:
        """Fetch the catalog anew."""


class InstanceLife(ABC, Generic[BindingT]):
    """An instance that the platform remembers.

    Attributes:
        id: Its id.
        name: What the user calls it.
        offering, plan: What it is an instance of.
        parameters: What the user has set last, as far as the platform knows.
        dashboard_url: Where the user manages it, or None.
        metadata: Labels and attributes, as they came last.
        usable: False after a failure that left it unusable: it gets no new bindings until it is repaired (UPD-33).
        deleted: Whether it is gone.
        bindings: The bindings that the platform remembers, by id.
        habits: Those of its platform.
    """

    def __init__(
        self,
        *,
        instance_id: str,
        name: str,
        offering: Offering,
        plan: Plan,
        home: Home,
    ) -> None:
        self.id = instance_id
        self.name = name
        self.offering = offering
        self.plan = plan
        self.habits = home.habits
        self.parameters: _Object = {}
        self.maintenance_info: MaintenanceInfo | None = None
        self.dashboard_url: str | None = None
        self.metadata = InstanceMetadata()
        self.usable = True
        self.deleted = False
        self.bindings: dict[str, BindingLife] = {}
        self._home = home
        self._in_vain: list[Any] = []

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} ({self.offering.name}, {self.plan.name}) {self.id}>"

    @abstractmethod
    def known_binding(self, binding_id: str) -> BindingT:
        """Take up a binding that was made before, without asking the broker.

        Args:
            binding_id: Its id.
        """

    def creating(self, parameters: _Object | None) -> Conversation[None]:
        """Provision, wait, and clean up after a failure.

        Raises:
            PlatformError: it was not made.
        """
        context = self.habits.context
        self.maintenance_info = self.plan.maintenance_info
        call = calls.provision(
            self.id,
            self.offering.id,
            self.plan.id,
            parameters=parameters,
            context=context.of_instance(self.name),
            organization_guid=context.organization_guid,
            space_guid=context.space_guid,
            maintenance_info=self.maintenance_info,  # PROV-13
        )
        try:
            answer = yield from ask(call)
            self._take_over(answer)
            if answer.in_progress:
                yield from self._waiting(answer)
        except PlatformError as error:
            yield from self._after_failed_creation(error)
            raise
        self.parameters = parameters or {}

    def _after_failed_creation(self, error: PlatformError) -> Conversation[None]:
        yield from self.habits.mitigating(Endpoint.PROVISION, error, self._orphan())
        if not left_behind(Endpoint.PROVISION, error):
            self._forget()
        yield from self._look_at_catalog_again(error)

    def _look_at_catalog_again(self, error: PlatformError) -> Conversation[None]:
        # ERR-15. What goes wrong with that must not hide what went wrong before.
        if isinstance(error, MaintenanceInfoConflict):
            with suppress(PlatformError, LookupError):
                catalog = yield from self._home.refreshing()
                self.offering = catalog.offering(self.offering.id)
                self.plan = self.offering.plan(self.plan.id)

    def fetching(self) -> Conversation[Instance]:
        """Fetch it (section "Fetching a Service Instance"), and take over what is new of dashboard and metadata.

        Returns:
            The instance.

        Raises:
            NotAllowed: the offering does not say ``instances_retrievable`` (GETI-03).
            PlatformError: it cannot be had now; the platform remembers it all the same (GETI-17).
        """
        if not self.offering.instances_retrievable:
            raise NotAllowed(f"instances of {self.offering.name} cannot be fetched", endpoint=Endpoint.FETCH_INSTANCE)
        found = yield from ask(calls.fetch_instance(self.id, service_id=self.offering.id, plan_id=self.plan.id))
        self._take_over(found)
        return found

    def updating(
        self,
        *,
        plan: str | Plan | None = None,
        parameters: _Object | None = None,
        maintenance_info: MaintenanceInfo | None = None,
        name: str | None = None,
    ) -> Conversation[None]:
        """Change it, and wait (section "Updating a Service Instance"). What is None stays as it is.

        Args:
            plan: The new plan, its name or its id.
            parameters: Only what the user sets now (UPD-13).
            maintenance_info: The version to bring it to, such as the plan's in the catalog (UPD-18).
            name: Its new name. Alone, it needs an offering that says ``allow_context_updates``.

        Raises:
            NotAllowed: the plan cannot be changed (UPD-03), the update has failed for good before (UPD-34), or the
                offering takes no update of the context alone.
            PlatformError: it failed; `usable` tells whether the instance still works.
        """
        target = self.offering.plan(plan) if isinstance(plan, str) else plan or self.plan
        wanted = (target.id, parameters, maintenance_info)
        self._check_update(target, wanted, only_context=plan is None and parameters is None and not maintenance_info)
        call = calls.update(
            self.id,
            self.offering.id,
            plan_id=None if target.id == self.plan.id else target.id,
            parameters=parameters,
            context=self.habits.context.of_instance(name or self.name),
            previous_values=self._previous_values(),
            maintenance_info=maintenance_info,
        )
        try:
            answer = yield from ask(call)
            self._take_over(answer)
            if answer.in_progress:
                yield from self._waiting(answer)
        except (BrokerError, OperationFailed) as error:
            self._after_failed_update(error, wanted)
            yield from self._look_at_catalog_again(error)
            raise
        self._after_update(target, parameters, maintenance_info, name or self.name)

    def _check_update(self, target: Plan, wanted: Any, *, only_context: bool) -> None:
        why = None
        if self.deleted:
            why = f"{self.name} is deleted"
        elif target.id != self.plan.id and not self.plan.plan_updateable:  # UPD-03
            why = f"the plan {self.plan.name} cannot be changed"
        elif wanted in self._in_vain:  # UPD-34
            why = "this update has failed before, and the broker says that it will fail again"
        elif only_context and not self.offering.allow_context_updates:
            why = f"{self.offering.name} takes no update of the context alone"
        if why is not None:
            raise NotAllowed(why, endpoint=Endpoint.UPDATE)

    def _previous_values(self) -> dict[str, Any]:
        # UPD-17
        info = self.maintenance_info
        return {"plan_id": self.plan.id, **({"maintenance_info": {"version": info.version}} if info else {})}

    def _after_failed_update(self, error: BrokerError | OperationFailed, wanted: Any) -> None:
        self.usable = error.instance_usable
        if not error.update_repeatable:
            self._in_vain.append(wanted)

    def _after_update(
        self, plan: Plan, parameters: _Object | None, maintenance_info: MaintenanceInfo | None, name: str
    ) -> None:
        self.maintenance_info = maintenance_info or (
            self.maintenance_info if plan.id == self.plan.id else plan.maintenance_info
        )
        self.plan, self.name = plan, name
        self.parameters = {**self.parameters, **(parameters or {})}
        self.usable = True
        self._in_vain.clear()

    def binding(
        self,
        *,
        app_guid: str | None = None,
        parameters: _Object | None = None,
        bind_resource: _Object | None = None,
        binding_id: str | None = None,
    ) -> Conversation[BindingT]:
        """Bind, wait, fetch the credentials, and clean up after a failure (section "Binding").

        Args:
            app_guid: The application.
            parameters: What the user sets.
            bind_resource: Further resources, such as ``{"route": ...}`` (BIND-11).
            binding_id: Its id; a new one unless given.

        Returns:
            The binding.

        Raises:
            NotAllowed: the plan is not bindable, or the instance is deleted or unusable.
            PlatformError: it was not made.
        """
        self._check_bind()
        made = self.known_binding(binding_id or (yield Ask.ID))
        call = calls.bind(
            self.id,
            made.id,
            self.offering.id,
            self.plan.id,
            parameters=parameters,
            context=self.habits.context.of_binding(),
            app_guid=app_guid,
            bind_resource=bind_resource,
        )
        yield from made.creating(call)
        return made

    def _check_bind(self) -> None:
        why = None
        if self.deleted:
            why = f"{self.name} is deleted"
        elif not self.usable:  # UPD-33, DEP-19
            why = f"{self.name} is not usable until it is repaired by an update"
        elif not self.plan.bindable:  # BIND-01
            why = f"the plan {self.plan.name} is not bindable"
        if why is not None:
            raise NotAllowed(why, endpoint=Endpoint.BIND)

    def rotating(self, predecessor: BindingLife, *, binding_id: str | None = None) -> Conversation[BindingT]:
        """Make the successor of a binding; both are valid from then on (section "Binding Rotation").

        Args:
            predecessor: A binding of this instance.
            binding_id: The id of the successor; a new one unless given.

        Returns:
            The successor.

        Raises:
            NotAllowed: the plan does not say ``binding_rotatable``, or the predecessor is deleted or expired.
            PlatformError: it was not made.
        """
        yield from predecessor.checking_rotation()
        made = self.known_binding(binding_id or (yield Ask.ID))
        call = calls.rotate(
            self.id,
            made.id,
            predecessor.id,
            service_id=self.offering.id,
            plan_id=self.plan.id,
            context=self.habits.context.of_binding(),
        )
        yield from made.creating(call)
        return made

    def deleting(self) -> Conversation[None]:
        """Delete all bindings, then the instance, and wait until it is gone (section "Deprovisioning").

        Raises:
            PlatformError: it is still there, as far as the platform knows (DEP-18); `usable` tells whether it works.
        """
        if self.deleted:
            return
        for binding in list(self.bindings.values()):  # DEP-02
            yield from binding.deleting()
        try:
            answer = yield from ask(calls.deprovision(self.id, self.offering.id, self.plan.id))
            if answer.in_progress:
                yield from self._waiting(answer)
        except Gone:
            pass
        except PlatformError as error:
            if isinstance(error, BrokerError | OperationFailed):
                self.usable = error.instance_usable
            if not (yield from self.habits.mitigating(Endpoint.DEPROVISION, error, self._orphan())):
                raise
        self._forget()

    def _waiting(self, answer: Begun) -> Conversation[object]:
        return wait_for_instance(
            self.id,
            service_id=self.offering.id,
            plan_id=self.plan.id,  # LOI-03: the old plan, until the update has ended
            operation=answer.operation,
            deleting=isinstance(answer, Deprovisioned),
            retry_after=answer.retry_after,
            maximum_polling_duration=self.plan.maximum_polling_duration,
            polling=self.habits.polling,
            on_poll=self.habits.on_poll,
            on_trouble=self.habits.on_trouble,
        )

    def _take_over(self, answer: Provisioned | Updated | Instance) -> None:
        # UPD-36: absent or null means as it was.
        self.dashboard_url = answer.dashboard_url or self.dashboard_url
        # SIM-02: all labels are replaced.
        self.metadata = answer.metadata or self.metadata

    def _orphan(self) -> Orphan:
        return Orphan(
            instance_id=self.id,
            service_id=self.offering.id,
            plan_id=self.plan.id,
            maximum_polling_duration=self.plan.maximum_polling_duration,
        )

    def _forget(self) -> None:
        self.deleted = True
        self.bindings.clear()
        self._home.forget(self.id)
