"""Wait for the end of an asynchronous operation, by the rules of `last_operation`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from . import calls
from .answers import SUCCEEDED, LastOperation
from .conversation import Ask, Conversation, Pause, ask
from .errors import BrokerError, Gone, NoAnswer, OperationFailed, PlatformError, PollingTimedOut
from .reading import Call

OnPoll = Callable[[LastOperation], object]
OnTrouble = Callable[[PlatformError], object]


@dataclass(frozen=True, kw_only=True)
class Polling:
    """How a platform polls (section "Polling Interval and Duration").

    Attributes:
        interval: Seconds before the first poll, and the shortest pause between two.
        growth: By what a pause is longer than the one before.
        longest: Seconds that a pause grows to.
        limit: The platform's own maximum polling duration in seconds; the plan's holds if it is shorter (POL-02).
    """

    interval: float = 1.0
    growth: float = 1.5
    longest: float = 10.0
    limit: float = 86_400.0

    def __post_init__(self) -> None:
        if self.interval <= 0 or self.growth < 1 or self.longest < self.interval or self.limit <= 0:
            raise ValueError("of Polling, interval and limit are more than 0, growth 1 or more, longest >= interval")

    def duration(self, of_the_plan: float | None) -> float:
        """Give the seconds after which an operation counts as failed.

        Args:
            of_the_plan: The plan's ``maximum_polling_duration``, or None.
        """
        return min(self.limit, of_the_plan) if of_the_plan is not None and of_the_plan > 0 else self.limit

    def after(self, pause: float) -> float:
        """Give the pause that follows a pause.

        Args:
            pause: The one before, in seconds.
        """
        return min(self.longest, pause * self.growth)


def wait_for_instance(
    instance_id: str,
    *,
    service_id: str | None = None,
    plan_id: str | None = None,
    operation: str | None = None,
    deleting: bool = False,
    retry_after: float | None = None,
    maximum_polling_duration: float | None = None,
    polling: Polling | None = None,
    on_poll: OnPoll | None = None,
    on_trouble: OnTrouble | None = None,
    caused_by_user: bool = True,
) -> Conversation[LastOperation]:
    """Poll until an operation on an instance has ended well.

    Args:
        instance_id: The instance.
        service_id: The id of its offering.
        plan_id: The id of its plan; of the old plan while it is being changed (LOI-03).
        operation: What the broker answered, verbatim.
        deleting: Whether it is a deprovision: then 410 is success (LOI-14).
        retry_after: The seconds that the 202 asked to wait, or None.
        maximum_polling_duration: The plan's, in seconds, or None.
        polling: How to poll; the defaults unless given.
        on_poll: Is called with every valid answer, such as for a progress bar.
        on_trouble: Is called with what is no valid answer; polling goes on (LOI-15).
        caused_by_user: False leaves out the originating identity (OID-02).

    Returns:
        The last answer: ``succeeded``. Its status is 410 if a deprovision ended so.

    Raises:
        OperationFailed: the broker says ``failed``.
        PollingTimedOut: it did not end in time (POL-03).
    """
    call = calls.poll_instance(
        instance_id, service_id=service_id, plan_id=plan_id, operation=operation, caused_by_user=caused_by_user
    )
    limit = (polling or Polling()).duration(maximum_polling_duration)
    return _Wait(call, polling or Polling(), limit, deleting, on_poll, on_trouble).run(retry_after)


def wait_for_binding(
    instance_id: str,
    binding_id: str,
    *,
    service_id: str | None = None,
    plan_id: str | None = None,
    operation: str | None = None,
    deleting: bool = False,
    retry_after: float | None = None,
    maximum_polling_duration: float | None = None,
    polling: Polling | None = None,
    on_poll: OnPoll | None = None,
    on_trouble: OnTrouble | None = None,
    caused_by_user: bool = True,
) -> Conversation[LastOperation]:
    """Poll until an operation on a binding has ended well.

    Args:
        instance_id: The instance.
        binding_id: The binding.
        service_id: The id of the instance's offering.
        plan_id: The id of the instance's plan.
        operation: What the broker answered, verbatim.
        deleting: Whether it is an unbind: then 410 is success (LOB-12).
        retry_after: The seconds that the 202 asked to wait, or None.
        maximum_polling_duration: The plan's, in seconds, or None.
        polling: How to poll; the defaults unless given.
        on_poll: Is called with every valid answer, such as for a progress bar.
        on_trouble: Is called with what is no valid answer; polling goes on (LOB-13).
        caused_by_user: False leaves out the originating identity (OID-02).

    Returns:
        The last answer: ``succeeded``. Its status is 410 if an unbind ended so.

    Raises:
        OperationFailed: the broker says ``failed``.
        PollingTimedOut: it did not end in time (POL-03).
    """
    call = calls.poll_binding(
        instance_id,
        binding_id,
        service_id=service_id,
        plan_id=plan_id,
        operation=operation,
        caused_by_user=caused_by_user,
    )
    limit = (polling or Polling()).duration(maximum_polling_duration)
    return _Wait(call, polling or Polling(), limit, deleting, on_poll, on_trouble).run(retry_after)


@dataclass
class _Wait:
    call: Call[LastOperation]
    polling: Polling
    limit: float
    deleting: bool
    on_poll: OnPoll | None
    on_trouble: OnTrouble | None
    last: LastOperation | None = None
    trouble: PlatformError | None = None

    def run(self, retry_after: float | None) -> Conversation[LastOperation]:
        deadline = (yield Ask.TIME) + self.limit
        pause = self.polling.interval
        while True:
            yield from self._rest(pause, retry_after, deadline)
            yield from self._poll()
            # LOI-16, LOB-14
            if self.last is not None and self.last.succeeded:
                return self.last
            if self.last is not None and self.last.failed:
                raise self._failed(self.last)
            retry_after = self._asked_to_wait()
            pause = self.polling.after(pause)

    def _rest(self, pause: float, retry_after: float | None, deadline: float) -> Conversation[None]:
        remaining = deadline - (yield Ask.TIME)
        # LOI-24, LOB-21
        wanted = pause if retry_after is None else max(retry_after, self.polling.interval)
        # What the platform has chosen itself may be cut short, for a last poll; what the broker asks for may not.
        if remaining <= 0 or (retry_after is not None and wanted > remaining):
            yield Pause(max(0.0, remaining))
            raise self._timed_out()
        yield Pause(min(wanted, remaining))

    def _poll(self) -> Conversation[None]:
        self.trouble = None
        try:
            self.last = yield from ask(self.call)
        except Gone as gone:
            # LOI-14, LOB-12
            if self.deleting:
                self.last = LastOperation(state=SUCCEEDED, status=gone.status, request_identity=gone.request_identity)
            else:
                self._go_on(gone)
        except (BrokerError, NoAnswer) as error:
            self._go_on(error)
        if self.trouble is None and self.last is not None and self.on_poll is not None:
            self.on_poll(self.last)

    def _go_on(self, error: PlatformError) -> None:
        # LOI-15, LOB-13
        self.trouble = error
        if self.on_trouble is not None:
            self.on_trouble(error)

    def _asked_to_wait(self) -> float | None:
        if isinstance(self.trouble, BrokerError):
            return self.trouble.retry_after
        return self.last.retry_after if self.trouble is None and self.last is not None else None

    def _failed(self, last: LastOperation) -> OperationFailed:
        said = f": {last.description}" if last.description else ""
        return OperationFailed(
            f"{self.call.request.endpoint.value}: the operation failed{said}",
            last=last,
            endpoint=self.call.request.endpoint,
            request_identity=last.request_identity,
        )

    def _timed_out(self) -> PollingTimedOut:
        said = f"; the last poll: {self.trouble}" if self.trouble is not None else ""
        return PollingTimedOut(
            f"{self.call.request.endpoint.value}: the operation did not end within {self.limit:g} s{said}",
            last=self.last,
            trouble=self.trouble,
            endpoint=self.call.request.endpoint,
        )
