"""What failed half-way is cleaned up; what is deleted while it is made is halted first; bindings that are left."""

from __future__ import annotations

import time
from typing import Any

import pytest
from tests.contract.expectations import assert_answered, assert_refused
from tests.managed.cells import SAID, fails
from tests.managed.stage import BINDING, INSTANCE, Managed, Script, Stage, Steered, wait_until

from openbrokerapi.managed.endings import UNEXPECTED


class Cascading(Steered):
    cascade = True


class Careless(Steered):
    clean_up = False


def state(managed: Managed, binding: bool = False) -> str | None:
    row = managed.binding_row() if binding else managed.row()
    return None if row is None else row.state


@pytest.mark.rule("ORPH-08", "ERR-17", "ORPH-02")
@pytest.mark.parametrize("on", ["asgi", "postgresql"])
def test_a_failed_provision_is_cleaned_up(managed: Managed, script: Script) -> None:
    fails(script, "provision")
    assert managed.provision(parameters={"size": 1}).status == 500
    managed.idle()
    assert script.kinds() == ["provision", "deprovision"]
    assert script.calls[-1].instance.parameters == {"size": 1}
    assert state(managed) is None
    assert managed.whats() == ["provision requested", "provision failed", "clean up begun", "clean up succeeded"]


@pytest.mark.rule("ORPH-08", "ERR-17")
def test_a_failed_bind_is_cleaned_up_and_leaves_the_instance(managed: Managed, script: Script) -> None:
    managed.provision()
    fails(script, "bind")
    assert managed.bind(parameters={"role": "reader"}).status == 500
    managed.idle()
    assert script.kinds() == ["provision", "bind", "unbind"]
    assert script.calls[-1].binding.parameters == {"role": "reader"}
    assert state(managed, binding=True) is None
    assert managed.fetch().status == 200


@pytest.mark.slow
@pytest.mark.parametrize("on", ["postgresql"])
def test_what_is_begun_while_the_queue_is_looked_at_does_not_wait_for_the_next_poll(
    managed: Managed, script: Script
) -> None:
    fails(script, "provision")
    for number in range(100):
        managed.instance_id = f"instance-{number}"
        with script.held("provision"):
            begun = managed.provision(incomplete=True)
        managed.finished(begun)
        # The queue is polled every 5 s only.
        wait_until(lambda: state(managed) is None, seconds=4)


def test_a_clean_up_survives_the_process(stage: Stage, script: Script) -> None:
    managed = stage(settings={"stop_within": 0.0})
    fails(script, "provision")
    script.hold("deprovision")
    managed.provision()
    script.reached("deprovision", INSTANCE)
    stage.end(managed)
    assert script.ended == ["provision", "deprovision"]
    script.go_on()
    again = stage()
    again.send("GET", "service_instances/none")
    wait_until(lambda: state(again) is None)
    assert script.kinds() == ["provision", "deprovision", "deprovision"]


@pytest.mark.parametrize("binding", [False, True])
def test_what_cannot_be_cleaned_up_is_kept_for_the_operator_and_tried_again(
    managed: Managed, script: Script, binding: bool
) -> None:
    made, deleted = ("bind", "unbind") if binding else ("provision", "deprovision")
    if binding:
        managed.provision()
    fails(script, made)
    script.answers[deleted] = OSError("away")
    assert (managed.bind() if binding else managed.provision()).status == 500
    managed.idle()
    assert state(managed, binding) == "create failed"
    assert managed.poll(None, BINDING if binding else None).json == {"state": "failed", "description": SAID}
    if not binding:
        [row] = managed.run(managed.store.instances(states=["create failed"]))
        assert row.instance_id == INSTANCE
    # The platform's DELETE tries again, and fails again, and then succeeds.
    delete = managed.unbind if binding else managed.deprovision
    assert_refused(delete(), 500, description=UNEXPECTED)
    script.answers.clear()
    assert_answered(delete(), 200, {})
    assert_answered(delete(), 410, {})
    assert script.kinds()[-3:] == [deleted] * 3


def test_a_new_try_over_what_is_left_makes_the_instance(managed: Managed, script: Script) -> None:
    fails(script, "provision")
    fails(script, "deprovision")
    managed.provision()
    managed.idle()
    script.answers.clear()
    assert managed.provision().status == 201
    assert state(managed) == "ready"


def test_an_offering_may_clean_up_by_itself(stage: Stage, script: Script) -> None:
    managed = stage(Careless(script))
    fails(script, "provision")
    managed.provision()
    managed.idle()
    assert (script.kinds(), state(managed)) == (["provision"], "create failed")
    assert_answered(managed.deprovision(), 200, {})


@pytest.mark.rule("DEP-03")
def test_an_instance_with_bindings_is_kept_where_the_offering_does_not_cascade(
    managed: Managed, script: Script
) -> None:
    managed.provision()
    managed.bind()
    assert_refused(managed.deprovision(), 422)
    assert script.kinds() == ["provision", "bind"]
    assert managed.fetch(None, BINDING).status == 200
    managed.unbind()
    assert_answered(managed.deprovision(), 200, {})


def test_what_is_left_of_a_failed_bind_keeps_nobody_from_the_deletion_and_is_deleted_with_it(
    managed: Managed, script: Script
) -> None:
    managed.provision()
    fails(script, "bind")
    fails(script, "unbind")
    managed.bind()
    managed.idle()
    assert state(managed, binding=True) == "create failed"
    script.answers.clear()
    assert_answered(managed.deprovision(), 200, {})
    assert script.kinds()[-2:] == ["unbind", "deprovision"]
    assert managed.binding_row() is None


@pytest.mark.rule("DEP-17")
def test_a_bind_that_is_being_cleaned_up_keeps_the_deletion_waiting(managed: Managed, script: Script) -> None:
    managed.provision()
    fails(script, "bind")
    with script.held("unbind"):
        managed.bind()
        assert_refused(managed.deprovision(incomplete=True), 422, "ConcurrencyError")
    managed.idle()
    assert_answered(managed.deprovision(), 200, {})


@pytest.mark.rule("DEP-03", "DEP-01")
def test_a_cascade_unbinds_what_is_bound_and_then_deletes(stage: Stage, script: Script) -> None:
    managed = stage(Cascading(script))
    managed.provision()
    managed.bind("binding-1")
    managed.bind("binding-2")
    with script.held("unbind"):
        begun = managed.deprovision(incomplete=True)
        assert managed.fetch(None, "binding-1").status == 404
        assert_refused(managed.unbind("binding-1", incomplete=True), 422, "ConcurrencyError")
    assert_answered(managed.finished(begun), 410, {})
    assert script.kinds()[3:] == ["unbind", "unbind", "deprovision"]
    assert [call.binding.id for call in script.calls[3:5]] == ["binding-1", "binding-2"]
    assert_answered(managed.unbind("binding-1"), 410, {})
    assert managed.binding_row("binding-2") is None


def test_a_cascade_that_failed_goes_on_where_it_is_asked_again(stage: Stage, script: Script) -> None:
    managed = stage(Cascading(script))
    managed.provision()
    managed.bind()
    fails(script, "deprovision")
    assert_refused(managed.deprovision(), 500, description=SAID)
    script.answers.clear()
    assert_answered(managed.deprovision(), 200, {})
    assert (managed.row(), managed.binding_row()) == (None, None)


@pytest.mark.rule("DEP-04", "DEP-05", "LOI-27")
@pytest.mark.parametrize("on", ["asgi", "postgresql"])
def test_a_deletion_halts_the_creation_and_begins_when_its_method_has_ended(managed: Managed, script: Script) -> None:
    gate = script.hold("provision")
    created = managed.provision(incomplete=True)
    script.reached("provision", INSTANCE)
    begun = managed.deprovision(incomplete=True)
    assert begun.status == 202
    assert begun.json["operation"] != created.json["operation"]
    # DEP-05: without an operation the poll is of the deletion; the creation's own says that it has failed.
    assert managed.poll().json["state"] == "in progress"
    assert managed.poll(operation=created.json["operation"]).json["state"] == "failed"
    assert managed.deprovision(incomplete=True).json == begun.json
    assert (script.kinds(), script.ended) == (["provision"], [])
    gate.open()
    assert_answered(managed.finished(begun), 410, {})
    # It stopped at its next step, and never came to its end.
    assert script.ended == ["provision", "deprovision"]
    assert managed.row() is None
    assert "provision stopped" in managed.whats()


@pytest.mark.rule("DEP-04", "DEP-06")
def test_a_deletion_that_waits_halts_the_creation_too(managed: Managed, script: Script, stage: Stage) -> None:
    gate = script.hold("provision")
    created = managed.provision(incomplete=True)
    script.reached("provision", INSTANCE)
    begun = managed.deprovision(incomplete=True)
    gate.open()
    managed.finished(begun)
    assert managed.poll(operation=created.json["operation"]).json["state"] == "failed"
    assert_answered(managed.deprovision(), 410, {})


@pytest.mark.rule("UNB-03", "UNB-04", "UNB-02", "UNB-05")
def test_an_unbind_halts_the_bind_and_begins_when_its_method_has_ended(managed: Managed, script: Script) -> None:
    managed.provision()
    gate = script.hold("bind")
    created = managed.bind(incomplete=True)
    script.reached("bind", BINDING)
    begun = managed.unbind(incomplete=True)
    assert begun.json["operation"] != created.json["operation"]
    assert managed.poll(None, BINDING).json["state"] == "in progress"
    assert managed.poll(None, BINDING, operation=created.json["operation"]).json["state"] == "failed"
    assert script.ended == ["provision"]
    gate.open()
    assert_answered(managed.finished(begun, binding_id=BINDING), 410, {})
    assert script.ended == ["provision", "bind", "unbind"]
    assert managed.fetch(None, BINDING).status == 404


@pytest.mark.rule("DEP-06", "UNB-05")
@pytest.mark.parametrize("binding", [False, True])
def test_a_deletion_without_the_flag_halts_and_is_answered_when_all_is_deleted(
    stage: Stage, script: Script, binding: bool
) -> None:
    managed = stage()
    if binding:
        managed.provision()
    kind = "bind" if binding else "provision"
    script.hold(kind)
    created = managed.bind(incomplete=True) if binding else managed.provision(incomplete=True)
    script.reached(kind, BINDING if binding else INSTANCE)
    opened = _open_when_stopped(managed, script)
    answer = managed.unbind() if binding else managed.deprovision()
    opened.join()
    assert_answered(answer, 200, {})
    poll = managed.poll(None, BINDING if binding else None, operation=created.json["operation"])
    assert poll.json["state"] == "failed"


def _open_when_stopped(managed: Managed, script: Script) -> Any:
    import threading

    def look() -> None:
        wait_until(lambda: any(what.endswith(" stopped") for what in managed.whats()))
        script.go_on()

    thread = threading.Thread(target=look)
    thread.start()
    return thread


def test_a_creation_that_is_halted_before_its_method_began_never_begins_it(stage: Stage, script: Script) -> None:
    managed = stage(settings={"concurrency": 1})
    script.hold("provision")
    managed.provision("instance-1", incomplete=True)
    script.reached("provision", "instance-1")
    managed.provision("instance-2", incomplete=True)
    begun = managed.deprovision("instance-2", incomplete=True)
    script.go_on()
    assert_answered(managed.finished(begun, "instance-2"), 410, {})
    assert [call.kind for call in script.calls if call.instance.id == "instance-2"] == ["deprovision"]


@pytest.mark.parametrize("on", ["asgi", "postgresql"])
def test_what_others_wait_for_is_not_purged(stage: Stage, script: Script) -> None:
    managed = stage(settings={"stop_within": 0.0})
    with script.held("provision"):
        managed.provision(incomplete=True)
        script.reached("provision", INSTANCE)
        assert managed.deprovision(incomplete=True).status == 202
        managed.run(managed.store.purge(time.time() + 10, 0))
    wait_until(lambda: managed.row() is None)
