"""A terminal as the pages mean it: a shell that remembers, in which a server may run in the foreground."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

_WAIT = 60.0  # seconds that a command may take: gunicorn waits up to 30 for a worker that it stops while it starts


class Terminal:
    """A bash in a process group of its own.

    Args:
        folder: The directory that it begins in.
        variables: Its environment.
    """

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self._shell = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],  # noqa: S607 - the shell that the pages are written for
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=dict(variables),
            start_new_session=True,
        )
        self._changed = threading.Condition()
        self._output = ""
        self._job: int | None = None
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._shell.stdout is not None
        descriptor = self._shell.stdout.fileno()
        while chunk := os.read(descriptor, 65536):
            with self._changed:
                self._output += chunk.decode(errors="replace")
                self._changed.notify_all()

    def run(self, command: str) -> tuple[str, int]:
        """Run a command to its end; give what it printed and its exit code."""
        marker = uuid.uuid4().hex
        # Braces and not parentheses: what is exported or left in another directory stays so. The code stays in $?.
        self._write(f"{{ {command}\n}} </dev/null; __code=$?; printf '\\n{marker} %d\\n' $__code; (exit $__code)\n")
        found = self.wait_for(re.compile(rf"\n{marker} (\d+)\n"))
        return found.string[: found.start()].rstrip(), int(found[1])

    def start(self, command: str) -> None:
        """Run a command that does not end by itself."""
        marker = uuid.uuid4().hex
        # Job control: the command is a process group, which Ctrl-C reaches as a whole.
        self._write(f"set -m; {{ {command}\n}} </dev/null & printf '\\n{marker} %d\\n' $!\n")
        found = self.wait_for(re.compile(rf"\n{marker} (\d+)\n"), keep=True)
        self._job = int(found[1])

    def stop(self) -> None:
        """Press Ctrl-C, and wait until the command has ended."""
        if self._job is not None:
            with suppress(ProcessLookupError):  # a page may have killed it
                os.killpg(self._job, signal.SIGINT)
            self.run(f"wait {self._job}")
            self._job = None
            with self._changed:
                self._output = ""

    def close(self) -> None:
        """End all that runs in this terminal."""
        groups = [self._shell.pid, *([self._job] if self._job is not None else [])]
        for number in (signal.SIGTERM, signal.SIGKILL):
            for group in groups:
                try:
                    os.killpg(group, number)
                except ProcessLookupError:
                    continue
            if number == signal.SIGTERM and self._job is not None:
                _wait_for_group(self._job)
        self._shell.wait(_WAIT)
        self._reader.join(_WAIT)  # it reads until all that wrote has ended
        for stream in (self._shell.stdin, self._shell.stdout):
            if stream is not None:
                stream.close()

    def wait_for(self, pattern: re.Pattern[str], *, keep: bool = False) -> re.Match[str]:
        """Wait until the output has the pattern; take it away with all before it, or with `keep` only itself."""
        deadline = time.monotonic() + _WAIT
        with self._changed:
            while True:
                if found := pattern.search(self._output):
                    self._output = (found.string[: found.start()] if keep else "") + found.string[found.end() :]
                    return found
                left = deadline - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    raise AssertionError(f"the terminal shows no {pattern.pattern!r}, but:\n{self._output}")

    def _write(self, text: str) -> None:
        assert self._shell.stdin is not None
        self._shell.stdin.write(text.encode())
        self._shell.stdin.flush()


def _wait_for_group(group: int) -> None:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        threading.Event().wait(0.01)
