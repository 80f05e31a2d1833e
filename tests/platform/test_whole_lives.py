"""Whole lives of instances and bindings, with a managed broker that is served."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.managed.stage import BINDING, DASHBOARD, INSTANCE, LARGE, SERVICE, SMALL, Managed, Steered, ring
from tests.managed.stage import CREDENTIALS as MADE
from tests.platform.odd import QUICK, anap, nap

from openbrokerapi import wsgi_app
from openbrokerapi.managed import Broker, Failed
from openbrokerapi.platform import (
    AsyncClient,
    AsyncPlatform,
    Client,
    ConcurrencyError,
    Gone,
    NotFound,
    OperationFailed,
    Platform,
    Unauthorized,
)
from openbrokerapi.stores.sqlite.store import SqliteStore
from openbrokerapi.web.asgi import create_app

PLANS: dict[str, Any] = {"service_id": SERVICE, "plan_id": SMALL}


def test_ten_requests_are_answered_by_a_real_broker(client: Client, managed: Managed) -> None:
    offering = client.catalog().offering("steered")
    assert (offering.id, offering.plan("large").id) == (SERVICE, LARGE)

    begun = client.provision(INSTANCE, SERVICE, SMALL, parameters={"a": 1})
    assert begun.in_progress
    assert begun.operation
    ended = client.wait_for_instance(INSTANCE, **PLANS, operation=begun.operation, polling=QUICK)
    assert ended.succeeded
    assert client.provision(INSTANCE, SERVICE, SMALL, parameters={"a": 1}).existed

    fetched = client.fetch_instance(INSTANCE)
    assert (fetched.service_id, fetched.plan_id, fetched.parameters) == (SERVICE, SMALL, {"a": 1})
    assert fetched.dashboard_url == DASHBOARD + INSTANCE

    bound = client.bind(INSTANCE, BINDING, SERVICE, SMALL, app_guid="an-app")
    client.wait_for_binding(INSTANCE, BINDING, **PLANS, operation=bound.operation, polling=QUICK)
    assert client.fetch_binding(INSTANCE, BINDING).credentials == MADE

    rotated = client.rotate(INSTANCE, "successor", BINDING, **PLANS)
    client.wait_for_binding(INSTANCE, "successor", **PLANS, operation=rotated.operation, polling=QUICK)
    assert client.poll_binding(INSTANCE, "successor", operation=rotated.operation).succeeded

    for binding_id in (BINDING, "successor"):
        unbound = client.unbind(INSTANCE, binding_id, SERVICE, SMALL)
        client.wait_for_binding(INSTANCE, binding_id, operation=unbound.operation, deleting=True, polling=QUICK)

    updated = client.update(INSTANCE, SERVICE, plan_id=LARGE)
    assert client.wait_for_instance(INSTANCE, **PLANS, operation=updated.operation, polling=QUICK).succeeded

    deleted = client.deprovision(INSTANCE, SERVICE, LARGE)
    client.wait_for_instance(INSTANCE, operation=deleted.operation, deleting=True, polling=QUICK)
    with pytest.raises(Gone):
        client.deprovision(INSTANCE, SERVICE, LARGE)
    with pytest.raises(NotFound):
        client.fetch_instance(INSTANCE)
    with pytest.raises(NotFound):
        client.poll_instance("unknown")


def test_a_platform_lives_through_everything(client: Client, managed: Managed) -> None:
    texts: list[str] = []
    platform = Platform(client, polling=QUICK, on_poll=lambda last: texts.append(last.state))

    instance = platform.create("steered", "small", parameters={"a": 1}, name="mine")
    assert instance.dashboard_url == DASHBOARD + instance.id
    assert instance.fetch().parameters == {"a": 1}
    binding = instance.bind(app_guid="an-app")
    successor = binding.rotate()
    assert binding.credentials == successor.credentials == MADE
    assert set(instance.bindings) == {binding.id, successor.id}

    instance.update(plan="large")
    assert instance.plan.id == LARGE
    row = managed.row(instance.id)
    assert row is not None
    assert row.plan_id == LARGE

    binding.delete()
    instance.delete()
    assert (instance.deleted, successor.deleted, platform.instances) == (True, True, {})
    assert managed.fetch(instance.id).status == 404
    assert texts.count("succeeded") == 7
    platform.create("steered", "small")
    assert platform.clean_up() == []
    assert platform.instances == {}


def test_a_failed_creation_is_cleaned_up(platform: Platform, managed: Managed) -> None:
    managed.script.answers["provision"] = Failed("There is no room.")

    with pytest.raises(OperationFailed, match="There is no room") as caught:
        platform.create("steered", "small", instance_id=INSTANCE)

    assert caught.value.mitigated
    assert platform.instances == {}
    with pytest.raises(Gone):
        platform.client.deprovision(INSTANCE, SERVICE, SMALL)


def test_what_is_busy_says_so(client: Client, managed: Managed) -> None:
    with managed.script.held("provision"):
        begun = client.provision(INSTANCE, SERVICE, SMALL)
        again = client.provision(INSTANCE, SERVICE, SMALL)
        assert (again.in_progress, again.operation) == (True, begun.operation)
        with pytest.raises(ConcurrencyError) as caught:
            client.bind(INSTANCE, BINDING, SERVICE, SMALL)
        assert (caught.value.status, caught.value.error) == (422, "ConcurrencyError")
        assert caught.value.request_identity
    client.wait_for_instance(INSTANCE, operation=begun.operation, polling=QUICK)


def test_wrong_credentials_are_refused_and_not_shown(url: str) -> None:
    with Client(url, username="platform", password="not-the-password") as client:
        with pytest.raises(Unauthorized) as caught:
            client.catalog()
        assert "not-the-password" not in repr(client) + str(caught.value) + repr(caught.value)


def test_an_asynchronous_platform_does_the_same(url: str, managed: Managed) -> None:
    async def live() -> None:
        async with AsyncClient(url, sleep=anap) as client:
            platform = AsyncPlatform(client, polling=QUICK)
            one, two = await asyncio.gather(
                platform.create("steered", "small", name="one"), platform.create("steered", "large", name="two")
            )
            assert set(platform.instances) == {one.id, two.id}
            binding = await one.bind()
            successor = await binding.rotate()
            assert binding.credentials == successor.credentials == MADE
            assert (await successor.fetch()).credentials == MADE
            await one.update(plan="large")
            assert (await one.fetch()).plan_id == LARGE
            with pytest.raises(Gone):
                await client.unbind(one.id, "unknown", SERVICE, LARGE)
            await binding.delete()
            assert await platform.clean_up() == []
            assert platform.instances == {}

    asyncio.run(live())


@pytest.mark.parametrize("kind", ["wsgi", "asgi"])
def test_a_broker_in_the_same_process_needs_no_server(kind: str, tmp_path: Path) -> None:
    broker = Broker(Steered(), store=SqliteStore(tmp_path / "broker.db"), ring=ring())
    if kind == "wsgi":
        with Client("http://broker.example", transport=httpx2.WSGITransport(wsgi_app(broker)), sleep=nap) as client:
            platform = Platform(client, polling=QUICK)
            assert platform.create("steered", "small").bind().credentials == MADE
            assert platform.clean_up() == []
        broker_loop = broker._loop
        assert broker_loop is not None
        asyncio.run_coroutine_threadsafe(broker.shutdown(), broker_loop).result(20)
    else:
        asyncio.run(live_in_process(broker))


async def live_in_process(broker: Broker) -> None:
    transport = httpx2.ASGITransport(create_app(broker, None))
    async with AsyncClient("http://broker.example", transport=transport, sleep=anap) as client:
        platform = AsyncPlatform(client, polling=QUICK)
        instance = await platform.create("steered", "small")
        assert (await instance.bind()).credentials == MADE
        assert await platform.clean_up() == []
    await broker.shutdown()
