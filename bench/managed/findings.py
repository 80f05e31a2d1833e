"""All that was measured, and what was asked for."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from bench.findings import Machine, Target
from bench.managed.measuring import Cost, Throughput, fetches, idle, on_postgresql, on_sqlite, polls
from bench.measuring import say

SLOW_FLUSH = 0.005  # seconds, as on real disks
POLLED = (10, 10_000)
STORED = (1_000, 1_000_000)


@dataclass(frozen=True)
class Findings:
    """All that was measured."""

    date: dt.date
    machine: Machine
    sqlite: Throughput
    slow: Throughput
    postgresql: Throughput
    polls: Cost
    fetches: Cost
    idle: float
    stored: tuple[int, int]

    def targets(self) -> list[Target]:
        """Give what was asked for, and whether it is reached."""
        few, many = self.stored
        return [
            _at_least("Durable provisions on SQLite, to a bare loop", self.sqlite, 0.4),
            _at_least("The same with flushes of 5 ms", self.slow, 4.0),
            _at_least("Durable provisions on PostgreSQL, to bare Procrastinate jobs", self.postgresql, 0.5),
            _at_most(f"Polls with {POLLED[1]:,} operations in progress, to {POLLED[0]}", self.polls, 1.2),
            _at_most(f"Fetches with {many:,} instances stored, to {few:,}", self.fetches, 1.3),
            Target(
                "Two replicas with no work, on PostgreSQL",
                f"{self.idle:.1f} transactions/s",
                "< 5",
                self.idle < 5,
            ),
        ]


def _at_least(what: str, found: Throughput, wanted: float) -> Target:
    return Target(
        what,
        f"{found.ratio:.2f} times ({found.ours:,.0f} to {found.bare:,.0f} a second)",
        f">= {wanted:g} times",
        found.ratio >= wanted,
    )


def _at_most(what: str, found: Cost, wanted: float) -> Target:
    measured = f"{found.ratio:.2f} times ({found.much:.0f} to {found.little:.0f} µs of processor time)"
    return Target(what, measured, f"<= {wanted:g} times", found.ratio <= wanted)


def find(*, quick: bool) -> Findings:
    """Measure everything."""
    rounds, seconds = (1, 2.0) if quick else (3, 3.0)
    stored = (1_000, 50_000) if quick else STORED
    say("durable provisions on SQLite")
    sqlite = on_sqlite(rounds, seconds)
    say("the same on a slow disk")
    slow = on_sqlite(rounds, seconds, SLOW_FLUSH)
    say("durable provisions on PostgreSQL")
    postgresql = on_postgresql(rounds, seconds)
    say("polls")
    polled = polls(rounds, seconds, little=POLLED[0], much=POLLED[1])
    say(f"fetches, with {stored[1]:,} instances")
    fetched = fetches(rounds, seconds, little=stored[0], much=stored[1])
    say("doing nothing")
    return Findings(
        date=dt.datetime.now(tz=dt.UTC).date(),
        machine=Machine.present(),
        sqlite=sqlite,
        slow=slow,
        postgresql=postgresql,
        polls=polled,
        fetches=fetched,
        idle=idle(10.0 if quick else 30.0),
        stored=stored,
    )
