"""A small broker that does all as it should, but for the one fault that it is told to have.

It is an application of its own: what it answers is written here, and nowhere else in this package.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import parse_qs, unquote

CATALOG = {
    "services": [
        {
            "id": "a-service",
            "name": "cupboard",
            "description": "Cupboards",
            "bindable": True,
            "instances_retrievable": True,
            "bindings_retrievable": True,
            "plan_updateable": True,
            "plans": [
                {"id": "small", "name": "small", "description": "A small one"},
                {"id": "large", "name": "large", "description": "A large one"},
            ],
        }
    ]
}
Answer = tuple[int, dict[str, Any]]
Key = tuple[str, ...]
BUSY: Answer = (422, {"error": "ConcurrencyError"})
GONE: Answer = (410, {})
NOT_FOUND: Answer = (404, {"description": "There is none."})
CONFLICT: Answer = (409, {"description": "There is another one."})


@dataclass
class Thing:
    """An instance or a binding."""

    asked: dict[str, Any]
    credentials: dict[str, str]
    state: str = "ready"
    operation: str = ""
    until: float = 0.0


@dataclass
class World:
    """What a broker has to remember, across restarts and among replicas."""

    things: dict[Key, Thing] = field(default_factory=dict)
    ended: dict[tuple[Key, str], tuple[str, float]] = field(default_factory=dict)
    zombies: dict[Key, tuple[Thing, float]] = field(default_factory=dict)
    once: set[Key] = field(default_factory=set)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))


class Careful:
    """The broker.

    Args:
        world: What it remembers.
        fault: What it does wrong; see `planted.py`.
        takes: Seconds that operations take; none makes it answer at once.
    """

    def __init__(self, world: World, fault: str = "", takes: float = 2.0) -> None:
        self.world = world
        self.fault = fault
        self.takes = takes

    async def __call__(self, scope: Any, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        if scope["type"] != "http":
            raise NotImplementedError
        body = (await receive())["body"]
        status, fields = await self.answer(scope, json.loads(body or b"{}"))
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(fields).encode()})

    async def answer(self, scope: Any, body: dict[str, Any]) -> Answer:
        parts = [unquote(part) for part in scope["raw_path"].decode().split("/")[3:]]
        if not parts:
            return 200, CATALOG
        query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
        polls = parts[-1] == "last_operation"
        key: Key = tuple(parts[: len(parts) - polls][::2])
        if self.fault == "bindings are known by their id alone" and len(key) == 2:
            key = ("any", key[1])
        self.settle()
        if polls:
            return self.poll(key, query.get("operation", ""))
        if scope["method"] == "PUT":
            await self.think(key)
        methods = {"PUT": self.put, "PATCH": self.patch, "DELETE": self.delete, "GET": self.get}
        return methods[scope["method"]](key, body)

    async def think(self, key: Key) -> None:
        """Between the look and the deed others may come, if one lets them."""
        if self.fault == "two at once do not see each other" and key not in self.world.things:
            await asyncio.sleep(0.01)
            self.world.things.pop(key, None)

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def settle(self) -> None:
        """End what is over by now."""
        for key, (thing, until) in list(self.world.zombies.items()):
            if until <= self.now:
                self.world.things[key] = thing
                del self.world.zombies[key]
        for key, thing in list(self.world.things.items()):
            if thing.state != "ready" and thing.until <= self.now:
                self.world.ended[key, thing.operation] = ("succeeded", self.now)
                if thing.state == "deleting":
                    self.remove(key)
                thing.state = "ready"

    def remove(self, key: Key) -> None:
        thing = self.world.things.pop(key)
        self.world.once.add(key)
        if self.fault == "what is deleted comes back":
            self.world.zombies[key] = (thing, self.now + 30)

    def begin(self, key: Key, thing: Thing, state: str) -> Answer:
        """Begin an operation; where none takes time, end it at once."""
        thing.operation = f"{state}-{next(self.world.numbers)}"
        thing.state, thing.until = state, self.now + self.takes
        if self.takes:
            return 202, {"operation": thing.operation}
        self.settle()
        if state == "creating":
            return 201, self.shown(key, thing)
        return 200, {}

    def shown(self, key: Key, thing: Thing) -> dict[str, Any]:
        return {"credentials": thing.credentials} if len(key) == 2 else {}

    def again(self, thing: Thing) -> Answer:
        """Answer a request that is repeated while its operation runs."""
        if self.fault == "a repeated request begins another operation":
            thing.operation = f"again-{next(self.world.numbers)}"
        return 202, {"operation": thing.operation}

    def put(self, key: Key, body: dict[str, Any]) -> Answer:
        if len(key) == 2 and key[0] != "any" and (refused := self.unbindable(key)):
            return refused
        thing = self.world.things.get(key)
        if thing is None:
            return self.create(key, body)
        if thing.state == "deleting":
            return (200, {}) if self.fault == "what is being deleted is said to be there" else BUSY
        same = thing.asked == body or self.fault == "attributes are not compared"
        if not same:
            return CONFLICT if self.fault != "the last one wins" else self.create(key, body)
        return self.repeated(key, thing)

    def repeated(self, key: Key, thing: Thing) -> Answer:
        if self.fault == "a repeated request is a conflict":
            return 400, {"description": "You have had an answer."}
        if thing.state == "creating":
            return self.again(thing)
        if thing.state == "updating":
            return BUSY
        if self.fault == "a repeated request is done again":
            thing.credentials = {"password": str(next(self.world.numbers))}
            return 201, self.shown(key, thing)
        return 200, self.shown(key, thing)

    def create(self, key: Key, body: dict[str, Any]) -> Answer:
        if self.fault == "ids are never free again" and key in self.world.once:
            return 200, {}
        thing = self.world.things[key] = Thing(body, {"password": str(next(self.world.numbers))})
        return self.begin(key, thing, "creating")

    def unbindable(self, key: Key) -> Answer | None:
        """Say why there can be no binding, if there cannot."""
        instance = self.world.things.get(key[:1])
        if self.fault == "a bind asks nobody":
            return None
        if instance is None:
            return NOT_FOUND
        if instance.state == "creating" and self.fault == "a bind stops the provision":
            self.world.ended[key[:1], instance.operation] = ("failed", self.now)
            del self.world.things[key[:1]]
            return BUSY
        if instance.state == "updating" and self.fault == "a busy instance is a conflict":
            return CONFLICT
        return None if instance.state in ("ready", "updating") else BUSY

    def patch(self, key: Key, body: dict[str, Any]) -> Answer:
        thing = self.world.things.get(key)
        if thing is None:
            return NOT_FOUND
        wanted = {name: value for name, value in body.items() if name in ("plan_id", "parameters")}
        if thing.state == "updating" and self.updates.get(key) == wanted:
            return self.again(thing)
        if thing.state != "ready":
            return CONFLICT if self.fault == "a busy instance is a conflict" else BUSY
        self.updates[key] = wanted
        return self.begin(key, thing, "updating")

    @property
    def updates(self) -> dict[Key, Any]:
        found: dict[Key, Any] = self.world.__dict__.setdefault("updates", {})
        return found

    def delete(self, key: Key, body: dict[str, Any]) -> Answer:
        thing = self.world.things.get(key)
        if thing is None:
            return self.absent()
        if thing.state == "deleting":
            return self.again(thing)
        if thing.state == "updating":
            return CONFLICT if self.fault == "a busy instance is a conflict" else BUSY
        if thing.state == "creating":
            return self.halt(key, thing)
        if self.bindings(key) and self.fault != "bindings outlive their instance":
            return 400, {"description": "It has bindings."}
        return self.begin(key, thing, "deleting")

    def halt(self, key: Key, thing: Thing) -> Answer:
        if self.fault == "what is not there yet is said to be gone":
            return GONE
        if self.fault == "what is not there yet is said to be deleted":
            return 200, {}
        self.world.ended[key, thing.operation] = ("failed", self.now)
        return self.begin(key, thing, "deleting")

    def absent(self) -> Answer:
        if self.fault == "an absent one is not found":
            return NOT_FOUND
        return (200, {}) if self.fault == "an absent one is deleted" else GONE

    def bindings(self, key: Key) -> list[Key]:
        return [each for each in self.world.things if len(each) == 2 and each[:1] == key]

    def get(self, key: Key, body: dict[str, Any]) -> Answer:
        thing = self.world.things.get(key)
        early = self.fault == "what is being made can be fetched"
        if thing is None or thing.state == "deleting" or (thing.state == "creating" and not early):
            return NOT_FOUND
        return 200, self.shown(key, thing)

    def poll(self, key: Key, operation: str) -> Answer:
        thing = self.world.things.get(key)
        if thing is not None and thing.state != "ready" and operation in ("", thing.operation):
            return 200, {"state": "in progress"}
        if (key, operation) not in self.world.ended:
            return self.unknown(None if operation else thing)
        state, since = self.world.ended[key, operation]
        if self.fault == "an end is forgotten":
            del self.world.ended[key, operation]
        if self.fault == "an end does not stay" and self.now - since > 86_400:
            state = "failed"
        return GONE if operation.startswith("deleting") else (200, {"state": state})

    def unknown(self, thing: Thing | None) -> Answer:
        if thing is not None or self.fault == "what never was has succeeded":
            return 200, {"state": "succeeded"}
        return NOT_FOUND


def careful(fault: str = "", takes: float = 2.0) -> Callable[[], Careful]:
    """Make brokers of one world, as restarts and replicas do; or of a new one each, if that is the fault."""
    world = World()

    def make() -> Careful:
        return Careful(World() if fault == "all is kept in memory" else world, fault, takes)

    return make
