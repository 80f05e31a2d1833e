"""A platform, as real ones behave: it asks again when it is not answered, waits when it is told to, and polls."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec
from tests.system.broker import PLAN_ID, SERVICE_ID

_HEADERS = {"X-Broker-API-Version": "2.17", "Content-Type": "application/json"}
_IDS = {"service_id": SERVICE_ID, "plan_id": PLAN_ID}
_PAUSE = 0.05


class Lost(Exception):  # noqa: N818 - what happened to it
    """An operation does not end."""


class Answer(msgspec.Struct, frozen=True):
    """What the broker answered."""

    status: int
    document: Any = None

    @property
    def error(self) -> str | None:
        """The error code."""
        return self.document.get("error") if isinstance(self.document, dict) else None

    @property
    def operation(self) -> str:
        """The operation's id, of a 202."""
        return str(self.document["operation"])

    @property
    def is_busy(self) -> bool:
        return self.status == 422 and self.error == "ConcurrencyError"


class Asked(msgspec.Struct, frozen=True):
    """A request that changes something."""

    method: str
    path: str
    body: Any = None
    query: tuple[tuple[str, str], ...] = ()

    @property
    def url(self) -> str:
        return f"{self.path}?{urlencode([*self.query, ('accepts_incomplete', 'true')])}"

    @property
    def poll(self) -> str:
        return f"{self.path}/last_operation"


def instance_path(instance: str) -> str:
    return f"/v2/service_instances/{instance}"


def provision(instance: str, **parameters: Any) -> Asked:
    body = {**_IDS, "organization_guid": "org", "space_guid": "space", "parameters": parameters}
    return Asked("PUT", instance_path(instance), body)


def update(instance: str, **parameters: Any) -> Asked:
    return Asked("PATCH", instance_path(instance), {**_IDS, "parameters": parameters})


def deprovision(instance: str) -> Asked:
    return Asked("DELETE", instance_path(instance), query=tuple(_IDS.items()))


def binding_path(instance: str, binding: str) -> str:
    return f"{instance_path(instance)}/service_bindings/{binding}"


def bind(instance: str, binding: str, **parameters: Any) -> Asked:
    return Asked("PUT", binding_path(instance, binding), {**_IDS, "parameters": parameters})


def unbind(instance: str, binding: str) -> Asked:
    return Asked("DELETE", binding_path(instance, binding), query=tuple(_IDS.items()))


class Line:
    """A connection that is kept, for one thread."""

    def __init__(self, port: int, timeout: float) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def send(self, method: str, url: str, body: Any = None) -> Answer:
        """Ask once.

        Raises:
            OSError: It was not answered.
        """
        encoded = None if body is None else json.dumps(body).encode()
        try:
            self._connection.request(method, url, encoded, _HEADERS)
            response = self._connection.getresponse()
            return Answer(response.status, json.loads(response.read()))
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._connection.close()
            raise ConnectionError(str(error)) from error

    def close(self) -> None:
        self._connection.close()


def _endpoint(method: str, url: str) -> str:
    about = "B" if "service_bindings" in url else "I"
    return f"{method} {about}{'/last_operation' if 'last_operation' in url else ''}"


class Platform:
    """Sends requests to one replica after the other.

    Args:
        ports: Gives the ports of the replicas that are there.
        timeout: Seconds for which it waits for an answer.
        patience: Seconds within which an operation must end.
        pause: Seconds between polls.
    """

    def __init__(
        self,
        ports: Callable[[], Sequence[int]],
        *,
        timeout: float = 20.0,
        patience: float = 120.0,
        pause: float = _PAUSE,
    ) -> None:
        self._pause = pause
        self._ports = ports
        self._timeout = timeout
        self._patience = patience
        self._turns = itertools.count()
        self._lock = threading.Lock()
        self.answers: dict[str, int] = {}

    def _port(self) -> int:
        ports = self._ports()
        return ports[next(self._turns) % len(ports)]

    def ask(self, method: str, url: str, body: Any = None) -> Answer:
        """Ask once.

        Raises:
            OSError: It was not answered.
        """
        line = Line(self._port(), self._timeout)
        try:
            answer = line.send(method, url, body)
        finally:
            line.close()
        with self._lock:
            key = f"{_endpoint(method, url)} {answer.status} {answer.error or ''}".strip()
            self.answers[key] = self.answers.get(key, 0) + 1
        return answer

    def insist(self, method: str, url: str, body: Any = None, *, below: int = 500) -> Answer:
        """Ask until there is an answer that says something: no 5xx, no timeout, nobody busy.

        Args:
            below: Statuses from this on say nothing.

        Raises:
            Lost: There is none for too long.
        """
        deadline = time.monotonic() + self._patience
        last = "nothing"
        while time.monotonic() < deadline:
            try:
                answer = self.ask(method, url, body)
            except OSError as error:
                last = str(error)
            else:
                if answer.status < below and not answer.is_busy:
                    return answer
                last = f"{answer.status} {answer.document}"
            time.sleep(_PAUSE)
        raise Lost(f"{method} {url}: {last}")

    def carry_out(self, asked: Asked) -> str:
        """Ask, and poll until it has ended; give "succeeded", "failed", or the status that refused it.

        Raises:
            Lost: It does not end.
        """
        answer = self.insist(asked.method, asked.url, asked.body)
        if answer.status == 202:
            return self.wait(asked, answer.operation)
        done = answer.status in (200, 201) or (asked.method == "DELETE" and answer.status == 410)
        return "succeeded" if done else str(answer.status)

    def wait(self, asked: Asked, operation: str) -> str:
        """Poll until it has ended.

        Raises:
            Lost: It does not end, or the broker does not know it.
        """
        url = f"{asked.poll}?{urlencode({'operation': operation, **_IDS})}"
        deadline = time.monotonic() + self._patience
        while time.monotonic() < deadline:
            answer = self.insist("GET", url)
            if answer.status == 410:
                return "succeeded"
            if answer.status != 200:
                raise Lost(f"GET {url}: {answer.status} {answer.document}")
            if answer.document["state"] != "in progress":
                return str(answer.document["state"])
            time.sleep(self._pause)
        raise Lost(f"{asked.method} {asked.path}: operation {operation} does not end")
