"""A broker in a thread of this process: no sockets, and a clock that the test moves."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any

from openbrokerapi.conformance.asgi_sender import AsgiSender
from openbrokerapi.conformance.wire import Answer, Credentials, Request, Sender

from .applications import Maker, Testable
from .clock import Clock
from .hosts import NotPossible, OnALoop
from .transport import InProcessTransport
from .wsgi_sender import WsgiSender

if TYPE_CHECKING:
    from openbrokerapi.managed import ManagedSettings

#: Seconds that a broker has for an answer before time is moved for it, and by which it is moved then.
_PATIENCE = 0.25


class InProcess(OnALoop):
    """Runs a broker in a thread of this process: no sockets, and a clock that the test moves.

    Args:
        given: The broker; see :data:`~openbrokerapi.testing.applications.Testable`.
        store: The address of a store for managed brokers that have none.
        settings: Those of a managed broker that is made of offerings.
        replicas: How many applications answer, over one store.
        credentials: What is shown to an application that asks for them.
        moves: False leaves the time real, for a broker whose work is done by what knows no clock of an event loop,
            such as a thread that sleeps, or another program.

    Raises:
        NotPossible: There cannot be several of it.
        RuntimeError: It does not start.
    """

    url = "http://broker"

    def __init__(
        self,
        given: Testable,
        *,
        store: str | None = None,
        settings: ManagedSettings | None = None,
        replicas: int = 1,
        credentials: Credentials | None = None,
        moves: bool = True,
    ) -> None:
        self.clock = Clock()
        self.moves = moves
        self._maker = Maker(given, self.clock, store=store, settings=settings)
        self.no_restart = self._maker.no_restart
        if replicas > 1 and self._maker.no_replicas:
            raise NotPossible(self._maker.no_replicas)
        self.no_replicas = "" if replicas > 1 else self._maker.no_replicas or "only one was started: give replicas=2"
        self.credentials = credentials or Credentials()
        self.replicas = replicas
        self._lives: list[_Lifespan] = []
        super().__init__(self.clock)
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def sleep(self, seconds: float) -> None:
        """Move the clock; where the time is real, wait."""
        if self.moves:
            self.clock.advance(seconds)
        else:
            time.sleep(seconds)

    def transport(self) -> InProcessTransport:
        """Give the transport by which a client reaches it."""
        return InProcessTransport(self)

    def restart(self) -> None:
        """End the broker in order, and make it anew over the same store.

        Raises:
            NotPossible: It is one object, which is not made anew.
        """
        if self.no_restart:
            raise NotPossible(self.no_restart)
        self._stop()
        self._start()

    def close(self) -> None:
        """End the broker, and delete its temporary store."""
        try:
            self._stop()
        finally:
            super().close()
            self._maker.close()

    def _start(self) -> None:
        for _ in range(self.replicas):
            application, is_wsgi = self._maker.make()
            if is_wsgi:
                self._add(WsgiSender(application, _Measure(self.clock)))
                continue
            life = _Lifespan(application)
            self._lives.append(life)
            self.loop.run(life.begin())
            self._add(AsgiSender(application, _Measure(self.clock)))

    def _add(self, sender: Sender) -> None:
        self.senders.append(_Impatient(sender, self.clock) if self.moves else sender)

    def _stop(self) -> None:
        lives, self._lives = self._lives, []
        self.senders.clear()
        for life in lives:
            self.loop.run(life.end())


class _Impatient:
    """Lets time pass where an answer takes long: what the broker waits for comes sooner."""

    def __init__(self, sender: Sender, clock: Clock) -> None:
        self._sender = sender
        self._clock = clock

    async def send(self, request: Request) -> Answer:
        answer = asyncio.ensure_future(self._sender.send(request))
        await asyncio.wait((answer,), timeout=_PATIENCE)
        while not answer.done():
            await asyncio.to_thread(self._clock.advance, _PATIENCE)
        return answer.result()

    async def close(self) -> None:
        await self._sender.close()


class _Measure:
    """A clock as the senders of the checker want it."""

    def __init__(self, clock: Clock) -> None:
        self.now = clock.monotonic

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _Lifespan:
    """Tells an ASGI application that it starts and that it ends; one that does not know of it is left alone."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._task: asyncio.Future[None] | None = None

    async def begin(self) -> None:
        self._task = asyncio.ensure_future(self._run())
        said = await self._tell("lifespan.startup")
        if said.get("type") == "lifespan.startup.failed":
            raise RuntimeError(f"the broker does not start: {said.get('message', '')}")

    async def end(self) -> None:
        if self._task is not None and not self._task.done():
            await self._tell("lifespan.shutdown")
            await self._task

    async def _tell(self, kind: str) -> dict[str, Any]:
        assert self._task is not None  # noqa: S101 - begin() has made it
        self._told.put_nowait({"type": kind})
        said = asyncio.ensure_future(self._said.get())
        await asyncio.wait((said, self._task), return_when=asyncio.FIRST_COMPLETED)
        if said.done():
            return said.result()
        said.cancel()
        return {}

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
        with contextlib.suppress(Exception):  # "if an exception is raised, the server continues without lifespan"
            await self._application(scope, self._told.get, self._said.put)
