"""The catalog of a broker, checked before it is served."""

from __future__ import annotations

import inspect
from typing import Any

from openbrokerapi.protocol.catalog_rules import check

from .catalog_source import catalog_of, document_of


def is_async(broker: Any) -> bool:
    """Tell whether the catalog can only be had on an event loop."""
    return inspect.iscoroutinefunction(broker.catalog)


def broken_rules(broker: Any) -> list[str]:
    """Say which MUSTs the catalog of a broker with a plain ``catalog()`` breaks, a line each.

    Raises:
        Exception: Whatever ``catalog()`` raises.
    """
    return _lines(catalog_of(broker))


def _lines(document: Any) -> list[str]:
    return [f"{each.rule} {each.where}: {each.message}" for each in check(document) if each.level == "MUST"]


class CheckedAtStart:
    """Wraps an ASGI application whose broker has an ``async`` catalog: the start fails where that breaks a MUST.

    What such a broker opens belongs to the event loop that it is opened on, so it is asked on the one that serves it.
    """

    def __init__(self, app: Any, broker: Any) -> None:
        self._app = app
        self._broker = broker

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer as the application does."""
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        first = await receive()
        fault = await self._fault()
        if fault:
            await send({"type": "lifespan.startup.failed", "message": fault})
            return
        waiting = [first]

        async def received() -> Any:
            return waiting.pop() if waiting else await receive()

        await self._app(scope, received, send)

    async def _fault(self) -> str:
        try:
            broken = _lines(document_of(await self._broker.catalog()))
        except Exception as error:  # noqa: BLE001 - the author's catalog() may raise anything
            return f"catalog() fails: {type(error).__name__}"
        return "\n".join(["the catalog breaks the specification:", *broken]) if broken else ""
