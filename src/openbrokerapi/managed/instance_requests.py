"""What a request on an instance comes to: each gives the key of its transaction, and the function that decides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from openbrokerapi.details import DeprovisionDetails, ProvisionDetails, UpdateDetails
from openbrokerapi.errors import (
    ErrBadRequest,
    ErrConcurrentInstanceAccess,
    ErrInstanceAlreadyExists,
    ErrInstanceDoesNotExist,
    ErrInstanceHasBindings,
    ErrInstanceLimitMet,
    ErrMaintenanceInfoConflict,
    ErrPlanChangeNotSupported,
    ErrPlanQuotaExceeded,
    ErrServiceQuotaExceeded,
    ErrUpdateNotPossible,
    ServiceException,
)
from openbrokerapi.stores.contract import Change, Count, Key, View
from openbrokerapi.stores.rows import InstanceRow

from .offering import Offering
from .operations import Decide, Timing, Verdict, beginning, halting, refuse_if_busy, replace, running
from .plans import Plan
from .records import Desired, Records, readable
from .shapes import as_shape
from .states import INSTANCE, Asked, Kind, Reaction, State
from .subjects import Who


def settled(reaction: Reaction, view: View, differing: Iterable[str] = ()) -> Change[Verdict]:
    """Answer a request that begins nothing.

    Raises:
        ServiceException: What the state table says.
    """
    if reaction is Reaction.DONE:
        return Change(result=Verdict(reaction, instance=view.instance))
    if reaction is Reaction.REPEAT and (operation := running(view, None)) is not None:
        return Change(result=Verdict(reaction, operation, view.instance))
    if reaction is Reaction.CONFLICT:
        # PROV-25, PROV-26
        raise ErrInstanceAlreadyExists(f"The service instance exists with another value of: {', '.join(differing)}.")
    raise ErrInstanceDoesNotExist if reaction is Reaction.MISSING else ErrConcurrentInstanceAccess


def state_of(row: Any) -> State:
    """Give the state of an instance's or a binding's row; of none, UNKNOWN."""
    return State.UNKNOWN if row is None else State(row.state)


class InstanceRequests:
    """Decides upon the requests on instances."""

    def __init__(self, records: Records, timing: Timing) -> None:
        self._records = records
        self._timing = timing

    def provision(
        self, instance_id: str, offering: Offering, details: ProvisionDetails, who: Who
    ) -> tuple[Key, Decide]:
        """Decide upon a provision (section "Provisioning").

        Raises:
            ErrInvalidParameters: They are not of the plan's type.
        """
        plan = offering.plan(details.plan_id)
        as_shape(offering.shape(plan, "parameters"), details.parameters or {})
        quotas = _quotas(offering, plan, details.organization_guid)
        key = Key(instance_id, counts=tuple(count for count, _, _ in quotas))

        def decide(view: View) -> Change[Verdict]:
            differing = self._differing(view.instance, details) if view.instance is not None else ()
            asked = Asked.PUT_OTHER if differing else Asked.PUT_SAME
            reaction = INSTANCE[state_of(view.instance)][asked]
            if reaction is not Reaction.BEGIN:
                return settled(reaction, view, differing)
            if view.instance is None:
                for count, (_, limit, refusal) in zip(view.counts, quotas, strict=True):
                    if count >= limit:
                        raise refusal
            return self._begin_provision(view, instance_id, plan, details, who)

        return key, decide

    def _differing(self, row: InstanceRow, details: ProvisionDetails) -> tuple[str, ...]:
        """Give the names of the attributes in which a request differs from what is in force."""
        # PROV-25: absent parameters are none; context and maintenance version are not compared.
        parameters = self._records.opened_request(row).parameters
        pairs = {
            "service_id": (row.service_id, details.service_id),
            "plan_id": (row.plan_id, details.plan_id),
            "parameters": (parameters, details.parameters or {}),
            "organization_guid": (row.organization_guid, details.organization_guid),
            "space_guid": (row.space_guid, details.space_guid),
        }
        return tuple(name for name, (held, sent) in pairs.items() if held != sent)

    def _begin_provision(
        self, view: View, instance_id: str, plan: Plan, details: ProvisionDetails, who: Who
    ) -> Change[Verdict]:
        refuse_if_busy(view, "")
        now = self._timing.clock()
        context = details.context or {}
        row = InstanceRow(
            instance_id=instance_id,
            service_id=details.service_id,
            plan_id=details.plan_id,
            state=State.CREATING,
            organization_guid=details.organization_guid,
            space_guid=details.space_guid,
            platform=as_text(context.get("platform")),
            name=as_text(context.get("instance_name")),
            # PROV-16: without a version it is the latest.
            maintenance_version=plan.maintenance_version,
            request=self._records.instance_request(instance_id, details.parameters or {}, context),
            created_at=now,
            updated_at=now,
        )
        operation = self._timing.begun(view, Kind.PROVISION, row, who, deadline=deadline(now, plan))
        return beginning(self._timing, Verdict(Reaction.BEGIN, operation, row), instance=row)

    def deprovision(
        self, instance_id: str, offering: Offering | None, details: DeprovisionDetails, who: Who
    ) -> tuple[Key, Decide]:
        """Decide upon a deprovision (section "Deprovisioning"), whether or not the catalog still has the plan."""

        def decide(view: View) -> Change[Verdict]:
            row = view.instance
            if row is not None and row.service_id != details.service_id:
                raise ErrBadRequest("service_id is not that of the service instance.")
            reaction = INSTANCE[state_of(row)][Asked.DELETE]
            if row is None or reaction not in (Reaction.BEGIN, Reaction.HALT):
                return settled(reaction, view)
            if reaction is Reaction.BEGIN:
                refuse_if_busy(view, "")  # DEP-17, also where a binding is being made
            left = tuple(each for each in view.bindings if each.state != State.CREATE_FAILED)
            if left and not (offering is not None and offering.cascade):
                # DEP-03 leaves it to the broker.
                raise ErrInstanceHasBindings
            if reaction is Reaction.HALT:
                return halting(self._timing, view, None, lambda rest: self._begin_deletion(rest, row, offering, who))
            return self._begin_deletion(view, row, offering, who)

        return Key(instance_id, bindings=True), decide

    def _begin_deletion(self, view: View, row: InstanceRow, offering: Offering | None, who: Who) -> Change[Verdict]:
        now = self._timing.clock()
        until = deadline(now, offering.plan(row.plan_id)) if offering is not None else None
        operation = self._timing.begun(view, Kind.DEPROVISION, row, who, deadline=until)
        bindings = tuple(replace(each, state=State.DELETING, updated_at=now) for each in view.bindings)
        row = replace(row, state=State.DELETING, updated_at=now)
        return beginning(self._timing, Verdict(Reaction.BEGIN, operation, row), instance=row, bindings=bindings)

    def update(self, instance_id: str, offering: Offering, details: UpdateDetails, who: Who) -> tuple[Key, Decide]:
        """Decide upon an update (section "Updating a Service Instance")."""
        plan = offering.plan(details.plan_id) if details.plan_id is not None else None
        quota = plan.quota if plan is not None else None
        counts = (Count(service_id=offering.id, plan_id=details.plan_id),) if quota is not None else ()

        def decide(view: View) -> Change[Verdict]:
            row = view.instance
            if row is None:
                return settled(INSTANCE[State.UNKNOWN][Asked.PATCH], view)
            if row.service_id != details.service_id:
                raise ErrBadRequest("service_id is not that of the service instance.")
            held = self._records.in_force(row)
            desired = _desired(offering, held, details)
            under_way = running(view, None) if row.state == State.UPDATING else None
            compared = self._records.desired(under_way) if under_way is not None else held
            same = _unchanged(offering, desired, compared)
            reaction = INSTANCE[state_of(row)][Asked.PATCH_SAME if same else Asked.PATCH]
            if reaction is Reaction.DONE and desired.context != held.context:
                return self._new_context(view, row, desired, who)
            if reaction is not Reaction.BEGIN:
                return settled(reaction, view)
            _check_update(offering, held, desired, details.parameters)
            if quota is not None and desired.plan_id != held.plan_id and view.counts[0] >= quota:
                raise ErrPlanQuotaExceeded
            return self._begin_update(view, row, offering, desired, who)

        return Key(instance_id, counts=counts), decide

    def _new_context(self, view: View, row: InstanceRow, desired: Desired, who: Who) -> Change[Verdict]:
        """Note a context that is nobody's to act upon."""
        refuse_if_busy(view, "")
        now = self._timing.clock()
        sealed = self._records.instance_request(row.instance_id, desired.parameters, desired.context)
        row = replace(row, request=sealed, name=as_text(desired.context.get("instance_name")), updated_at=now)
        event = self._timing.noted(row, "context updated", who)
        return Change(result=Verdict(Reaction.DONE, instance=row), instance=row, events=(event,))

    def _begin_update(
        self, view: View, row: InstanceRow, offering: Offering, desired: Desired, who: Who
    ) -> Change[Verdict]:
        refuse_if_busy(view, "")
        now = self._timing.clock()
        operation_id = self._timing.new_id()
        operation = self._timing.begun(
            view,
            Kind.UPDATE,
            row,
            who,
            operation_id=operation_id,
            request=self._records.close_desired(operation_id, desired),
            deadline=deadline(now, offering.plan(desired.plan_id)),
        )
        row = replace(row, state=State.UPDATING, updated_at=now)
        return beginning(self._timing, Verdict(Reaction.BEGIN, operation, row), instance=row)


def as_text(value: Any) -> str | None:
    """Give what a context says as a column of a row; None for what is no text."""
    return readable(value) if isinstance(value, str) else None


def deadline(now: float, plan: Plan) -> float | None:
    """Give when an operation of a plan fails if it is not finished (POL-04)."""
    duration = plan.maximum_polling_duration
    return None if duration is None else now + duration


_NO_QUOTAS = (None, None, None, None)
_Quota = tuple[Count, int, ServiceException]


def _quotas(offering: Offering, plan: Plan, organization: str | None) -> Sequence[_Quota]:
    if (offering.quota, plan.quota, offering.quota_per_organization, plan.quota_per_organization) == _NO_QUOTAS:
        return ()
    offered = Count(service_id=offering.id)
    planned = Count(service_id=offering.id, plan_id=plan.id)
    limits: list[tuple[Count, int | None, ServiceException]] = [
        (offered, offering.quota, ErrServiceQuotaExceeded()),
        (planned, plan.quota, ErrPlanQuotaExceeded()),
    ]
    if organization is not None:
        of_organization = ErrInstanceLimitMet("The organization has as many service instances as it may have.")
        limits += [
            (msgspec.structs.replace(offered, organization_guid=organization), offering.quota_per_organization,
             of_organization),
            (msgspec.structs.replace(planned, organization_guid=organization), plan.quota_per_organization,
             of_organization),
        ]  # fmt: skip
    return [(count, limit, refusal) for count, limit, refusal in limits if limit is not None]


def _desired(offering: Offering, held: Desired, details: UpdateDetails) -> Desired:
    """Give what an update asks the instance to be; what it does not name stays (UPD-10, UPD-11)."""
    plan_id = details.plan_id or held.plan_id
    given = details.parameters
    parameters = held.parameters
    if given is not None:
        parameters = {**parameters, **given} if offering.merge_parameters else given
    version = held.maintenance_version
    if plan_id != held.plan_id:
        version = offering.plan(plan_id).maintenance_version
    if details.maintenance_info is not None:
        version = details.maintenance_info.version
        if version != offering.plan(plan_id).maintenance_version:
            raise ErrMaintenanceInfoConflict  # UPD-19
    context = held.context if details.context is None else details.context
    return Desired(plan_id=plan_id, parameters=parameters, context=context, maintenance_version=version)


def _unchanged(offering: Offering, desired: Desired, held: Desired) -> bool:
    """Tell whether there is nothing in an update that the author's method would have to do."""
    if offering.allow_context_updates and offering.has("update") and desired.context != held.context:
        return False
    return replace(desired, context=held.context) == held


def _check_update(offering: Offering, held: Desired, desired: Desired, given: dict[str, Any] | None) -> None:
    """Refuse an update that the offering does not have (UPD-28).

    Args:
        given: The parameters as they were sent; without a plan_id in the request nobody has looked at them yet.

    Raises:
        ErrPlanChangeNotSupported, ErrUpdateNotPossible, ErrInvalidParameters
    """
    plan = offering.plan(desired.plan_id)
    if desired.plan_id != held.plan_id and not offering.is_updateable(offering.plan(held.plan_id)):
        raise ErrPlanChangeNotSupported
    if not offering.has("update"):
        raise ErrUpdateNotPossible("This service offering has no updates: delete the instance, and create another.")
    if given is not None and (own := offering.shape(plan, "update_parameters")) is not None:
        as_shape(own, given)
    as_shape(offering.shape(plan, "parameters"), desired.parameters)
