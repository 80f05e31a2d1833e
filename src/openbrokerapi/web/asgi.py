"""The ASGI host: for uvicorn, granian or hypercorn, and to mount in Starlette or FastAPI."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, MutableMapping
from functools import partial
from typing import Any, TypeAlias

from openbrokerapi.auth import BrokerCredentials, IdentifiesRequests, authenticator_for
from openbrokerapi.log_util import request_identity
from openbrokerapi.protocol.headers import REQUEST_IDENTITY, content_length
from openbrokerapi.protocol.problems import STOPPING, bad_request, too_large
from openbrokerapi.protocol.rendering import render_problem
from openbrokerapi.protocol.request import Request, Response
from openbrokerapi.protocol.urls import below, encoded
from openbrokerapi.settings import Settings

from .exchange import Exchange, Progress
from .health import Health
from .life import Life
from .waiting import Lanes, wait_on_loop

_NOT_MODIFIED = 304
_SHUT_DOWN = {"type": "lifespan.shutdown.complete"}
Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]


class BrokerASGI:
    """An ASGI application that answers for one broker."""

    def __init__(self, exchange: Exchange, broker: Any) -> None:
        self.exchange = exchange
        self.life = Life(broker, exchange.logger)
        self.health = Health(exchange)
        self._lanes = Lanes(exchange.settings.threads)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection of the server's."""
        if scope["type"] != "http":
            await (self._live(receive, send) if scope["type"] == "lifespan" else _refuse(send))
            return
        request = _request(scope)
        status, headers, body = await self.answer(request, partial(_body, request, receive))
        sent = [*headers, (b"content-length", b"%d" % len(body))] if status != _NOT_MODIFIED else headers
        await send({"type": "http.response.start", "status": status, "headers": sent})
        await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else body})

    async def answer(self, request: Request, read_body: Callable[[int], Coroutine[Any, Any, bytes]]) -> Response:
        """Answer one request, without the messages of ASGI.

        Args:
            read_body: Reads the request's body, given the most bytes that it may have.
        """
        identity = request.headers.get(REQUEST_IDENTITY)
        # Always set: a request that follows another on one connection may have begun in the context of that one.
        request_identity.set(identity.decode("latin-1") if identity else None)
        conversation = self.health.conversation(request) or self.exchange.converse(Progress(request))
        try:
            return await wait_on_loop(conversation, read_body, self._lanes.of(request.method))
        except asyncio.CancelledError:
            # The server stops and waits no longer. What the broker still does, nobody knows: a 5xx says just that.
            self.exchange.logger.warning("%s was not answered in time before the stop", request.method)
            return self.exchange.with_identity(request, render_problem(None, STOPPING))

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        if self.health.stopping:  # served again after an end, as tests do
            self.health.stopping = False
            self._lanes = Lanes(self.exchange.settings.threads)
        if fault := await self.life.begin():
            await send({"type": "lifespan.startup.failed", "message": fault})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.health.stopping = True
        self._lanes.close()
        fault = await self.life.end()
        await send({"type": "lifespan.shutdown.failed", "message": fault} if fault else _SHUT_DOWN)


async def _refuse(send: Send) -> None:
    await send({"type": "websocket.close", "code": 1003})


def _request(scope: Scope) -> Request:
    path: bytes = scope.get("raw_path") or encoded(scope["path"])
    path = path.partition(b"?")[0]
    root: str = scope.get("root_path", "")
    if root:
        # A mounted application sees the whole path, and the mount point beside it; some servers take it off.
        found = below(path, root.encode())
        path = path if found is None else found
    return Request(scope["method"], path, scope["query_string"], dict(scope["headers"]))


async def _body(request: Request, receive: Receive, limit: int) -> bytes:
    length = content_length(request.headers.get(b"content-length", b""))
    if length is not None and length > limit:
        raise too_large(limit)
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body") and len(body) <= limit and message["type"] == "http.request":
        return body
    return await _rest(message, receive, limit)


async def _rest(message: Message, receive: Receive, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        if message["type"] == "http.disconnect":
            raise bad_request("The request body is not complete.")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise too_large(limit)
        if not message.get("more_body"):
            return b"".join(parts)
        message = await receive()


def create_app(
    broker: Any,
    credentials: BrokerCredentials | Iterable[BrokerCredentials] | None = None,
    *,
    authenticator: IdentifiesRequests | None = None,
    settings: Settings | None = None,
    logger: logging.Logger | None = None,
) -> BrokerASGI:
    """Make an ASGI application that answers for ``broker``.

    Args:
        broker: Any object with the methods of :class:`~openbrokerapi.service_broker.ServiceBroker`, plain or ``async``.
            Plain methods run in threads, so a slow one never holds up the other requests. ``async def startup(self)``
            and ``async def shutdown(self)`` are awaited before the first request and after the last, if the server
            speaks ASGI's lifespan protocol; a ``startup`` that raises keeps the server from starting.
        credentials: One pair or several for basic authentication; None serves without any.
        authenticator: In place of the credentials: an object with ``identify(request)``.
        settings: What this application does differently; see :class:`~openbrokerapi.settings.Settings`.
        logger: Where unexpected errors go; ``openbrokerapi`` by default.

    Raises:
        TypeError: The authenticator is made for Flask only.
    """
    return BrokerASGI(Exchange(broker, authenticator_for(credentials, authenticator), settings, logger), broker)
