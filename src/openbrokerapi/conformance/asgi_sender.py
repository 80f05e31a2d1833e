"""Requests to an ASGI application in the same process: no sockets, no HTTP library."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias
from urllib.parse import unquote

from .wire import Answer, Clock, NoAnswer, Request

_Message: TypeAlias = MutableMapping[str, Any]
Application: TypeAlias = Callable[..., Awaitable[None]]


class AsgiSender:
    """Hands requests to an application and collects its answers.

    Args:
        application: Any ASGI 3 application.
        clock: Measures how long an answer takes.
        prefix: Where the broker is mounted, without a slash at its end.
        names_as_sent: Whether the case of header names reaches the application; servers make them lower case.
    """

    def __init__(
        self, application: Application, clock: Clock, prefix: str = "", *, names_as_sent: bool = False
    ) -> None:
        self._application = application
        self._clock = clock
        self._prefix = prefix
        self._names_as_sent = names_as_sent

    async def send(self, request: Request) -> Answer:
        """Call the application once."""
        began = self._clock.now()
        conversation = _Conversation(request.body or b"")
        try:
            await self._application(self._scope(request), conversation.receive, conversation.send)
        except Exception as error:
            # A server would answer 500 here; that the application let it out is what counts.
            raise NoAnswer(request, f"the application raised {type(error).__name__}", 0.0) from error
        return conversation.answer(request, self._clock.now() - began)

    async def close(self) -> None:
        """Do nothing: there are no connections."""

    def _scope(self, request: Request) -> dict[str, Any]:
        target = self._prefix + request.target
        path, _, query = target.partition("?")
        body = request.body
        names = [name if self._names_as_sent else name.lower() for name, _ in request.headers]
        values = [value for _, value in request.headers]
        headers = [(n.encode("latin-1"), v.encode("latin-1")) for n, v in zip(names, values, strict=True)]
        headers.append((b"host", b"broker"))
        if body is not None:
            headers.append((b"content-length", str(len(body)).encode()))
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode("ascii"),
            "query_string": query.encode("ascii"),
            "root_path": "",
            "headers": headers,
            "client": ("127.0.0.1", 50000),
            "server": ("broker", 80),
        }


class _Conversation:
    """One request's messages."""

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body
        self._status = 500
        self._headers: tuple[tuple[str, str], ...] = ()
        self._parts: list[bytes] = []

    async def receive(self) -> _Message:
        if self._body is None:
            # What a server does while the platform waits for its answer.
            await asyncio.Event().wait()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: _Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = tuple(
                (bytes(name).decode("latin-1").lower(), bytes(value).decode("latin-1"))
                for name, value in message["headers"]
            )
        elif message["type"] == "http.response.body":
            self._parts.append(bytes(message.get("body", b"")))

    def answer(self, request: Request, seconds: float) -> Answer:
        return Answer(request, self._status, self._headers, b"".join(self._parts), seconds)
