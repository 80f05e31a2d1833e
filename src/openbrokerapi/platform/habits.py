"""How a simulated platform goes about things: how it polls, cleans up, and what it tells on the way."""

from __future__ import annotations

from dataclasses import dataclass, field

from .contexts import Context
from .conversation import Conversation
from .errors import PlatformError
from .orphans import Backoff, Mitigation, OnAttempt, Orphan, mitigate, mitigation_after
from .polling import OnPoll, OnTrouble, Polling
from .request import Endpoint


@dataclass(frozen=True, kw_only=True)
class Habits:
    """How a platform goes about things.

    Attributes:
        context: Where its instances live.
        polling: How it polls.
        backoff: How it tries to delete an orphan.
        mitigates: Whether it does so at all by itself (ORPH-03).
        on_poll: Is called with every valid answer to a poll.
        on_trouble: Is called with what was no valid answer to a poll.
        on_attempt: Is called after each attempt to delete an orphan that did not succeed.
    """

    context: Context = field(default_factory=Context)
    polling: Polling = field(default_factory=Polling)
    backoff: Backoff = field(default_factory=Backoff)
    mitigates: bool = True
    on_poll: OnPoll | None = None
    on_trouble: OnTrouble | None = None
    on_attempt: OnAttempt | None = None

    def mitigating(self, endpoint: Endpoint, error: PlatformError, orphan: Orphan) -> Conversation[bool]:
        """Delete what an error may have left, if the specification says so; tell whether that was done.

        Raises:
            OrphanLeft: the attempts are used up.
        """
        if not self.mitigates or mitigation_after(endpoint, error) is Mitigation.NONE:
            return False
        yield from mitigate(orphan, backoff=self.backoff, polling=self.polling, on_attempt=self.on_attempt)
        error.mitigated = True
        return True


def left_behind(endpoint: Endpoint, error: PlatformError) -> bool:
    """Tell whether an error leaves something that a platform has to remember until it is deleted."""
    return not error.mitigated and mitigation_after(endpoint, error) is not Mitigation.NONE
