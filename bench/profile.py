"""Show where the time of a request goes, without sockets: the application is called as a server calls it.

    python bench/profile.py                     provision, catalog and last_operation on async def methods
    python bench/profile.py provision --lines   the lines of the source that take longest, too

The whole is timed without any tool in the way. The parts come from samples that a timer takes of what is being run, so
small functions are not charged for being counted. What a built-in function takes counts for the line that calls it.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections import Counter
from collections.abc import Coroutine
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

# In place of this folder, where this file would hide the standard library's module of the same name.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bench.applications import asgi_async, asgi_marked  # noqa: E402
from bench.bare import bare  # noqa: E402
from bench.cases import CASES, Case  # noqa: E402

_INTERVAL = 0.0005  # seconds between samples
_TIMED, _BEST_OF = 2000, 25  # requests in a row, and how many such rows
_SOURCES = "openbrokerapi/"
_OURS = ("bench/brokers.py", "bench/applications.py", "bench/profile.py")
_SHOWN = 25

#: Which part of the work a module does; the first that fits counts.
STAGES = {
    "web/asgi.py": "host: from the scope, to the messages",
    "web/waiting.py": "waiting: drives the conversation",
    "web/exchange.py": "exchange: the conversation itself",
    "web/health.py": "exchange: the conversation itself",
    "auth.py": "authentication",
    "settings.py": "head: path, headers, query, policy",
    "protocol/reading.py": "head: path, headers, query, policy",
    "protocol/urls.py": "head: path, headers, query, policy",
    "protocol/headers.py": "head: path, headers, query, policy",
    "protocol/call.py": "head: path, headers, query, policy",
    "protocol/request.py": "head: path, headers, query, policy",
    "protocol/bodies.py": "body: decoded and checked",
    "web/catalog_keeper.py": "catalog: is it still the same",
    "observed.py": "catalog: is it still the same",
    "protocol/catalog_document.py": "catalog: is it still the same",
    "protocol/checking.py": "check: ids and parameters",
    "protocol/offerings.py": "check: ids and parameters",
    "protocol/parameters.py": "check: ids and parameters",
    "calling.py": "author's seam: arguments and answers",
    "details.py": "author's seam: arguments and answers",
    "context.py": "author's seam: arguments and answers",
    "specs.py": "the broker",
    "bench/": "the broker",
    "protocol/": "answer: rendered",
}


class Driver:
    """Calls an ASGI application with one kind of request, as uvicorn with httptools calls it."""

    def __init__(self, app: Any, case: Case) -> None:
        self._app = app
        self.statuses: Counter[int] = Counter()
        self._requests = [_parsed(raw) for raw in case.requests]
        self._message: dict[str, Any] = {}

    def run(self, count: int) -> None:
        """Send so many requests."""
        requests = self._requests
        for number in range(count):
            scope, body = requests[number % len(requests)]
            self._message = {"type": "http.request", "body": body, "more_body": False}
            # The application may write into its scope, as a server's is its own.
            _finish(self._app(scope.copy(), self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        return self._message

    async def _send(self, message: dict[str, Any]) -> None:
        if "status" in message:
            self.statuses[message["status"]] += 1


def _finish(coroutine: Coroutine[Any, Any, None]) -> None:
    # Nothing in it waits, so no event loop is needed: one step takes it to its end.
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise RuntimeError("the application waited for something: only methods that do not wait can be profiled")


def _parsed(raw: bytes) -> tuple[dict[str, Any], bytes]:
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    method, target, _ = first.split(b" ")
    path, _, query = target.partition(b"?")
    headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 40000),
        "scheme": "http",
        "method": method.decode(),
        "root_path": "",
        "path": path.decode(),
        "raw_path": path,
        "query_string": query,
        "headers": headers,
        "state": {},
    }, body


def microseconds(driver: Driver) -> float:
    """Time a request: the best of many rows, which other programs disturbed least."""
    driver.run(_TIMED)
    best = float("inf")
    for _ in range(_BEST_OF):
        started = time.perf_counter()
        driver.run(_TIMED)
        best = min(best, time.perf_counter() - started)
    return best / _TIMED * 1e6


class Samples:
    """What was being run, each time that the timer rang."""

    def __init__(self) -> None:
        self._taken: Counter[tuple[CodeType, int]] = Counter()
        self._measured: dict[CodeType, bool] = {}

    def take(self, _number: int, frame: FrameType | None) -> None:
        """Note the innermost line of ours; the timer calls this, so that it has to be quick."""
        while frame is not None:
            code = frame.f_code
            if code not in self._measured:
                self._measured[code] = _SOURCES in code.co_filename or code.co_filename.endswith(_OURS)
            if self._measured[code]:
                self._taken[code, frame.f_lineno] += 1
                return
            frame = frame.f_back

    def counted(self) -> tuple[Counter[str], Counter[str], Counter[str]]:
        """Sum up by stage, by function and by line."""
        stages: Counter[str] = Counter()
        functions: Counter[str] = Counter()
        lines: Counter[str] = Counter()
        for (code, line), count in self._taken.items():
            name = _place(code.co_filename)
            stages[_stage(name)] += count
            functions[f"{name} {code.co_qualname}"] += count
            lines[f"{name}:{line} {code.co_qualname}"] += count
        return stages, functions, lines


def _place(name: str) -> str:
    return name.rpartition(_SOURCES)[2] if _SOURCES in name else f"bench/{Path(name).name}"


def _stage(name: str) -> str:
    if name == "bench/profile.py":
        return "(this driver)"
    return next((stage for start, stage in STAGES.items() if name.startswith(start)), name)


def sample(driver: Driver, seconds: float) -> Samples:
    """Take samples of the driver at work."""
    samples = Samples()
    before = signal.signal(signal.SIGALRM, samples.take)
    signal.setitimer(signal.ITIMER_REAL, _INTERVAL, _INTERVAL)
    try:
        ends = time.perf_counter() + seconds
        while time.perf_counter() < ends:
            driver.run(_TIMED)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return samples


def report(case: Case, seconds: float, *, lines: bool) -> None:
    """Time and profile one kind of request, and print what was found."""
    driver = Driver(asgi_async(), case)
    whole = microseconds(driver)
    marked, floor = (microseconds(Driver(make(), case)) for make in (asgi_marked, bare))
    print(f"\n{case.name}: {whole:.2f} µs a request; @nonblocking {marked:.2f} µs; bare application {floor:.2f} µs")
    stages, functions, by_line = sample(driver, seconds).counted()
    if set(driver.statuses) != {case.status}:
        raise RuntimeError(f"{case.name} was answered with {dict(driver.statuses)}")
    _print("by stage", stages, whole)
    _print("by function", functions, whole)
    if lines:
        _print("by line", by_line, whole)


def _print(title: str, counted: Counter[str], whole: float) -> None:
    total = counted.total()
    print(f"  {title}:")
    for name, count in counted.most_common(_SHOWN):
        print(f"    {whole * count / total:7.3f} µs  {count / total:6.1%}  {name}")


def main() -> None:
    """Read the command line, and profile what it names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [case.name for case in CASES]
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(names)}")
    parser.add_argument("--seconds", type=float, default=5, help="of taking samples for each")
    parser.add_argument("--lines", action="store_true", help="show lines, too")
    arguments = parser.parse_args()
    if unknown := set(arguments.cases) - set(names):
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    for case in CASES:
        if case.name in (arguments.cases or names):
            report(case, arguments.seconds, lines=arguments.lines)


if __name__ == "__main__":
    main()
