"""What was sent and answered, without anything secret."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from openbrokerapi.conformance.wire import Answer, Request

HIDDEN = "(hidden)"
_SECRET_HEADERS = frozenset({"authorization", "cookie", "set-cookie", "proxy-authorization"})
#: Fields whose values nobody may see, with everything in them.
_SECRET_FIELDS = frozenset({"credentials", "secret", "password", "token"})
_LONGEST_BODY = 4_000  # characters
#: A secret shorter than this would be found inside ordinary words.
_SHORTEST_SECRET = 4
_SHORTEST_IN_A_SENTENCE = 12


@dataclass(frozen=True)
class Message:
    """A request or an answer, for people.

    Attributes:
        line: ``PUT /v2/...``, or the status.
        headers: One a line.
        body: JSON with two spaces a level where it is JSON.
        note: What is odd about a request.
    """

    line: str
    headers: tuple[str, ...]
    body: str
    note: str = ""


class Evidence:
    """Writes exchanges for a report.

    Args:
        secrets: Texts that may not be shown: what the file holds.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = sorted({each for each in secrets if len(each) >= _SHORTEST_SECRET}, key=len, reverse=True)

    def request(self, request: Request) -> Message:
        """Write what was sent."""
        return Message(
            self._exchanged(f"{request.method} {request.target}"),
            self._headers(request.headers),
            self._body(request.body or b""),
            request.note,
        )

    def answer(self, answer: Answer) -> Message:
        """Write what was answered."""
        if not answer.status:
            return Message("no answer", (), self._exchanged(answer.body.decode("utf-8", "replace")))
        return Message(f"{answer.status}", self._headers(answer.headers), self._body(answer.body))

    def text(self, text: str) -> str:
        """Write a sentence of ours without what is secret; a short value would be found in its own words."""
        return self._without(text, _SHORTEST_IN_A_SENTENCE)

    def _exchanged(self, text: str) -> str:
        return self._without(text, _SHORTEST_SECRET)

    def _without(self, text: str, shortest: int) -> str:
        for secret in self._secrets:
            if len(secret) >= shortest:
                text = text.replace(secret, HIDDEN)
        return text

    def _headers(self, headers: Collection[tuple[str, str]]) -> tuple[str, ...]:
        shown = ((name, HIDDEN if name.lower() in _SECRET_HEADERS else value) for name, value in headers)
        return tuple(self._exchanged(f"{name}: {value}") for name, value in shown)

    def _body(self, body: bytes) -> str:
        try:
            text = json.dumps(_without_secrets(json.loads(body)), indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            text = body.decode("utf-8", "replace")
        text = self._exchanged(text)
        return text if len(text) <= _LONGEST_BODY else f"{text[:_LONGEST_BODY]}\n... ({len(body)} bytes in all)"


def _without_secrets(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: _hidden(item) if str(key).lower() in _SECRET_FIELDS else _without_secrets(item)
            for key, item in value.items()
        }
    return [_without_secrets(item) for item in value] if isinstance(value, list) else value


def _hidden(value: Any) -> Any:
    """Keep the names and hide the values."""
    if isinstance(value, Mapping):
        # A port is no secret, and worth knowing.
        return {key: item if key == "port" and isinstance(item, int) else _hidden(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_hidden(item) for item in value]
    return value if value in ("", None) or isinstance(value, bool) else HIDDEN
