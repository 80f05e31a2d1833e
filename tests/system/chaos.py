"""Everything at once: replicas killed and frozen, the database stopped hard, and a platform that goes on asking."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from tests.system import journal, state
from tests.system.replicas import Replica, Stores, replicas
from tests.system.simulated_platform import Asked, Lost, Platform, bind, deprovision, provision, unbind, update

from openbrokerapi.stores.rows import OperationRow

_LIVES_AT_ONCE = 8


class Plan(msgspec.Struct, frozen=True):
    """What is done to the replicas, and how much work there is meanwhile.

    Attributes:
        lives: Instances; each has five operations or more.
        kills: Replicas that are killed, each replaced by a fresh one.
        stops: Replicas that are stopped in order, with SIGTERM, each replaced by a fresh one.
        outages: Seconds for which PostgreSQL is stopped.
        lease: Of the replicas, in seconds; one of them is frozen for two and a half times as long.
        step: Seconds that a step takes.
        pause: Seconds between what is done.
    """

    lives: int
    kills: int
    stops: int
    outages: tuple[float, ...]
    lease: float
    step: float
    pause: float


FULL = Plan(lives=30, kills=8, stops=2, outages=(3.0, 10.0), lease=10.0, step=0.7, pause=2.0)
SMALL = Plan(lives=8, kills=2, stops=1, outages=(1.0,), lease=2.0, step=0.2, pause=0.7)


class Result(msgspec.Struct, frozen=True):
    """What came of it."""

    operations: int
    kinds: dict[str, int]
    taken_up: int
    again: int
    stopped: int
    seconds: float
    done: list[str]
    answers: dict[str, int]
    violations: list[str]

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.kinds.items()))
        return (
            f"{self.operations} operations ({kinds}), {self.taken_up} handlers taken over, {self.again} steps begun"
            f" again, {self.stopped} handlers stopped, {self.seconds:.0f} s; {', '.join(self.done)}"
        )


class Chaos:
    """Does to the replicas what the plan says."""

    def __init__(self, stores: Stores, url: str, place: Path, plan: Plan, chance: random.Random) -> None:
        self._stores = stores
        self._url = url
        self._place = place
        self._plan = plan
        self._chance = chance
        self._there: list[Replica] = []
        self.done: list[str] = []

    def ports(self) -> list[int]:
        return [replica.port for replica in self._there]

    @contextmanager
    def running(self) -> Iterator[None]:
        with replicas(self._url, self._place, 3, lease=self._plan.lease) as made:
            self._made = made
            self._there = list(made)
            yield

    def run(self) -> None:
        """Do all of it, in an order of chance."""
        todo: list[Callable[[], None]] = [self._kill] * self._plan.kills + [self._stop] * self._plan.stops
        todo += [lambda seconds=each: self._stop_database(seconds) for each in self._plan.outages]  # type: ignore[misc]
        todo += [self._freeze]
        self._chance.shuffle(todo)
        for each in todo:
            time.sleep(self._plan.pause * (0.5 + self._chance.random()))
            each()

    def _kill(self) -> None:
        victim = self._chance.choice(self._there)
        self._there.remove(victim)
        victim.kill()
        self._replace()
        self.done.append("kill")

    def _stop(self) -> None:
        victim = self._chance.choice(self._there)
        self._there.remove(victim)
        victim.stop()
        victim.note_end(victim.pid)
        self._replace()
        self.done.append("stop")

    def _replace(self) -> None:
        fresh = Replica(self._url, self._place, lease=self._plan.lease)
        self._made.append(fresh)
        fresh.start()
        fresh.wait()
        self._there.append(fresh)

    def _freeze(self) -> None:
        victim = self._chance.choice(self._there)
        victim.freeze()
        time.sleep(2.5 * self._plan.lease)
        victim.wake()
        self.done.append(f"{2.5 * self._plan.lease:.0f} s frozen")

    def _stop_database(self, seconds: float) -> None:
        server = self._stores.server
        assert server is not None
        server.stop_hard()
        time.sleep(seconds)
        server.start_again()
        self.done.append(f"{seconds:.0f} s without database")


class Life:
    """All that a platform does with one instance; also what a user in a hurry asks for meanwhile."""

    def __init__(self, platform: Platform, name: str, step: float, chance: random.Random, *, halts: bool) -> None:
        self._platform = platform
        self._halts = halts
        self._name = name
        self._parameters = {"steps": 3, "seconds": step}
        self._chance = chance

    def live(self) -> list[str]:
        """Go through it; give what went wrong."""
        wrong = []
        if self._halts:
            wrong += self._halted()
        name, parameters = self._name, self._parameters
        for asked in (
            provision(name, **parameters),
            bind(name, "b1", **parameters),
            update(name, value=1),
            bind(name, "b2", **parameters),
            unbind(name, "b1"),
            update(name, value=2),
            unbind(name, "b2"),
            deprovision(name),
        ):
            wrong += self._carry_out(asked)
        return wrong

    def _carry_out(self, asked: Asked) -> list[str]:
        rival = threading.Thread(target=self._ask_beside, args=(asked,))
        if self._chance.random() < 0.5:
            rival.start()
        try:
            end = self._platform.carry_out(asked)
        except Lost as error:
            end = str(error)
        if rival.ident is not None:
            rival.join()
        return [] if end == "succeeded" else [f"{asked.method} {asked.path}: {end}"]

    def _ask_beside(self, asked: Asked) -> None:
        """Ask for the same again, and for what is in the way of it; whatever the answers are."""
        others = [asked]
        if asked.method != "DELETE":
            others.append(update(self._name, value=9))
        for each in others:
            try:
                self._platform.ask(each.method, each.url, each.body)
            except OSError:
                continue

    def _halted(self) -> list[str]:
        """Provision, and delete meanwhile."""
        asked = provision(self._name, **self._parameters)
        self._platform.insist(asked.method, asked.url, asked.body)
        return self._carry_out(deprovision(self._name))


def run(stores: Stores, place: Path, plan: Plan, seed: int) -> Result:
    """Let lives go on until the chaos is over, and then to their end."""
    began = time.monotonic()
    chance = random.Random(seed)  # noqa: S311 - nothing is secret
    url = stores.make(place)
    chaos = Chaos(stores, url, place, plan, chance)
    platform = Platform(chaos.ports, timeout=10.0, patience=120.0, pause=0.2)
    with chaos.running(), ThreadPoolExecutor(_LIVES_AT_ONCE) as pool:
        chances = [random.Random(f"{seed} {number}") for number in range(plan.lives)]  # noqa: S311
        lives = [Life(platform, f"i-{n}", plan.step, each, halts=n % 4 == 3) for n, each in enumerate(chances)]
        futures = [pool.submit(life.live) for life in lives]
        chaos.run()
        wrong = [each for future in futures for each in future.result()]
        rows = _settled(url, plan.lease)
    lines = journal.read(place / "journal")
    all_runs = journal.runs(lines)
    kinds: dict[str, int] = {}
    for row in rows["operation"]:
        kinds[row.kind] = kinds.get(row.kind, 0) + 1
    violations = [*wrong, *state.unfinished(rows), *state.ends(rows), *state.leftovers(rows)]
    violations += [*journal.repeated_steps(lines), *journal.overlaps(lines)]
    violations += [f"{row.kind} {row.operation_id[:8]}: failed" for row in rows["operation"] if _failed_by_itself(row)]
    return Result(
        operations=len(rows["operation"]),
        kinds=kinds,
        taken_up=sum(run.first.attempt > 1 for run in all_runs),
        again=journal.begun_again(lines),
        stopped=sum(run.last.what == "left" for run in all_runs),
        seconds=time.monotonic() - began,
        done=chaos.done,
        answers=platform.answers,
        violations=violations,
    )


def _failed_by_itself(row: OperationRow) -> bool:
    """Tell whether an operation failed that nobody stopped: no handler of ours ever fails."""
    return row.state == "failed" and not (row.description or "").startswith("Stopped")


def _settled(url: str, lease: float) -> dict[str, list[Any]]:
    """Wait until nothing is held any more; give what there is."""
    deadline = time.monotonic() + lease + 5
    while True:
        rows = state.tables(url)
        if not any(state.unfinished(rows)) or time.monotonic() > deadline:
            return rows
        time.sleep(0.2)
