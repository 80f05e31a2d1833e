"""A broker over HTTP: at any address, started by a command, or served by uvicorn in a thread."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openbrokerapi.conformance.http_sender import HttpSender
from openbrokerapi.conformance.wire import Answer, Credentials, Endpoint, Request

from .applications import Maker, Testable
from .clock import Clock
from .hosts import NotPossible, OnALoop

if TYPE_CHECKING:
    from openbrokerapi.managed import ManagedSettings

_START_WITHIN, _STOP_WITHIN = 30.0, 10.0
#: Seconds between two looks at something that is about to happen.
_LOOK = 0.01


class Remote(OnALoop):
    """A broker at an address, in whatever language; time is real.

    Args:
        urls: Its address without ``/v2``; several are replicas over one state.
        credentials: What is shown to it.
        timeout: Seconds to wait for an answer.
    """

    moves = False
    no_restart = "the broker runs elsewhere: say how it is started, with served(command=[...])"

    def __init__(self, *urls: str, credentials: Credentials | None = None, timeout: float = 60.0) -> None:
        self.url = urls[0]
        self.credentials = credentials or Credentials()
        self.clock = Clock()
        self.replicas = len(urls)
        self.no_replicas = "" if self.replicas > 1 else "give the address of each replica"
        super().__init__(None)
        self.senders = [self.loop.run(_http_sender(url, timeout)) for url in urls]

    def sleep(self, seconds: float) -> None:
        """Wait, really."""
        time.sleep(seconds)

    def transport(self) -> None:
        """Give None: a client connects by itself."""
        return

    def restart(self) -> None:
        """Refuse.

        Raises:
            NotPossible: Always.
        """
        raise NotPossible(self.no_restart)

    def close(self) -> None:
        """Close all connections."""
        for sender in self.senders:
            self.loop.run(sender.close())
        super().close()

    def answers(self) -> bool:
        """Say whether anything answers there."""
        (found,) = self.send(Request(Endpoint.CATALOG, "GET", "/v2/catalog"))
        return isinstance(found, Answer)


async def _http_sender(url: str, timeout: float) -> HttpSender:  # noqa: ASYNC109 - of each answer
    return HttpSender(url, timeout=timeout)


class Commanded(Remote):
    """A broker that a command starts, in whatever language.

    Args:
        command: The program and its arguments.
        url: Where it will answer, without ``/v2``.
        credentials: What is shown to it.
        cwd: The folder that it runs in.
        environ: Its whole environment; that of this process unless given.

    Raises:
        RuntimeError: It ends, or does not answer within 30 seconds.
    """

    no_restart = ""

    def __init__(
        self,
        command: Sequence[str],
        url: str,
        *,
        credentials: Credentials | None = None,
        cwd: Path | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(url, credentials=credentials)
        self._command, self._cwd, self._environ = list(command), cwd, environ
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def restart(self) -> None:
        """End the program in order, and start it again."""
        self._stop()
        self._start()

    def close(self) -> None:
        """End the program."""
        self._stop()
        super().close()

    def _start(self) -> None:
        process = self._process = subprocess.Popen(  # noqa: S603 - the test's own command
            self._command, cwd=self._cwd, env=self._environ, stdin=subprocess.DEVNULL
        )
        deadline = time.monotonic() + _START_WITHIN
        while not self.answers():
            if process.poll() is not None:
                raise RuntimeError(f"{self._command[0]} has ended with {process.returncode} before it answered")
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self._command[0]} does not answer at {self.url} within {_START_WITHIN:g} s")
            time.sleep(_LOOK)

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Served(Remote):
    """Serves a broker of this process by uvicorn, in a thread and on a free port; time is real.

    Args:
        given: The broker; see :data:`~openbrokerapi.testing.applications.Testable`.
        store: The address of a store for managed brokers that have none.
        settings: Those of a managed broker that is made of offerings.

    Raises:
        RuntimeError: It does not start.
    """

    def __init__(self, given: Testable, *, store: str | None = None, settings: ManagedSettings | None = None) -> None:
        self._maker = Maker(given, store=store, settings=settings)
        self._socket = _free_port()
        self._server: Any = None
        self._thread: threading.Thread | None = None
        host, port = self._socket.getsockname()
        super().__init__(f"http://{host}:{port}")
        self.no_restart = self._maker.no_restart
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def restart(self) -> None:
        """End the broker in order, and make it anew over the same store.

        Raises:
            NotPossible: It is one object, which is not made anew.
        """
        if self.no_restart:
            raise NotPossible(self.no_restart)
        address = self._socket.getsockname()
        self._stop()
        self._socket.close()
        self._socket = _free_port(address)
        self._start()

    def close(self) -> None:
        """End the broker, and delete its temporary store."""
        self._stop()
        super().close()
        self._socket.close()
        self._maker.close()

    def _start(self) -> None:
        import uvicorn

        application, is_wsgi = self._maker.make()
        if is_wsgi:
            raise NotPossible("uvicorn serves no WSGI application: start its server, and give the address")
        config = uvicorn.Config(application, log_config=None, access_log=False, timeout_graceful_shutdown=2)
        server = self._server = uvicorn.Server(config)
        thread = self._thread = threading.Thread(target=server.run, args=([self._socket],), daemon=True)
        thread.start()
        deadline = time.monotonic() + _START_WITHIN
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the broker does not start; its log says why")
            time.sleep(_LOOK)

    def _stop(self) -> None:
        if self._thread is not None:
            self._server.should_exit = True
            self._thread.join(_STOP_WITHIN)
            self._thread = None


def _free_port(address: tuple[str, int] = ("127.0.0.1", 0)) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(address)
    return made
