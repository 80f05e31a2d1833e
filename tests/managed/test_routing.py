"""Managed brokers among others: behind a router, and several offerings in one broker."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.contract.brokers import MemoryBroker
from tests.contract.expectations import assert_answered, assert_refused
from tests.contract.hosts import Serving
from tests.managed.stage import BINDING, Clock, Managed, Script, Stage, Steered, plans, ring, stop

from openbrokerapi.managed import Broker, ManagedSettings
from openbrokerapi.router import Router
from openbrokerapi.stores.contract import StoreInUseError
from openbrokerapi.stores.sqlite.store import SqliteStore

SECOND = {"service_id": "service-2", "plan_id": "plan-2"}


class Second(Steered):
    id = "service-2"
    name = "second"
    plans = plans({"id": "plan-2", "binding_rotatable": True}, {"id": "plan-3"})


@pytest.fixture
def two(hosts: Any, on: str, tmp_path: Path) -> Iterator[list[Managed]]:
    """Two managed brokers, each with its store, and one of another kind behind one router."""
    scripts = [Script(), Script()]
    brokers = [
        Broker(
            offering,
            store=SqliteStore(tmp_path / f"{number}.db", Clock()),
            ring=ring(),
            settings=ManagedSettings(answer_within=0.0),
        )
        for number, offering in enumerate((Steered(scripts[0]), Second(scripts[1])))
    ]
    serving: Serving = hosts(on)
    platform = serving(Router(*brokers, MemoryBroker()))
    found = [Managed(platform, broker, script) for broker, script in zip(brokers, scripts, strict=True)]
    yield found
    for managed in found:
        managed.script.go_on()
        stop(managed)


@pytest.mark.parametrize("on", ["asgi", "serve", "wsgi", "flask"])
def test_managed_brokers_serve_behind_a_router(two: list[Managed]) -> None:
    first, second = two
    assert {service["id"] for service in first.send("GET", "catalog").json["services"]} >= {"service-1", "service-2"}
    assert first.provision("instance-1").status == 201
    assert second.provision("instance-2", **SECOND).status == 201
    assert (first.script.kinds(), second.script.kinds()) == (["provision"], ["provision"])
    assert second.bind(BINDING, "instance-2", **SECOND).status == 201
    with second.script.held("update"):
        begun = second.update("instance-2", service_id="service-2", plan_id="plan-3", incomplete=True)
        poll = second.poll("instance-2", **SECOND, operation=begun.json["operation"])
        assert poll.json["state"] == "in progress"
    second.idle()
    assert_answered(second.unbind(BINDING, "instance-2", **SECOND), 200, {})
    assert_answered(second.deprovision("instance-2", **SECOND), 200, {})
    assert first.row("instance-1") is not None
    assert first.row("instance-2") is None


def test_several_offerings_in_one_broker_each_have_their_own_methods(stage: Stage) -> None:
    scripts = Script(), Script()
    managed = stage(Steered(scripts[0]), Second(scripts[1]))
    managed.provision("instance-1")
    managed.provision("instance-2", **SECOND)
    managed.bind(BINDING, "instance-2", **SECOND)
    # ROT-07: a rotation that names no offering is of the instance's.
    answer = managed.bind("binding-2", "instance-2", service_id=None, plan_id=None, predecessor_binding_id=BINDING)
    assert answer.status == 201
    assert scripts[0].kinds() == ["provision"]
    assert scripts[1].kinds() == ["provision", "bind", "bind"]


@pytest.mark.rule("PROV-08", "DEP-15")
def test_a_plan_of_another_offering_is_refused(stage: Stage, script: Script) -> None:
    managed = stage(Steered(script), Second(script))
    assert_refused(managed.provision(plan_id="plan-2"), 400)
    managed.provision()
    assert_refused(managed.deprovision(**SECOND), 400)
    assert_refused(managed.unbind(BINDING, **SECOND), 410)
    assert script.kinds() == ["provision"]


def test_a_router_starts_and_stops_its_brokers(tmp_path: Path) -> None:
    class Noting:
        """A broker that opens nothing, among others that do."""

        def __init__(self, name: str) -> None:
            self.name = name

        async def startup(self) -> None:
            happened.append(f"{self.name} starts")

        async def shutdown(self) -> None:
            happened.append(f"{self.name} stops")

    async def live() -> None:
        await router.startup()
        # The file is its owner's now.
        with pytest.raises(StoreInUseError):
            await SqliteStore(tmp_path / "broker.db").open()
        await router.shutdown()
        other = SqliteStore(tmp_path / "broker.db")
        await other.open()
        await other.close()

    happened: list[str] = []
    managed = Broker(Steered(Script()), store=SqliteStore(tmp_path / "broker.db"), ring=ring())
    router = Router(Noting("first"), managed, MemoryBroker(), Noting("second"))
    asyncio.run(live())
    assert happened == ["first starts", "second starts", "second stops", "first stops"]
