"""Longer work with a broker, without sockets or a clock: a generator yields what it wants and is sent the result.

A `Request` is answered by its `Response`, a `Pause` by nothing when it is over, `Ask` by what it asks for. A request
without an answer raises `NoAnswer` where it was yielded. So waiting, orphan mitigation and the simulated platform are
written once, and two thin drivers, `Client` and `AsyncClient`, run them.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias, TypeVar

from .reading import Call
from .request import Request, Response

T = TypeVar("T")


@dataclass(frozen=True)
class Pause:
    """Wait for some time.

    Attributes:
        seconds: How long.
    """

    seconds: float


class Ask(Enum):
    """Ask the driver for what a pure function cannot know."""

    #: Seconds of a clock that never goes back.
    TIME = "time"
    #: Seconds since 1970.
    DATE = "date"
    #: A number from 0 up to, but without, 1.
    CHANCE = "chance"
    #: A new globally unique id.
    ID = "id"


Step: TypeAlias = Request | Pause | Ask
Conversation: TypeAlias = Generator[Step, Any, T]
Work: TypeAlias = Call[T] | Conversation[T]


def ask(call: Call[T]) -> Conversation[T]:
    """Send one request and read its answer.

    Raises:
        NoAnswer: there was none.
        BrokerError: it is no success.
    """
    response: Response = yield call.request
    return call.read(response)


def conversation_of(work: Work[T]) -> Conversation[T]:
    """Make a conversation of a single call; leave a conversation as it is."""
    return ask(work) if isinstance(work, Call) else work
