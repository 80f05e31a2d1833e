"""Programs that the benchmark starts: on which cores they run, what they cost, and that they end (Linux)."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from bench.wire import HOST, raw_request, send

ROOT = Path(__file__).resolve().parent.parent
_TICKS = os.sysconf("SC_CLK_TCK")
_STARTING = 30.0  # seconds
_STOPPING = 10.0  # seconds
_POLLING = 0.002  # seconds
_OK = 200


class NotStarted(Exception):  # noqa: N818 - it says what happened
    """A program ended, or did not answer, before it could be measured."""


def cores() -> list[int]:
    """Give the processor cores that this program may use."""
    return sorted(os.sched_getaffinity(0))


@contextmanager
def pinned(chosen: list[int]) -> Iterator[None]:
    """Start programs on the chosen cores: what is started inherits where this thread may run."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, chosen)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.create_server((HOST, 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


class Program:
    """A server with all its processes, in a session of its own."""

    def __init__(self, command: list[str], environment: dict[str, str] | None = None) -> None:
        self.started = time.perf_counter()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in stop()
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            start_new_session=True,
        )

    def wait_ready(self, port: int, target: str = "/v2/catalog") -> float:
        """Wait for the first 200, and give the seconds since the start.

        Raises:
            NotStarted: It ended, or took too long; with what it wrote.
        """
        raw = raw_request("GET", target)
        while time.perf_counter() - self.started < _STARTING:
            if self._process.poll() is not None:
                break
            try:
                if send(port, raw).status == _OK:
                    return time.perf_counter() - self.started
            except OSError:
                pass
            time.sleep(_POLLING)
        self._errors.seek(0)
        raise NotStarted(self._errors.read()[-2000:].decode(errors="replace") or "it does not answer")

    def cpu_seconds(self) -> float:
        """Give the processor time of all its processes so far, user and system."""
        # Fields 14 and 15 of proc(5), counted behind the name, which may hold blanks.
        return sum(int(fields[11]) + int(fields[12]) for fields in self._stats()) / _TICKS

    def resident_bytes(self) -> int:
        """Give the memory of all its processes that is in use."""
        return sum(int(fields[21]) for fields in self._stats()) * os.sysconf("SC_PAGE_SIZE")

    def _stats(self) -> Iterator[list[str]]:
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it has ended
            if int(fields[3]) == self._process.pid:
                yield fields

    def stop(self) -> None:
        """End it, by force where it does not."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOPPING)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def busy_seconds() -> float:
    """Give the processor time of everything on this machine so far, idle and waiting left out."""
    user, nice, system, _idle, _wait, *rest = map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9])
    return (user + nice + system + sum(rest)) / _TICKS
