"""What a run made, until it is surely gone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import unquote

from .ledger import LeftBehind
from .wire import Answer, Endpoint, Request


class Presence(StrEnum):
    """Whether something is there."""

    UNKNOWN = "unknown"
    LIKELY = "likely"
    REFUSED = "refused"


@dataclass(frozen=True)
class Thing:
    """An instance or a binding that may exist.

    Attributes:
        path: Its path.
        removal: The DELETE that removes it.
        owner: The check that asked for it.
        presence: Whether it is there, by the broker's answers.
    """

    path: str
    removal: Request
    owner: str
    presence: Presence = Presence.UNKNOWN

    @property
    def is_binding(self) -> bool:
        """Whether it is a binding."""
        return self.removal.endpoint is Endpoint.UNBIND

    @property
    def poll(self) -> Request:
        """The poll of its removal."""
        endpoint = Endpoint.POLL_BINDING if self.is_binding else Endpoint.POLL_INSTANCE
        asked = self.removal.without_query("accepts_incomplete")
        return replace(asked, endpoint=endpoint, method="GET", path=self.path + "/last_operation")

    @property
    def fetch(self) -> Request:
        """The request that shows whether it is there."""
        endpoint = Endpoint.FETCH_BINDING if self.is_binding else Endpoint.FETCH_INSTANCE
        return replace(self.removal.without_query("accepts_incomplete"), endpoint=endpoint, method="GET")

    def left_behind(self, reason: str) -> LeftBehind:
        """Say that it is still there."""
        segments = [unquote(segment) for segment in self.path.split("/")]
        ids = dict(self.removal.query)
        kind = "binding" if self.is_binding else "instance"
        return LeftBehind(kind, segments[-1], segments[3], ids.get("service_id", ""), ids.get("plan_id", ""), reason)


class Belongings:
    """Remembers what was asked for, from before the PUT is sent.

    Args:
        removal_of: Writes the DELETE for a PUT.
    """

    def __init__(self, removal_of: Callable[[Request], Request]) -> None:
        self._removal_of = removal_of
        self._things: dict[str, Thing] = {}

    def asked(self, request: Request, owner: str) -> None:
        """Note a PUT before it is sent: it may never be answered."""
        if request.endpoint in (Endpoint.PROVISION, Endpoint.BIND) and request.path not in self._things:
            self._things[request.path] = Thing(request.path, self._removal_of(request), owner)

    def answered(self, answer: Answer, owner: str) -> None:
        """Note what an answer says of the thing that the request is about."""
        if answer.ok:
            # A DELETE that raced with the PUT may have been answered before it.
            self.asked(answer.request, owner)
        thing = self._things.get(answer.request.path)
        if thing is None:
            return
        endpoint = answer.request.endpoint
        if endpoint in (Endpoint.DEPROVISION, Endpoint.UNBIND) and answer.status in (200, 410):
            self.gone(thing.path)
        elif endpoint in (Endpoint.PROVISION, Endpoint.BIND):
            self._things[thing.path] = replace(thing, presence=_presence(thing, answer))
        elif endpoint is Endpoint.UPDATE and answer.ok:
            plan_id = (answer.request.fields or {}).get("plan_id")
            if isinstance(plan_id, str):
                self._things[thing.path] = replace(thing, removal=thing.removal.with_query(plan_id=plan_id))

    def gone(self, path: str) -> None:
        """Note that something is surely gone."""
        self._things.pop(path, None)

    def keep(self, path: str, owner: str) -> None:
        """Give something to another owner."""
        thing = self._things.get(path)
        if thing is not None:
            self._things[path] = replace(thing, owner=owner)

    def of(self, owner: str | None = None) -> list[Thing]:
        """List what one check asked for, or all; bindings first."""
        found = [thing for thing in self._things.values() if owner is None or thing.owner == owner]
        return sorted(found, key=lambda thing: not thing.is_binding)


def _presence(thing: Thing, answer: Answer) -> Presence:
    """Read an answer to a PUT: refused, it should have left nothing (ERR-16), unless it is about what was there."""
    if thing.presence is Presence.LIKELY or not answer.refused:
        return Presence.LIKELY
    already_there = answer.status in (408, 409) or answer.error == "ConcurrencyError"
    return Presence.LIKELY if already_there else Presence.REFUSED
