"""Something that is asked of a broker, from before the request until after its end, with the record always true.

The record is written before the request is sent, when it is accepted, and when it has ended: whenever the command is
killed, the id is there, and `openbroker poll` or the same command goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from openbrokerapi.platform import (
    Begun,
    BrokerError,
    Call,
    Client,
    Gone,
    Habits,
    LastOperation,
    Mitigation,
    NoAnswer,
    OperationFailed,
    Orphan,
    OrphanLeft,
    PlatformError,
    calls,
    mitigation_after,
)
from openbrokerapi.platform.polling import wait_for_binding, wait_for_instance

from .nature import UPDATE, Nature
from .record import Entry, Pending, State
from .subject import Subject


class LeftBehindError(Exception):
    """Something failed, and what it left could not be deleted.

    Attributes:
        error: What failed.
        left: What came of the attempts to delete it.
    """

    def __init__(self, error: PlatformError, left: OrphanLeft) -> None:
        super().__init__(f"{error}")
        self.error = error
        self.left = left


class NotKnownError(Exception):
    """What became of a request without an answer cannot be told from what the broker says."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of it.

    Attributes:
        entry: What the record has now; None if it is gone.
        answer: The answer to the request, where there was one.
        in_progress: Whether the broker goes on.
        last: The last answer to a poll, or None.
    """

    entry: Entry | None
    answer: Begun | None = None
    in_progress: bool = False
    last: LastOperation | None = None


@dataclass(frozen=True, kw_only=True)
class Undertaking:
    """One thing that is asked of a broker.

    Attributes:
        nature: What it is.
        subject: What it is about.
        orphan: What may be left behind if it fails, with the ids that polls carry.
        before: What the record had before; None if nothing, or if it was begun by another command.
    """

    nature: Nature
    subject: Subject
    orphan: Orphan
    before: Entry | None = None

    def asked(self, entry: Entry, **more: Any) -> Entry:
        """Give an entry with this pending."""
        return replace(entry, state=self.nature.during, pending=Pending(self.nature.kind, **more))

    def poll(self, operation: str | None) -> Call[LastOperation]:
        """Give the request of one poll."""
        orphan = self.orphan
        given: dict[str, Any] = {"service_id": orphan.service_id, "plan_id": orphan.plan_id, "operation": operation}
        if orphan.binding_id is None:
            return calls.poll_instance(orphan.instance_id, **given)
        return calls.poll_binding(orphan.instance_id, orphan.binding_id, **given)


class Pursuer:
    """Carries undertakings out.

    Args:
        client: Speaks to the broker.
        habits: How to poll and to clean up, and what is told on the way.
        waits: Whether to wait for the end.
        on_accepted: Is called before the wait, with the seconds that the broker asks to be left alone, or None.
    """

    def __init__(
        self, client: Client, habits: Habits, *, waits: bool, on_accepted: Callable[[float | None], object]
    ) -> None:
        self._client = client
        self._habits = habits
        self._waits = waits
        self._on_accepted = on_accepted

    def carry_out(self, undertaking: Undertaking, call: Call[Any], asked: Entry) -> Outcome:
        """Send the request, and wait for its end.

        Args:
            undertaking: What it is.
            call: The request.
            asked: What the record has from now on.

        Raises:
            PlatformError: It failed.
            LeftBehindError: It failed, and left something behind.
        """
        undertaking.subject.begin(asked, undertaking.before)
        try:
            answer: Begun = self._client.run(call)
        except PlatformError as error:
            if undertaking.nature.deletes and isinstance(error, Gone):
                return self._succeeded(undertaking)
            return self._failed(undertaking, error)
        if not answer.in_progress:
            return self._succeeded(undertaking, answer=answer)
        return self._accepted(undertaking, asked, answer)

    def _accepted(self, undertaking: Undertaking, asked: Entry, answer: Begun) -> Outcome:
        assert asked.pending is not None  # noqa: S101 - `asked` has made it
        accepted = replace(asked, pending=replace(asked.pending, accepted=True, operation=answer.operation))
        undertaking.subject.save(accepted)
        if not self._waits:
            return Outcome(entry=accepted, answer=answer, in_progress=True)
        self._on_accepted(answer.retry_after)
        return self._wait(undertaking, answer.operation, answer.retry_after, answer)

    def follow(self, undertaking: Undertaking, entry: Entry, pending: Pending) -> Outcome:
        """Go on with what another command has begun: ask once, then wait if it goes on.

        Raises:
            PlatformError: It failed, or the broker cannot be asked.
            LeftBehindError: It failed, and left something behind.
            NotKnownError: It was never accepted, and nobody can tell whether it was made.
        """
        try:
            last = self._client.run(undertaking.poll(pending.operation))
        except Gone:
            if not undertaking.nature.deletes:
                raise
            return self._succeeded(undertaking)
        if last.in_progress:
            return self._go_on(undertaking, entry, pending, last)
        if last.failed:
            return self._failed(undertaking, _failure(undertaking, last))
        self._check_whose(undertaking, entry, pending)
        return self._succeeded(undertaking, last=last)

    def _go_on(self, undertaking: Undertaking, entry: Entry, pending: Pending, last: LastOperation) -> Outcome:
        if not pending.accepted:
            entry = replace(entry, pending=replace(pending, accepted=True))
            undertaking.subject.save(entry)
        self._tell(last)
        if not self._waits:
            return Outcome(entry=entry, in_progress=True, last=last)
        return self._wait(undertaking, pending.operation, last.retry_after)

    def _tell(self, last: LastOperation) -> None:
        if self._habits.on_poll is not None:
            self._habits.on_poll(last)

    def _check_whose(self, undertaking: Undertaking, entry: Entry, pending: Pending) -> None:
        if pending.accepted or undertaking.nature.makes:
            return
        # The last operation that succeeded may be an older one.
        undertaking.subject.save(replace(entry, state=State.READY, pending=None))
        raise NotKnownError(
            f"the last operation on {undertaking.subject} has succeeded, but whether that was this "
            f"{undertaking.nature.kind} cannot be known, for it was never answered; do it again"
        )

    def _wait(
        self, undertaking: Undertaking, operation: str | None, retry_after: float | None, answer: Begun | None = None
    ) -> Outcome:
        orphan, habits = undertaking.orphan, self._habits
        given: dict[str, Any] = {
            "service_id": orphan.service_id,
            "plan_id": orphan.plan_id,
            "operation": operation,
            "deleting": undertaking.nature.deletes,
            "retry_after": retry_after,
            "maximum_polling_duration": orphan.maximum_polling_duration,
            "polling": habits.polling,
            "on_poll": habits.on_poll,
            "on_trouble": habits.on_trouble,
        }
        try:
            if orphan.binding_id is None:
                last = self._client.run(wait_for_instance(orphan.instance_id, **given))
            else:
                last = self._client.run(wait_for_binding(orphan.instance_id, orphan.binding_id, **given))
        except PlatformError as error:
            return self._failed(undertaking, error)
        return self._succeeded(undertaking, answer=answer, last=last)

    def _succeeded(
        self, undertaking: Undertaking, *, answer: Begun | None = None, last: LastOperation | None = None
    ) -> Outcome:
        entry = None if undertaking.nature.deletes else undertaking.subject.load()
        if entry is not None:
            entry = replace(entry, state=State.READY, pending=None, **_gained(undertaking.nature, entry))
        undertaking.subject.save(entry)
        return Outcome(entry=entry, answer=answer, last=last)

    def _failed(self, undertaking: Undertaking, error: PlatformError) -> Outcome:
        """Write down a failure, and delete what it may have left; what was to be deleted anyway is no failure then."""
        if mitigation_after(undertaking.nature.endpoint, error) is Mitigation.NONE:
            self._settle(undertaking, error)
            raise error
        # Before the attempts: a command that is killed meanwhile leaves the record true.
        self._mark_failed(undertaking, error)
        try:
            self._client.run(self._habits.mitigating(undertaking.nature.endpoint, error, undertaking.orphan))
        except OrphanLeft as left:
            raise LeftBehindError(error, left) from error
        undertaking.subject.save(None)
        if undertaking.nature.deletes:
            return Outcome(entry=None)
        raise error

    def _settle(self, undertaking: Undertaking, error: PlatformError) -> None:
        """Write down the end of what leaves nothing behind."""
        if isinstance(error, NoAnswer) and error.sent:
            return  # nobody knows; it stays pending
        if isinstance(error, OperationFailed) or (isinstance(error, BrokerError) and error.status >= 500):
            self._mark_failed(undertaking, error)
        else:
            undertaking.subject.save(undertaking.before)

    def _mark_failed(self, undertaking: Undertaking, error: PlatformError) -> None:
        entry = undertaking.subject.load()
        if entry is None:
            return
        changed: dict[str, Any] = {"state": undertaking.nature.failed, "pending": None}
        if undertaking.orphan.binding_id is None:
            changed["usable"] = getattr(error, "instance_usable", True)
        undertaking.subject.save(replace(entry, **changed))


def _failure(undertaking: Undertaking, last: LastOperation) -> OperationFailed:
    said = f": {last.description}" if last.description else ""
    return OperationFailed(
        f"{undertaking.nature.kind}: the operation failed{said}", last=last, request_identity=last.request_identity
    )


def _gained(nature: Nature, entry: Entry) -> dict[str, Any]:
    """Give the fields that an update leaves changed."""
    pending = entry.pending
    if nature is not UPDATE or pending is None:
        return {}
    gained: dict[str, Any] = {"usable": True}
    if pending.plan is not None:
        gained["plan"] = pending.plan
    if pending.maintenance_version is not None:
        gained["maintenance_version"] = pending.maintenance_version
    return gained
