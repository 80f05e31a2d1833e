"""Every cell of the state table of bindings (spec summary, section 4), on every host and every store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.contract.expectations import assert_refused
from tests.contract.hosts import Answer
from tests.managed.cells import SAID, check, check_undisturbed, fails, table
from tests.managed.stage import BINDING, CREDENTIALS, LARGE, Managed, Script, wait_until

#: The last word of a request: "(a)" with accepts_incomplete=true, "(s)" without.
TABLE = table("""
state                  |PUT same (a)|PUT same (s)|PUT other|DELETE (a)|DELETE (s)|GET|poll          |poll op
unknown                |202 new     |201         |201      |410       |410       |404|404           |-
creating               |202 same    |-           |409      |202 new   |-         |404|200 in progress|200 in progress
ready                  |200         |200         |409      |202 new   |200 {}    |200|200 succeeded |200 succeeded
deleting               |CE          |CE          |CE       |202 same  |-         |404|200 in progress|200 in progress
deleted                |202 new     |201         |201      |410       |410       |404|410           |410
create failed, cleaning|CE          |CE          |CE       |202 new   |-         |404|200 failed    |200 failed
create failed, left    |202 new     |201         |409      |202 new   |200 {}    |404|200 failed    |200 failed
create failed, cleaned |202 new     |201         |201      |410       |410       |404|200 failed    |200 failed
delete failed          |200         |200         |409      |202 new   |200 {}    |200|200 failed    |200 failed
""")
PLACES = ("asgi", "serve", "wsgi", "flask", pytest.param("postgresql", marks=pytest.mark.slow))


def _begin(managed: Managed, script: Script, kind: str) -> Answer:
    """Begin a bind or an unbind that takes longer than the request."""
    with script.held(kind):
        return managed.bind(incomplete=True) if kind == "bind" else managed.unbind(incomplete=True)


def _ended(managed: Managed, script: Script, kind: str) -> str:
    begun = _begin(managed, script, kind)
    managed.finished(begun, binding_id=BINDING)
    return str(begun.json["operation"])


def _creating(managed: Managed, script: Script) -> str:
    script.hold("bind")
    return str(managed.bind(incomplete=True).json["operation"])


def _deleting(managed: Managed, script: Script) -> str:
    managed.bind()
    script.hold("unbind")
    return str(managed.unbind(incomplete=True).json["operation"])


def _deleted(managed: Managed, script: Script) -> str:
    managed.bind()
    return _ended(managed, script, "unbind")


def _cleaning(managed: Managed, script: Script) -> str:
    script.hold("unbind")
    fails(script, "bind")
    operation = _ended(managed, script, "bind")
    script.answers.clear()
    return operation


def _left(managed: Managed, script: Script) -> str:
    fails(script, "unbind")
    return _cleaned(managed, script)


def _cleaned(managed: Managed, script: Script) -> str:
    fails(script, "bind")
    operation = _ended(managed, script, "bind")
    managed.idle()
    script.answers.clear()
    return operation


def _delete_failed(managed: Managed, script: Script) -> str:
    managed.bind()
    # BIND, UNBIND: the two flags are not of bindings (LOB-20).
    fails(script, "unbind", usable=False, repeatable=False)
    operation = _ended(managed, script, "unbind")
    script.answers.clear()
    return operation


#: How a binding comes into a state, by real requests; gives the operation that brought it there.
WAYS: dict[str, Callable[[Managed, Script], str | None]] = {
    "unknown": lambda managed, script: None,
    "creating": _creating,
    "ready": lambda managed, script: _ended(managed, script, "bind"),
    "deleting": _deleting,
    "deleted": _deleted,
    "create failed, cleaning": _cleaning,
    "create failed, left": _left,
    "create failed, cleaned": _cleaned,
    "delete failed": _delete_failed,
}
REQUESTS: dict[str, Callable[[Managed, str | None], Answer]] = {
    "PUT same (a)": lambda managed, _: managed.bind(incomplete=True),
    "PUT same (s)": lambda managed, _: managed.bind(),
    "PUT other": lambda managed, _: managed.bind(parameters={"role": "reader"}),
    "DELETE (a)": lambda managed, _: managed.unbind(incomplete=True),
    "DELETE (s)": lambda managed, _: managed.unbind(),
    "GET": lambda managed, _: managed.fetch(None, BINDING),
    "poll": lambda managed, _: managed.poll(None, BINDING),
    "poll op": lambda managed, operation: managed.poll(None, BINDING, operation=operation or ""),
}
#: What these begin takes as long as the test wants.
BEGUN = {"PUT same (a)": ["bind"], "DELETE (a)": ["unbind"]}
#: The method that is held up.
HELD = {"creating": "bind", "deleting": "unbind", "create failed, cleaning": "unbind"}


@pytest.mark.rule(
    "BIND-29", "BIND-30", "BIND-31", "BIND-32", "BIND-33", "BIND-34", "BIND-37", "BIND-38", "BIND-42", "BIND-43",
    "UNB-09", "UNB-10", "UNB-11", "UNB-14", "UNB-15", "UNB-17", "GETB-06", "GETB-07", "LOB-06", "LOB-07", "LOB-10",
    "LOB-11", "LOB-15", "LOB-16", "LOB-17", "LOB-18", "LOB-20", "BLK-02", "BLK-06", "ASY-12",
)  # fmt: skip
@pytest.mark.parametrize("on", PLACES)
@pytest.mark.parametrize("state", WAYS)
def test_each_cell_of_the_table_of_bindings(managed: Managed, script: Script, state: str) -> None:
    for number, request in enumerate(name for row, name in TABLE if row == state):
        managed.instance_id = f"instance-{number}"
        managed.provision()
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
    check(cell, answer, operation, {})
    if answer.status in (200, 201) and request.startswith(("PUT", "GET")):
        assert answer.json["credentials"] == CREDENTIALS

    def end() -> Answer:
        return wait_until(lambda: _finished(managed, operation))

    own = state in HELD and state != "create failed, cleaning"
    check_undisturbed(managed, script, cell, calls, end if own else None)


def _finished(managed: Managed, operation: str | None) -> Answer | None:
    poll = managed.poll(None, BINDING, operation=operation or "")
    return None if poll.json.get("state") == "in progress" else poll


@pytest.mark.rule("GETB-02", "GETB-05", "GETB-09", "LOB-19", "BIND-45", "BIND-05")
def test_a_binding_can_be_fetched_at_once_when_its_operation_has_succeeded(managed: Managed, script: Script) -> None:
    managed.provision()
    with script.held("bind"):
        begun = managed.bind(incomplete=True, parameters={"role": "reader"})
        assert begun.json == {"operation": begun.json["operation"]}
    assert managed.finished(begun, binding_id=BINDING).json == {"state": "succeeded"}
    fetched = managed.fetch(None, BINDING)
    assert (fetched.status, fetched.json) == (
        200,
        {"credentials": CREDENTIALS, "parameters": {"role": "reader"}},
    )


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"parameters": {"role": "writer"}}, "parameters"),
        ({"bind_resource": {"app_guid": "app-2"}}, "app_guid"),
        ({"bind_resource": {"app_guid": "app-1", "route": "other.example"}}, "route"),
    ],
)
@pytest.mark.parametrize("state", ["creating", "ready"])
@pytest.mark.rule("BIND-37", "BIND-38")
def test_a_conflict_names_what_differs(
    managed: Managed, script: Script, state: str, change: dict[str, Any], named: str
) -> None:
    held: Any = {"bind_resource": {"app_guid": "app-1"}}
    managed.provision()
    if state == "creating":
        script.hold("bind")
    managed.bind(incomplete=True, **held)
    if state == "ready":
        managed.idle()
    answer = managed.bind(incomplete=True, **{**held, **change})
    assert answer.status == 409
    assert answer.json["description"].endswith(f": {named}.")


@pytest.mark.rule("BIND-22", "BIND-29")
def test_the_application_counts_from_either_place(managed: Managed) -> None:
    managed.provision()
    assert managed.bind(app_guid="app-1").status == 201
    assert managed.bind(bind_resource={"app_guid": "app-1"}).status == 200


@pytest.mark.rule("BIND-29")
def test_a_bind_can_be_repeated_word_for_word_when_the_plan_has_changed(managed: Managed) -> None:
    managed.provision()
    managed.bind()
    managed.update(plan_id=LARGE)
    assert managed.bind().status == 200
    assert managed.bind(plan_id=LARGE).status == 200
    # A new one is of the plan that the instance has now (BIND-20).
    assert managed.bind("binding-2").status == 400
    assert managed.bind("binding-2", plan_id=LARGE).status == 201


@pytest.mark.rule("BIND-20")
@pytest.mark.parametrize("changes", [{"plan_id": LARGE}, {"service_id": "service-2", "plan_id": "plan-2"}])
def test_the_ids_of_a_bind_are_those_of_the_instance(managed: Managed, changes: dict[str, str]) -> None:
    managed.provision()
    assert_refused(managed.bind(**changes), 400)
    assert managed.script.kinds() == ["provision"]


@pytest.mark.rule("BLK-05", "BLK-01", "BIND-40", "BLK-02")
def test_binds_of_an_instance_follow_one_another(managed: Managed, script: Script) -> None:
    managed.provision()
    script.hold("bind")
    managed.bind("binding-1", incomplete=True)
    assert_refused(managed.bind("binding-2", incomplete=True), 422, "ConcurrencyError")
    assert_refused(managed.deprovision(incomplete=True), 422, "ConcurrencyError")


def test_what_failed_says_so_to_the_request_that_waits(managed: Managed, script: Script) -> None:
    managed.provision()
    fails(script, "bind")
    answer = managed.bind()
    assert (answer.status, answer.json["description"]) == (500, SAID)
