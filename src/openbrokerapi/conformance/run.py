"""One run against one broker: what all its checks share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from .asking import Asking, Instance
from .belongings import Belongings
from .catalog_view import CatalogView
from .check import Watch, Watched
from .conversation import Conversation
from .cooperation import Cooperation
from .ledger import Ledger, LeftBehind
from .removing import Remover
from .subjects import Subject
from .switches import Switches
from .wire import Answer, Clock, Endpoint, NoAnswer, Request, Sender

_FIRST_PAUSE = 0.05  # seconds between polls; longer with each poll
_LONGEST_PAUSE = 1.0

_TRIES = 8  # of a request that is answered with 429
_LONGEST_WAIT = 5.0  # seconds between them

STANDING = "the instances that checks share"


@dataclass
class _Standing:
    """An instance that one check after the other may have; some brokers take one request about it at a time."""

    instance: Instance
    holder: str | None


class Run:
    """Sends, watches, writes down, and remembers what was made.

    Args:
        sender: Sends requests.
        clock: Time.
        ask: Writes well-formed requests.
        ledger: Where judgements go.
        watches: The looks at every answer.
        cooperation: The broker's help.
        patience: For how many seconds an operation is polled.
        url: Where the broker is; empty where that is not known.
    """

    def __init__(
        self,
        sender: Sender,
        clock: Clock,
        ask: Asking,
        ledger: Ledger,
        watches: tuple[Watch, ...],
        *,
        cooperation: Cooperation,
        patience: float,
        url: str = "",
    ) -> None:
        self.sender = sender
        self.clock = clock
        self.ask = ask
        self.ledger = ledger
        self.cooperation = cooperation
        self.patience = patience
        self.url = url
        self.version = ask.version
        self.catalog = CatalogView(None)
        self.catalog_answer: Answer | None = None
        self.subjects: list[Subject] = []
        self.belongings = Belongings(self._removal_of)
        self.switches = Switches(cooperation.broker, sender)
        self.requests = 0
        self.listen: Callable[[Answer], None] = lambda _: None
        self._watches = [each for each in watches if not ledger.asked.isdisjoint(each.rules)]
        self._standing: list[_Standing] = []
        self.cramped = False  # whether the broker refused an instance of a plan that it made one of before

    async def send(self, request: Request, owner: str = "") -> Answer:
        """Send a request for a check; look at the answer with every watch."""
        self.requests += 1
        self.belongings.asked(request, owner)
        try:
            answer = await self._sent(request)
        except NoAnswer as error:
            nothing = Answer(request, 0, (), error.reason.encode(), error.seconds)
            self.ledger.judge("ASY-01", False, "every request is answered", "an answer", (nothing,))
            raise
        self.belongings.answered(answer, owner)
        self._look_at(answer)
        self.listen(answer)
        return answer

    async def _sent(self, request: Request) -> Answer:
        """Send a request, and again after a while if it was one too many at a time (429 is about no rule)."""
        answer = await self.sender.send(request)
        for attempt in range(_TRIES):
            if answer.status != 429:
                break
            asked = answer.header("Retry-After") or ""
            pause = float(asked) if asked.isdecimal() else _FIRST_PAUSE * 2**attempt
            await self.clock.sleep(min(pause, _LONGEST_WAIT))
            answer = await self.sender.send(request)
        return answer

    def pause(self, polled: Answer, polls: int) -> float:
        """Say how long to wait before the next poll: longer each time, and no longer than the broker asks for.

        The broker may ask for half a minute (LOI-22), and a run has many polls; to be polled earlier is to be
        borne with (POL-01).
        """
        asked = polled.header("Retry-After") or ""
        longest = min(float(asked), _LONGEST_PAUSE) if asked.isdecimal() else _LONGEST_PAUSE
        return max(min(_FIRST_PAUSE * 1.3**polls, longest), _FIRST_PAUSE)

    async def standing(self, subject: Subject, talk: Conversation) -> Instance:
        """Return an instance of a plan that no other check has in hand; make one where there is none."""
        mine = talk.check.sentence
        for each in self._standing:
            if each.instance.subject is subject and each.holder in (None, mine):
                each.holder = mine
                return each.instance
        instance = await talk.instance(subject)
        self.belongings.keep(instance.request.path, STANDING)
        self._standing.append(_Standing(instance, mine))
        return instance

    def forget_standing(self) -> None:
        """Have no standing instances any more: they were removed."""
        self._standing.clear()

    def release(self, holder: str) -> None:
        """Let other checks have the standing instances of one that is over."""
        for each in self._standing:
            if each.holder == holder:
                each.holder = None

    async def remove(self, owner: str | None) -> list[LeftBehind]:
        """Remove what a check made, or everything; return what is still there."""
        return await Remover(self.send, self.clock, self.belongings, self.patience).remove_all(owner)

    def _look_at(self, answer: Answer) -> None:
        watched = Watched(self.version, self._requires(answer.request))
        for each in self._watches:
            for rule, holds, expected in each.look(answer, watched):
                self.ledger.judge(rule, holds, each.sentence, expected, (answer,))

    def _requires(self, request: Request) -> tuple[str, ...] | None:
        service_id = (request.fields or {}).get("service_id") or dict(request.query).get("service_id")
        for offering in self.catalog.offerings:
            if offering.id == service_id:
                return tuple(offering.requires)
        return None

    def _removal_of(self, request: Request) -> Request:
        """Write the DELETE for a PUT with the ids of its body, or of any plan where it has none."""
        fields: dict[str, Any] = dict(request.fields or {})
        plan = self.subjects[0].plan if self.subjects else None
        ids = {
            "service_id": _text(fields.get("service_id")) or (plan.offering.id if plan else "unknown"),
            "plan_id": _text(fields.get("plan_id")) or (plan.id if plan else "unknown"),
        }
        endpoint = Endpoint.UNBIND if request.endpoint is Endpoint.BIND else Endpoint.DEPROVISION
        plain = replace(self.ask.catalog(), endpoint=endpoint, method="DELETE", path=request.path, note="to clean up")
        return plain.with_query(accepts_incomplete="true", **ids)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
