"""Replicas of the broker: real processes of ``openbroker serve``, which are killed, frozen and started again."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.stores.postgresql import Server
from tests.system.journal import Journal

from openbrokerapi.cli.demonstration.embedded_postgresql import free_port

ROOT = Path(__file__).parents[2]
_READY_WITHIN = 30.0
_STOPPED_WITHIN = 10.0


class Replica:
    """One process of ``openbroker serve``, with a port that it keeps when it is started again.

    Args:
        place: The folder that the broker's journal and things are in.
        settings: Of :class:`~openbrokerapi.managed.ManagedSettings`.
    """

    def __init__(self, store: str, place: Path, **settings: Any) -> None:
        self.port = free_port()
        self.journal = Journal(place / "journal")
        self.place = place
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPENBROKER", "SYSTEM"))}
        self._environment = {
            **kept,
            "PYTHONPATH": str(ROOT),
            "SYSTEM_FOLDER": str(place),
            "SYSTEM_SETTINGS": json.dumps(settings),
            "OPENBROKER_STORE": store,
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def start(self, fault: str = "") -> None:
        """Start it; it is not ready when this returns."""
        options = ["--no-auth", "--no-access-log", "--port", str(self.port)]
        options += [] if fault else ["--development"]
        command = [sys.executable, "-m", "openbrokerapi.cli.main", "serve", "tests.system.broker:broker", *options]
        with (self.place / "output").open("ab") as output:
            self._process = subprocess.Popen(
                command,
                cwd=self.place,
                env={**self._environment, "SYSTEM_FAULT": fault},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def wait(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + _READY_WITHIN
        while not self.answers():
            assert not self.has_ended, (self.place / "output").read_text()[-3000:]
            assert time.monotonic() < deadline, "the broker is not ready"
            time.sleep(0.01)
        self.journal.write("ready", pid=self.pid)

    def answers(self) -> bool:
        """Tell whether it is ready."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def kill(self) -> float:
        """Kill it, with SIGKILL; give the moment."""
        assert self._process is not None
        pid, moment = self.pid, time.monotonic()
        self._process.kill()
        self._process.wait(10)
        self.note_end(pid)
        return moment

    def note_end(self, pid: int) -> None:
        self.journal.write("killed", pid=pid)

    def freeze(self) -> None:
        self.journal.write("frozen", pid=self.pid)
        os.kill(self.pid, signal.SIGSTOP)

    def wake(self) -> None:
        os.kill(self.pid, signal.SIGCONT)
        self.journal.write("woken", pid=self.pid)

    def stop(self) -> None:
        """End it, in whatever state it is."""
        if self._process is None or self.has_ended:
            return
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGCONT)
        self._process.terminate()
        try:
            self._process.wait(_STOPPED_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)


@contextmanager
def replicas(store: str, place: Path, count: int, **settings: Any) -> Iterator[list[Replica]]:
    """Run so many replicas over one store."""
    made = [Replica(store, place, **settings) for _ in range(count)]
    try:
        for replica in made:
            replica.start()
        for replica in made:
            replica.wait()
        yield made
    finally:
        for replica in made:
            replica.stop()


@contextmanager
def new_place() -> Iterator[Path]:
    """Make a folder for a broker's journal, things and output; it is kept if something goes wrong."""
    place = Path(tempfile.mkdtemp(prefix="openbroker-system-"))
    yield place
    shutil.rmtree(place)


class Stores:
    """Makes empty stores.

    Args:
        server: The server that they are on; None for SQLite.
    """

    def __init__(self, server: Server | None) -> None:
        self.server = server

    @property
    def kind(self) -> str:
        return "sqlite" if self.server is None else "postgresql"

    def make(self, place: Path) -> str:
        """Make an empty store; give its URL."""
        if self.server is None:
            return f"sqlite:///{place}/broker.db"
        return self.server.url_of(self.server.make_database())


@contextmanager
def stores(kind: str) -> Iterator[Stores]:
    """Give the stores of a kind: "sqlite" or "postgresql"."""
    if kind == "sqlite":
        yield Stores(None)
        return
    with Server(durable=True) as server:
        yield Stores(server)
