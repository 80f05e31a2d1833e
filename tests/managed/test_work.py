"""The work handle: steps done once, retries, sleeps and waits that are remembered, progress, and the end of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from tests.contract.expectations import assert_refused
from tests.managed.stage import INSTANCE, Managed, Stage, Steered, wait_until

from openbrokerapi.managed import Failed, nonblocking
from openbrokerapi.managed.endings import UNEXPECTED

Act = Callable[[Any], Any]


class Bench:
    """What the handlers have done."""

    def __init__(self) -> None:
        self.done: list[Any] = []
        self.gate = threading.Event()
        self.failures = 0

    def note(self, what: Any, answer: Any = None) -> Any:
        self.done.append(what)
        return answer

    def flaky(self, error: type[Exception] = OSError) -> str:
        """Fail as often as `failures` says, then succeed."""
        self.done.append("try")
        if self.failures:
            self.failures -= 1
            raise error("away")
        return "there"


class Plain(Steered):
    """Its provision is the test's plain function."""

    act: Act

    def provision(self, instance: Any, work: Any) -> Any:
        return type(self).act(work)


class Async(Steered):
    """Its provision is the test's coroutine function."""

    act: Act

    async def provision(self, instance: Any, work: Any) -> Any:
        return await type(self).act(work)


def offering(act: Act) -> Steered:
    base = Async if asyncio.iscoroutinefunction(act) else Plain
    made: Steered = type("Acting", (base,), {"act": staticmethod(act)})()
    return made


@pytest.fixture
def bench() -> Any:
    bench = Bench()
    yield bench
    bench.gate.set()


def both(name: str, bench: Bench) -> Act:
    """Give two steps around a gate, plain or as a coroutine function."""

    def plain(work: Any) -> None:
        got = work.step("one", bench.note, "one", {"n": (1, 2)})
        work.step("two", bench.note, ("two", got))
        bench.note(f"attempt {work.attempt}")
        work.until("opened", bench.gate.is_set, every=0.01)
        work.step("three", bench.note, "three")

    async def as_coroutine(work: Any) -> None:
        async def one() -> Any:
            return bench.note("one", {"n": (1, 2)})

        got = await work.step("one", one)
        await work.step("two", bench.note, ("two", got))
        bench.note(f"attempt {work.attempt}")
        await work.until("opened", bench.gate.is_set, every=0.01)
        await work.step("three", bench.note, "three")

    return plain if name == "plain" else as_coroutine


@pytest.mark.parametrize("name", ["plain", "async"])
@pytest.mark.parametrize("on", ["asgi", "flask", "postgresql"])
def test_a_finished_step_is_not_done_again_after_a_restart(stage: Stage, bench: Bench, name: str) -> None:
    managed = stage(offering(both(name, bench)))
    begun = managed.provision(incomplete=True)
    wait_until(lambda: "attempt 1" in bench.done)
    stage.end(managed)
    again = stage(offering(both(name, bench)))
    assert again.poll(operation=begun.json["operation"]).json["state"] == "in progress"
    wait_until(lambda: "attempt 2" in bench.done)
    bench.gate.set()
    assert again.finished(begun).json["state"] == "succeeded"
    # What comes back is as JSON has it, at once and after a restart.
    assert bench.done == ["one", ("two", {"n": [1, 2]}), "attempt 1", "attempt 2", "three"]


@pytest.mark.parametrize("name", ["plain", "async"])
def test_a_step_is_tried_again_as_often_as_is_said(stage: Stage, bench: Bench, name: str) -> None:
    def plain(work: Any) -> None:
        bench.note(work.retry(3, backoff=0.01).step("get", bench.flaky))

    async def as_coroutine(work: Any) -> None:
        bench.note(await work.retry(3, backoff=0.01).step("get", bench.flaky))

    managed = stage(offering(plain if name == "plain" else as_coroutine))
    bench.failures = 2
    assert managed.provision().status == 201
    assert bench.done == ["try", "try", "try", "there"]
    bench.failures = 3
    assert_refused(managed.provision("instance-2"), 500, description=UNEXPECTED)
    assert bench.done.count("try") == 6


def test_only_the_errors_that_are_named_are_worth_another_try(stage: Stage, bench: Bench) -> None:
    async def act(work: Any) -> None:
        await work.retry(3, backoff=0.01, on=(OSError, Failed)).step("get", bench.flaky, error)

    error: type[Exception] = KeyError
    managed = stage(offering(act))
    for error in (KeyError, Failed):
        bench.failures = 1
        managed.provision(f"instance-{error.__name__}")
    assert bench.done == ["try", "try"]


def test_tries_and_waits_are_remembered_across_a_restart(stage: Stage, bench: Bench) -> None:
    async def act(work: Any) -> None:
        await work.retry(2, backoff=3600, longest=3600).step("get", bench.flaky)

    bench.failures = 5
    managed = stage(offering(act))
    begun = managed.provision(incomplete=True)
    wait_until(lambda: managed.run(_steps(managed, begun)))
    stage.end(managed)
    # Another release, on another day.
    stage.clock.ahead += 3600
    again = stage(offering(act))
    again.poll()
    # The second try was the last one.
    assert again.finished(begun).json["state"] == "failed"
    assert bench.done == ["try", "try"]


async def _steps(managed: Managed, begun: Any) -> Any:
    return await managed.store.steps(begun.json["operation"])


@pytest.mark.parametrize("name", ["plain", "async"])
def test_a_sleep_is_remembered_and_only_the_rest_of_it_is_slept(stage: Stage, bench: Bench, name: str) -> None:
    def plain(work: Any) -> None:
        bench.note("begins")
        work.sleep(3600)
        bench.note("slept")

    async def as_coroutine(work: Any) -> None:
        bench.note("begins")
        await work.sleep(3600)
        bench.note("slept")

    act = plain if name == "plain" else as_coroutine
    managed = stage(offering(act))
    begun = managed.provision(incomplete=True)
    wait_until(lambda: managed.run(_steps(managed, begun)))
    stage.end(managed)
    again = stage(offering(act))
    assert again.poll().json["state"] == "in progress"
    wait_until(lambda: bench.done == ["begins", "begins"])
    stage.end(again)
    stage.clock.ahead += 3601
    last = stage(offering(act))
    last.poll()
    assert last.finished(begun).json["state"] == "succeeded"
    assert bench.done == ["begins", "begins", "begins", "slept"]


@pytest.mark.rule("ASY-13", "LOI-17")
@pytest.mark.parametrize("name", ["plain", "async"])
def test_progress_is_what_the_poll_says(stage: Stage, bench: Bench, name: str) -> None:
    def plain(work: Any) -> None:
        work.progress("restoring 3 of 7")
        work.until("opened", bench.gate.is_set, every=0.01)

    async def as_coroutine(work: Any) -> None:
        await work.progress("restoring 3 of 7")
        await work.until("opened", bench.gate.is_set, every=0.01)

    managed = stage(offering(plain if name == "plain" else as_coroutine))
    begun = managed.provision(incomplete=True)
    wait_until(lambda: managed.poll().json == {"state": "in progress", "description": "restoring 3 of 7"})
    bench.gate.set()
    assert managed.finished(begun).json == {"state": "succeeded"}


def test_until_asks_until_there_is_something_and_remembers_it(stage: Stage, bench: Bench) -> None:
    async def act(work: Any) -> None:
        bench.note(await work.until("there", ready, every=0.01))

    async def ready() -> Any:
        bench.note("asked")
        return {"host": "h-1"} if len(bench.done) == 3 else None

    managed = stage(offering(act))
    assert managed.provision().status == 201
    assert bench.done == ["asked", "asked", "asked", {"host": "h-1"}]


def test_what_is_cancelled_knows_and_does_no_further_step(stage: Stage, bench: Bench) -> None:
    works: list[Any] = []

    def act(work: Any) -> None:
        works.append(work)
        bench.gate.wait(20)
        bench.note(("cancelled", work.cancelled))
        try:
            work.step("never", bench.note, "never")
        except Exception as error:  # noqa: BLE001 - an author's own
            bench.note(error)
        bench.note("never")

    managed = stage(offering(act))
    managed.provision(incomplete=True)
    wait_until(lambda: works)
    assert not works[0].cancelled
    begun = managed.deprovision(incomplete=True)
    bench.gate.set()
    assert managed.finished(begun).status == 410
    assert bench.done == [("cancelled", True)]


@pytest.mark.parametrize("again", [False, True])
def test_names_that_are_used_again_are_numbered(stage: Stage, bench: Bench, again: bool) -> None:
    async def act(work: Any) -> None:
        for number in range(3):
            bench.note(await work.step("copy", lambda number=number: number * 10))
        if again and work.attempt == 1:
            await work.until("never", lambda: False, every=60)

    managed = stage(offering(act))
    begun = managed.provision(incomplete=True)
    wait_until(lambda: len(bench.done) == 3)
    if again:
        stage.end(managed)
        managed = stage(offering(act))
        managed.poll()
    managed.finished(begun)
    assert bench.done == [0, 10, 20] * (2 if again else 1)


@pytest.mark.parametrize("name", ["plain", "async"])
def test_a_result_that_is_no_json_fails_and_the_log_says_which_step(
    stage: Stage, bench: Bench, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    def plain(work: Any) -> None:
        work.step("connect", object)

    async def as_coroutine(work: Any) -> None:
        await work.step("connect", object)

    managed = stage(offering(plain if name == "plain" else as_coroutine))
    assert_refused(managed.provision(), 500, description=UNEXPECTED)
    assert "TypeError" in caplog.text
    assert "connect" in caplog.text
    assert "JSON" in caplog.text


def test_a_nonblocking_method_runs_on_the_loop_and_cannot_wait(
    stage: Stage, bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    class OnLoop(Steered):
        @nonblocking
        def provision(self, instance: Any, work: Any) -> None:  # type: ignore[override]
            asyncio.get_running_loop()
            bench.note(work.operation_id)
            if instance.id != INSTANCE:
                work.step("never", bench.note, "never")

    managed = stage(OnLoop())
    assert managed.provision().status == 201
    assert len(bench.done) == 1
    assert_refused(managed.provision("instance-2"), 500, description=UNEXPECTED)
    assert "a @nonblocking method cannot wait" in caplog.text
    assert "never" not in bench.done


def test_plain_methods_run_side_by_side_and_keep_the_loop_free(stage: Stage) -> None:
    barrier = threading.Barrier(4)

    def act(work: Any) -> None:
        barrier.wait(20)

    managed = stage(offering(act))
    begun = {f"instance-{n}": managed.provision(f"instance-{n}", incomplete=True) for n in range(4)}
    for instance_id, answer in begun.items():
        assert answer.status == 202
        assert managed.finished(answer, instance_id).json["state"] == "succeeded"


def test_the_operations_id_is_that_of_the_platform(stage: Stage, bench: Bench) -> None:
    async def act(work: Any) -> None:
        bench.note(work.operation_id)
        await work.until("opened", bench.gate.is_set, every=0.01)

    managed = stage(offering(act))
    begun = managed.provision(incomplete=True)
    bench.gate.set()
    managed.finished(begun)
    assert bench.done == [begun.json["operation"]]
