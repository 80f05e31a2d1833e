"""A coroutine that is begun at once is to itself as any other in a task."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from openbrokerapi.web.at_once import begin

VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE", default="outside")


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Any:
    """Begin a coroutine outside of any task; give what `begin` gave, and how the task ended."""

    def run(make: Callable[[], Coroutine[Any, Any, None]], then: Callable[[Any], None] | None = None) -> Any:
        loop = request.param()
        outcome: list[Any] = []

        async def main() -> Any:
            called = loop.create_future()
            known = asyncio.all_tasks()

            def call() -> None:
                task = begin(loop, make())
                outcome.append(task)
                if then is not None:
                    then(task)
                called.set_result(None)

            loop.call_soon(call)
            await called
            return await asyncio.gather(*(asyncio.all_tasks() - known), return_exceptions=True)

        try:
            return outcome, loop.run_until_complete(asyncio.wait_for(main(), 20))
        finally:
            loop.close()

    return run


def test_one_that_does_not_wait_has_ended_when_begin_returns(run: Any) -> None:
    steps: list[str] = []

    async def work() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.add_done_callback(lambda _: steps.append("task done"))
        steps.append("ran")

    [task], _ = run(work, lambda _: steps.append("begin returned"))
    assert task is None
    assert steps == ["ran", "begin returned", "task done"]


def test_one_that_waits_is_carried_on_by_the_task_that_it_began_in(run: Any) -> None:
    tasks: list[Any] = []

    async def work() -> None:
        VARIABLE.set("inside")
        tasks.append(asyncio.current_task())
        await asyncio.sleep(0)
        await asyncio.sleep(0.001)
        tasks.append(asyncio.current_task())
        assert VARIABLE.get() == "inside"

    [task], ended = run(work, lambda _: tasks.append(VARIABLE.get()))
    assert tasks == [task, "outside", task]
    assert ended == [None]


@pytest.mark.parametrize(
    "wait", [lambda: asyncio.sleep(3600), lambda: asyncio.sleep(0), lambda: asyncio.Event().wait()]
)
def test_it_can_be_cancelled_before_the_task_has_taken_a_step(run: Any, wait: Callable[[], Any]) -> None:
    steps: list[str] = []

    async def work() -> None:
        try:
            await wait()
        except asyncio.CancelledError:
            steps.append("cancelled")
            await asyncio.sleep(0)
            steps.append("cleaned up")
            raise

    _, [ended] = run(work, lambda task: task.cancel())
    assert steps == ["cancelled", "cleaned up"]
    assert isinstance(ended, asyncio.CancelledError)


def test_cancelling_it_cancels_what_it_waits_for(run: Any) -> None:
    waited_for: list[asyncio.Task[None]] = []

    async def work() -> None:
        waited_for.append(asyncio.ensure_future(asyncio.sleep(3600)))
        await waited_for[0]

    run(work, lambda task: task.cancel())
    assert waited_for[0].cancelled()


def test_one_that_cancels_itself_is_cancelled_where_it_waits_next(run: Any) -> None:
    steps: list[str] = []

    async def work() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        steps.append("cancels")
        await asyncio.sleep(3600)
        steps.append("never")

    _, [ended] = run(work)
    assert steps == ["cancels"]
    assert isinstance(ended, asyncio.CancelledError)


def test_a_timeout_that_is_over_at_once_ends_it(run: Any) -> None:
    steps: list[str] = []

    async def work() -> None:
        try:
            async with asyncio.timeout(0):
                await asyncio.sleep(3600)
        except TimeoutError:
            steps.append("timeout")

    _, ended = run(work)
    assert steps == ["timeout"]
    assert ended == [None]


def test_an_error_after_waiting_is_the_task_s(run: Any) -> None:
    async def work() -> None:
        await asyncio.sleep(0)
        raise ValueError("after waiting")

    _, [ended] = run(work)
    assert isinstance(ended, ValueError)


def test_the_task_shows_the_coroutine_that_it_runs(run: Any) -> None:
    states: list[str] = []

    async def work() -> None:
        await asyncio.sleep(0)

    def look(task: asyncio.Task[None]) -> None:
        states.append(inspect.getcoroutinestate(task.get_coro()))  # type: ignore[arg-type]  # as anyio asks
        states.append(repr(task))

    run(work, look)
    assert states[0] == "CORO_SUSPENDED"
    assert "work()" in states[1]
