"""What ``openbroker serve`` gives to uvicorn: an ASGI application that has a short way, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openbrokerapi.protocol.request import Request, Response
from openbrokerapi.protocol.urls import below

if TYPE_CHECKING:
    from openbrokerapi.web.life import Life

_PROBES = frozenset(("/healthz", "/readyz"))
_NOWHERE = b"/"


class Served:
    """An ASGI application with the short way that :class:`~openbrokerapi.web.uvicorn_http.BrokerProtocol` takes.

    Args:
        app: The ASGI application.
        answer: Its short way: a request in, a response out.
        life: Begins the broker before anything is asked of it, be it only its catalog for a check.
    """

    def __init__(self, app: Any, answer: Any, life: Life) -> None:
        self._app = app
        self.answer = answer
        self._life = life

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer as the application does."""
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        waiting = [await receive()]
        if fault := await self._life.begin():
            await send({"type": "lifespan.startup.failed", "message": fault})
            return

        async def received() -> Any:
            return waiting.pop() if waiting else await receive()

        async def sent(message: Any) -> None:
            if message["type"] == "lifespan.startup.failed":
                await self._life.end()
            await send(message)

        await self._app(scope, received, sent)


def under_prefix(app: Any, prefix: str) -> Any:
    """Mount the application; the probes stay at the root, too, where who runs the process looks for them."""

    async def mounted(scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path", "")
        if path.startswith(f"{prefix}/"):
            scope = {**scope, "root_path": prefix}
        elif scope["type"] == "http" and path not in _PROBES:
            scope = {**scope, "path": "/", "raw_path": b"/"}  # no path of the API: 404, or 401 before that
        await app(scope, receive, send)

    return mounted


def answer_under_prefix(answer: Any, prefix: str) -> Any:
    """Mount the short way of an application in the same manner."""
    mount = prefix.encode()
    probes = frozenset(probe.encode() for probe in _PROBES)

    async def answered(request: Request, read_body: Any) -> Response:
        path = below(request.path, mount)
        if path is None:
            path = request.path if request.path in probes else _NOWHERE
        response: Response = await answer(Request(request.method, path, request.query, request.headers), read_body)
        return response

    return answered
