"""Corners of the runtime: crashes between bindings, what nobody can read, authors' mistakes, requests that are lost."""

from __future__ import annotations

import asyncio
import functools
from typing import Any

import pytest
from tests.contract.expectations import assert_answered, assert_refused
from tests.managed.cells import fails
from tests.managed.stage import (
    BINDING,
    IDS,
    INSTANCE,
    PATIENCE,
    Gate,
    Managed,
    Script,
    Stage,
    Steered,
    wait_until,
)

from openbrokerapi.details import DeprovisionDetails
from openbrokerapi.managed import Bound, Failed
from openbrokerapi.managed.endings import UNEXPECTED
from openbrokerapi.managed.operating import NothingToRetryError, retry
from openbrokerapi.managed.subjects import NOBODY
from openbrokerapi.stores.contract import Change, Key

ON_BOTH = pytest.mark.parametrize("on", ["asgi", "postgresql"])


class Dropping(Steered):
    """Its unbind has a step of the same name for each binding."""

    cascade = True

    def __init__(self, script: Script) -> None:
        super().__init__(script)
        self.dropped: list[str] = []

    async def unbind(self, instance: Any, binding: Any, work: Any) -> None:
        await work.step("drop", self.dropped.append, binding.id)
        await super().unbind(instance, binding, work)

    async def deprovision(self, instance: Any, work: Any) -> None:
        await work.step("drop", self.dropped.append, instance.id)


def test_a_crash_between_two_bindings_of_a_cascade_forgets_none_of_their_steps(stage: Stage, script: Script) -> None:
    offering = Dropping(script)
    managed = stage(offering, settings={"stop_within": 0.0})
    managed.provision()
    managed.bind("first")
    managed.bind("second")
    offering.unbind = second_waits(offering, gate := Gate())  # type: ignore[method-assign]
    managed.deprovision(incomplete=True)
    wait_until(lambda: offering.dropped == ["first"] and gate._waiting)
    stage.end(managed)
    again = Dropping(script)
    managed = stage(again)
    assert_answered(managed.deprovision(), 200, {})
    assert again.dropped == ["second", INSTANCE]


def second_waits(offering: Dropping, gate: Gate) -> Any:
    async def unbind(instance: Any, binding: Any, work: Any) -> None:
        if binding.id == "second":
            await gate.passed()
        await Dropping.unbind(offering, instance, binding, work)

    return unbind


def test_a_name_that_looks_like_a_numbered_one_is_a_step_of_its_own(stage: Stage, script: Script) -> None:
    done: list[str] = []

    class Numbering(Steered):
        async def provision(self, instance: Any, work: Any) -> None:
            for name in ("node #2", "node", "node"):
                await work.step(name, done.append, name)

    assert stage(Numbering(script)).provision().status == 201
    assert done == ["node #2", "node", "node"]


@pytest.mark.rule("PROV-25", "GETI-13")
def test_what_was_never_made_is_not_there_when_its_deletion_fails(managed: Managed, script: Script) -> None:
    fails(script, "provision")
    fails(script, "deprovision")
    managed.provision()
    managed.idle()
    assert managed.deprovision().status == 500
    assert managed.fetch().status == 404
    assert managed.bind().status == 404
    script.answers.clear()
    assert managed.provision().status == 201
    assert script.kinds() == ["provision", "deprovision", "deprovision", "provision"]


@pytest.mark.rule("BIND-29", "GETB-13")
def test_a_stopped_bind_whose_deletion_fails_has_no_credentials_to_give(managed: Managed, script: Script) -> None:
    managed.provision()
    with script.held("bind"):
        managed.bind(incomplete=True)
        script.reached("bind", BINDING)
        fails(script, "unbind")
        begun = managed.unbind(incomplete=True)
    assert managed.finished(begun, None, BINDING).json["state"] == "failed"
    assert managed.fetch(None, BINDING).status == 404
    script.answers.clear()
    answer = managed.bind()
    assert answer.status == 201
    assert answer.json["credentials"]


def spoil(managed: Managed) -> None:
    """Put something into the instance's row that cannot be opened."""

    def decide(view: Any) -> Change[None]:
        row = view.instance
        changed = type(row)(**{name: getattr(row, name) for name in row.__struct_fields__} | {"request": b"nothing"})
        return Change(result=None, instance=changed)

    managed.run(managed.store.change(Key(INSTANCE), decide))


def test_an_operation_upon_a_row_that_cannot_be_opened_ends(managed: Managed, caplog: pytest.LogCaptureFixture) -> None:
    managed.provision()
    spoil(managed)
    begun = managed.deprovision(incomplete=True)
    assert managed.finished(begun).json == {"state": "failed", "description": UNEXPECTED}
    assert "SealError" in caplog.text


@ON_BOTH
@pytest.mark.parametrize(
    ("given", "read"),
    [(OSError("no room"), UNEXPECTED), ("a\ud800b", "a?b"), ("a\0b", "a\N{REPLACEMENT CHARACTER}b")],
    ids=["exception", "surrogate", "nul"],
)
def test_a_failure_ends_its_operation_whatever_it_says(managed: Managed, script: Script, given: Any, read: str) -> None:
    script.answers["provision"] = Failed(given)
    answer = managed.finished(managed.provision(incomplete=True))
    assert answer.json == {"state": "failed", "description": read}
    managed.idle()
    assert script.kinds() == ["provision", "deprovision"]


@ON_BOTH
def test_progress_and_steps_may_have_any_characters(stage: Stage, script: Script) -> None:
    class Odd(Steered):
        async def provision(self, instance: Any, work: Any) -> None:
            await work.progress("a\0b\ud800")
            await work.step("a\0b\ud800", int)

    assert stage(Odd(script), settings={"sync_timeout": 5.0}).provision().status == 201


@pytest.mark.rule("PROV-28")
def test_a_dashboard_url_that_raises_does_not_fail_the_request(
    stage: Stage, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    class Dashing(Steered):
        def dashboard_url(self, instance: Any) -> str:
            raise KeyError(instance.parameters["password"])

    managed = stage(Dashing(script))
    with script.held("provision"):
        answer = managed.provision(incomplete=True, parameters={"password": "a-long-secret"})
        assert answer.status == 202
        assert set(answer.json) == {"operation"}
    assert "KeyError" in caplog.text
    assert "a-long-secret" not in caplog.text


def test_a_coroutine_function_in_disguise_does_not_hold_the_loop_up(stage: Stage, script: Script) -> None:
    def logged(method: Any) -> Any:
        @functools.wraps(method)
        def wrapper(*args: Any) -> Any:
            return method(*args)

        return wrapper

    class Disguised(Steered):
        @logged
        async def provision(self, instance: Any, work: Any) -> None:
            await work.step("one", int)

    managed = stage(Disguised(script))
    assert_refused(managed.provision(), 500, description=UNEXPECTED)


def test_work_in_a_task_group_is_left_for_the_next_process(stage: Stage, script: Script) -> None:
    begun: list[str] = []

    class Grouped(Steered):
        async def provision(self, instance: Any, work: Any) -> None:
            async with asyncio.TaskGroup() as group:
                for name in ("one", "two"):
                    group.create_task(self.wait(name, work))

        async def wait(self, name: str, work: Any) -> None:
            begun.append(name)
            await work.until(name, lambda: len(begun) > 2, every=0.01)

    managed = stage(Grouped(script))
    managed.provision(incomplete=True)
    wait_until(lambda: len(begun) == 2)
    stage.end(managed)
    managed = stage(Grouped(script))
    assert managed.provision().status == 200
    assert managed.whats() == ["provision requested", "provision released", "provision succeeded"]


def test_what_is_deleted_by_a_request_that_is_lost_is_stopped(stage: Stage, script: Script) -> None:
    class Waiting(Steered):
        async def provision(self, instance: Any, work: Any) -> None:
            script.calls.append(instance)
            await work.until("never", int, every=0.01)

    managed = stage(Waiting(script))
    managed.provision(incomplete=True)
    wait_until(lambda: script.calls)
    script.calls.clear()

    store = managed.store
    change = store.change

    async def unheard(key: Any, decide: Any) -> Any:
        store.change = change  # type: ignore[method-assign]
        await change(key, decide)
        # The client goes when it is committed, before anybody has heard of that.
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(PATIENCE)

    store.change = unheard  # type: ignore[method-assign]
    deletion = managed.broker.deprovision(INSTANCE, DeprovisionDetails(**IDS), async_allowed=True)
    managed.run(settled(deletion))
    wait_until(lambda: managed.row() is None, seconds=5)


async def settled(call: Any) -> None:
    """Wait until a request is over, however it ends."""
    await asyncio.wait((asyncio.ensure_future(call),))


def test_what_a_step_returned_is_not_in_the_log(stage: Stage, script: Script, caplog: pytest.LogCaptureFixture) -> None:
    class Leaking(Steered):
        async def provision(self, instance: Any, work: Any) -> None:
            password = await work.step("password", lambda: {"password": "made-by-a-step"})
            raise OSError(f"cannot connect with {password['password']}")

    assert stage(Leaking(script)).provision().status == 500
    assert "cannot connect with" in caplog.text
    assert "made-by-a-step" not in caplog.text


def test_credentials_of_a_cascade_are_not_in_the_log(
    stage: Stage, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    class Leaking(Steered):
        cascade = True

        async def unbind(self, instance: Any, binding: Any, work: Any) -> None:
            raise OSError(f"cannot drop {binding.credentials['uri']}")

    managed = stage(Leaking(script))
    managed.provision()
    managed.bind()
    assert managed.deprovision().status == 500
    assert "cannot drop" in caplog.text
    assert "db://host.example" not in caplog.text


def test_bindings_that_expired_and_are_gone_are_forgotten(stage: Stage, script: Script) -> None:
    managed = stage()
    engine = managed.broker._engine
    assert engine is not None
    managed.provision()
    script.answers["bind"] = Bound(credentials={}, expires_at="2020-01-01T00:00:00Z")
    assert managed.bind().status == 201
    wait_until(lambda: engine.upkeep._let_be)
    assert managed.unbind().status == 200
    wait_until(lambda: not engine.upkeep._let_be, seconds=5)


def test_work_that_ends_as_its_request_gives_up_is_answered_with_its_end(stage: Stage, script: Script) -> None:
    managed = stage(settings={"sync_timeout": 0.2})
    gate = script.hold("provision")
    engine = managed.broker._engine
    assert engine is not None
    end = engine.runtime.end

    async def at_last(decision: Any) -> Any:
        if not gate._open.is_set():
            gate.open()
            [job] = engine.runtime.jobs.values()
            await job.ended.wait()
        return await end(decision)

    engine.runtime.end = at_last  # type: ignore[method-assign]
    answer = managed.provision()
    assert answer.status == 201
    assert answer.json["dashboard_url"]


def test_a_poll_finds_the_latest_operation_although_the_clock_went_back(stage: Stage, script: Script) -> None:
    managed = stage()
    managed.provision()
    stage.clock.ahead = 60.0
    managed.bind()
    stage.clock.ahead = 0.0
    with script.held("unbind"):
        managed.unbind(incomplete=True)
        assert managed.poll(None, BINDING).json["state"] == "in progress"


def test_the_operator_does_not_delete_bindings_of_the_platform(managed: Managed, script: Script) -> None:
    managed.provision()
    fails(script, "deprovision")
    assert managed.deprovision().status == 500
    script.answers.clear()
    assert managed.bind().status == 201
    again = retry(managed.store, INSTANCE, None, NOBODY, clock=lambda: 0.0, new_id=lambda: "again")
    with pytest.raises(NothingToRetryError, match="bindings"):
        managed.run(again)
    assert managed.fetch(None, BINDING).status == 200
