"""Orphan mitigation: when a platform has to delete what it cannot be sure was made, and how (section of that name)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from . import calls
from .answers import Answer, Begun
from .conversation import Ask, Conversation, Pause, ask
from .errors import BrokerError, Gone, MalformedAnswer, NoAnswer, OperationFailed, OrphanLeft, PlatformError
from .polling import Polling, wait_for_binding, wait_for_instance
from .request import Endpoint


class Kind(Enum):
    """The answers that the specification's table tells apart (its second column)."""

    OK_200 = "200"
    MALFORMED_200 = "200 with malformed response"
    STATE_FAILED = '200 with "state": "failed"'
    OK_201 = "201"
    MALFORMED_201 = "201 with malformed response"
    OK_202 = "202"
    MALFORMED_202 = "202 with malformed response"
    OTHER_2XX = "All other 2xx"
    STATUS_408 = "408"
    OTHER_4XX = "All other 4xx"
    STATUS_5XX = "5xx"
    TIMEOUT = "Timeout"


class Mitigation(Enum):
    """What orphan mitigation is to delete."""

    NONE = "nothing"
    INSTANCE = "the instance"
    BINDING = "the binding"


@dataclass(frozen=True)
class Row:
    """A row of the specification's table.

    Attributes:
        requests: The requests it is about. A failed state belongs to the request that began the operation.
        answer: What came back.
        meaning: How a platform takes it.
        mitigation: What it should delete.
    """

    requests: frozenset[Endpoint]
    answer: Kind
    meaning: str
    mitigation: Mitigation


_ALL = frozenset(Endpoint)
_PROVISION = frozenset({Endpoint.PROVISION})
_BIND = frozenset({Endpoint.BIND})
_INSTANCE = frozenset({Endpoint.PROVISION, Endpoint.DEPROVISION})
_BINDING = frozenset({Endpoint.BIND, Endpoint.UNBIND})
_UPDATE = frozenset({Endpoint.UPDATE})
_NOT_SENT = "the request did not arrive"

#: ORPH-05, ORPH-06, ORPH-07: the specification's table, row by row.
TABLE = (
    Row(_ALL, Kind.OK_200, "success", Mitigation.NONE),
    Row(_ALL, Kind.MALFORMED_200, "failure", Mitigation.NONE),
    Row(_INSTANCE, Kind.STATE_FAILED, "failure", Mitigation.INSTANCE),
    Row(_BINDING, Kind.STATE_FAILED, "failure", Mitigation.BINDING),
    Row(_ALL, Kind.OK_201, "success", Mitigation.NONE),
    Row(_PROVISION, Kind.MALFORMED_201, "failure", Mitigation.INSTANCE),
    Row(_BIND, Kind.MALFORMED_201, "failure", Mitigation.BINDING),
    Row(_ALL, Kind.OK_202, "success", Mitigation.NONE),
    Row(_PROVISION, Kind.MALFORMED_202, "failure", Mitigation.INSTANCE),
    Row(_BIND, Kind.MALFORMED_202, "failure", Mitigation.BINDING),
    Row(_INSTANCE, Kind.OTHER_2XX, "failure", Mitigation.INSTANCE),
    Row(_BINDING, Kind.OTHER_2XX, "failure", Mitigation.BINDING),
    Row(_UPDATE, Kind.OTHER_2XX, "failure", Mitigation.NONE),
    Row(_ALL, Kind.STATUS_408, _NOT_SENT, Mitigation.NONE),
    Row(_ALL, Kind.OTHER_4XX, "request rejected", Mitigation.NONE),
    Row(_INSTANCE, Kind.STATUS_5XX, "error of the broker", Mitigation.INSTANCE),
    Row(_BINDING, Kind.STATUS_5XX, "error of the broker", Mitigation.BINDING),
    Row(_UPDATE, Kind.STATUS_5XX, "error of the broker", Mitigation.NONE),
    Row(_PROVISION, Kind.TIMEOUT, "failure", Mitigation.INSTANCE),
    Row(_BIND, Kind.TIMEOUT, "failure", Mitigation.BINDING),
    Row(_ALL - _PROVISION - _BIND, Kind.TIMEOUT, "failure", Mitigation.NONE),
)

_OK = {200: Kind.OK_200, 201: Kind.OK_201, 202: Kind.OK_202}
_MALFORMED = {200: Kind.MALFORMED_200, 201: Kind.MALFORMED_201, 202: Kind.MALFORMED_202}
_CLASSES = {2: Kind.OTHER_2XX, 4: Kind.OTHER_4XX, 5: Kind.STATUS_5XX}


def kind_of(outcome: Answer | PlatformError) -> Kind | None:
    """Tell which of the table's answers an outcome is; None if the table does not know it, such as a redirect."""
    if isinstance(outcome, OperationFailed):
        return Kind.STATE_FAILED
    if isinstance(outcome, NoAnswer):
        # A connection that breaks leaves the platform where a time-out does: it cannot be sure. What was never sent
        # cannot have made anything.
        return Kind.TIMEOUT if outcome.sent else None
    if isinstance(outcome, MalformedAnswer):
        return _MALFORMED.get(outcome.status)
    if isinstance(outcome, Answer | BrokerError):
        return _kind_of_status(outcome.status)
    return None


def _kind_of_status(status: int) -> Kind | None:
    if status == 408:
        return Kind.STATUS_408
    return _OK.get(status) or _CLASSES.get(status // 100)


def mitigation_after(endpoint: Endpoint, outcome: Answer | PlatformError) -> Mitigation:
    """Tell what a platform should delete after an outcome.

    Args:
        endpoint: The request; for the end of an asynchronous operation, the request that began it.
        outcome: What came of it: an answer, or the error that was raised.
    """
    kind = kind_of(outcome)
    for row in TABLE:
        if row.answer is kind and endpoint in row.requests:
            return row.mitigation
    return Mitigation.NONE


@dataclass(frozen=True, kw_only=True)
class Backoff:
    """How often, and how far apart, it is tried to delete an orphan.

    Attributes:
        first: Seconds before the second attempt; the first is made at once.
        growth: By what a pause is longer than the one before.
        longest: Seconds that a pause grows to.
        jitter: The part of a pause, from 0 to 1, that chance takes away, lest all platforms come back at once.
        attempts: How many attempts are made; None for no end.
    """

    first: float = 1.0
    growth: float = 2.0
    longest: float = 300.0
    jitter: float = 0.5
    attempts: int | None = 12

    def __post_init__(self) -> None:
        if self.first < 0 or self.growth < 1 or self.longest < self.first or not 0 <= self.jitter <= 1:
            raise ValueError("of Backoff, first is 0 or more, growth 1 or more, longest >= first, jitter 0 to 1")
        if self.attempts is not None and self.attempts < 1:
            raise ValueError("Backoff.attempts is 1 or more, or None")

    def pause(self, attempt: int, chance: float) -> float:
        """Give the seconds to wait after an attempt.

        Args:
            attempt: Its number, the first being 1.
            chance: A number from 0 up to, but without, 1.
        """
        # Powers beyond this are longer than any pause, and would not fit a float.
        whole = self.first * self.growth ** min(attempt - 1, _MOST_DOUBLINGS)
        return min(self.longest, whole) * (1 - self.jitter * chance)


_MOST_DOUBLINGS = 64


@dataclass(frozen=True, kw_only=True)
class Orphan:
    """What may be left at the broker: an instance, or with a binding_id a binding.

    Attributes:
        maximum_polling_duration: The plan's, in seconds, or None.
    """

    instance_id: str
    service_id: str
    plan_id: str
    binding_id: str | None = None
    maximum_polling_duration: float | None = None

    def __str__(self) -> str:
        if self.binding_id is None:
            return f"the instance {self.instance_id}"
        return f"the binding {self.binding_id} of the instance {self.instance_id}"


#: Is called after each attempt that did not succeed: the orphan, the number of the attempt, what came of it.
OnAttempt = Callable[[Orphan, int, PlatformError], object]


def mitigate(
    orphan: Orphan,
    *,
    backoff: Backoff | None = None,
    polling: Polling | None = None,
    on_attempt: OnAttempt | None = None,
) -> Conversation[int]:
    """Delete an orphan, and try until the broker says that it is gone (ORPH-01): 200, 202 and succeeded, or 410.

    Args:
        orphan: What to delete.
        backoff: How often to try; the defaults unless given.
        polling: How to poll; the defaults unless given.
        on_attempt: Is called after each attempt that did not succeed.

    Returns:
        How many attempts it took.

    Raises:
        OrphanLeft: the attempts are used up.
    """
    backoff, attempt = backoff or Backoff(), 0
    while True:
        attempt += 1
        trouble = yield from _attempt(orphan, polling)
        if trouble is None:
            return attempt
        if on_attempt is not None:
            on_attempt(orphan, attempt, trouble)
        if backoff.attempts is not None and attempt >= backoff.attempts:
            raise OrphanLeft(
                f"{orphan} may be left at the broker after {attempt} attempts to delete it; the last: {trouble}",
                instance_id=orphan.instance_id,
                binding_id=orphan.binding_id,
                attempts=attempt,
            ) from trouble
        pause = backoff.pause(attempt, (yield Ask.CHANCE))
        yield Pause(max(pause, getattr(trouble, "retry_after", None) or 0.0))


def _attempt(orphan: Orphan, polling: Polling | None) -> Conversation[PlatformError | None]:
    try:
        begun = yield from _delete(orphan)
        if begun.in_progress:
            yield from _wait(orphan, begun, polling)
    except Gone:
        return None
    except PlatformError as error:
        return error
    return None


def _delete(orphan: Orphan) -> Conversation[Begun]:
    # OID-02: no user has asked for it.
    if orphan.binding_id is None:
        return (
            yield from ask(
                calls.deprovision(orphan.instance_id, orphan.service_id, orphan.plan_id, caused_by_user=False)
            )
        )
    call = calls.unbind(orphan.instance_id, orphan.binding_id, orphan.service_id, orphan.plan_id, caused_by_user=False)
    return (yield from ask(call))


def _wait(orphan: Orphan, begun: Begun, polling: Polling | None) -> Conversation[object]:
    if orphan.binding_id is None:
        return wait_for_instance(
            orphan.instance_id,
            service_id=orphan.service_id,
            plan_id=orphan.plan_id,
            operation=begun.operation,
            deleting=True,
            retry_after=begun.retry_after,
            maximum_polling_duration=orphan.maximum_polling_duration,
            polling=polling,
            caused_by_user=False,
        )
    return wait_for_binding(
        orphan.instance_id,
        orphan.binding_id,
        service_id=orphan.service_id,
        plan_id=orphan.plan_id,
        operation=begun.operation,
        deleting=True,
        retry_after=begun.retry_after,
        maximum_polling_duration=orphan.maximum_polling_duration,
        polling=polling,
        caused_by_user=False,
    )
