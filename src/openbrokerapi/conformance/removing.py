"""Removing what a run made, as stubbornly as the specification asks of a platform (ORPH-01)."""

from __future__ import annotations

from typing import Protocol

from .belongings import Belongings, Presence, Thing
from .ledger import LeftBehind
from .wire import Answer, Clock, NoAnswer, Request

_TRIES = 5
_FIRST_PAUSE = 0.2  # seconds; doubled with each try


class Sends(Protocol):
    """Sends a request for the run."""

    async def __call__(self, request: Request, owner: str) -> Answer:
        """Send it."""
        ...


class Remover:
    """Removes things.

    Args:
        send: Sends for the run, which notes each answer.
        clock: For pauses.
        belongings: Where it is noted what is gone.
        patience: For how many seconds the removal of one thing is polled.
    """

    def __init__(self, send: Sends, clock: Clock, belongings: Belongings, patience: float) -> None:
        self._send = send
        self._clock = clock
        self._belongings = belongings
        self._patience = patience

    async def remove_all(self, owner: str | None) -> list[LeftBehind]:
        """Remove what a check made, or everything; return what is still there."""
        left = []
        for thing in self._belongings.of(owner):
            reason = await self._remove(thing)
            self._belongings.gone(thing.path)
            if reason and thing.presence is not Presence.REFUSED:
                left.append(thing.left_behind(reason))
        return left

    async def _remove(self, thing: Thing) -> str:
        """Try until it is gone; return why it is not, or nothing."""
        reason = ""
        for attempt in range(1 if thing.presence is Presence.REFUSED else _TRIES):
            if attempt:
                await self._clock.sleep(_FIRST_PAUSE * 2**attempt)
            try:
                reason = await self._try(thing)
            except NoAnswer as error:
                reason = str(error)
            if not reason:
                return ""
        return reason

    async def _try(self, thing: Thing) -> str:
        answer = await self._send(thing.removal, thing.owner)
        if answer.status == 202:
            return await self._await_end(thing, answer)
        if answer.status in (200, 410):
            return ""
        if answer.status == 404 and await self._is_gone(thing):
            return ""
        return f"DELETE was answered with {answer.status}"

    async def _is_gone(self, thing: Thing) -> bool:
        return (await self._send(thing.fetch, thing.owner)).status == 404

    async def _await_end(self, thing: Thing, answer: Answer) -> str:
        poll = thing.poll.with_query(operation=answer.operation) if answer.operation else thing.poll
        until = self._clock.now() + self._patience
        pause = _FIRST_PAUSE
        while self._clock.now() < until:
            polled = await self._send(poll, thing.owner)
            state = polled.fields.get("state")
            if polled.status == 410 or (polled.status == 200 and state == "succeeded"):
                self._belongings.gone(thing.path)
                return ""
            if polled.status == 200 and state == "failed":
                return "its removal failed"
            await self._clock.sleep(pause)
            pause = min(pause * 1.5, 2.0)
        return f"its removal did not end within {self._patience:g} s"
