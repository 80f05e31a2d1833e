"""Every cell of the state table of instances (spec summary, section 4), on every host and every store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.contract.hosts import Answer
from tests.managed.cells import SAID, check, check_undisturbed, fails, table
from tests.managed.stage import DASHBOARD, INSTANCE, LARGE, SMALL, Managed, Script, wait_until

#: The last word of a request: "(a)" with accepts_incomplete=true, "(s)" without.
TABLE = table("""
state                  |PUT same (a)|PUT same (s)|PUT other|PATCH (a)|PATCH (s)  |PATCH same
unknown                |202 new     |201         |201      |404      |404        |404
creating               |202 same    |-           |409      |CE       |CE         |CE
ready                  |200         |200         |409      |202 new  |200 changed|200
updating               |CE          |CE          |409      |CE       |CE         |202 same
update failed          |200         |200         |409      |202 new  |200 changed|200
update failed, unusable|200         |200         |409      |202 new  |200 changed|200
deleting               |CE          |CE          |CE       |CE       |CE         |CE
deleted                |202 new     |201         |201      |404      |404        |404
create failed, cleaning|CE          |CE          |CE       |404      |404        |404
create failed, left    |202 new     |201         |409      |404      |404        |404
create failed, cleaned |202 new     |201         |201      |404      |404        |404
delete failed          |200         |200         |409      |202 new  |200 changed|200
delete failed, unusable|200         |200         |409      |202 new  |200 changed|200
""") | table("""
state                  |DELETE (a)|DELETE (s)|GET|poll          |poll op       |PUT binding
unknown                |410       |410       |404|404           |-             |404
creating               |202 new   |-         |404|200 in progress|200 in progress|CE
ready                  |202 new   |200 {}    |200|200 succeeded |200 succeeded |201
updating               |CE        |CE        |200|200 in progress|200 in progress|CE
update failed          |202 new   |200 {}    |200|200 failed    |200 failed    |201
update failed, unusable|202 new   |200 {}    |200|200 failed    |200 failed    |422
deleting               |202 same  |-         |404|200 in progress|200 in progress|CE
deleted                |410       |410       |404|410           |410           |404
create failed, cleaning|202 new   |-         |404|200 failed    |200 failed    |404
create failed, left    |202 new   |200 {}    |404|200 failed    |200 failed    |404
create failed, cleaned |410       |410       |404|200 failed    |200 failed    |404
delete failed          |202 new   |200 {}    |200|200 failed    |200 failed    |201
delete failed, unusable|202 new   |200 {}    |200|200 failed    |200 failed    |422
""")
PLACES = ("asgi", "serve", "wsgi", "flask", pytest.param("postgresql", marks=pytest.mark.slow))
#: The plan that an update in these states asks for.
UPDATE = {"plan_id": LARGE}


def _updated_in_vain(managed: Managed, script: Script, **flags: bool) -> str:
    managed.provision()
    fails(script, "update", **flags)
    with script.held("update"):
        begun = managed.update(incomplete=True, **UPDATE)
    managed.finished(begun)
    script.answers.clear()
    return _operation(begun)


def _deleted_in_vain(managed: Managed, script: Script, **flags: bool) -> str:
    managed.provision()
    fails(script, "deprovision", **flags)
    with script.held("deprovision"):
        begun = managed.deprovision(incomplete=True)
    managed.finished(begun)
    script.answers.clear()
    return _operation(begun)


def _creating(managed: Managed, script: Script) -> str:
    script.hold("provision")
    return _operation(managed.provision(incomplete=True))


def _ready(managed: Managed, script: Script) -> str:
    with script.held("provision"):
        begun = managed.provision(incomplete=True)
    managed.finished(begun)
    return _operation(begun)


def _updating(managed: Managed, script: Script) -> str:
    managed.provision()
    script.hold("update")
    return _operation(managed.update(incomplete=True, **UPDATE))


def _deleting(managed: Managed, script: Script) -> str:
    managed.provision()
    script.hold("deprovision")
    return _operation(managed.deprovision(incomplete=True))


def _deleted(managed: Managed, script: Script) -> str:
    managed.provision()
    with script.held("deprovision"):
        begun = managed.deprovision(incomplete=True)
    managed.finished(begun)
    return _operation(begun)


def _failed(managed: Managed, script: Script) -> str:
    # The two flags are not of a provision (LOI-19, LOI-21).
    fails(script, "provision", usable=False, repeatable=False)
    with script.held("provision"):
        begun = managed.provision(incomplete=True)
    managed.finished(begun)
    script.answers.pop("provision")
    return _operation(begun)


def _cleaning(managed: Managed, script: Script) -> str:
    script.hold("deprovision")
    return _failed(managed, script)


def _left(managed: Managed, script: Script) -> str:
    fails(script, "deprovision")
    operation = _failed(managed, script)
    managed.idle()
    script.answers.clear()
    return operation


def _cleaned(managed: Managed, script: Script) -> str:
    operation = _failed(managed, script)
    managed.idle()
    return operation


def _operation(begun: Answer) -> str:
    assert begun.status == 202, begun.body
    return str(begun.json["operation"])


Bring = Callable[[Managed, Script], str | None]
#: How an instance comes into a state, by real requests; gives the operation that brought it there.
WAYS: dict[str, Bring] = {
    "unknown": lambda managed, script: None,
    "creating": _creating,
    "ready": _ready,
    "updating": _updating,
    "update failed": lambda m, s: _updated_in_vain(m, s, usable=True, repeatable=False),
    "update failed, unusable": lambda m, s: _updated_in_vain(m, s, usable=False, repeatable=True),
    "deleting": _deleting,
    "deleted": _deleted,
    "create failed, cleaning": _cleaning,
    "create failed, left": _left,
    "create failed, cleaned": _cleaned,
    "delete failed": lambda m, s: _deleted_in_vain(m, s, usable=True, repeatable=False),
    "delete failed, unusable": lambda m, s: _deleted_in_vain(m, s, usable=False, repeatable=True),
}


def _same_update(managed: Managed, operation: str | None) -> Answer:
    """Send the update that is under way; or one that changes nothing."""
    row = managed.row() if operation is not None else None
    under_way = row is not None and row.state == "updating"
    return managed.update(incomplete=True, plan_id=LARGE if under_way else SMALL)


REQUESTS: dict[str, Callable[[Managed, str | None], Answer]] = {
    "PUT same (a)": lambda managed, _: managed.provision(incomplete=True),
    "PUT same (s)": lambda managed, _: managed.provision(),
    "PUT other": lambda managed, _: managed.provision(plan_id=LARGE),
    "PATCH (a)": lambda managed, _: managed.update(incomplete=True, parameters={"size": 2}),
    "PATCH (s)": lambda managed, _: managed.update(parameters={"size": 2}),
    "PATCH same": _same_update,
    "DELETE (a)": lambda managed, _: managed.deprovision(incomplete=True),
    "DELETE (s)": lambda managed, _: managed.deprovision(),
    "GET": lambda managed, _: managed.fetch(),
    "poll": lambda managed, _: managed.poll(),
    "poll op": lambda managed, operation: managed.poll(operation=operation or ""),
    "PUT binding": lambda managed, _: managed.bind(),
}
FLAGS = {
    "update failed": {"instance_usable": True, "update_repeatable": False},
    "update failed, unusable": {"instance_usable": False, "update_repeatable": True},
    "delete failed": {"instance_usable": True},
    "delete failed, unusable": {"instance_usable": False},
}
#: What these begin takes as long as the test wants.
BEGUN = {"PUT same (a)": ["provision"], "PATCH (a)": ["update"], "DELETE (a)": ["deprovision"]}
#: The method that is held up.
HELD = {
    "creating": "provision",
    "updating": "update",
    "deleting": "deprovision",
    "create failed, cleaning": "deprovision",
}


@pytest.mark.rule(
    "PROV-17", "PROV-18", "PROV-19", "PROV-20", "PROV-21", "PROV-22", "PROV-25", "PROV-26", "PROV-30", "PROV-31",
    "PROV-34", "UPD-21", "UPD-22", "UPD-23", "UPD-24", "UPD-25", "UPD-37", "UPD-38", "UPD-41", "UPD-32", "DEP-10",
    "DEP-11", "DEP-12", "DEP-13", "DEP-16", "DEP-17", "DEP-20", "GETI-14", "GETI-15", "GETI-16", "LOI-09", "LOI-12",
    "LOI-13", "LOI-17", "LOI-18", "LOI-19", "LOI-20", "LOI-21", "LOI-25", "LOI-27", "BLK-02", "BLK-06", "ASY-12",
    "ERR-11",
)  # fmt: skip
@pytest.mark.parametrize("on", PLACES)
@pytest.mark.parametrize("state", WAYS)
def test_each_cell_of_the_table_of_instances(managed: Managed, script: Script, state: str) -> None:
    for number, request in enumerate(name for row, name in TABLE if row == state):
        managed.instance_id = f"instance-{number}"
        _check_cell(managed, script, state, request)
        script.go_on()
        script.answers.clear()
        managed.idle()


def _check_cell(managed: Managed, script: Script, state: str, request: str) -> None:
    operation = WAYS[state](managed, script)
    if state in HELD:
        script.reached(HELD[state], managed.instance_id)
    cell, calls = TABLE[state, request], len(script.calls)
    for kind in BEGUN.get(request, ()):
        script.hold(kind)
    answer = REQUESTS[request](managed, operation)
    check(cell, answer, operation, FLAGS.get(state, {}))

    def end() -> Answer:
        return wait_until(lambda: _finished(managed, operation))

    own = state in HELD and state != "create failed, cleaning"
    check_undisturbed(managed, script, cell, calls, end if own else None)


def _finished(managed: Managed, operation: str | None) -> Answer | None:
    poll = managed.poll(operation=operation or "")
    return None if poll.json.get("state") == "in progress" else poll


@pytest.mark.parametrize("state", ["ready", "updating", "update failed", "delete failed"])
@pytest.mark.rule("GETI-07", "GETI-02", "GETI-08", "UPD-31", "GETI-01")
def test_what_is_fetched_are_the_values_in_force(managed: Managed, script: Script, state: str) -> None:
    WAYS[state](managed, script)
    body = managed.fetch().json
    assert (body["plan_id"], body["dashboard_url"]) == (SMALL, DASHBOARD + INSTANCE)
    assert "parameters" not in body


@pytest.mark.parametrize("state", ["creating", "ready"])
@pytest.mark.rule("PROV-28", "PROV-17", "PROV-29", "PROV-33")
def test_a_repeated_put_gives_the_dashboard_of_the_first(managed: Managed, script: Script, state: str) -> None:
    WAYS[state](managed, script)
    assert managed.provision(incomplete=True).json["dashboard_url"] == DASHBOARD + INSTANCE


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"plan_id": LARGE}, "plan_id"),
        ({"parameters": {"size": 2}}, "parameters"),
        ({"organization_guid": "organization-2"}, "organization_guid"),
        ({"space_guid": "space-2"}, "space_guid"),
    ],
)
@pytest.mark.parametrize("state", ["creating", "ready"])
@pytest.mark.rule("PROV-25", "PROV-26")
def test_a_conflict_names_what_differs_and_no_value(
    managed: Managed, script: Script, state: str, change: dict[str, Any], named: str
) -> None:
    WAYS[state](managed, script)
    answer = managed.provision(incomplete=True, **change)
    assert answer.status == 409
    assert answer.json["description"].endswith(f": {named}.")
    assert str(next(iter(change.values()))) not in answer.json["description"]


@pytest.mark.parametrize(
    "change",
    [
        {"context": {"platform": "cloudfoundry", "instance_name": "other"}},
        {"parameters": {}},
        {"x-unknown": 1},
        {"maintenance_info": None},
    ],
)
@pytest.mark.rule("PROV-17", "CTX-13", "EXT-04")
def test_what_is_not_compared_makes_no_difference(managed: Managed, change: dict[str, Any]) -> None:
    assert managed.provision().status == 201
    assert managed.provision(**change).status == 200


@pytest.mark.parametrize("parameters", [{"a": [1, {"b": None}], "ü": 1.5}, {"a": True}])
def test_parameters_are_compared_by_value_and_not_by_their_order(managed: Managed, parameters: dict[str, Any]) -> None:
    managed.provision(parameters={**parameters, "last": 1})
    assert managed.provision(parameters={"last": 1, **parameters}).status == 200
    assert managed.provision(parameters={"last": 2, **parameters}).status == 409


@pytest.mark.rule("LOI-13")
def test_the_end_of_a_deletion_can_be_succeeded_by_setting(stage: Any, script: Script) -> None:
    managed = stage(settings={"deleted_is_gone": False})
    operation = _deleted(managed, script)
    for poll in (managed.poll(), managed.poll(operation=operation)):
        assert (poll.status, poll.json) == (200, {"state": "succeeded"})


def test_what_failed_says_so_to_the_request_that_waits(managed: Managed, script: Script) -> None:
    fails(script, "provision")
    answer = managed.provision()
    assert (answer.status, answer.json["description"]) == (500, SAID)
