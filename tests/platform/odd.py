"""A broker that answers as the test says, and the time that the test sets."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

import httpx2

from openbrokerapi.platform import Backoff, Client, Habits, Platform, Polling, ServiceInstance

OFFERING, PLAN, LARGE = "offering-1", "plan-1", "plan-2"
IDS: dict[str, Any] = {"service_id": OFFERING, "plan_id": PLAN}
QUICK = Polling(interval=0.01, longest=0.02, limit=1000)


# A managed broker asks for a pause of 30 seconds; nobody has the time.
def nap(seconds: float) -> None:
    """Sleep, but never for long."""
    time.sleep(min(seconds, 0.02))


async def anap(seconds: float) -> None:
    """Sleep, but never for long."""
    await asyncio.sleep(min(seconds, 0.02))


#: Five attempts a second apart, without chance.
BACKOFF = Backoff(first=1.0, growth=1.0, longest=1.0, jitter=0.0, attempts=5)


def catalog(**changes: Any) -> dict[str, Any]:
    """Give a catalog of one offering and two plans; the changes are of the offering, `plan` of each plan."""
    of_plan = changes.pop("plan", {})
    plans = [{"id": each, "name": f"name-of-{each}", "description": "A plan", **of_plan} for each in (PLAN, LARGE)]
    offering = {
        "id": OFFERING,
        "name": "name-of-offering",
        "description": "An offering",
        "bindable": True,
        "instances_retrievable": True,
        "bindings_retrievable": True,
        "plan_updateable": True,
        "plans": plans,
    }
    return {"services": [{**offering, **changes}]}


@dataclass(frozen=True)
class Sent:
    """A request as it stood on the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        """The query, decoded as a form is not: a plus is a plus."""
        pairs = (pair.partition("=") for pair in self.target.partition("?")[2].split("&") if pair)
        return {unquote(name): unquote(value) for name, _, value in pairs}

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def identity(self) -> Any:
        platform, _, value = self.headers["x-broker-api-originating-identity"].partition(" ")
        return platform, json.loads(base64.b64decode(value, validate=True))


class Time:
    """A clock that goes on only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.slept.append(seconds)
        self.now += seconds

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)


def answer(status: int = 200, body: Any = None, headers: dict[str, str] | None = None) -> httpx2.Response:
    """Make an answer; a body that is neither bytes nor None is sent as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
    return httpx2.Response(status, content=raw, headers={"Content-Type": "application/json", **(headers or {})})


def state(state: str, **more: Any) -> httpx2.Response:
    return answer(200, {"state": state, **more})


class Odd:
    """A broker that gives its answers in order, by method and the end of the path; the last one again and again."""

    def __init__(self, url: str = "http://broker.example", **options: Any) -> None:
        self.sent: list[Sent] = []
        self.time = Time()
        self._answers: dict[str, list[Any]] = {"GET /v2/catalog": [answer(200, catalog())]}
        self.client = Client(
            url,
            transport=httpx2.MockTransport(self.handle),
            **{"clock": self.time, "wall": self.time, "sleep": self.time.sleep, "chance": lambda: 0.5, **options},
        )

    def platform(self, **habits: Any) -> Platform:
        polling = Polling(interval=1.0, growth=1.0, longest=1.0, limit=100.0)
        return Platform(self.client, Habits(polling=polling, backoff=BACKOFF), **habits)

    def answers(self, what: str, *answers: Any) -> None:
        """Say how it answers, such as to ``PUT instance``; an exception is raised in place of an answer."""
        self._answers[what] = list(answers)

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        target = request.url.raw_path.decode()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.sent.append(Sent(request.method, target, headers, request.read()))
        answers = self._answers[f"{request.method} {kind_of(target)}"]
        chosen = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(chosen, Callable):  # type: ignore[arg-type]
            chosen = chosen(request)
        if isinstance(chosen, Exception):
            raise chosen
        return httpx2.Response(chosen.status_code, headers=chosen.headers, content=chosen.content)

    def requests(self, what: str) -> list[Sent]:
        """Give the requests of one kind, such as ``DELETE binding``."""
        return [sent for sent in self.sent if f"{sent.method} {kind_of(sent.target)}" == what]

    def __getitem__(self, what: str) -> Sent:
        """Give the only request of a kind."""
        (only,) = self.requests(what)
        return only


def kind_of(target: str) -> str:
    """Tell what a target is: ``/v2/catalog``, ``instance``, ``binding``, or one of them with `` poll``."""
    path = target.partition("?")[0]
    if path.endswith("/v2/catalog"):
        return "/v2/catalog"
    kind = "binding" if "/service_bindings/" in path else "instance"
    return f"{kind} poll" if path.endswith("/last_operation") else kind


def parsed(target: str) -> dict[str, str]:
    """Read a query as a server does that takes a plus for a space."""
    return dict(parse_qsl(target.partition("?")[2], keep_blank_values=True, strict_parsing=True))


def obliging(url: str = "http://broker.example", **options: Any) -> Odd:
    """Give a broker that answers every request well."""
    odd = Odd(url, **options)
    for kind in ("instance", "binding"):
        for method in ("GET", "PATCH", "DELETE"):
            odd.answers(f"{method} {kind}", answer(200))
        odd.answers(f"PUT {kind}", answer(201))
        odd.answers(f"GET {kind} poll", state("succeeded"))
    return odd


def offering(odd: Odd, **changes: Any) -> ServiceInstance:
    """Give an instance of an offering with these fields."""
    odd.answers("GET /v2/catalog", answer(200, catalog(**changes)))
    return odd.platform().create(OFFERING, PLAN, instance_id="one")
