"""Requests to a WSGI application in the same process."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

from openbrokerapi.conformance.wire import Answer, Clock, NoAnswer, Request


class WsgiSender:
    """Hands requests to an application, each in a thread, and collects its answers.

    Args:
        application: Any WSGI application.
        clock: Measures how long an answer takes.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]], clock: Clock) -> None:
        self._application = application
        self._clock = clock

    async def send(self, request: Request) -> Answer:
        """Call the application once."""
        began = self._clock.now()
        try:
            status, headers, body = await asyncio.to_thread(self._call, request)
        except Exception as error:
            raise NoAnswer(request, f"the application raised {type(error).__name__}", 0.0) from error
        return Answer(request, status, headers, body, self._clock.now() - began)

    async def close(self) -> None:
        """Do nothing: there are no connections."""

    def _call(self, request: Request) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> Callable[[bytes], object]:
            started.append((status, headers))
            return parts.append

        parts: list[bytes] = []
        chunks = self._application(_environ(request), start_response)
        try:
            parts.extend(chunks)
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()
        status, headers = started[-1]
        return int(status.split()[0]), tuple((name.lower(), value) for name, value in headers), b"".join(parts)


def _environ(request: Request) -> dict[str, Any]:
    path, _, query = request.target.partition("?")
    body = request.body or b""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "RAW_URI": request.target,
        "QUERY_STRING": query,
        "SERVER_NAME": "broker",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "broker",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers:
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    return environ
