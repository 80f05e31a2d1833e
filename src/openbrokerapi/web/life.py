"""A broker's ``startup()`` and ``shutdown()``: what it opens before the first request, and closes after the last."""

from __future__ import annotations

import inspect
import logging
from typing import Any


class Life:
    """Awaits the two methods, of a broker whose class has them as ``async def``.

    The class is looked at and not the object, so that nothing is called on a mock.
    """

    def __init__(self, broker: Any, logger: logging.Logger) -> None:
        self._broker = broker
        self._logger = logger
        self._begun = False

    async def begin(self) -> str | None:
        """Await ``startup()`` where it has not been awaited yet; say what is wrong where it fails."""
        if self._begun:
            return None
        fault = await self._await("startup")
        self._begun = fault is None
        return fault

    async def end(self) -> str | None:
        """Await ``shutdown()`` where the broker has begun; say what is wrong where it fails."""
        if not self._begun:
            return None
        self._begun = False
        return await self._await("shutdown")

    async def _await(self, name: str) -> str | None:
        if not inspect.iscoroutinefunction(getattr(type(self._broker), name, None)):
            return None
        try:
            await getattr(self._broker, name)()
        except Exception as error:  # noqa: BLE001 - the author's method may raise anything
            return self._fault(name, error)
        return None

    def _fault(self, name: str, error: Exception) -> str:
        message = getattr(error, "operator_message", None)
        if isinstance(message, str):  # written for whoever runs the broker: it says all
            return message
        self._logger.error("%s() of the broker failed", name, exc_info=error)
        return f"{name}() of the broker failed: {type(error).__name__}: {error}"
