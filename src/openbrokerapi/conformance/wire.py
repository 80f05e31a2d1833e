"""Requests and answers, as they are on the wire: a checker has to send what no client would."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any, Protocol, TypeAlias
from urllib.parse import quote

Pairs: TypeAlias = tuple[tuple[str, str], ...]


#: Characters that an operation may have at most (PROV-31, BIND-43, UNB-17, DEP-20).
LONGEST_OPERATION = 10_000


class Endpoint(StrEnum):
    """The ten requests of the specification."""

    CATALOG = "fetch the catalog"
    PROVISION = "provision"
    UPDATE = "update"
    DEPROVISION = "deprovision"
    FETCH_INSTANCE = "fetch the instance"
    POLL_INSTANCE = "poll the instance"
    BIND = "bind"
    UNBIND = "unbind"
    FETCH_BINDING = "fetch the binding"
    POLL_BINDING = "poll the binding"


@dataclass(frozen=True, slots=True)
class Request:
    """One request; each method gives a changed one.

    Attributes:
        endpoint: Which of the ten it is meant to be.
        method: The HTTP method.
        path: From ``/v2`` on, percent-encoded.
        query: Names and values, not yet encoded.
        headers: Names and values, in the order sent.
        fields: The JSON object of the body; None for no body, or one in `raw`.
        raw: The bytes of the body, where they are not to be a JSON object.
        raw_query: The query as it is to be on the wire, where it is not to be well-formed.
        note: For the report: what is odd about this request.
    """

    endpoint: Endpoint
    method: str
    path: str
    query: Pairs = ()
    headers: Pairs = ()
    fields: Mapping[str, Any] | None = None
    raw: bytes | None = None
    raw_query: str | None = None
    note: str = ""

    @property
    def target(self) -> str:
        """The path and the query, encoded."""
        if self.raw_query is not None:
            return f"{self.path}?{self.raw_query}"
        encoded = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in self.query)
        return f"{self.path}?{encoded}" if encoded else self.path

    @property
    def body(self) -> bytes | None:
        """The bytes of the body; None where there is none."""
        if self.raw is not None:
            return self.raw
        return None if self.fields is None else json.dumps(self.fields).encode()

    def header(self, name: str) -> str | None:
        """Return the value of a header, whatever the case of its name."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def with_header(self, name: str, value: str) -> Request:
        """Set a header in place of any of that name."""
        return replace(self, headers=(*self.without_header(name).headers, (name, value)))

    def without_header(self, name: str) -> Request:
        """Leave a header out."""
        return replace(self, headers=tuple(pair for pair in self.headers if pair[0].lower() != name.lower()))

    def with_query(self, **values: str) -> Request:
        """Set query parameters, each in place of any of that name."""
        kept = tuple(pair for pair in self.query if pair[0] not in values)
        return replace(self, query=(*kept, *values.items()))

    def without_query(self, *names: str) -> Request:
        """Leave query parameters out; all of them where none is named."""
        return replace(self, query=tuple(pair for pair in self.query if names and pair[0] not in names))

    def with_raw_query(self, raw_query: str) -> Request:
        """Send this text as the query, whatever it is."""
        return replace(self, raw_query=raw_query)

    def with_fields(self, **values: Any) -> Request:
        """Set fields of the body."""
        return replace(self, fields={**(self.fields or {}), **values})

    def without_fields(self, *names: str) -> Request:
        """Leave fields of the body out."""
        return replace(self, fields={key: value for key, value in (self.fields or {}).items() if key not in names})

    def with_body(self, raw: bytes | None) -> Request:
        """Send these bytes as the body, or none."""
        return replace(self, raw=raw, fields=None)

    def noted(self, note: str) -> Request:
        """Say for the report what is odd about it."""
        return replace(self, note=note)


#: What a broker answers where it has no such endpoint.
NO_SUCH_ENDPOINT = (404, 405, 501)


@dataclass(frozen=True)
class Answer:
    """What the broker answered to `request`.

    Attributes:
        request: What was sent.
        status: The HTTP status.
        headers: Names in lower case, and values.
        body: The bytes of the body.
        seconds: How long it took.
    """

    request: Request
    status: int
    headers: Pairs
    body: bytes
    seconds: float = 0.0

    def header(self, name: str) -> str | None:
        """Return the value of a header, whatever the case of its name."""
        return next((value for key, value in self.headers if key == name.lower()), None)

    @cached_property
    def json(self) -> Any:
        """The body read as JSON; None where it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def is_object(self) -> bool:
        """Whether the body is a JSON object."""
        return isinstance(self.json, dict)

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of the body; none where it is not a JSON object."""
        return self.json if isinstance(self.json, dict) else {}

    @property
    def error(self) -> str | None:
        """The error code of the body, where there is one."""
        code = self.fields.get("error")
        return code if isinstance(code, str) else None

    @property
    def operation(self) -> str | None:
        """The operation that the body names, where it is one that can be sent back."""
        named = self.fields.get("operation")
        return named if isinstance(named, str) and named else None

    @property
    def ok(self) -> bool:
        """Whether it is one of the three statuses of success."""
        return self.status in (200, 201, 202)

    @property
    def refused(self) -> bool:
        """Whether the broker refused the request: a status of 400 to 499."""
        return 400 <= self.status < 500


class NoAnswer(Exception):  # noqa: N818 - it says what there was
    """The broker did not answer: no connection, a broken one, or too late."""

    def __init__(self, request: Request, reason: str, seconds: float) -> None:
        super().__init__(f"no answer to {request.method} {request.path}: {reason}")
        self.request = request
        self.reason = reason
        self.seconds = seconds


class Sender(Protocol):
    """Sends one request and returns the answer; raises `NoAnswer`."""

    async def send(self, request: Request) -> Answer:
        """Send it."""
        ...

    async def close(self) -> None:
        """Give back connections."""
        ...


class Clock(Protocol):
    """Time in seconds: the real one, or one that a test moves."""

    def now(self) -> float:
        """Return the time; only differences count."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


@dataclass(frozen=True)
class Credentials:
    """What the platform shows to the broker; never in a report."""

    username: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)

    def header(self) -> str | None:
        """Write the value of the ``Authorization`` header."""
        if self.token is not None:
            return f"Bearer {self.token}"
        if self.username is None:
            return None
        return "Basic " + base64.b64encode(f"{self.username}:{self.password or ''}".encode()).decode()


def path_of(*segments: str) -> str:
    """Write a path below ``/v2`` with each segment percent-encoded (URL-03)."""
    return "/".join(("/v2", *(quote(segment, safe="") for segment in segments)))


def pairs(values: Iterable[tuple[str, str | None]]) -> Pairs:
    """Keep the pairs that have a value."""
    return tuple((name, value) for name, value in values if value is not None)
