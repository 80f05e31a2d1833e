"""Sixteen clients at once: one of them is first, and all are answered as the state table says.

The sets of answers are those of the specification's table of states (sections "Provisioning", "Updating", "Binding",
"Unbinding", "Deprovisioning", "Blocking Operations"), not of the broker's.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
from tests.system import journal, state
from tests.system.replicas import Stores, replicas
from tests.system.simulated_platform import (
    Answer,
    Asked,
    Line,
    Platform,
    bind,
    deprovision,
    instance_path,
    provision,
    unbind,
    update,
)

CLIENTS = 16
#: A status, and the error code where the table names one.
Allowed = frozenset[tuple[int, str | None]]
_BUSY = (422, "ConcurrencyError")
_CREATED: Allowed = frozenset(((201, None), (202, None), (200, None)))
_CREATED_OR_OTHER: Allowed = _CREATED | {(409, None)}
_CHANGED: Allowed = frozenset(((200, None), (202, None), _BUSY))
_DELETED: Allowed = frozenset(((200, None), (202, None), (410, None)))
_DELETED_OR_BUSY: Allowed = _DELETED | {_BUSY}
#: A PUT beside a DELETE: it may come before it, behind it, or while it deletes.
_CREATED_OR_BUSY: Allowed = _CREATED | {_BUSY}


class Case(msgspec.Struct, frozen=True):
    """What the clients ask for.

    Attributes:
        asked: By the client with a number.
        allowed: The answers to a method.
        ran: How often a handler of a kind must have run; the others may run as often as they may.
        before: What is there.
        alike: All that are answered 202 get the same operation.
        winners: How many are answered with success, if that is certain.
        late: Seconds between one client and the next; all at once by default.
    """

    name: str
    asked: Callable[[str, int], Asked]
    allowed: dict[str, Allowed]
    ran: dict[str, int]
    before: tuple[Callable[[str], Asked], ...] = ()
    alike: bool = True
    winners: int | None = None
    late: float = 0.0


def _made(instance: str) -> Asked:
    return provision(instance, steps=1, seconds=0)


def _put_or_delete(instance: str, client: int) -> Asked:
    return _slow(instance) if client % 2 else deprovision(instance)


def _slow(instance: str) -> Asked:
    return provision(instance, steps=1, seconds=0.02)


CASES = (
    Case("same PUT", lambda i, _: _slow(i), {"PUT": _CREATED}, {"provision": 1}),
    Case(
        "different PUTs",
        lambda i, n: provision(i, steps=1, seconds=0.02, value=n),
        {"PUT": _CREATED_OR_OTHER},
        {"provision": 1},
        winners=1,
    ),
    Case(
        "PUT and DELETE",
        _put_or_delete,
        {"PUT": _CREATED_OR_BUSY, "DELETE": _DELETED_OR_BUSY},
        {},
        alike=False,
        # So that some come when it is being created, some when it is there, and some when it is being deleted.
        late=0.002,
    ),
    Case(
        "PATCH and PATCH other",
        lambda i, n: update(i, steps=1, seconds=0.01, value=1 + n % 2),
        {"PATCH": _CHANGED},
        {"provision": 1},
        before=(_made,),
        alike=False,
    ),
    Case(
        "same DELETE",
        lambda i, _: deprovision(i),
        {"DELETE": _DELETED},
        {"provision": 1, "deprovision": 1},
        before=(_slow,),
    ),
    Case(
        "same bind",
        lambda i, _: bind(i, "b", steps=1, seconds=0.02),
        {"PUT": _CREATED},
        {"provision": 1, "bind": 1},
        before=(_made,),
    ),
)


class Clients:
    """Clients that ask at the same moment, each on a connection of its own."""

    def __init__(self, ports: Sequence[int]) -> None:
        self._lines = [Line(ports[number % len(ports)], 30.0) for number in range(CLIENTS)]
        self._pool = ThreadPoolExecutor(CLIENTS)
        self._barrier = threading.Barrier(CLIENTS)

    def ask(self, asked: Callable[[int], Asked], late: float) -> list[Answer]:
        return [*self._pool.map(lambda number: self._one(number, asked(number), late), range(CLIENTS))]

    def _one(self, number: int, asked: Asked, late: float) -> Answer:
        self._barrier.wait(30)
        time.sleep(number * late)
        return self._lines[number].send(asked.method, asked.url, asked.body)

    def close(self) -> None:
        self._pool.shutdown()
        for line in self._lines:
            line.close()


class Result(msgspec.Struct):
    """What came of all rounds of a case."""

    name: str
    rounds: int = 0
    answers: dict[str, int] = {}
    violations: list[str] = []

    def __str__(self) -> str:
        answers = ", ".join(f"{count} x {answer}" for answer, count in sorted(self.answers.items()))
        return f"{self.name:22} {self.rounds:5} rounds: {answers}"


def run(stores: Stores, place: Path, rounds: int) -> list[Result]:
    """Do so many rounds of each case; on PostgreSQL over two replicas."""
    url = stores.make(place)
    results = {case.name: Result(case.name) for case in CASES}
    # About as long as the work takes: some are answered at once, and some with an operation.
    with replicas(url, place, 1 if stores.server is None else 2, answer_within=0.03) as made:
        ports = [replica.port for replica in made]
        clients, platform = Clients(ports), Platform(lambda: ports, patience=30.0, pause=0.01)
        for number in range(rounds):
            for case in CASES:
                _round(case, f"{number}-{case.name.replace(' ', '-')}", clients, platform, results[case.name])
        clients.close()
        rows = state.tables(url)
    _check_handlers(place, results)
    left = [*state.unfinished(rows), *state.ends(rows), *state.leftovers(rows)]
    results["same PUT"].violations.extend(left)
    return [*results.values()]


def _round(case: Case, instance: str, clients: Clients, platform: Platform, result: Result) -> None:
    for before in case.before:
        assert platform.carry_out(before(instance)) == "succeeded"
    answers = clients.ask(lambda number: case.asked(instance, number), case.late)
    result.rounds += 1
    wrong = []
    for number, answer in enumerate(answers):
        asked = case.asked(instance, number)
        shown = f"{asked.method} {answer.status}{' ' + answer.error if answer.error else ''}"
        result.answers[shown] = result.answers.get(shown, 0) + 1
        if not _is_allowed(answer, case.allowed[asked.method]):
            wrong.append(f"{shown} {answer.document}")
    wrong += _operations(case, instance, answers, platform)
    wrong += _afterwards(case, instance, answers, platform)
    result.violations.extend(f"{instance}: {each}" for each in wrong)


def _is_allowed(answer: Answer, allowed: Allowed) -> bool:
    # The table names the code of a 422 only; a 409 is an error's object, whatever code it has.
    return (answer.status, answer.error if answer.status == 422 else None) in allowed


def _operations(case: Case, instance: str, answers: list[Answer], platform: Platform) -> list[str]:
    """Poll what was begun to its end."""
    operations = {
        (asked.method, asked.poll, answer.operation)
        for number, answer in enumerate(answers)
        if answer.status == 202 and (asked := case.asked(instance, number))
    }
    wrong = []
    for method, _, operation in operations:
        asked = next(each for each in (case.asked(instance, n) for n in range(2)) if each.method == method)
        end = platform.wait(asked, operation)
        if end != "succeeded" and not (case.name == "PUT and DELETE" and method == "PUT"):
            wrong.append(f"{method}: its operation has {end}")
    if case.alike and len({operation for _, _, operation in operations}) > 1:
        wrong.append(f"{len(operations)} operations")
    return wrong


def _afterwards(case: Case, instance: str, answers: list[Answer], platform: Platform) -> list[str]:
    """Look at what there is now, and delete it."""
    wrong = []
    good = sum(answer.status in (200, 201, 202) for answer in answers)
    if good == 0 or (case.winners is not None and good != case.winners):
        wrong.append(f"{good} requests succeeded")
    if case.name == "same PUT" and sum(answer.status == 201 for answer in answers) > 1:
        wrong.append("201 more than once")
    if case.name == "same bind":
        wrong += _one_credential(answers)
        assert platform.carry_out(unbind(instance, "b")) == "succeeded"
    if platform.carry_out(deprovision(instance)) != "succeeded":
        wrong.append("it cannot be deleted")
    if platform.ask("GET", instance_path(instance)).status != 404:
        wrong.append("it is there when it is deleted")
    return wrong


def _one_credential(answers: list[Answer]) -> list[str]:
    given: set[Any] = {str(answer.document["credentials"]) for answer in answers if answer.status in (200, 201)}
    return [f"{len(given)} credentials"] if len(given) > 1 else []


def _check_handlers(place: Path, results: dict[str, Result]) -> None:
    """See that each handler ran as often as it must, and none beside another of the instance."""
    lines = journal.read(place / "journal")
    ran: dict[tuple[str, str], int] = {}
    for line in lines:
        if line.what == "began":
            key = (line.instance, line.kind)
            ran[key] = ran.get(key, 0) + 1
    for case in CASES:
        result = results[case.name]
        for number in range(result.rounds):
            instance = f"{number}-{case.name.replace(' ', '-')}"
            for kind, wanted in case.ran.items():
                if (times := ran.get((instance, kind), 0)) != wanted:
                    result.violations.append(f"{instance}: {kind} ran {times} times")
    results["PUT and DELETE"].violations.extend(journal.overlaps(lines))
