"""Requests that come at once: one of them is the first, and the others are answered by the state table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from tests.contract.expectations import assert_refused
from tests.contract.hosts import Answer
from tests.managed.stage import BINDING, LARGE, Managed, Script, Stage, Steered, wait_until

from openbrokerapi.log_util import request_identity

AT_ONCE = 8
PLACES = ("asgi", "flask", "postgresql")


def at_once(requests: list[Callable[[], Answer]]) -> list[Answer]:
    with ThreadPoolExecutor(len(requests)) as pool:
        return [future.result() for future in [pool.submit(request) for request in requests]]


@pytest.mark.parametrize("on", PLACES)
@pytest.mark.parametrize("incomplete", [True, False])
@pytest.mark.rule("BLK-07", "PROV-17", "BIND-29")
def test_the_same_request_at_once_creates_once(managed: Managed, script: Script, incomplete: bool) -> None:
    for kind in ("provision", "bind"):
        create = partial(getattr(managed, kind), incomplete=incomplete)
        statuses = {answer.status for answer in at_once([create] * AT_ONCE)}
        assert statuses <= ({200, 201, 202} if incomplete else {200, 201})
        managed.idle()
        assert script.kinds().count(kind) == 1


@pytest.mark.parametrize("on", PLACES)
@pytest.mark.rule("PROV-25", "PROV-26")
def test_different_requests_at_once_create_what_one_of_them_says(managed: Managed, script: Script) -> None:
    requests = [partial(managed.provision, parameters={"number": number}) for number in range(AT_ONCE)]
    answers = at_once([*requests])
    assert Counter(answer.status for answer in answers) == {201: 1, 409: AT_ONCE - 1}
    [call] = script.calls
    assert [answer.status for answer in answers].index(201) == call.instance.parameters["number"]


@pytest.mark.parametrize("on", PLACES)
@pytest.mark.rule("UPD-41", "DEP-17", "BLK-02", "ERR-11")
def test_an_update_and_a_deletion_at_once_do_not_overlap(managed: Managed, script: Script) -> None:
    managed.provision()

    update = [partial(managed.update, parameters={"number": n}, incomplete=True) for n in range(AT_ONCE // 2)]
    delete = [partial(managed.deprovision, incomplete=True)] * (AT_ONCE // 2)
    for answer in at_once([*update, *delete]):
        if answer.status == 422:
            assert_refused(answer, 422, "ConcurrencyError")
        assert answer.status in (200, 202, 404, 410, 422)
    managed.idle()
    assert script.kinds().count("deprovision") <= 1
    assert script.kinds() == script.ended


@pytest.mark.rule("BLK-02", "BLK-03", "BLK-06", "UPD-41", "DEP-17", "PROV-34", "UNB-15", "BIND-40", "LOB-04")
@pytest.mark.parametrize("kind", ["provision", "update", "deprovision", "bind", "unbind"])
def test_nothing_else_begins_beside_an_operation(managed: Managed, script: Script, kind: str) -> None:
    if kind != "provision":
        managed.provision()
    if kind in ("update", "unbind"):
        managed.bind()
    binding_id = BINDING if "bind" in kind else None
    with script.held(kind):
        begun = _send(managed, kind)
        script.reached(kind, managed.instance_id)
        for other in {"update", "bind 2", "deprovision"} - {kind, "deprovision" if kind == "provision" else ""}:
            refused = _send(managed, other)
            assert_refused(refused, 422, "ConcurrencyError")
            assert refused.json["description"]
        assert managed.poll(None, binding_id).json["state"] == "in progress"
    end = managed.finished(begun, binding_id=binding_id)
    assert (end.status, end.json.get("state")) in ((200, "succeeded"), (410, None))


def _send(managed: Managed, kind: str) -> Answer:
    if kind == "update":
        return managed.update(incomplete=True, parameters={"size": 2})
    if kind == "bind 2":
        return managed.bind("binding-2", incomplete=True)
    answer: Answer = getattr(managed, kind)(incomplete=True)
    return answer


@pytest.mark.rule("ASY-01")
def test_slow_work_holds_up_no_other_request(stage: Stage, script: Script) -> None:
    managed = stage(settings={"answer_within": 0.05})
    script.hold("provision")
    for number in range(20):
        assert managed.provision(f"instance-{number}", incomplete=True).status == 202
    assert managed.fetch("instance-0").status == 404
    assert managed.poll("instance-0").json["state"] == "in progress"
    assert managed.send("GET", "catalog").status == 200


@pytest.mark.rule("URL-02", "LOI-06", "PROV-31", "DEP-20", "UNB-17", "BIND-43", "UPD-38")
@pytest.mark.parametrize("kind", ["provision", "update", "deprovision", "bind", "unbind"])
def test_operations_are_short_and_need_no_encoding(managed: Managed, script: Script, kind: str) -> None:
    if kind != "provision":
        managed.provision()
    if kind == "unbind":
        managed.bind()
    with script.held(kind):
        operation = _send(managed, kind).json["operation"]
    assert operation.isalnum()
    assert operation.isascii()
    assert len(operation) <= 255


@pytest.mark.rule("LOI-10", "LOB-08")
@pytest.mark.parametrize("binding_id", [None, BINDING])
def test_a_malformed_poll_is_refused(managed: Managed, binding_id: str | None) -> None:
    managed.provision()
    managed.bind()
    assert_refused(managed.poll(None, binding_id, operation=""), 400)


@pytest.mark.rule("PROV-01", "DEP-01", "DEP-10", "DEP-16", "UNB-14", "UNB-02", "GETI-14", "GETB-06")
@pytest.mark.parametrize("on", ["asgi", "serve", "wsgi", "flask", "postgresql"])
def test_a_whole_life_and_a_second_one_under_the_same_id(managed: Managed) -> None:
    for _ in range(2):
        assert managed.provision().status == 201
        assert managed.fetch().status == 200
        assert managed.bind().status == 201
        assert managed.fetch(None, BINDING).status == 200
        assert managed.update(plan_id=LARGE).status == 200
        assert managed.unbind().status == 200
        assert (managed.fetch(None, BINDING).status, managed.unbind().status) == (404, 410)
        assert managed.deprovision().status == 200
        assert (managed.fetch().status, managed.deprovision().status) == (404, 410)


@pytest.mark.rule("RID-02")
@pytest.mark.parametrize("plain", [False, True])
def test_lines_of_the_authors_work_carry_the_identity_of_their_request(stage: Stage, plain: bool) -> None:
    seen: list[Any] = []

    class Plain(Steered):
        def provision(self, instance: Any, work: Any) -> None:  # type: ignore[override]
            seen.append(request_identity.get())

    class Async(Steered):
        async def provision(self, instance: Any, work: Any) -> None:
            seen.append(request_identity.get())

    managed = stage(Plain() if plain else Async())
    for number in range(3):
        managed.platform.headers["X-Broker-API-Request-Identity"] = f"request-{number}"
        managed.provision(f"instance-{number}", incomplete=True)
        wait_until(partial(_has, seen, number + 1))
    assert seen == ["request-0", "request-1", "request-2"]


def _has(found: list[Any], count: int) -> bool:
    return len(found) == count
