"""What is measured of the managed runtime, each beside what it is compared with, in one run."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from bench.brokers import PASSWORD, USERNAME
from bench.load import Load, put_under_load
from bench.managed.application import FLUSH, PLAN_ID, SERVICE_ID, STORE
from bench.managed.filling import fill, instance_id, operation_id
from bench.processes import ROOT, Program, cores, free_port, pinned
from bench.wire import WrongAnswer, raw_request
from tests.stores.postgresql import Server

from openbrokerapi.stores.location import open_location

_MOST_A_SECOND = 6_000
_POLLED = 1_000
_SETTLING = 3.0  # seconds


@dataclass(frozen=True)
class Throughput:
    """Durable provisions beside what they are compared with.

    Attributes:
        ours, bare: A second; medians of the rounds.
        cpu: Microseconds of processor time of the server per provision.
    """

    ours: float
    bare: float
    cpu: float

    @property
    def ratio(self) -> float:
        """Ours to the bare one."""
        return self.ours / self.bare


@dataclass(frozen=True)
class Cost:
    """Microseconds of processor time per request, with little and with much in the store."""

    little: float
    much: float

    @property
    def ratio(self) -> float:
        """With much to with little."""
        return self.much / self.little


@contextmanager
def _serving(url: str, flush: float = 0.0) -> Iterator[tuple[Program, int]]:
    """Serve the broker as an operator does, on the first core."""
    port = free_port()
    command = [sys.executable, "-m", "openbrokerapi.cli.main", "serve", "bench.managed.application:broker"]
    command += ["--port", str(port), "--no-access-log", "--log-level", "error"]
    environment = {
        STORE: url,
        FLUSH: str(flush),
        "OPENBROKER_USERNAME": USERNAME,
        "OPENBROKER_PASSWORD": PASSWORD,
        "PYTHONPATH": str(ROOT),
    }
    with pinned(cores()[:1]), Program(command, environment) as program:
        program.wait_ready(port)
        yield program, port


def _provisions(count: int) -> tuple[bytes, ...]:
    body = {
        "service_id": SERVICE_ID,
        "plan_id": PLAN_ID,
        "organization_guid": "an-organization",
        "space_guid": "a-space",
        "context": {"platform": "cloudfoundry", "instance_name": "mine"},
        "parameters": {"region": "eu-north", "storage_gb": 20},
    }
    run = uuid.uuid4().hex[:12]
    return tuple(
        raw_request("PUT", f"/v2/service_instances/{run}-{number:06d}?accepts_incomplete=true", body)
        for number in range(count)
    )


def _loaded(program: Program, port: int, requests: tuple[bytes, ...], seconds: float) -> tuple[Load, float]:
    """Put a server under load from the other cores; give also the processor time of an answer, in microseconds."""
    with pinned(cores()[1:] or cores()):
        before = program.cpu_seconds()
        load = put_under_load(port, requests, seconds)
        used = program.cpu_seconds() - before
    if load.errors or not load.answers:
        raise WrongAnswer(f"{load.errors} of {load.answers} answers were errors")
    return load, used / load.answers * 1e6


def _bare(module: str, *arguments: str) -> float:
    with pinned(cores()[:1]):
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
    return float(done.stdout)


def on_sqlite(rounds: int, seconds: float, flush: float = 0.0) -> Throughput:
    """Measure durable provisions on SQLite beside a bare loop with the same file system.

    Args:
        flush: Seconds that each flush is made to take; 0 is what the disk takes.
    """
    samples = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            bare = _bare("bench.managed.bare_loop", str(Path(folder, "bare.db")), str(seconds), str(flush))
            with _serving(str(Path(folder, "broker.db")), flush) as (program, port):
                samples.append((*_provisioned(program, port, seconds), bare))
    return _throughput(samples)


def on_postgresql(rounds: int, seconds: float) -> Throughput:
    """Measure durable provisions on PostgreSQL beside bare Procrastinate jobs on the same server."""
    samples = []
    with Server(durable=True) as server:
        for _ in range(rounds):
            bare = _bare("bench.managed.bare_queue", server.url_of(server.make_database()), str(seconds))
            with _serving(server.url_of(server.make_database())) as (program, port):
                samples.append((*_provisioned(program, port, seconds), bare))
    return _throughput(samples)


def _provisioned(program: Program, port: int, seconds: float) -> tuple[float, float]:
    _loaded(program, port, _provisions(2_000), 0.5)
    load, cpu = _loaded(program, port, _provisions(int(_MOST_A_SECOND * seconds)), seconds)
    return load.rate, cpu


def _throughput(samples: list[tuple[float, float, float]]) -> Throughput:
    ours, cpu, bare = (statistics.median(column) for column in zip(*samples, strict=True))
    return Throughput(ours, bare, cpu)


def polls(rounds: int, seconds: float, *, little: int, much: int) -> Cost:
    """Measure polls with few and with many operations in progress."""
    query = f"?service_id={SERVICE_ID}&plan_id={PLAN_ID}&operation="
    requests = tuple(
        raw_request("GET", f"/v2/service_instances/{instance_id(at)}/last_operation{query}{operation_id(at)}")
        for at in range(_POLLED)
    )
    return _compared(
        rounds,
        seconds,
        {"in_progress": little},
        {"in_progress": much},
        lambda size: tuple(requests[at % size] for at in range(_POLLED)),
    )


def fetches(rounds: int, seconds: float, *, little: int, much: int) -> Cost:
    """Measure fetches of instances with few and with many instances stored."""

    def requests(size: int) -> tuple[bytes, ...]:
        # Spread over all of them, so that no cache holds what is asked for.
        step = size / (_POLLED * 10)
        ids = (instance_id(int(at * step)) for at in range(_POLLED * 10))
        return tuple(raw_request("GET", f"/v2/service_instances/{each}") for each in ids)

    return _compared(rounds, seconds, {"instances": little}, {"instances": much}, requests)


def _compared(
    rounds: int,
    seconds: float,
    little: dict[str, int],
    much: dict[str, int],
    requests: Callable[[int], tuple[bytes, ...]],
) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        urls = {}
        for name, size in (("little", little), ("much", much)):
            urls[name] = str(Path(folder, f"{name}.db"))
            asyncio.run(fill(open_location(urls[name]), **size))
        samples: dict[str, list[float]] = {"little": [], "much": []}
        with _serving(urls["little"]) as one, _serving(urls["much"]) as other:
            time.sleep(_SETTLING)
            for _ in range(rounds * round(seconds)):
                for name, size, (program, port) in (("little", little, one), ("much", much, other)):
                    sent = requests(next(iter(size.values())))
                    samples[name].append(_loaded(program, port, sent, 1.0)[1])
    # What disturbs a round only ever adds to it.
    return Cost(min(samples["little"]), min(samples["much"]))


def idle(seconds: float, replicas: int = 2) -> float:
    """Give the transactions a second that replicas with no work make on PostgreSQL."""
    with Server(durable=True) as server:
        name = server.make_database()
        url = server.url_of(name)
        with _serving(url), _serving(url) if replicas > 1 else _nothing():
            time.sleep(_SETTLING)
            before = _transactions(server, name)
            began = time.perf_counter()
            time.sleep(seconds)
            return (_transactions(server, name) - before) / (time.perf_counter() - began)


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def _transactions(server: Server, name: str) -> int:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("SELECT pg_stat_clear_snapshot()")
        row = connection.execute(
            "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = %s", (name,)
        ).fetchone()
    return int(row[0]) if row is not None else 0
