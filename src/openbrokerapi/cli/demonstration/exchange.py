"""The platform's end of the wire: send one request to a broker, measure it, keep its answer."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx2

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

API_VERSION = "2.17"
TIMEOUT_SECONDS = 60
HIDDEN = "(not shown)"


@dataclass(frozen=True)
class Answer:
    """What a broker answered; its repr shows no body, since a body may hold credentials."""

    status: int
    milliseconds: float
    text: str = field(repr=False)

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object of the answer, empty if it is none."""
        try:
            body = json.loads(self.text)
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}

    def shown(self) -> str:
        """Write the answer for people: without credentials, and not longer than a screen can hold."""
        body = self.body
        if "credentials" in body:
            body["credentials"] = HIDDEN
        return f"{self.status} {json.dumps(body) if body else self.text}"[:600]


class Exchange:
    """Speak to the broker at a base URL, as a platform does.

    Args:
        base_url: Where the broker is, without the ``/v2``.
        username: The name for Basic authentication.
        password: The password for Basic authentication.
    """

    def __init__(self, base_url: str, username: str, password: str) -> None:
        self._client = httpx2.Client(
            base_url=base_url,
            auth=(username, password),
            headers={"X-Broker-API-Version": API_VERSION},
            timeout=TIMEOUT_SECONDS,
            trust_env=False,  # it is on this machine: no proxy
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._client.close()

    def send(
        self, method: str, path: str, *, body: dict[str, Any] | None = None, query: dict[str, str] | None = None
    ) -> Answer:
        """Send one request and wait for its answer.

        Raises:
            httpx2.HTTPError: the broker did not answer, or not within 60 s.
        """
        identity = {"X-Broker-API-Request-Identity": str(uuid.uuid4())}
        start = time.perf_counter()
        response = self._client.request(method, path, json=body, params=query, headers=identity)
        return Answer(response.status_code, (time.perf_counter() - start) * 1000, response.text)
