"""How an operation ends: what the author's method gave or raised, and what becomes of the instance or the binding."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from openbrokerapi.errors import ServiceException
from openbrokerapi.stores.contract import Change, Key, View
from openbrokerapi.stores.rows import IN_PROGRESS, BindingRow, Event, InstanceRow, OperationRow

from .answers import Bound, Failed, Provisioned
from .instance_requests import as_text
from .operations import FAILED, SUCCEEDED, Timing, freed, replace, unblocked, with_ended
from .records import Records, readable
from .states import COURSES, Kind, State
from .subjects import NOBODY

#: What the platform reads when the author's method failed without a word for users.
UNEXPECTED = "The operation failed unexpectedly; the broker's operator finds the reason in its log."
LATE = "The operation took longer than its plan allows."


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an operation came to.

    Attributes:
        made: What the author's method returned, where it succeeded.
        description: What the platform reads, where it failed.
        error: What was raised, where that has a status of its own.
    """

    succeeded: bool
    made: Provisioned | Bound | None = field(default=None, repr=False)
    description: str | None = None
    usable: bool | None = None
    repeatable: bool | None = None
    error: ServiceException | None = None


def succeeded(kind: Kind, returned: Any) -> Outcome:
    """Give the outcome of a method that returned.

    Raises:
        TypeError, ValueError: It returned something that is no answer; the message says what to return.
    """
    if isinstance(returned, BaseException):
        # Else a deletion that says so would count as done.
        raise TypeError(f"{kind} must raise {type(returned).__name__}, not return it")
    if kind is Kind.BIND:
        made = Bound(credentials=returned) if isinstance(returned, Mapping) else returned
        if not isinstance(made, Bound):
            raise TypeError(f"bind must return Bound(...) or a mapping, not {type(returned).__name__}")
        made.metadata()
        return Outcome(True, made)
    if kind in (Kind.PROVISION, Kind.UPDATE):
        if returned is not None and not isinstance(returned, Provisioned):
            raise TypeError(f"{kind} must return Provisioned(...) or nothing, not {type(returned).__name__}")
        return Outcome(True, returned or Provisioned())
    return Outcome(True)


def failed(error: BaseException) -> Outcome:
    """Give the outcome of a method that raised."""
    if isinstance(error, Failed):
        flags = _flag(error.usable), _flag(error.repeatable)
        # The text of another exception was not written for users, and may quote a secret.
        text = readable(error.description) if isinstance(error.description, str) else UNEXPECTED
        return Outcome(False, description=text, usable=flags[0], repeatable=flags[1])
    said = getattr(error, "description", None)
    if isinstance(error, ServiceException) and isinstance(said, str):
        usable = _flag(getattr(error, "instance_usable", None))
        repeatable = _flag(getattr(error, "update_repeatable", None))
        text = readable(said)
        return Outcome(False, description=text, usable=usable, repeatable=repeatable, error=error)
    if isinstance(error, ServiceException):
        return Outcome(False, description=readable(error.problem.description or UNEXPECTED), error=error)
    return Outcome(False, description=UNEXPECTED)


def _flag(given: Any) -> bool | None:
    return None if given is None else bool(given)


@dataclass(frozen=True, slots=True)
class Ended:
    """What the end of an operation came to.

    Attributes:
        operation: As it ended now or before.
        mine: Whether this end counted: nobody else had ended it, or taken it over, before.
        begun: Operations that may begin now.
        instance, binding: What it made of them.
    """

    operation: OperationRow | None
    mine: bool
    begun: tuple[OperationRow, ...] = ()
    instance: InstanceRow | None = None
    binding: BindingRow | None = None


Decide = Callable[[View], Change[Ended]]


class Endings:
    """Decides how operations end."""

    def __init__(self, records: Records, timing: Timing) -> None:
        self._records = records
        self._timing = timing

    def end(self, operation: OperationRow, outcome: Outcome, *, steps: bool) -> tuple[Key, Decide]:
        """Decide upon the end of an operation whose handler has ended at the attempt of ``operation``.

        Args:
            steps: Whether steps of it may be remembered.
        """

        def decide(view: View) -> Change[Ended]:
            row = view.operation
            if row is None or row.attempt != operation.attempt or row.worker != operation.worker:
                return Change(result=Ended(row, mine=False))
            if row.state != IN_PROGRESS:
                return self._let_go(view, row, steps=steps)
            return self._end(view, row, outcome, steps=steps)

        return _key(operation), decide

    def let_go(self, operation: OperationRow) -> tuple[Key, Decide]:
        """Decide upon an operation that had ended before, and whose worker has died since."""

        def decide(view: View) -> Change[Ended]:
            row = view.operation
            if row is None or row.state == IN_PROGRESS or row.worker != operation.worker:
                return Change(result=Ended(row, mine=False))
            return self._let_go(view, row, steps=True)

        return _key(operation), decide

    def release(self, operation: OperationRow) -> tuple[Key, Decide]:
        """Decide upon an operation that this worker leaves, unfinished, to others."""

        def decide(view: View) -> Change[Ended]:
            row = view.operation
            if row is None or row.attempt != operation.attempt or row.worker != operation.worker:
                return Change(result=Ended(row, mine=False))
            if row.state != IN_PROGRESS:
                # It was stopped: its method did not come so far as to end.
                return self._let_go(view, row, steps=True)
            row = replace(row, worker=None, lease_until=None)
            event = self._timing.event(row, f"{row.kind} released", who=False)
            return Change(result=Ended(row, True), operations=(row,), events=(event,), begin=(row.operation_id,))

        return _key(operation), decide

    def late(self, operation: OperationRow) -> tuple[Key, Decide]:
        """Decide upon an operation whose deadline is over (POL-04); its handler may still run."""

        def decide(view: View) -> Change[Ended]:
            row = view.operation
            if row is None or row.state != IN_PROGRESS or row.deadline is None or row.deadline > self._timing.clock():
                return Change(result=Ended(row, mine=False))
            return self._end(view, row, Outcome(False, description=LATE), steps=True, handled=False)

        return _key(operation), decide

    def abandon(self, operation: OperationRow, description: str) -> tuple[Key, Decide]:
        """Decide upon an operation for which the request that began it does not wait any longer."""

        def decide(view: View) -> Change[Ended]:
            row = view.operation
            if row is None or row.state != IN_PROGRESS:
                return Change(result=Ended(row, mine=False))
            return self._end(view, row, Outcome(False, description=description), steps=True, handled=False)

        return _key(operation), decide

    def begin_again(self, operation: OperationRow) -> tuple[Key, Decide]:
        """Hand an operation to the queue that nobody holds."""

        def decide(view: View) -> Change[Ended]:
            row = view.operation
            if row is None or row.state != IN_PROGRESS or row.blocked_by is not None:
                return Change(result=Ended(row, mine=False))
            return Change(result=Ended(row, True), begin=(row.operation_id,))

        return _key(operation), decide

    def _let_go(self, view: View, row: OperationRow, *, steps: bool) -> Change[Ended]:
        row = replace(row, worker=None, lease_until=None)
        waiting = freed(view, row.operation_id, self._timing)
        return self._written(row, waiting, (), steps=steps)

    def _written(
        self,
        row: OperationRow,
        others: tuple[OperationRow, ...],
        events: tuple[Event, ...],
        *,
        steps: bool,
        **more: Any,
    ) -> Change[Ended]:
        begin = unblocked(others)
        begun = tuple(each for each in others if each.operation_id in begin)
        bindings = more.get("bindings") or (None,)
        return Change(
            result=Ended(row, True, begun, more.get("instance"), bindings[0]),
            operations=(row, *others),
            events=events,
            begin=begin,
            forget_steps=(row.operation_id,) if steps else (),
            **more,
        )

    def _end(
        self, view: View, row: OperationRow, outcome: Outcome, *, steps: bool, handled: bool = True
    ) -> Change[Ended]:
        """End an operation that is in progress.

        Args:
            handled: Its handler has ended; else one may run, and keeps the operation held.
        """
        now = self._timing.clock()
        kind = Kind(row.kind)
        flags = outcome.usable, outcome.repeatable
        ended = replace(
            row,
            state=SUCCEEDED if outcome.succeeded else FAILED,
            description=None if outcome.succeeded else outcome.description,
            # LOI-18 to LOI-21: of what these two may be said.
            instance_usable=flags[0] if kind in (Kind.UPDATE, Kind.DEPROVISION) else None,
            update_repeatable=flags[1] if kind is Kind.UPDATE else None,
            finished_at=now,
        )
        if handled:
            ended = replace(ended, worker=None, lease_until=None)
        others = freed(view, ended.operation_id, self._timing) if ended.worker is None else ()
        detail = None if outcome.succeeded else outcome.description
        events = (self._timing.event(ended, f"{kind} {ended.state}", detail, who=False),)
        about = view.binding if row.binding_id is not None else view.instance
        if about is None:
            return self._written(ended, others, events, steps=steps)
        after = _after(kind, about, outcome)
        if after is State.CLEANING_UP:
            return self._failed_creation(view, about, ended, others, events, steps=steps)
        if isinstance(about, BindingRow):
            more = self._binding(about, after, outcome)
        else:
            more = self._instance(view, about, ended, after, outcome)
        return self._written(ended, others, events, steps=steps, **more)

    def _failed_creation(
        self,
        view: View,
        about: InstanceRow | BindingRow,
        ended: OperationRow,
        others: tuple[OperationRow, ...],
        events: tuple[Event, ...],
        *,
        steps: bool,
    ) -> Change[Ended]:
        """Begin to clean up what a failed provision or bind may have left, unless the offering says otherwise."""
        now = self._timing.clock()
        offering = self._records.offering(about.service_id)
        if offering is not None and not offering.clean_up:
            left = _put(replace(about, state=State.CREATE_FAILED, updated_at=now))
            return self._written(ended, others, events, steps=steps, **left)
        clean_up = self._timing.begun(with_ended(view, ended), Kind.CLEAN_UP, about, NOBODY, lane=ended.lane)
        events = (*events, self._timing.event(clean_up, "clean up begun"))
        left = _put(replace(about, state=State.CLEANING_UP, updated_at=now))
        return self._written(ended, (*others, clean_up), events, steps=steps, **left)

    def _instance(
        self, view: View, row: InstanceRow, operation: OperationRow, after: State, outcome: Outcome
    ) -> dict[str, Any]:
        now = self._timing.clock()
        if after is State.UNKNOWN:
            return {"forget_instance": True}
        if after is State.READY:
            return _put(self._in_force(row, operation, outcome, now))
        # What failed leaves the old values in force, and the instance usable unless the author says otherwise.
        usable = row.usable if outcome.usable is None else outcome.usable
        changed = _put(replace(row, state=after, usable=usable, updated_at=now))
        if Kind(operation.kind) is Kind.DEPROVISION:
            left = (each for each in view.bindings if each.state == State.DELETING)
            changed["bindings"] = tuple(replace(each, state=_undeleted(each), updated_at=now) for each in left)
        return changed

    def _in_force(self, row: InstanceRow, operation: OperationRow, outcome: Outcome, now: float) -> InstanceRow:
        """Give the row with all that a successful provision or update brings."""
        if operation.kind == Kind.UPDATE:
            desired = self._records.desired(operation)
            name = as_text(desired.context.get("instance_name"))
            row = replace(
                row,
                plan_id=desired.plan_id,
                maintenance_version=desired.maintenance_version,
                request=self._records.instance_request(row.instance_id, desired.parameters, desired.context),
                name=row.name if name is None else name,
            )
        made = outcome.made if isinstance(outcome.made, Provisioned) else Provisioned()
        answer = self._records.provisioned(row, made)
        return replace(row, state=State.READY, usable=True, answer=answer, updated_at=now)

    def _binding(self, row: BindingRow, after: State, outcome: Outcome) -> dict[str, Any]:
        now = self._timing.clock()
        if after is State.UNKNOWN:
            return {"forget_bindings": (row.binding_id,)}
        if after is not State.READY or not isinstance(outcome.made, Bound):
            return _put(replace(row, state=after, updated_at=now))
        metadata = outcome.made.metadata()
        expires_at = _moment(metadata.expires_at) if metadata is not None else None
        renew_before = _moment(metadata.renew_before) if metadata is not None else None
        answer = self._records.bound(row, outcome.made)
        return _put(
            replace(row, state=after, answer=answer, expires_at=expires_at, renew_before=renew_before, updated_at=now)
        )


def _after(kind: Kind, about: InstanceRow | BindingRow, outcome: Outcome) -> State:
    after = COURSES[kind].after(outcome.succeeded)
    return _undeleted(about) if after is State.DELETE_FAILED else after


def _undeleted(about: InstanceRow | BindingRow) -> State:
    """Give the state of what could not be deleted; what was never made does not come to be there by that."""
    return State.CREATE_FAILED if about.answer is None else State.DELETE_FAILED


def _key(operation: OperationRow) -> Key:
    whole = operation.kind == Kind.DEPROVISION
    return Key(operation.instance_id, operation.binding_id, operation.operation_id, bindings=whole)


def _put(about: InstanceRow | BindingRow) -> dict[str, Any]:
    return {"bindings": (about,)} if isinstance(about, BindingRow) else {"instance": about}


def _moment(text: str | None) -> float | None:
    return None if text is None else datetime.fromisoformat(text).timestamp()
