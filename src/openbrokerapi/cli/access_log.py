"""A log line for each request: what, how it went, how long it took, and its identity. No query, no body."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from openbrokerapi.log_util import request_identity

_IDENTITY = b"x-broker-api-request-identity"


class AccessLog:
    """Wraps an ASGI application.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, app: Any, logger: logging.Logger, clock: Callable[[], float] = time.perf_counter) -> None:
        self._app = app
        self._logger = logger
        self._clock = clock

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer as the application does, and log it."""
        if scope["type"] != "http" or not self._logger.isEnabledFor(logging.INFO):
            await self._app(scope, receive, send)
            return
        status = 0

        async def noting(message: Any) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        began = self._clock()
        identity = dict(scope["headers"]).get(_IDENTITY)
        request_identity.set(identity.decode("latin-1") if identity else None)
        try:
            await self._app(scope, receive, noting)
        finally:
            took = (self._clock() - began) * 1000
            # Quoted again: the decoded path may hold line breaks.
            self._logger.info("%s %s %d %.1f ms", scope["method"], quote(scope["path"]), status, took)
