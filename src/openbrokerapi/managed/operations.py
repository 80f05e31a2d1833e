"""How operations begin, end, and make way for one another: what every transaction on them has in common."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from openbrokerapi.errors import ErrConcurrentInstanceAccess
from openbrokerapi.stores.contract import Change, View
from openbrokerapi.stores.rows import IN_PROGRESS, BindingRow, Event, InstanceRow, OperationRow

from .records import who_text
from .states import Kind, Reaction
from .subjects import Who

replace = msgspec.structs.replace

SUCCEEDED = "succeeded"
FAILED = "failed"
#: What the platform reads of an operation that its own deletion has ended.
STOPPED = "Stopped, for it is to be deleted."
#: The lease of a process that owns its store alone: it is over when the store is opened anew.
FOR_GOOD = 1e10


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a request came to.

    Attributes:
        reaction: BEGIN, REPEAT, HALT: ``operation`` is under way; DONE: it is there.
        stopped: Of HALT: the operation that was stopped for it.
    """

    reaction: Reaction
    operation: OperationRow | None = None
    instance: InstanceRow | None = None
    binding: BindingRow | None = None
    stopped: str | None = None


Decide = Callable[[View], Change[Verdict]]


class Timing:
    """What makes decisions repeatable: the clock, the ids, and who works.

    Args:
        clock: Seconds since 1970.
        new_id: Gives the id of a new operation.
        worker: This process's name as a worker, if what it begins is its own to carry out at once; else None.
    """

    def __init__(self, clock: Callable[[], float], new_id: Callable[[], str], worker: str | None) -> None:
        self.clock = clock
        self.new_id = new_id
        self.worker = worker

    def begun(self, view: View, kind: Kind, about: InstanceRow | BindingRow, who: Who, **fields: Any) -> OperationRow:
        """Give the row of a new operation; it waits for handlers that still run on the instance.

        Args:
            fields: ``lane``, ``request``, ``deadline``, ``operation_id`` of the row.
        """
        now = self.clock()
        if view.instance is not None:
            # The clocks of replicas differ, and operations of an instance are in the order of these moments.
            now = max(now, view.instance.updated_at, *(row.created_at for row in view.active))
        if view.binding is not None:
            now = max(now, view.binding.updated_at)
        blocked_by = holder(view, fields.get("lane", ""))
        row = OperationRow(
            operation_id=fields.pop("operation_id", None) or self.new_id(),
            instance_id=about.instance_id,
            binding_id=about.binding_id if isinstance(about, BindingRow) else None,
            kind=kind,
            who=who_text(who),
            blocked_by=blocked_by,
            created_at=now,
            **fields,
        )
        return row if blocked_by is not None else self.taken(row)

    def taken(self, row: OperationRow) -> OperationRow:
        """Give the row as taken by this process, where what begins is its own to carry out."""
        if self.worker is None:
            return row
        now = self.clock()
        return replace(
            row,
            attempt=row.attempt + 1,
            worker=self.worker,
            lease_until=now + FOR_GOOD,
            started_at=row.started_at or now,
        )

    def event(self, operation: OperationRow, what: str, detail: str | None = None, *, who: bool = True) -> Event:
        """Give the event of something that happened to an operation."""
        return Event(
            at=self.clock(),
            instance_id=operation.instance_id,
            binding_id=operation.binding_id,
            operation_id=operation.operation_id,
            what=what,
            who=operation.who if who else None,
            detail=detail,
        )

    def noted(self, about: InstanceRow | BindingRow, what: str, who: Who, detail: str | None = None) -> Event:
        """Give the event of something that happened without an operation."""
        binding_id = about.binding_id if isinstance(about, BindingRow) else None
        return Event(
            at=self.clock(),
            instance_id=about.instance_id,
            binding_id=binding_id,
            what=what,
            who=who_text(who),
            detail=detail,
        )


def holder(view: View, lane: str) -> str | None:
    """Give an operation that has ended and whose handler may still run, where it is in the way of the lane."""
    for row in view.active:
        if row.state != IN_PROGRESS and _same_way(row.lane, lane):
            return row.operation_id
    return None


def _same_way(lane: str, other: str) -> bool:
    return not lane or not other or lane == other


def refuse_if_busy(view: View, lane: str) -> None:
    """Refuse to begin beside an operation in progress.

    Raises:
        ErrConcurrentInstanceAccess: There is one in the way (BLK-02).
    """
    if any(row.state == IN_PROGRESS and _same_way(row.lane, lane) for row in view.active):
        raise ErrConcurrentInstanceAccess


def running(view: View, binding_id: str | None) -> OperationRow | None:
    """Give the operation in progress of the instance itself, or of a binding."""
    for row in view.active:
        if row.state == IN_PROGRESS and row.binding_id == binding_id:
            return row
    return None


def beginning(timing: Timing, verdict: Verdict, detail: str | None = None, **rows: Any) -> Change[Verdict]:
    """Give what is written when the operation of a verdict begins; it is handed over unless it has to wait.

    Args:
        rows: The rows that it is about, as they are while it is in progress.
    """
    operation = verdict.operation
    if operation is None:
        raise ValueError("the verdict has no operation to begin")
    return Change(
        result=verdict,
        operations=(operation,),
        events=(timing.event(operation, f"{operation.kind} requested", detail),),
        begin=(operation.operation_id,) if operation.blocked_by is None else (),
        **rows,
    )


def halting(
    timing: Timing, view: View, binding_id: str | None, begin_deletion: Callable[[View], Change[Verdict]]
) -> Change[Verdict]:
    """Give what is written when something is to be deleted while it is being created.

    Its creation has ended with that, although its handler may still run; the deletion begins when that has ended, too.

    Raises:
        ErrConcurrentInstanceAccess: It is not its creation that is in progress.
    """
    stopped = running(view, binding_id)
    if stopped is None:
        raise ErrConcurrentInstanceAccess
    ended = replace(stopped, state=FAILED, description=STOPPED, finished_at=timing.clock())
    change = begin_deletion(with_ended(view, ended))
    return replace(
        change,
        result=dataclasses.replace(change.result, reaction=Reaction.HALT, stopped=ended.operation_id),
        operations=(ended, *change.operations),
        events=(timing.event(ended, f"{ended.kind} stopped", who=False), *change.events),
    )


def with_ended(view: View, ended: OperationRow) -> View:
    """Give the view after an operation has ended; one that nobody holds is in nobody's way any more."""
    rest = tuple(row for row in view.active if row.operation_id != ended.operation_id)
    held = ended.worker is not None and ended.state != IN_PROGRESS
    return replace(view, active=(*rest, ended) if held else rest)


def freed(view: View, operation_id: str, timing: Timing) -> tuple[OperationRow, ...]:
    """Give the operations that waited for the handler of one that has ended now, as they go on."""
    left = tuple(row for row in view.active if row.operation_id != operation_id)
    rest = View(active=left)
    found = []
    for row in left:
        if row.blocked_by == operation_id:
            other = holder(rest, row.lane)
            freed_row = replace(row, blocked_by=other)
            found.append(freed_row if other is not None else timing.taken(freed_row))
    return tuple(found)


def unblocked(rows: tuple[OperationRow, ...]) -> tuple[str, ...]:
    """Give the ids of those that may begin."""
    return tuple(row.operation_id for row in rows if row.blocked_by is None)
