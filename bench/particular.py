"""What is measured beside throughput: start, memory, large catalogs, and slow methods beside quick ones."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench.cases import CATALOG, catalog_case, provision_request
from bench.contenders import ASGI, BARE, SERVE_ENVIRONMENT, SLOW, running
from bench.measuring import Figures, Plan, measure, say
from bench.processes import ROOT, Program, free_port
from bench.wire import Client, WrongAnswer, send

SLOW_PROVISIONS = 50
SMALL, LARGE = "1x10", "10x100"  # 10 and 1,000 plans
_CREATED = 201
_SETTLING = 1.0  # seconds
_FORBIDDEN = ("flask", "werkzeug", "uvicorn", "click", "psycopg", "sqlite3", "apsw")


@dataclass(frozen=True)
class Import:
    """What ``import openbrokerapi`` costs, in milliseconds beyond a bare interpreter."""

    median: float
    best: float
    loaded: list[str]  # of what it must not load


def measure_import(times: int) -> Import:
    """Import the package in many fresh interpreters."""
    say("import")
    pairs = [(_interpreter("pass"), _interpreter("import openbrokerapi")) for _ in range(times)]
    bare, ours = zip(*pairs, strict=True)
    code = f"import sys, openbrokerapi; print(*(name for name in {_FORBIDDEN} if name in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    median = statistics.median(ours) - statistics.median(bare)
    return Import(median * 1e3, (min(ours) - min(bare)) * 1e3, loaded.split())


def _interpreter(code: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
    return time.perf_counter() - started


@dataclass(frozen=True)
class Serve:
    """What ``openbroker serve`` costs: seconds until the first 200 of ``/readyz``, and bytes of memory when idle."""

    ready: float
    best: float
    memory: int


def measure_serve(times: int) -> Serve:
    """Start ``openbroker serve`` several times, one worker, a catalog of 10 offerings of 5 plans."""
    say("openbroker serve")
    ready, memory = [], []
    for _ in range(times):
        port = free_port()
        command = [sys.executable, "-m", "openbrokerapi.cli.main", "serve"]
        command += ["bench.brokers:AsyncBroker", "--port", str(port)]
        with Program(command, SERVE_ENVIRONMENT) as program:
            ready.append(program.wait_ready(port, "/readyz"))
            CATALOG.verify(port, "openbroker serve")
            time.sleep(_SETTLING)
            memory.append(program.resident_bytes())
    return Serve(statistics.median(ready), min(ready), max(memory))


@dataclass(frozen=True)
class Slowness:
    """How catalog requests fare while slow provisions of a plain broker are under way.

    Attributes:
        median, longest: Milliseconds of a catalog request meanwhile.
        requests: How many there were.
        provisions: Seconds until the last provision was answered.
    """

    median: float
    longest: float
    requests: int
    provisions: float


def measure_slowness() -> Slowness:
    """Fetch the catalog again and again while 50 provisions of a second each are under way.

    Raises:
        WrongAnswer: A provision or a catalog request was not answered rightly.
    """
    say(f"{SLOW_PROVISIONS} slow provisions")
    with running((SLOW,)) as (server,), ThreadPoolExecutor(SLOW_PROVISIONS) as pool:
        CATALOG.verify(server.port, SLOW.key)
        client, taken = Client(server.port), []
        started = time.perf_counter()
        requests = [provision_request(f"instance-{number}") for number in range(SLOW_PROVISIONS)]
        pending = [pool.submit(send, server.port, raw) for raw in requests]
        while not all(each.done() for each in pending):
            began = time.perf_counter()
            if client.send(CATALOG.requests[0]).status != CATALOG.status:
                raise WrongAnswer(f"{SLOW.key}: a catalog request was refused")
            taken.append((time.perf_counter() - began) * 1e3)
        provisions = time.perf_counter() - started
        client.close()
        if any(each.result().status != _CREATED for each in pending):
            raise WrongAnswer(f"{SLOW.key}: a provision was refused")
    return Slowness(statistics.median(taken), max(taken), len(taken), provisions)


@dataclass(frozen=True)
class Sizes:
    """Microseconds of processor time for the catalog with 10 and with 1,000 plans.

    Attributes:
        unchanged: Answered with 304.
        full: Answered with all of it.
        bare: The same bytes from the bare application.
        sent: Bytes of the full answer.
    """

    unchanged: tuple[float, float]
    full: tuple[float, float]
    bare: tuple[float, float]
    sent: tuple[int, int]

    @property
    def own(self) -> tuple[float, float]:
        """Ours without what the server needs to send the bytes."""
        return self.full[0] - self.bare[0], self.full[1] - self.bare[1]


def measure_sizes(plan: Plan) -> Sizes:
    """Measure the catalog with 10 and with 1,000 plans."""
    small, large = (_catalogs(shape, plan) for shape in (SMALL, LARGE))
    unchanged = small[ASGI.key, f"catalog {SMALL}, 304"].cpu, large[ASGI.key, f"catalog {LARGE}, 304"].cpu
    full, bare = ([each[key, "catalog"] for each in (small, large)] for key in (ASGI.key, BARE.key))
    return Sizes(unchanged, (full[0].cpu, full[1].cpu), (bare[0].cpu, bare[1].cpu), (full[0].size, full[1].size))


def _catalogs(shape: str, plan: Plan) -> Figures:
    say(f"a catalog of {shape} plans")
    full = catalog_case(shape)
    with running((ASGI, BARE), shape) as servers:
        for server in servers:
            server.sizes[full.name] = full.verify(server.port, server.contender.key).size
        ours = servers[0]
        unchanged = catalog_case(shape, full.verify(ours.port, ASGI.key).headers["etag"])
        ours.sizes[unchanged.name] = unchanged.verify(ours.port, ASGI.key).size
        return measure(servers, plan, (full,)) | measure([ours], plan, (unchanged,))
