"""What happened, as one file of lines that all processes append to; and what it shows afterwards."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

#: Seconds that a process may take to see that it was frozen.
_AWAKE = 1.0


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that happened.

    Attributes:
        what: Of a handler: "began", "ended" when it returned, "left" when it raised; of a step: "begin", "end". Of a
            process, told by the harness: "ready", "killed", "frozen", "woken".
        at: Seconds, by a clock that all processes of the machine share.
    """

    what: str
    at: float
    pid: int
    operation: str = ""
    attempt: int = 0
    kind: str = ""
    instance: str = ""
    binding: str = ""
    step: str = ""

    @property
    def run(self) -> tuple[int, str, int]:
        """The call of a handler that it belongs to."""
        return self.pid, self.operation, self.attempt


class Journal:
    """Appends lines; each is one write, so that lines of several processes never mix, and none is lost by a kill."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def write(self, what: str, *, pid: int | None = None, **fields: str | int) -> None:
        line = Line(what, time.monotonic(), os.getpid() if pid is None else pid, **fields)  # type: ignore[arg-type]
        os.write(self._descriptor, msgspec.json.encode(line) + b"\n")


def read(path: Path) -> list[Line]:
    """Give all lines, in the order in which they happened."""
    lines = (msgspec.json.decode(line, type=Line) for line in path.read_bytes().splitlines())
    return sorted(lines, key=lambda line: line.at)


class Run:
    """One call of a handler, by one process at one attempt."""

    def __init__(self, lines: list[Line], gone_at: float | None) -> None:
        self.lines = lines
        self.first, self.last = lines[0], lines[-1]
        self.returned = self.last.what == "ended"
        finished = self.last.what in ("ended", "left")
        self.until = self.last.at if finished else gone_at if gone_at is not None else float("inf")

    def __str__(self) -> str:
        first = self.first
        return f"{first.kind} {first.operation[:8]} of {first.instance} at attempt {first.attempt} in {first.pid}"

    def after(self, moment: float) -> list[Line]:
        return [line for line in self.lines if line.at > moment]

    def open_step(self, moment: float) -> str | None:
        """Give the step that was under way."""
        before = [line for line in self.lines if line.at <= moment]
        return before[-1].step if before and before[-1].what == "begin" else None


def runs(lines: Iterable[Line]) -> list[Run]:
    """Give all calls of handlers, in the order in which they began."""
    grouped: dict[tuple[int, str, int], list[Line]] = {}
    gone: dict[int, float] = {}
    for line in lines:
        if line.operation:
            grouped.setdefault(line.run, []).append(line)
        elif line.what == "killed":
            gone[line.pid] = line.at
    return [Run(each, gone.get(each[0].pid)) for each in grouped.values()]


def repeated_steps(lines: list[Line]) -> Iterator[str]:
    """Tell which steps were done again although their end was remembered.

    It was, once the next step had begun or the handler had returned: a handler gets that far only behind the write. A
    step that was under way, or whose end was not yet written, may be done again.
    """
    remembered: dict[tuple[str, str], float] = {}
    for run in runs(lines):
        done: str | None = None
        for line in run.lines:
            if done is not None and line.what in ("begin", "ended"):
                remembered.setdefault((line.operation, done), line.at)
            done = line.step if line.what == "end" else None
    for line in lines:
        at = remembered.get((line.operation, line.step)) if line.what == "begin" else None
        if at is not None and line.at > at:
            yield f"step {line.step!r} of {line.kind} {line.operation[:8]} was finished, and ran again in {line.pid}"


def begun_again(lines: list[Line]) -> int:
    """Count the steps that were begun more than once: what was under way when its process died."""
    begun = [(line.operation, line.step) for line in lines if line.what == "begin"]
    return len(begun) - len(set(begun))


def overlaps(lines: list[Line]) -> Iterator[str]:
    """Tell which handlers of one instance ran at the same time.

    The handler of a process that was frozen past its lease may finish the step in which it was, and nothing after it.
    """
    frozen = _frozen(lines)
    of_instance: dict[str, list[Run]] = {}
    for run in runs(lines):
        of_instance.setdefault(run.first.instance, []).append(run)
    for group in of_instance.values():
        for number, run in enumerate(group):
            for later in group[number + 1 :]:
                if later.first.at < run.until and _both(run, later, frozen):
                    yield f"{run} went on beside {later}"


def _both(run: Run, later: Run, frozen: dict[int, list[tuple[float, float]]]) -> bool:
    """Tell whether a handler went on, when another one of its instance had begun, beyond what a frozen one may."""
    began = later.first.at
    asleep = any(start <= began <= end + _AWAKE for start, end in frozen.get(run.first.pid, ()))
    step = run.open_step(began)
    allowed = [line for line in run.after(began) if line.what == "left" or (line.what == "end" and line.step == step)]
    return not asleep or len(allowed) < len(run.after(began))


def _frozen(lines: Iterable[Line]) -> dict[int, list[tuple[float, float]]]:
    frozen: dict[int, list[tuple[float, float]]] = {}
    for line in lines:
        if line.what == "frozen":
            frozen.setdefault(line.pid, []).append((line.at, float("inf")))
        elif line.what == "woken":
            start, _ = frozen[line.pid].pop()
            frozen[line.pid].append((start, line.at))
    return frozen


def last_begun(lines: list[Line]) -> float:
    """Give the moment at which an operation was begun for the first time, of that which was begun last."""
    first: dict[str, float] = {}
    for line in lines:
        if line.what == "began":
            first.setdefault(line.operation, line.at)
    return max(first.values())


def taken_up(lines: list[Line], pid: int, since: float) -> list[float]:
    """Give, for each operation that a process left when it died, the seconds from ``since`` to its next handler."""
    all_runs = runs(lines)
    left = [run for run in all_runs if run.first.pid == pid and run.last.what not in ("ended", "left")]
    found = []
    for run in left:
        later = [each.first.at for each in all_runs if each.first.operation == run.first.operation and each is not run]
        found.append(min((at for at in later if at > run.first.at), default=float("inf")) - since)
    return found
