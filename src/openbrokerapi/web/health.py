"""``GET /healthz`` and ``GET /readyz``: outside of authentication, and outside of the specification."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator
from typing import Any

from openbrokerapi.protocol.rendering import JSON
from openbrokerapi.protocol.request import Request, Response

from .exchange import Conversation, Exchange

_ALIVE = Response(200, (JSON,), b'{"status":"alive"}')
_READY = Response(200, (JSON,), b'{"status":"ready"}')
_NOT_READY = Response(503, (JSON,), b'{"status":"not ready","description":"The broker cannot give its catalog."}')
_STOPPING = Response(503, (JSON,), b'{"status":"stopping"}')
_GETS = frozenset(("GET", "HEAD"))


class Health:
    """Answers the two probes: alive is who answers at all, ready is who can give the catalog.

    Args:
        pause: Seconds in which the broker's ``catalog()`` is asked at most once on behalf of probes.
        patience: Seconds after which a look at the catalog that has not ended counts as failed.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        exchange: Exchange,
        pause: float = 1.0,
        patience: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._exchange = exchange
        self._pause = pause
        self._clock = clock
        self._patience = patience
        self._looked_at = -math.inf
        self._looking_since: float | None = None
        self._known = _NOT_READY
        self.stopping = False

    def conversation(self, request: Request) -> Conversation | None:
        """Give the conversation about a probe; None for any other request."""
        if request.method not in _GETS:
            return None
        if request.path == b"/healthz":
            return _immediate(_ALIVE)
        return self._ready() if request.path == b"/readyz" else None

    def _ready(self) -> Generator[Any, Any, Response]:
        if self.stopping:
            return _STOPPING
        now = self._clock()
        if self._looking_since is not None:
            # One look at a time, however many ask; who looks for too long will not be ready soon.
            return self._known if now - self._looking_since < self._patience else _NOT_READY
        if now - self._looked_at >= self._pause:
            self._looking_since = self._looked_at = now
            try:
                self._known = yield from self._looked()
            finally:
                self._looking_since = None
        return self._known

    def _looked(self) -> Generator[Any, Any, Response]:
        try:
            body = yield from self._exchange.catalog_body()
        except Exception as error:  # noqa: BLE001 - whatever it is, the broker is not ready
            self._exchange.logger.warning("not ready: catalog() raised %s", type(error).__name__)
            return _NOT_READY
        return _READY if body is not None else _NOT_READY


def _immediate(response: Response) -> Conversation:
    return response
    yield  # makes this a generator
