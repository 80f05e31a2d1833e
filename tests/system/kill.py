"""Kill a process that has operations in its hands: nothing is lost, and what was finished is not done again."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import msgspec
from tests.system import journal, state
from tests.system.replicas import Replica, Stores, replicas
from tests.system.simulated_platform import Asked, Platform, deprovision, provision


class Result(msgspec.Struct, frozen=True):
    """What a round came to.

    Attributes:
        taken_up: Seconds until each operation that the killed process had was taken up.
        violations: What must not be.
    """

    operations: int
    succeeded: int
    taken_up: list[float]
    again: int
    seconds: float
    violations: list[str]

    def __str__(self) -> str:
        slowest = f"{max(self.taken_up):.2f} s" if self.taken_up else "-"
        return (
            f"{self.succeeded}/{self.operations} succeeded, {len(self.taken_up)} in hand at the kill,"
            f" the last taken up after {slowest}, {self.again} steps begun again, {self.seconds:.1f} s in all"
        )


def _begun(platform: Platform, asked: Asked) -> str:
    answer = platform.insist(asked.method, asked.url, asked.body)
    assert answer.status == 202, answer
    return answer.operation


def _carried_out(platform: Platform, asked: Asked, begun: Future[str]) -> str:
    try:
        return platform.wait(asked, begun.result())
    except Exception as error:  # noqa: BLE001 - whatever it was, it is what became of the operation
        return str(error)


def _kill_in_the_middle(victim: Replica, place: Path, wanted: int) -> float:
    """Kill a replica when so many handlers have returned."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if (place / "journal").read_bytes().count(b'"what":"ended"') >= wanted:
            break
        time.sleep(0.01)
    return victim.kill()


def round_of(stores: Stores, place: Path, *, count: int, concurrency: int, lease: float) -> Result:
    """Do one round: provision so many instances, and kill a process in the middle.

    On PostgreSQL one of two replicas is killed, and the other takes up what it had; on SQLite the only process is
    killed and started again.
    """
    began = time.monotonic()
    settings = {"concurrency": concurrency, "lease": lease, "answer_within": 0.0}
    both = 1 if stores.server is None else 2
    url = stores.make(place)
    with replicas(url, place, both, **settings) as made:
        there = [replica.port for replica in made]
        platform = Platform(lambda: there, patience=60.0, pause=0.5)
        instances = [f"i-{number}" for number in range(count)]
        with ThreadPoolExecutor(32) as pool:
            asked = [provision(each) for each in instances]
            begun = [(each, pool.submit(_begun, platform, each)) for each in asked]
            futures = [pool.submit(_carried_out, platform, *each) for each in begun]
            victim = made[-1]
            pid = victim.pid
            since = _kill_in_the_middle(victim, place, count // 4)
            if both == 1:
                victim.start()
                victim.wait()
                since = time.monotonic()
            else:
                there.remove(victim.port)
            ended = [future.result() for future in futures]
        lines = journal.read(place / "journal")
        rows = state.tables(url)
        allowed = 1.0 if both == 1 else lease + 2.0
        taken_up = journal.taken_up(lines, pid, since)
        violations = [f"{each}: {end}" for each, end in zip(instances, ended, strict=True) if end != "succeeded"]
        violations += [f"taken up after {each:.2f} s" for each in taken_up if each > allowed]
        # Where there is room for all of them, none may wait for one that was in the dead process's queue.
        waited = journal.last_begun(lines) - since if concurrency >= count / 2 else 0.0
        violations += [f"an operation that waited was begun after {waited:.2f} s"] if waited > allowed else []
        violations += [*journal.repeated_steps(lines), *journal.overlaps(lines), *_of_the_store(rows)]
        violations += _deleted(platform, instances, place)
    return Result(
        count, ended.count("succeeded"), taken_up, journal.begun_again(lines), time.monotonic() - began, violations
    )


def _of_the_store(rows: dict[str, list[object]]) -> list[str]:
    steps = [f"steps of an operation that has ended are left: {len(rows['step'])}"] if rows["step"] else []
    return [*state.unfinished(rows), *state.ends(rows), *steps]


def _deleted(platform: Platform, instances: list[str], place: Path) -> list[str]:
    """Delete a few, to see that they were whole."""
    wrong = [each for each in instances if not (place / "things" / each / "value").exists()]
    deleted = [platform.carry_out(deprovision(each)) for each in instances[:3]]
    return [*(f"nothing was made for {each}" for each in wrong), *(each for each in deleted if each != "succeeded")]
