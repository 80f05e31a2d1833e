"""The audit: every change and every transition is an event with who asked; and no secret is anywhere it can be read."""

from __future__ import annotations

import base64
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from tests.managed.stage import BINDING, LARGE, Managed, Script, Stage, Steered, plans

from openbrokerapi.managed import Bound, Failed, Provisioned

SECRET = "marker-of-a-secret"
IDENTITY = {"platform": "cloudfoundry", "value": {"user_id": "user-1"}}
HEADERS = {
    "X-Broker-API-Originating-Identity": "cloudfoundry " + base64.b64encode(b'{"user_id": "user-1"}').decode(),
    "X-Broker-API-Request-Identity": "request-1",
}
WHO = {"user": "platform", "originating_identity": IDENTITY, "request_identity": "request-1"}


@pytest.fixture
def told(managed: Managed) -> Managed:
    """A platform that says who asks."""
    managed.platform.headers.update(HEADERS)
    return managed


def test_every_request_that_changed_something_and_every_transition_is_an_event(told: Managed, script: Script) -> None:
    told.provision()
    told.provision()
    told.provision(plan_id=LARGE)
    told.bind()
    told.bind()
    told.update(parameters={"size": 2})
    told.update(parameters={"size": 2})
    script.answers["update"] = Failed("The disk is full.")
    told.update(plan_id=LARGE)
    told.unbind()
    told.unbind()
    told.fetch()
    told.poll()
    told.deprovision()
    told.deprovision()
    kinds = ["provision", "bind", "update", "update", "unbind", "deprovision"]
    ends = ["succeeded", "succeeded", "succeeded", "failed", "succeeded", "succeeded"]
    events = told.events()
    assert [event.what for event in events] == [
        what for kind, end in zip(kinds, ends, strict=True) for what in (f"{kind} requested", f"{kind} {end}")
    ]
    assert [event.binding_id for event in events] == [None] * 2 + [BINDING] * 2 + [None] * 4 + [BINDING] * 2 + [
        None
    ] * 2
    assert [event.detail for event in events if event.what.endswith("failed")] == ["The disk is full."]
    for requested, ended in zip(events[::2], events[1::2], strict=True):
        assert json.loads(requested.who or "") == WHO
        assert ended.who is None
        assert requested.operation_id == ended.operation_id
        assert requested.at <= ended.at


def test_the_author_knows_who_asked(told: Managed, script: Script) -> None:
    told.provision()
    told.bind()
    for call in script.calls:
        for about in (call.instance, call.binding):
            if about is not None:
                who = about.who
                assert (who.user, who.originating_identity, who.request_identity) == ("platform", IDENTITY, "request-1")
                assert who.identity.user_id == "user-1"


def test_what_nobody_asked_for_has_nobody(told: Managed, script: Script) -> None:
    script.answers["provision"] = Failed("No.")
    told.provision()
    told.idle()
    whos = {event.what: event.who for event in told.events()}
    assert json.loads(whos["provision requested"] or "") == WHO
    assert whos["clean up begun"] is whos["clean up succeeded"] is None


class Leaky(Steered):
    """Its every method has to do with a secret."""

    plans = plans({"binding_rotatable": True})
    secret_parameters = ("password",)

    async def provision(self, instance: Any, work: Any) -> Any:
        await work.step("make", lambda: {"password": SECRET})
        await super().provision(instance, work)
        return Provisioned(private={"admin": SECRET}, dashboard_url=f"https://d.example/?token={SECRET}")

    async def bind(self, instance: Any, binding: Any, work: Any) -> Any:
        await work.step("make", lambda: SECRET)
        await super().bind(instance, binding, work)
        return Bound(credentials={"password": SECRET}, private=SECRET)

    def dashboard_url(self, instance: Any) -> str:
        return f"https://d.example/?token={SECRET}"


BODY: Any = {
    "parameters": {"password": SECRET, "nested": [{"key": SECRET}]},
    "context": {"platform": "kubernetes", "clusterid": SECRET},
}


@pytest.mark.parametrize("on", ["asgi", "flask"])
def test_no_secret_is_in_an_event_a_log_a_poll_or_the_file(
    stage: Stage, script: Script, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    managed = stage(Leaky(script))
    polls = [_created(managed), *_failed(managed, script), *_deleted(managed, script)]
    rows = [repr(row) for row in managed.run(_rows(managed))]
    assert len(rows) > 10
    for place in (*polls, *rows, caplog.text, *(str(vars(record)) for record in caplog.records)):
        assert SECRET not in place
    # The calls' own views of it, as an author may log them.
    assert SECRET not in repr(script.calls)
    assert _files_with(tmp_path, SECRET) == []
    stage.end(managed)
    assert _files_with(tmp_path, SECRET) == []


def _created(managed: Managed) -> str:
    assert managed.provision(**BODY).status == 201
    assert managed.bind(**BODY, bind_resource={"app_guid": "app-1", "route": SECRET}).json["credentials"] == {
        "password": SECRET
    }
    assert managed.update(parameters={"password": SECRET + "2"}).status == 200
    assert managed.provision(parameters={"password": "x"}).status == 409
    return managed.poll().body.decode()


def _failed(managed: Managed, script: Script) -> list[str]:
    polls = []
    for kind in ("update", "provision", "bind"):
        script.answers = {kind: OSError(5, f"cannot connect with {SECRET}", f"db://admin:{SECRET}@host")}
        managed.update(plan_id=LARGE, parameters={"password": SECRET + "3"})
        managed.provision("instance-2", **BODY)
        managed.bind("binding-2", **BODY)
        managed.idle()
        polls += [managed.poll(*which).body.decode() for which in ((), ("instance-2",), (None, "binding-2"))]
        script.answers = {}
        managed.deprovision("instance-2")
        managed.unbind("binding-2")
    return polls


def _deleted(managed: Managed, script: Script) -> list[str]:
    answers = [managed.unbind(BINDING, plan_id=SECRET), managed.deprovision(), managed.deprovision()]
    return [answer.body.decode() for answer in answers]


async def _rows(managed: Managed) -> list[Any]:
    tables = ("instance", "binding", "operation", "step", "event")
    return [row for table in tables for row in await managed.store.rows(table)]


def _files_with(folder: Path, text: str) -> list[str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.stat().st_size > 10_000 for path in files), "that is not the store"
    return [path.name for path in files if text.encode() in path.read_bytes()]
