"""The rounds: each server is put under each load, one after the other, several times over."""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from bench.cases import CASES, Case, verify_checks
from bench.contenders import Running, generator_cores
from bench.load import put_under_load, warm_up
from bench.processes import busy_seconds, cores, pinned


@dataclass(frozen=True)
class Plan:
    """How long is measured.

    Args:
        rounds: How many times each case is measured.
        seconds: For how long each time.
        warming: Seconds of load before, not counted.
    """

    rounds: int
    seconds: float
    warming: float


@dataclass(frozen=True)
class Figure:
    """What one server did with one kind of request: medians of the rounds.

    Attributes:
        rate: Requests a second.
        cpu: Microseconds of processor time of the server per request.
        spread: The span of the rounds' rates, as a part of their median.
        size: Bytes of an answer.
    """

    rate: float
    cpu: float
    spread: float
    size: int


Figures = dict[tuple[str, str], Figure]


def verify(servers: Iterable[Running], cases: Iterable[Case] = CASES) -> None:
    """See that every server answers rightly, and note how long its answers are.

    Raises:
        WrongAnswer: One does not.
    """
    for server in servers:
        contender = server.contender
        for case in cases:
            server.sizes[case.name] = case.verify(server.port, contender.key).size
        if not contender.is_bare:
            verify_checks(server.port, contender.key, schemas=not contender.is_published)


def measure(servers: list[Running], plan: Plan, cases: Iterable[Case] = CASES) -> Figures:
    """Measure every server with every case.

    Raises:
        WrongAnswer: An answer under load was not the right one.
    """
    samples: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for case in cases:
        for server in servers:
            warm_up(server.port, case.requests, plan.warming)
    for number in range(plan.rounds):
        for case in cases:
            say(f"round {number + 1} of {plan.rounds}: {case.name}")
            for server in servers:
                samples[server.contender.key, case.name].append(_sample(server, case, plan.seconds))
    sizes = {(server.contender.key, name): size for server in servers for name, size in server.sizes.items()}
    return {key: _figure(values, sizes[key]) for key, values in samples.items()}


def _sample(server: Running, case: Case, seconds: float) -> tuple[float, float]:
    with pinned(generator_cores(server.contender.workers)):
        before = server.program.cpu_seconds()
        load = put_under_load(server.port, case.requests, seconds)
        used = server.program.cpu_seconds() - before
    load.require(server.sizes[case.name], f"{server.contender.key}: {case.name}")
    return load.rate, used / load.answers * 1e6


def _figure(samples: list[tuple[float, float]], size: int) -> Figure:
    rates = [rate for rate, _ in samples]
    rate = statistics.median(rates)
    return Figure(rate, statistics.median(cpu for _, cpu in samples), (max(rates) - min(rates)) / rate, size)


class Elsewhere:
    """How much of the machine other programs took meanwhile."""

    def __init__(self, servers: list[Running]) -> None:
        self._servers = servers
        self._started, self._before = time.perf_counter(), self._now()

    def _now(self) -> tuple[float, float]:
        own = sum(server.program.cpu_seconds() for server in self._servers)
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
            usage = resource.getrusage(who)
            own += usage.ru_utime + usage.ru_stime
        return busy_seconds(), own

    def share(self) -> float:
        """Give the part of all processor time since the beginning, 0 to 1; call it while the servers still run."""
        (all_before, own_before), (all_now, own_now) = self._before, self._now()
        spent = (all_now - all_before) - (own_now - own_before)
        return max(0.0, spent / (time.perf_counter() - self._started) / len(cores()))


def say(text: str) -> None:
    """Tell how far the benchmark is."""
    print(f"bench: {text}", file=sys.stderr, flush=True)
