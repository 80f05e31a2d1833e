"""When work is answered at once, when with an operation, and what is answered when it fails."""

from __future__ import annotations

import asyncio
from concurrent.futures import CancelledError
from typing import Any

import pytest
from tests.contract.expectations import assert_answered, assert_refused
from tests.managed.stage import (
    BINDING,
    CREDENTIALS,
    DASHBOARD,
    INSTANCE,
    LARGE,
    Call,
    Managed,
    Script,
    Stage,
    Steered,
    plans,
)

from openbrokerapi import errors
from openbrokerapi.managed import Failed
from openbrokerapi.managed.endings import UNEXPECTED

QUICK = {"answer_within": 20.0}
SECRET = "marker-of-a-secret"


@pytest.fixture
def quick(stage: Stage) -> Managed:
    """A broker that waits for its work."""
    return stage(settings=QUICK)


@pytest.mark.rule("ASY-02", "PROV-19", "UPD-21", "DEP-10", "BIND-31", "UNB-09")
def test_quick_work_is_answered_at_once_although_it_might_be_asynchronous(quick: Managed) -> None:
    assert quick.provision(incomplete=True).status == 201
    assert quick.bind(incomplete=True).status == 201
    assert quick.update(incomplete=True, plan_id=LARGE).status == 200
    assert_answered(quick.unbind(incomplete=True), 200, {})
    assert_answered(quick.deprovision(incomplete=True), 200, {})


@pytest.mark.rule("ASY-03", "ASY-12", "PROV-20", "UPD-23", "DEP-11", "BIND-32", "UNB-10", "ASY-04")
def test_slow_work_becomes_asynchronous_by_itself(stage: Stage, script: Script) -> None:
    managed = stage(settings={"answer_within": 0.05})
    requests = {
        "provision": lambda: managed.provision(incomplete=True),
        "update": lambda: managed.update(incomplete=True, plan_id=LARGE),
        "bind": lambda: managed.bind(incomplete=True, plan_id=LARGE),
        "unbind": lambda: managed.unbind(incomplete=True),
        "deprovision": lambda: managed.deprovision(incomplete=True),
    }
    for kind, request in requests.items():
        with script.held(kind):
            begun = request()
        assert begun.status == 202, kind
        assert script.kinds()[-1] == kind
        managed.finished(begun, binding_id=BINDING if "bind" in kind else None)
        managed.idle()


@pytest.mark.rule("ERR-17", "UPD-31", "ASY-09", "PROV-02")
def test_a_request_that_cannot_wait_longer_fails_and_is_rolled_back(stage: Stage, script: Script) -> None:
    managed = stage(settings={"sync_timeout": 0.1})
    with script.held("provision"):
        answer = managed.provision()
        assert_refused(answer, 500)
        assert "not finished in time" in answer.json["description"]
        assert managed.fetch().status == 404
        # What it made can be deleted only when its method has ended.
        assert script.kinds() == ["provision"]
    managed.idle()
    assert script.kinds() == ["provision", "deprovision"]
    assert managed.row() is None
    assert_answered(managed.deprovision(), 410, {})


def test_an_update_that_is_not_finished_in_time_leaves_the_old_values(stage: Stage, script: Script) -> None:
    managed = stage(settings={"sync_timeout": 0.2})
    with script.held("provision"):
        begun = managed.provision(incomplete=True)
    managed.finished(begun)
    with script.held("update"):
        assert_refused(managed.update(plan_id=LARGE), 500)
    managed.idle()
    assert managed.fetch().json["plan_id"] == "plan-small"
    assert managed.poll().json["state"] == "failed"


@pytest.mark.rule("ASY-10")
def test_a_request_that_may_not_be_asynchronous_does_not_end_the_work_of_another(stage: Stage, script: Script) -> None:
    managed = stage(settings={"sync_timeout": 0.1})
    with script.held("provision"):
        begun = managed.provision(incomplete=True)
        assert_refused(managed.provision(), 422, "AsyncRequired")
    assert managed.finished(begun).json["state"] == "succeeded"


@pytest.mark.rule("PROV-21", "PROV-22", "PROV-17")
def test_a_repeated_put_joins_the_work_and_gets_its_end(stage: Stage, script: Script) -> None:
    managed = stage(settings={"answer_within": 0.05})
    with script.held("provision"):
        first = managed.provision(incomplete=True)
        assert managed.provision(incomplete=True).json == first.json
    answer = managed.provision()
    assert (answer.status, answer.json["dashboard_url"]) == (200, DASHBOARD + INSTANCE)
    assert script.kinds() == ["provision"]


class Always(Steered):
    asynchronous = True
    plans = plans({"binding_rotatable": True})


@pytest.mark.rule(
    "ASY-10", "ASY-11", "PROV-02", "UPD-07", "DEP-09", "BIND-17", "UNB-08", "ROT-05", "ERR-10", "ERR-16", "ASY-09"
)
def test_what_is_always_asynchronous_refuses_before_anything_is_begun(stage: Stage, script: Script) -> None:
    managed = stage(Always(script), settings=QUICK)
    refuse: Any = {"code": "AsyncRequired", "status": 422}
    assert_refused(managed.provision(), **refuse)
    assert (managed.row(), managed.events()) == (None, [])
    managed.finished(managed.provision(incomplete=True))
    managed.finished(managed.bind(incomplete=True), binding_id=BINDING)
    before = managed.events()
    assert_refused(managed.update(plan_id=LARGE), **refuse)
    assert_refused(managed.bind("binding-2"), **refuse)
    assert_refused(managed.bind("binding-2", predecessor_binding_id=BINDING), **refuse)
    assert_refused(managed.unbind(), **refuse)
    assert_refused(managed.deprovision(), **refuse)
    assert script.kinds() == ["provision", "bind"]
    assert managed.events() == before
    assert managed.fetch().status == managed.fetch(None, BINDING).status == 200


@pytest.mark.rule("PROV-28", "UPD-35", "PROV-29")
def test_the_dashboard_is_in_the_202_and_is_the_same_ever_after(managed: Managed, script: Script) -> None:
    with script.held("provision"):
        begun = managed.provision(incomplete=True)
    assert begun.json["dashboard_url"] == DASHBOARD + INSTANCE
    managed.finished(begun)
    assert managed.fetch().json["dashboard_url"] == DASHBOARD + INSTANCE
    assert managed.provision().json["dashboard_url"] == DASHBOARD + INSTANCE


@pytest.mark.rule("LOI-22", "LOI-23", "LOB-16", "LOB-17")
@pytest.mark.parametrize(
    ("estimate", "passed", "pause"),
    [(20, 0, "20"), (20, 15, "5"), (20, 40, "2"), ({"provision": 7}, 0, "7"), (0.5, 0, "1"), (600, 0, "60")],
)
def test_each_poll_in_progress_says_when_to_come_back(
    stage: Stage, script: Script, estimate: Any, passed: int, pause: str
) -> None:
    offering = type("Estimated", (Steered,), {"estimate": estimate})(script)
    managed = stage(offering)
    script.hold("provision")
    begun = managed.provision(incomplete=True)
    stage.clock.ahead += passed
    for poll in (managed.poll(), managed.poll(operation=begun.json["operation"]), managed.poll(service_id="service-1")):
        assert poll.json["state"] == "in progress"
        # Less than a second may have passed by the machine's clock.
        assert int(poll.headers["retry-after"]) in (int(pause), int(pause) - 1)


@pytest.mark.rule("LOI-17", "ASY-13")
@pytest.mark.parametrize("kind", ["provision", "update", "deprovision", "bind", "unbind"])
def test_what_fails_in_time_is_an_error_with_its_description(quick: Managed, script: Script, kind: str) -> None:
    answer = _giving(quick, script, kind, Failed("The disk of rack 7 is full."))
    assert_refused(answer, 500, description="The disk of rack 7 is full.")


@pytest.mark.rule("ERR-06", "ERR-08", "ERR-05", "ERR-07")
@pytest.mark.parametrize(("kind", "flags"), [("update", 2), ("deprovision", 1), ("provision", 0)])
def test_the_flags_are_in_the_errors_that_may_have_them(quick: Managed, script: Script, kind: str, flags: int) -> None:
    answer = _giving(quick, script, kind, Failed("No.", usable=False, repeatable=False))
    names = [name for name in ("instance_usable", "update_repeatable") if name in answer.json]
    assert names == ["instance_usable", "update_repeatable"][:flags]
    assert all(answer.json[name] is False for name in names)


@pytest.mark.rule("ORPH-08", "UPD-29", "UPD-28", "PROV-24", "UPD-27", "BIND-36", "UNB-13")
@pytest.mark.parametrize(
    ("kind", "error", "status", "code"),
    [
        ("provision", errors.ErrInstanceLimitMet("No more."), 422, "InstanceLimitMet"),
        ("provision", errors.ErrInvalidParameters("size: at most 5"), 400, "InvalidParameters"),
        ("update", errors.ErrUpdateNotPossible("Too much data."), 422, None),
        ("bind", errors.ErrAppGuidNotProvided("Name one."), 422, "RequiresApp"),
        ("unbind", errors.ErrBadRequest("Not so."), 400, None),
        ("deprovision", errors.ErrOperationFailed("No."), 500, None),
    ],
)
def test_an_error_with_a_status_keeps_it_and_leaves_nothing_behind(
    quick: Managed, script: Script, kind: str, error: errors.ServiceException, status: int, code: str | None
) -> None:
    answer = _giving(quick, script, kind, error)
    assert_refused(answer, status, code, description=error.description)
    quick.idle()
    if kind in ("provision", "bind"):
        cleaned = "deprovision" if kind == "provision" else "unbind"
        assert script.kinds()[-1] == cleaned
        assert (quick.row() if kind == "provision" else quick.binding_row()) is None


@pytest.mark.parametrize("kind", ["provision", "update", "deprovision", "bind", "unbind"])
@pytest.mark.parametrize("error", [KeyError(SECRET), OSError(5, SECRET), SystemExit(SECRET), BaseException(SECRET)])
def test_anything_else_is_a_neutral_text(quick: Managed, script: Script, kind: str, error: BaseException) -> None:
    answer = _giving(quick, script, kind, error)
    assert_refused(answer, 500, description=UNEXPECTED)
    poll = quick.poll(None, BINDING if "bind" in kind else None)
    assert poll.json["description"] == UNEXPECTED
    assert SECRET.encode() not in answer.body + poll.body
    # The broker serves on.
    script.answers.clear()
    assert quick.provision("instance-2").status == 201


class PlainlySteered(Steered):
    """Its provision is plain, and raises what the script says."""

    def provision(self, instance: Any, work: Any) -> Any:
        self.script.calls.append(Call("provision", instance))
        self.script.ended.append("provision")
        raise self.script.answers["provision"]


@pytest.mark.parametrize("offering", [Steered, PlainlySteered])
@pytest.mark.parametrize(
    "error",
    [StopIteration(), GeneratorExit(), asyncio.CancelledError(), CancelledError(), KeyboardInterrupt(), SystemExit()],
    ids=repr,
)
def test_what_python_itself_uses_fails_the_operation_as_anything_else_does(
    stage: Stage, script: Script, offering: type[Steered], error: BaseException
) -> None:
    managed = stage(offering(script), settings={"sync_timeout": 10.0})
    script.answers["provision"] = error
    assert_refused(managed.provision(), 500, description=UNEXPECTED)
    managed.idle()
    assert script.kinds() == ["provision", "deprovision"]
    assert managed.whats() == ["provision requested", "provision failed", "clean up begun", "clean up succeeded"]


@pytest.mark.parametrize("answer", ["text", 5, object()])
def test_what_is_no_answer_is_a_failure_that_the_log_explains(
    quick: Managed, script: Script, answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert_refused(_giving(quick, script, "provision", answer), 500, description=UNEXPECTED)
    assert "provision must return Provisioned(...) or nothing" in caplog.text
    script.answers.clear()
    quick.idle()
    quick.provision()
    assert_refused(_giving(quick, script, "bind", answer), 500, description=UNEXPECTED)
    assert "bind must return Bound(...) or a mapping" in caplog.text


def test_a_mapping_of_bind_is_the_credentials(quick: Managed, script: Script) -> None:
    quick.provision()
    script.answers["bind"] = {"uri": "db://other"}
    assert_answered(quick.bind(), 201, {"credentials": {"uri": "db://other"}})


def test_credentials_that_are_no_json_fail_the_bind_and_are_cleaned_up(
    quick: Managed, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    quick.provision()
    script.answers["bind"] = {"uri": object()}
    assert_refused(quick.bind(), 500, description=UNEXPECTED)
    quick.idle()
    assert script.kinds() == ["provision", "bind", "unbind"]
    assert quick.binding_row() is None


@pytest.mark.rule("BIND-34", "GETB-09")
def test_credentials_are_not_in_the_202_and_are_fetched(managed: Managed, script: Script) -> None:
    managed.provision()
    with script.held("bind"):
        begun = managed.bind(incomplete=True)
    assert set(begun.json) == {"operation"}
    managed.finished(begun, binding_id=BINDING)
    assert managed.fetch(None, BINDING).json["credentials"] == CREDENTIALS


@pytest.mark.rule("LOI-25", "LOB-18", "LOI-27", "LOI-08", "LOB-06", "LOI-04")
def test_finished_operations_are_remembered_each_by_its_name(managed: Managed, script: Script) -> None:
    with script.held("provision"):
        first = managed.provision(incomplete=True)
    managed.finished(first)
    script.answers["update"] = Failed("Not now.")
    with script.held("update"):
        second = managed.update(incomplete=True, plan_id=LARGE)
        # The old plan, as a platform sends it while the plan changes.
        assert managed.poll(plan_id="plan-small", service_id="service-1").json["state"] == "in progress"
    managed.finished(second)
    for _ in range(2):
        assert managed.poll(operation=first.json["operation"]).json == {"state": "succeeded"}
        assert managed.poll(operation=second.json["operation"]).json == {"state": "failed", "description": "Not now."}
        assert managed.poll().json["state"] == "failed"
        assert managed.poll(operation="of nobody").json["state"] == "failed"
    # The operation of another instance is not this one's.
    managed.provision("instance-2")
    assert managed.poll("instance-2", operation=second.json["operation"]).json == {"state": "succeeded"}
    assert managed.poll("instance-3", operation=second.json["operation"]).status == 404


def _giving(managed: Managed, script: Script, kind: str, answer: Any) -> Any:
    """Bring about that `kind` comes to `answer`; give what the platform hears."""
    if kind != "provision":
        managed.provision()
    if kind == "unbind":
        managed.bind()
    script.answers[kind] = answer
    return {
        "provision": managed.provision,
        "update": lambda: managed.update(plan_id=LARGE),
        "deprovision": managed.deprovision,
        "bind": managed.bind,
        "unbind": managed.unbind,
    }[kind]()
