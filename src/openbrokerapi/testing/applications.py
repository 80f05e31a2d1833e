"""What an author hands to the test kit, made into applications: a broker, offerings, a factory, or an application."""

from __future__ import annotations

import copy
import inspect
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from .clock import Clock

if TYPE_CHECKING:
    from openbrokerapi.managed import ManagedSettings
    from openbrokerapi.managed.key_ring import KeyRing
    from openbrokerapi.stores.contract import Store

#: A ServiceBroker, a managed Broker, an Offering or several, an ASGI or WSGI application; or a class or a function
#: without arguments that makes one of these, anew after each restart.
Testable: TypeAlias = Any

_LONG = 366 * 86_400.0
_FROM_ANEW = "the broker is one object, which a restart cannot make anew: give a class or a function that makes it"
_ONE_PROCESS = "the store is of one process: give the address of a PostgreSQL database for replicas"


class Maker:
    """Makes applications of what an author has given.

    Args:
        given: See :data:`Testable`.
        clock: The time of managed brokers that have no store of their own.
        store: The address of a store for managed brokers that have none, such as ``postgresql://...``; a temporary
            file unless given.
        settings: Those of a managed broker that is made of offerings.
    """

    def __init__(
        self,
        given: Testable,
        clock: Clock | None = None,
        *,
        store: str | None = None,
        settings: ManagedSettings | None = None,
    ) -> None:
        self._given = given
        self._clock = clock or Clock()
        self._store = store
        self._settings = settings
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._is_factory = _is_factory(given)
        self._key: str | None = None

    @property
    def no_restart(self) -> str:
        """Why it cannot be restarted; empty if it can."""
        return "" if self._is_factory or _is_managed(self._given) else _FROM_ANEW

    @property
    def no_replicas(self) -> str:
        """Why there cannot be several of it at once; empty if there can."""
        if _is_managed(self._given):
            shared = self._store is not None and self._store.startswith("postgres")
            return "" if shared and not getattr(self._given, "connected", False) else _ONE_PROCESS
        return "" if self._is_factory else _FROM_ANEW

    def make(self) -> tuple[Any, bool]:
        """Make an application; give it, and whether it is of WSGI.

        Raises:
            TypeError: What was given is nothing that can be served.
        """
        made = self._given() if self._is_factory else self._given
        if _is_managed(made):
            made = self._managed(made)
        if callable(getattr(made, "catalog", None)):
            from openbrokerapi.web.asgi import create_app

            return create_app(made), False
        arguments = _required(made)
        if arguments not in (2, 3):
            raise TypeError(f"give a broker, an offering, or an ASGI or WSGI application, not {type(made).__name__}")
        return made, arguments == 2

    def close(self) -> None:
        """Delete the temporary store."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _managed(self, made: Any) -> Any:
        from openbrokerapi.managed import Broker

        if not isinstance(made, Broker):
            offerings = made if isinstance(made, Sequence) else (made,)
            made = Broker(*offerings, settings=self._settings)
        elif made.connected:
            return made
        # The author's own object may serve in the next test, too, on another loop and store.
        made = copy.copy(made)
        # Time is moved by more than a lease at once; no worker is dead for that.
        made.settings = replace(made.settings, lease=max(made.settings.lease, _LONG))
        made.connect(self._opened(), self._keys(), clock=self._clock.now)
        return made

    def _keys(self) -> KeyRing:
        from openbrokerapi.managed.key_ring import KeyRing, new_key

        # The same after a restart, and for each replica.
        if self._key is None:
            self._key = new_key()
        return KeyRing.from_text(self._key, "the keys of the test")

    def _opened(self) -> Store:
        if self._store is not None and self._store.startswith("postgres"):
            from openbrokerapi.stores.postgres.store import PostgresStore

            return PostgresStore(self._store, shift=lambda: self._clock.offset)
        from openbrokerapi.stores.location import open_location

        return open_location(self._store or f"sqlite:///{self._temporary()}", self._clock.now)

    def _temporary(self) -> Path:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="openbrokerapi-testing-", ignore_cleanup_errors=True)
        return Path(self._folder.name) / "broker.db"


def _is_managed(given: Any) -> bool:
    from openbrokerapi.managed import Broker, Offering

    if isinstance(given, Sequence) and not isinstance(given, str):
        return bool(given) and all([isinstance(each, Offering) for each in given])
    return isinstance(given, Broker | Offering)


def _is_factory(given: Any) -> bool:
    if inspect.isclass(given):
        return True
    return callable(given) and not callable(getattr(given, "catalog", None)) and _required(given) == 0


def _required(given: Callable[..., Any]) -> int | None:
    """Count the arguments that it has to be called with; None where it cannot be called."""
    try:
        parameters = inspect.signature(given).parameters.values()
    except (TypeError, ValueError):
        return None
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(each.kind in positional and each.default is inspect.Parameter.empty for each in parameters)
