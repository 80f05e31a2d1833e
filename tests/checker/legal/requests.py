"""What comes in, what is kept, and how something is refused."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl


@dataclass
class Thing:
    """An instance or a binding."""

    wanted: dict[str, Any]
    parameters: dict[str, Any]
    plan_id: str = ""
    kind: str = ""
    operation: str = ""
    ends_at: float = 0.0
    apply: Callable[[], None] = lambda: None
    present: bool = True
    handed_out: bool = False
    number: int = 0
    bindings: dict[str, Thing] = field(default_factory=dict)


class Refusal(Exception):  # noqa: N818 - it is an answer
    """A status of failure, with its body."""

    def __init__(self, status: int, description: str, error: str = "") -> None:
        super().__init__(description)
        self.status = status
        self.body = {"description": description, **({"error": error} if error else {})}


def concurrent() -> Refusal:
    """Return the refusal of what another operation stands in the way of."""
    return Refusal(422, "Another operation is in progress.", "ConcurrencyError")


@dataclass
class Request:
    """What the handlers look at."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def flag(self) -> bool:
        """Whether the platform allows an asynchronous answer."""
        return self.query.get("accepts_incomplete") == "true"

    def read(self) -> dict[str, Any]:
        """Return the JSON object of the body."""
        try:
            found = json.loads(self.body)
        except ValueError:
            raise Refusal(400, "The body is not JSON.") from None
        if not isinstance(found, dict):
            raise Refusal(400, "The body is not a JSON object.")
        return found


def remove(thing: Thing) -> None:
    """Take a thing away, and what belongs to it."""
    thing.present = False
    thing.bindings.clear()


def need_text(body: dict[str, Any], name: str) -> None:
    """Refuse a body without a field."""
    if not isinstance(body.get(name), str) or not body[name]:
        raise Refusal(400, f"{name} is missing.")


def need_ids(request: Request) -> None:
    """Refuse a DELETE without its two ids."""
    for name in ("service_id", "plan_id"):
        if not request.query.get(name):
            raise Refusal(400, f"{name} is missing.")


def check_identity(identity: str) -> None:
    """Refuse an originating identity that cannot be read."""
    try:
        found = json.loads(base64.b64decode(identity.partition(" ")[2], validate=True))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Refusal(400, "The originating identity cannot be read.")


def read_query(query: str) -> dict[str, str]:
    """Return the parameters of a query; refuse one that is not percent-encoded."""
    if re.search("%(?![0-9A-Fa-f]{2})", query):
        raise Refusal(400, "The query is not percent-encoded.")
    return dict(parse_qsl(query, keep_blank_values=True))
