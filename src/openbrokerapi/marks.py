"""Marks that authors put on their methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])
_NONBLOCKING = "openbrokerapi_nonblocking"


def nonblocking(method: F) -> F:
    """Mark a plain method that never waits, so that an ASGI host calls it without a thread.

    A method that computes or looks into memory is answered several times as fast that way. One that opens a socket, a
    file or a lock must not have this mark: it would hold up every other request of the process.
    """
    setattr(method, _NONBLOCKING, True)
    return method


def is_nonblocking(method: Any) -> bool:
    """Tell whether a method has the mark."""
    # Of a mock every attribute exists; only the mark itself is True.
    return getattr(method, _NONBLOCKING, None) is True
