"""A log line for each request: what, how it went, how long it took, and its identity. No query, no body."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote

from openbrokerapi.log_util import request_identity
from openbrokerapi.protocol.request import Request, Response

_IDENTITY = b"x-broker-api-request-identity"
_PLAIN = re.compile(r"[A-Za-z0-9/._~-]*").fullmatch


class AccessLog:
    """Wraps an ASGI application, and its short way ``answer``.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(
        self, app: Any, answer: Any, logger: logging.Logger, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._app = app
        self._answer = answer
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
            self._log(scope["method"], scope["path"], status, began)

    async def answer(self, request: Request, read_body: Any) -> Response:
        """Answer as the application does on its short way, and log it."""
        method, path, status, began = request.method, request.path, 0, self._clock()
        try:
            response: Response = await self._answer(request, read_body)
            status = response.status
        finally:
            if self._logger.isEnabledFor(logging.INFO):
                self._log(method, unquote(path.decode("ascii", "replace")), status, began)
        return response

    def _log(self, method: str, path: str, status: int, began: float) -> None:
        took = (self._clock() - began) * 1000
        # Quoted again: the decoded path may hold line breaks.
        self._logger.info("%s %s %d %.1f ms", method, path if _PLAIN(path) else quote(path), status, took)
