"""What a request on a binding comes to: each gives the key of its transaction, and the function that decides."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from openbrokerapi.details import BindDetails, UnbindDetails
from openbrokerapi.errors import (
    ErrAppGuidNotProvided,
    ErrBadRequest,
    ErrBindingAlreadyExists,
    ErrBindingDoesNotExist,
    ErrConcurrentInstanceAccess,
    ErrInstanceNotUsable,
    ErrNotBindable,
)
from openbrokerapi.stores.contract import Change, Key, View
from openbrokerapi.stores.rows import BindingRow, InstanceRow

from .instance_requests import deadline, settled, state_of
from .offering import Offering
from .operations import Decide, Timing, Verdict, beginning, halting, refuse_if_busy, replace, running
from .records import Records, plain
from .shapes import as_shape
from .states import BINDING, INSTANCE, Asked, Kind, Reaction, State
from .subjects import NOBODY, Who


class BindingRequests:
    """Decides upon the requests on bindings."""

    def __init__(self, records: Records, timing: Timing) -> None:
        self._records = records
        self._timing = timing

    def bind(
        self, instance_id: str, binding_id: str, offering: Offering, details: BindDetails, who: Who
    ) -> tuple[Key, Decide]:
        """Decide upon a bind (section "Binding"), also of a rotation (section "Binding Rotation")."""

        def decide(view: View) -> Change[Verdict]:
            instance = view.instance
            allowed = INSTANCE[state_of(instance)][Asked.BIND]
            if instance is None or allowed is not Reaction.BEGIN:
                return settled(allowed, view)
            wanted = self._wanted(view, instance, binding_id, offering, details)
            differing = self._differing(view.binding, wanted) if view.binding is not None else ()
            asked = Asked.PUT_OTHER if differing else Asked.PUT_SAME
            reaction = BINDING[state_of(view.binding)][asked]
            if reaction is not Reaction.BEGIN:
                return _settled(reaction, view, binding_id, differing)
            if not instance.usable:
                raise ErrInstanceNotUsable
            return self._begin_bind(view, offering, wanted, who)

        return Key(instance_id, binding_id, bindings=details.predecessor_binding_id is not None), decide

    def _wanted(
        self, view: View, instance: InstanceRow, binding_id: str, offering: Offering, details: BindDetails
    ) -> BindingRow:
        """Give the row that the request asks for."""
        _check_ids(instance, view.binding, details)
        predecessor = _repeated(view.binding, details)
        if predecessor is None:
            predecessor = _predecessor(view, offering, instance, details, self._timing.clock())
        plan = offering.plan(instance.plan_id)
        if not offering.is_bindable(plan):
            raise ErrNotBindable
        request = self._request(details, predecessor)
        app_guid = details.app_guid or (predecessor.app_guid if predecessor is not None else None)
        if offering.requires_app and app_guid is None:
            raise ErrAppGuidNotProvided  # BIND-39
        as_shape(offering.shape(plan, "bind_parameters"), request["parameters"])
        now = self._timing.clock()
        return BindingRow(
            instance_id=instance.instance_id,
            binding_id=binding_id,
            service_id=instance.service_id,
            plan_id=instance.plan_id,
            state=State.CREATING,
            app_guid=app_guid,
            predecessor_binding_id=details.predecessor_binding_id,
            request=self._records.binding_request((instance.instance_id, binding_id), request),
            created_at=now,
            updated_at=now,
        )

    def _request(self, details: BindDetails, predecessor: BindingRow | None) -> dict[str, Any]:
        # ROT-08: what a rotation does not say is the predecessor's.
        held = self._records.opened_request(predecessor) if predecessor is not None else None
        resource = plain(details.bind_resource)
        return {
            "parameters": _first(details.parameters, held.parameters if held else None),
            "context": _first(details.context, held.context if held else None),
            "bind_resource": _first(resource, held.bind_resource if held else None),
        }

    def _differing(self, row: BindingRow, wanted: BindingRow) -> tuple[str, ...]:
        held, sent = self._records.opened_request(row), self._records.opened_request(wanted)
        pairs = {
            # BIND-37, BIND-38; the plan may have changed since, by an update of the instance.
            "service_id": (row.service_id, wanted.service_id),
            "app_guid": (row.app_guid, wanted.app_guid),
            "route": (held.bind_resource.get("route"), sent.bind_resource.get("route")),
            "parameters": (held.parameters, sent.parameters),
            "predecessor_binding_id": (row.predecessor_binding_id, wanted.predecessor_binding_id),
        }
        return tuple(name for name, (before, now) in pairs.items() if before != now)

    def _begin_bind(self, view: View, offering: Offering, row: BindingRow, who: Who) -> Change[Verdict]:
        lane = row.binding_id if offering.concurrent_bindings else ""
        refuse_if_busy(view, lane)
        until = deadline(row.created_at, offering.plan(row.plan_id))
        operation = self._timing.begun(view, Kind.BIND, row, who, lane=lane, deadline=until)
        verdict = Verdict(Reaction.BEGIN, operation, view.instance, row)
        return beginning(self._timing, verdict, bindings=(row,))

    def unbind(
        self, instance_id: str, binding_id: str, offering: Offering | None, details: UnbindDetails, who: Who
    ) -> tuple[Key, Decide]:
        """Decide upon an unbind (section "Unbinding"), whether or not the catalog still has the plan."""

        def decide(view: View) -> Change[Verdict]:
            row = view.binding
            if row is not None and row.service_id != details.service_id:
                raise ErrBadRequest("service_id is not that of the service binding.")
            reaction = BINDING[state_of(row)][Asked.DELETE]
            if row is None or reaction not in (Reaction.BEGIN, Reaction.HALT):
                return _settled(reaction, view, binding_id)
            if reaction is Reaction.HALT:
                return halting(
                    self._timing, view, row.binding_id, lambda rest: self._begin_unbind(rest, row, offering, who)
                )
            return self._begin_unbind(view, row, offering, who)

        return Key(instance_id, binding_id), decide

    def revoke(self, instance_id: str, binding_id: str, offering: Offering) -> tuple[Key, Decide]:
        """Decide upon the deletion of a binding that has expired; nobody asked for it."""

        def decide(view: View) -> Change[Verdict]:
            row, now = view.binding, self._timing.clock()
            if row is None or row.state != State.READY or row.expires_at is None or row.expires_at > now:
                raise ErrBindingDoesNotExist
            return self._begin_unbind(view, row, offering, NOBODY, "it has expired")

        return Key(instance_id, binding_id), decide

    def _begin_unbind(
        self, view: View, row: BindingRow, offering: Offering | None, who: Who, detail: str | None = None
    ) -> Change[Verdict]:
        now = self._timing.clock()
        lane = row.binding_id if offering is not None and offering.concurrent_bindings else ""
        refuse_if_busy(view, lane)
        until = deadline(now, offering.plan(row.plan_id)) if offering is not None else None
        operation = self._timing.begun(view, Kind.UNBIND, row, who, lane=lane, deadline=until)
        row = replace(row, state=State.DELETING, updated_at=now)
        verdict = Verdict(Reaction.BEGIN, operation, view.instance, row)
        return beginning(self._timing, verdict, detail, bindings=(row,))


def _settled(reaction: Reaction, view: View, binding_id: str, differing: Iterable[str] = ()) -> Change[Verdict]:
    if reaction is Reaction.DONE:
        return Change(result=Verdict(reaction, None, view.instance, view.binding))
    if reaction is Reaction.REPEAT and (operation := running(view, binding_id)) is not None:
        return Change(result=Verdict(reaction, operation, view.instance, view.binding))
    if reaction is Reaction.CONFLICT:
        raise ErrBindingAlreadyExists(f"The service binding exists with another value of: {', '.join(differing)}.")
    raise ErrBindingDoesNotExist if reaction is Reaction.MISSING else ErrConcurrentInstanceAccess


def _check_ids(instance: InstanceRow, row: BindingRow | None, details: BindDetails) -> None:
    # ROT-07: a rotation need not name them.
    if details.service_id not in (None, instance.service_id):
        raise ErrBadRequest("service_id is not that of the service instance.")
    # BIND-29: a repeated bind names the plan of its time, which an update of the instance may have changed since.
    if details.plan_id not in (None, instance.plan_id, None if row is None else row.plan_id):
        raise ErrBadRequest("plan_id is not that of the service instance.")


def _repeated(row: BindingRow | None, details: BindDetails) -> BindingRow | None:
    """Give the binding itself where the request repeats its rotation: its predecessor may be gone by now (ROT-03)."""
    wanted = details.predecessor_binding_id
    if wanted is None or row is None or row.predecessor_binding_id != wanted or row.state == State.CREATE_FAILED:
        return None
    return row


def _predecessor(
    view: View, offering: Offering, instance: InstanceRow, details: BindDetails, now: float
) -> BindingRow | None:
    """Give the binding that the new one takes over from.

    Raises:
        ErrBindingDoesNotExist: It is not there, not ready, or has expired (ROT-06).
        ErrBadRequest: The plan's bindings cannot be rotated (ROT-01).
    """
    wanted = details.predecessor_binding_id
    if wanted is None:
        return None
    if not offering.plan(instance.plan_id).binding_rotatable:
        raise ErrBadRequest("The bindings of this service plan cannot be rotated.")
    for row in view.bindings:
        usable = BINDING[state_of(row)][Asked.GET] is Reaction.DONE
        if row.binding_id == wanted and usable and (row.expires_at is None or row.expires_at > now):
            return row
    raise ErrBindingDoesNotExist


def _first(given: dict[str, Any] | None, held: dict[str, Any] | None) -> dict[str, Any]:
    return given if given is not None else held or {}
