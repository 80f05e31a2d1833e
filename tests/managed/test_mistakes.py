"""What a newcomer does wrong is said: where the broker is made if it can be seen there, else in the log."""

from __future__ import annotations

import asyncio
import base64
import itertools
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.managed.stage import SMALL, Stage
from tests.managed.test_offering import Bindable, Complete, made

from openbrokerapi.catalog import ServicePlan
from openbrokerapi.cli.broker_reference import BrokerReferenceError, load_broker
from openbrokerapi.managed import Broker, Failed, KeyRing, ManagedSettings, Offering, Plan, Provisioned, Unsealed
from openbrokerapi.stores.sqlite.store import SqliteStore


def generating(self: Any, instance: Any, work: Any) -> Iterator[int]:
    yield 1


async def generating_async(self: Any, instance: Any, work: Any) -> AsyncIterator[int]:
    yield 1


async def address(self: Any, instance: Any) -> str:
    return "https://dashboard.example"


def swapped(self: Any, binding: Any, instance: Any, work: Any) -> None: ...


@pytest.mark.parametrize(
    ("offering", "said"),
    [
        (made(Complete, plans=Complete.plans[0]), "Mine.plans must be a list of plans, not Plan"),
        (made(Complete, plans=iter(Complete.plans)), "Mine.plans must be a list of plans, not tuple_iterator"),
        (made(Complete, plans=[{"id": "a"}]), r"Mine.plans must be of Plan\(.*not dict"),
        (made(Complete, plans=[ServicePlan("a", "b", "c")]), r"Mine.plans must be of Plan\(.*not ServicePlan"),
        (made(Complete, tags="sql"), r"Mine.tags must be a list of texts: \('sql',\)"),
        (made(Bindable, requires="syslog_drain"), "Mine.requires must be a list of texts"),
        (made(Complete, secret_parameters="password"), "Mine.secret_parameters must be a list of texts"),
        (made(Complete, quota="5"), "Mine.quota must be a whole number"),
        (made(Complete, quota_per_organization=-1), "Mine.quota_per_organization must be a whole number"),
        (made(Complete, plans=[Plan(id="a", quota=1.5)]), "Mine: the plan a.quota must be a whole number"),  # type: ignore[arg-type]  # the mistake
        (made(Complete, estimate="30"), "Mine.estimate must be a number of seconds"),
        (made(Complete, estimate={"provison": 30}), "Mine.estimate has 'provison'; the kinds are provision, update"),
        (made(Complete, plan_updateable=True), "Mine is plan_updateable and has no method update"),
        (made(Complete, plans=[Plan(id="a", plan_updateable=True)]), "Mine is plan_updateable and has no method"),
        (made(Complete, allow_context_updates=True), "Mine has allow_context_updates and no method update"),
        (made(Complete, provision=generating), "Mine.provision must not use yield"),
        (made(Complete, deprovision=generating_async), "Mine.deprovision must not use yield"),
        (made(Bindable, bind=swapped), r"order: write bind\(self, instance, binding, work\)"),
        (made(Complete, dashboard_url=address), "Mine.dashboard_url must be a plain method"),
        (made(Complete, dashboard_url=lambda self: ""), r"Mine.dashboard_url must take 1 argument beside self"),
    ],
)
def test_what_would_fail_later_is_refused_where_the_broker_is_made(offering: Offering, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        Broker(offering)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (Complete, r"Complete is a class; give an instance of it: Broker\(Complete\(\)\)"),
        ([Complete()], "give the offerings one by one"),
        ("complete", "an instance of a subclass of Offering, not str"),
    ],
)
def test_what_is_no_offering_is_named(given: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        Broker(given)


def test_names_of_arguments_are_the_authors_choice() -> None:
    Broker(made(Bindable, bind=lambda self, database, user, _: {}))


def test_what_an_offering_calls_its_own_is_not_looked_at(caplog: pytest.LogCaptureFixture) -> None:
    Broker(made(Complete, host="db-1.example.com", updater=None, _updat=None))
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("name", "meant"),
    [("plan_updatable", "plan_updateable"), ("provison", "provision"), ("unbnd", "unbind"), ("quotta", "quota")],
)
def test_a_name_with_a_slip_in_it_is_pointed_out(caplog: pytest.LogCaptureFixture, name: str, meant: str) -> None:
    Broker(made(Complete, **{name: None}))
    assert f"Mine.{name} is nothing that an offering has; is {meant} meant?" in caplog.text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"store": "sqlite:///broker.db", "ring": Unsealed()}, r"open_location\(...\)"),
        ({"ring": Unsealed()}, "a ring of keys without a store"),
    ],
)
def test_a_store_and_its_keys_are_objects_and_come_together(given: dict[str, Any], said: str) -> None:
    with pytest.raises(TypeError, match=said):
        Broker(Complete(), **given)


def test_keys_as_text_are_refused_without_being_shown(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="the ring must be a KeyRing") as caught:
        Broker(Complete(), store=SqliteStore(tmp_path / "broker.db"), ring="the-key")  # type: ignore[arg-type]
    assert "the-key" not in str(caught.value)


def test_a_setting_as_text_is_named() -> None:
    with pytest.raises(TypeError, match="answer_within must be a number, not str"):
        ManagedSettings(answer_within="1")  # type: ignore[arg-type]  # the mistake


async def forgets_to_await_a_step(self: Any, instance: Any, work: Any) -> None:
    work.step("make", print)


async def forgets_to_await_a_sleep(self: Any, instance: Any, work: Any) -> None:
    await work.progress("Creating")
    work.sleep(600)


async def forgets_to_await_a_retried_one(self: Any, instance: Any, work: Any) -> None:
    work.retry(3).until("there", print)


def gives_what_was_returned(self: Any, instance: Any, work: Any) -> None:
    work.step("make", {})


async def answer_of_the_service() -> str:
    return "made"


def needs_async(self: Any, instance: Any, work: Any) -> None:
    work.step("make", answer_of_the_service)


def returns_the_failure(self: Any, instance: Any, work: Any) -> Failed:
    return Failed("No room.")


def keeps_an_object(self: Any, instance: Any, work: Any) -> Provisioned:
    return Provisioned(private={"client": object()})


@pytest.mark.parametrize(
    ("provision", "said"),
    [
        (forgets_to_await_a_step, "`await` is missing in front of work.step"),
        (forgets_to_await_a_sleep, "`await` is missing in front of work.sleep"),
        (forgets_to_await_a_retried_one, "`await` is missing in front of work.until"),
        (gives_what_was_returned, "the step 'make' needs a function and its arguments, not what it returned (dict)"),
        (needs_async, "an `async def` function needs an `async def` method"),
        (returns_the_failure, "provision must raise Failed, not return it"),
        (keeps_an_object, "Provisioned(private=...) cannot be written as JSON"),
    ],
)
def test_the_log_says_what_is_wrong_in_a_method(
    stage: Stage, caplog: pytest.LogCaptureFixture, provision: Any, said: str
) -> None:
    managed = stage(made(Complete, provision=provision))
    assert managed.provision().status == 500
    assert said in caplog.text


def test_steps_may_be_awaited_together_and_later(stage: Stage) -> None:
    done: list[str] = []

    async def provision(self: Any, instance: Any, work: Any) -> None:
        last = work.step("last", done.append, "last")
        await asyncio.gather(*(work.step(name, done.append, name) for name in ("a", "b")))
        await last

    managed = stage(made(Complete, provision=provision))
    assert managed.provision().status == 201
    assert done == ["a", "b", "last"]


def test_a_deletion_that_returns_its_failure_has_failed(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    managed = stage(made(Complete, deprovision=returns_the_failure))
    managed.provision()
    assert managed.deprovision().status == 500
    assert "`openbroker operations left`" in caplog.text
    assert "deprovision must raise Failed, not return it" in caplog.text


@pytest.mark.parametrize("secret", [object(), {"deep": [object()]}])
def test_credentials_that_are_no_json_are_named(stage: Stage, caplog: pytest.LogCaptureFixture, secret: Any) -> None:
    managed = stage(made(Bindable, bind=lambda self, instance, binding, work: {"user": "alice-of-db", "it": secret}))
    managed.provision()
    assert managed.bind().status == 500
    assert "Bound(credentials=...) cannot be written as JSON" in caplog.text
    assert "alice-of-db" not in caplog.text


@pytest.mark.rule("BIND-46")
def test_a_null_among_the_credentials_stays(stage: Stage) -> None:
    credentials = {"user": "alice", "password": None, "hosts": [{"name": "a", "port": None}]}
    managed = stage(made(Bindable, bind=lambda self, instance, binding, work: credentials))
    managed.provision()
    assert managed.bind().json["credentials"] == credentials


def test_the_log_says_what_failed_in_the_words_for_the_user(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    def provision(self: Any, instance: Any, work: Any) -> None:
        raise Failed("There is no room.")

    caplog.set_level(logging.INFO, "openbrokerapi.managed")
    managed = stage(made(Complete, provision=provision, deprovision=provision))
    managed.provision()
    managed.idle()
    said = [(each.levelname, each.getMessage()) for each in caplog.records if "There is no room." in each.getMessage()]
    assert [level for level, _ in said] == ["INFO", "WARNING"]
    assert said[0][1].startswith("provision of instance")
    assert said[1][1].startswith("clean up of instance")
    assert "openbroker operations left" in said[1][1]


def test_keys_that_were_replaced_altogether_are_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def written(name: str) -> None:
        new = tmp_path / "new"
        new.touch(mode=0o600)
        new.write_text("".join(f"{each}:{base64.b64encode(each.encode() * 32).decode()}\n" for each in name))
        new.replace(tmp_path / "keys")

    moments = itertools.count(step=10.0)
    written("a")
    ring = KeyRing.from_file(tmp_path / "keys", clock=lambda: next(moments))
    for name in ("ba", "b"):
        written(name)
        ring.seal(b"value", b"place")
    assert ring.ids == ("b",)
    assert "none of the keys from before is left" not in caplog.text
    written("c")
    ring.seal(b"value", b"place")
    assert "none of the keys from before is left (b)" in caplog.text


def test_a_refusal_names_the_line_of_the_author(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["from openbrokerapi.managed import Broker", "", "broker = Broker('queues')", ""]
    (tmp_path / "refused_module.py").write_text("\n".join(lines))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(BrokerReferenceError, match=r"refused_module\.py, line 3: TypeError: an offering is"):
        load_broker("refused_module:broker")


def test_plans_are_found_by_the_ids_that_the_platform_uses() -> None:
    assert made(Complete).plan(SMALL).name == "small"
