"""Slow plain methods never hold up the other requests of an ASGI host (acceptance 7, as behaviour, without a clock)."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.contract.brokers import BINDING, IDS, INSTANCE, PROVISION, MemoryBroker, RecordingBroker, asynchronous
from tests.contract.hosts import HOSTS, Answer, Platform, Serving, serving

from openbrokerapi.service_broker import ProvisionedServiceSpec
from openbrokerapi.settings import Settings

DEADLINE = 10  # seconds
READING = ("/v2/catalog", f"{INSTANCE}/last_operation", INSTANCE, BINDING, f"{BINDING}/last_operation")


class Slow(RecordingBroker):
    """Provisions when it is told to, and not before."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.begun = 0
        self._lock = threading.Lock()

    def provision(self, **arguments: Any) -> ProvisionedServiceSpec:
        with self._lock:
            self.begun += 1
        assert self.go.wait(DEADLINE)
        return ProvisionedServiceSpec()


@pytest.fixture(scope="module")
def asgi() -> Iterator[Serving]:
    [host] = [host for host in HOSTS if host.name == "asgi"]
    with serving(host) as running:
        yield running


@pytest.fixture
def slow() -> Iterator[Slow]:
    broker = Slow()
    yield broker
    broker.go.set()


def provision(platform: Platform, number: int) -> Answer:
    return platform.send("PUT", f"/v2/service_instances/slow-{number}", PROVISION)


def wait_for(broker: Slow, count: int) -> None:
    end = time.monotonic() + DEADLINE
    while broker.begun < count:
        assert time.monotonic() < end, f"{broker.begun} of {count} provisions have begun"
        time.sleep(0.001)  # a poll with a deadline


@pytest.mark.rule("ASY-01")
@pytest.mark.parametrize(("threads", "provisions"), [(100, 50), (100, 130), (2, 20), (1, 2)])
def test_the_catalog_and_polls_are_answered_while_provisions_block(
    asgi: Serving, slow: Slow, threads: int, provisions: int
) -> None:
    platform = asgi(slow, settings=Settings(threads=threads))
    with ThreadPoolExecutor(provisions) as clients:
        pending = [clients.submit(provision, platform, number) for number in range(provisions)]
        try:
            wait_for(slow, min(threads, provisions))
            assert [platform.send("GET", target).status for target in READING] == [200] * len(READING)
            assert not any(each.done() for each in pending)
        finally:
            slow.go.set()
        assert {each.result().status for each in pending} == {201}
    assert slow.begun == provisions


def test_changes_beyond_the_limit_of_threads_wait_for_their_turn(asgi: Serving, slow: Slow) -> None:
    platform = asgi(slow, settings=Settings(threads=2))
    with ThreadPoolExecutor(5) as clients:
        pending = [clients.submit(provision, platform, number) for number in range(5)]
        wait_for(slow, 2)
        assert platform.send("GET", "/v2/catalog").status == 200
        assert slow.begun == 2
        slow.go.set()
        assert {each.result().status for each in pending} == {201}


def test_an_async_broker_answers_while_a_provision_of_its_own_waits(asgi: Serving) -> None:
    broker: Any = asynchronous(RecordingBroker())
    begun, go = threading.Event(), threading.Event()

    async def provision_slowly(**arguments: Any) -> ProvisionedServiceSpec:
        begun.set()
        assert await asyncio.to_thread(go.wait, DEADLINE)
        return ProvisionedServiceSpec()

    broker.provision = provision_slowly
    platform = asgi(broker)
    with ThreadPoolExecutor(1) as client:
        pending = client.submit(provision, platform, 1)
        assert begun.wait(DEADLINE)
        assert [platform.send("GET", target).status for target in READING] == [200] * len(READING)
        assert not pending.done()
        go.set()
        assert pending.result().status == 201


def test_of_two_equal_provisions_at_once_one_makes_the_instance(serve: Serving) -> None:
    broker = MemoryBroker()
    platform = serve(broker)
    with ThreadPoolExecutor(16) as clients:
        for round_ in range(5):
            target = f"/v2/service_instances/both-{round_}"
            answers = list(clients.map(lambda _, to=target: platform.send("PUT", to, PROVISION).status, range(16)))
            assert sorted(answers) == [200] * 15 + [201]
            assert platform.send("DELETE", target, query=IDS).status == 200
