"""A process that dies at each of its store's calls in turn; the state table must hold when it is back.

The first of each series is a call at the very beginning, the last a call that is never reached: that pass shows what
happens without a fault. ``fail`` series are no crashes: the call raises, as it does when a disk is full for a moment.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from tests.system import journal, state
from tests.system.replicas import Replica, Stores, new_place
from tests.system.simulated_platform import (
    Answer,
    Asked,
    Lost,
    Platform,
    bind,
    binding_path,
    deprovision,
    instance_path,
    provision,
    unbind,
    update,
)

FAULTS = ("kill before", "kill after", "fail before", "fail after")
#: Many more than the scenario has.
_MOST_CALLS = 300
_PARAMETERS = {"steps": 2, "seconds": 0.0}
_SETTINGS = {"lease": 1.0, "look_after_every": 0.2}


class Pass(msgspec.Struct, frozen=True):
    """What one pass of the scenario came to.

    Attributes:
        struck: The store's call at which it happened, or nothing if it was not reached.
    """

    fault: str
    struck: str
    again: int
    seconds: float
    violations: list[str]

    def __str__(self) -> str:
        return f"{self.fault:16} {self.struck or '-':16} {self.again} steps begun again, {self.seconds:.1f} s"


class Scenario:
    """All that a platform does with an instance; after each request there must be what the state table says."""

    def __init__(self, platform: Platform, place: Path, url: str) -> None:
        self._platform = platform
        self._things = place / "things"
        self._url = url
        self.violations: list[str] = []

    def run(self) -> None:
        """Go through it, as far as it goes."""
        try:
            self._go_through()
        except Lost as error:
            self.violations.append(str(error))

    def _go_through(self) -> None:
        self._carry_out(provision("i", **_PARAMETERS))
        self._expect("provisioned", instance=200, binding=404, things={"i", "i/value"}, value="0")
        self._repeat(provision("i", **_PARAMETERS), 200, provision("i", value=5), 409)
        self._carry_out(bind("i", "b", **_PARAMETERS))
        self._expect("bound", instance=200, binding=200, things={"i", "i/value", "i/binding b"}, value="0")
        self._repeat(bind("i", "b", **_PARAMETERS), 200, bind("i", "b", value=5), 409)
        self._carry_out(update("i", value=7))
        self._expect("updated", instance=200, binding=200, things={"i", "i/value", "i/binding b"}, value="7")
        self._repeat(update("i", value=7), 200, provision("i", **_PARAMETERS), 409)
        self._carry_out(unbind("i", "b"))
        self._expect("unbound", instance=200, binding=404, things={"i", "i/value"}, value="7")
        self._repeat(unbind("i", "b"), 410)
        self._carry_out(deprovision("i"))
        self._expect("deleted", instance=404, binding=404, things=set())
        self._repeat(deprovision("i"), 410, update("i", value=8), 404)
        self._halt()
        self._expect("halted and deleted", instance=404, binding=404, things=set())
        self._fail()
        self._expect("failed and cleaned up", instance=404, binding=404, things=set())

    def _halt(self) -> None:
        """Delete an instance that is being created."""
        asked = provision("i", steps=2, seconds=0.15)
        answer = self._platform.insist(asked.method, asked.url, asked.body)
        if answer.status not in (200, 201, 202):
            self.violations.append(f"PUT again: {answer.status} {answer.document}")
        self._carry_out(deprovision("i"))

    def _fail(self) -> None:
        """Provision what fails half-way, and do as platforms do then: delete it."""
        asked = provision("i", fails=True, **_PARAMETERS)
        answer = self._platform.insist(asked.method, asked.url, asked.body, below=600)
        end = self._platform.wait(asked, answer.operation) if answer.status == 202 else str(answer.status)
        if end not in ("failed", "500"):
            self.violations.append(f"PUT that fails: {end}")
        self._carry_out(deprovision("i"))

    def _carry_out(self, asked: Asked) -> None:
        try:
            end = self._platform.carry_out(asked)
        except Lost as error:
            end = str(error)
        if end != "succeeded":
            self.violations.append(f"{asked.method} {asked.path}: {end}")

    def _repeat(self, same: Asked, expected: int, other: Asked | None = None, refused: int = 0) -> None:
        """Ask for it again, and for something else in its place."""
        for asked, status in ((same, expected), *(((other, refused),) if other is not None else ())):
            answer = self._answer(asked.method, asked.url, asked.body)
            if answer.status != status:
                self.violations.append(f"{asked.method} {asked.path} again: {answer.status} instead of {status}")

    def _answer(self, method: str, url: str, body: object = None) -> Answer:
        try:
            return self._platform.insist(method, url, body)
        except Lost as error:
            return Answer(0, str(error))

    def _expect(self, when: str, *, instance: int, binding: int, things: set[str], value: str = "") -> None:
        """See that the state table holds, and that there is of the author's things what there must be."""
        found = {
            "GET instance": (instance, self._answer("GET", instance_path("i")).status),
            "GET binding": (binding, self._answer("GET", binding_path("i", "b")).status),
        }
        wrong = [f"{when}: {name} is {got}, not {wanted}" for name, (wanted, got) in found.items() if got != wanted]
        there = {str(each.relative_to(self._things)) for each in self._things.rglob("*")}
        if there != things:
            wrong.append(f"{when}: there is {sorted(there)} instead of {sorted(things)}")
        elif value and (self._things / "i" / "value").read_text() != value:
            wrong.append(f"{when}: the value is not {value}")
        self.violations.extend(wrong)


@contextmanager
def _kept_alive(replica: Replica, fault: str) -> Iterator[None]:
    """Run a replica that has a fault; when it has died, start it again without one."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.01):
            if replica.has_ended:
                replica.note_end(replica.pid)
                replica.start()

    (replica.place / "things").mkdir(exist_ok=True)
    replica.start(fault)
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
        replica.stop()


def _wait(replica: Replica) -> None:
    """Wait until it answers; it may die before it does."""
    while not replica.answers():
        time.sleep(0.01)


def one_pass(stores: Stores, place: Path, fault: str) -> Pass:
    """Go through the scenario with a fault."""
    began = time.monotonic()
    url = stores.make(place)
    replica = Replica(url, place, **_SETTINGS)
    with _kept_alive(replica, fault):
        _wait(replica)
        scenario = Scenario(Platform(lambda: [replica.port], timeout=5.0, patience=20.0), place, url)
        scenario.run()
        time_left = time.monotonic() + 3
        rows = state.tables(url)
        while any(state.unfinished(rows)) and time.monotonic() < time_left:
            rows = state.tables(url)
    lines = journal.read(place / "journal")
    struck = [line.step for line in lines if line.what == "struck"]
    violations = [*scenario.violations, *state.unfinished(rows), *state.ends(rows), *state.leftovers(rows)]
    violations += [*journal.repeated_steps(lines), *journal.overlaps(lines)]
    again = journal.begun_again(lines)
    return Pass(fault, struck[0] if struck else "", again, time.monotonic() - began, violations)


def series(stores: Stores, kind: str, *, first: int = 1, every: int = 1) -> Iterator[Pass]:
    """Go through the scenario with the fault at each call in turn, until it is not reached any more."""
    for number in range(first, _MOST_CALLS, every):
        with new_place() as place:
            one = one_pass(stores, place, f"{kind} {number}")
        yield one
        if not one.struck:
            return
