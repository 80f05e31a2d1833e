"""What the tests of the client act on: a managed broker that is served, and a broker that answers as the test says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.contract.hosts import CREDENTIALS
from tests.managed.conftest import hosts, make_store, on, stage
from tests.managed.stage import LARGE, SMALL, Managed, Stage, Steered
from tests.platform.odd import OFFERING, PLAN, QUICK, Odd, answer, nap, state

from openbrokerapi.managed import Plan
from openbrokerapi.platform import Backoff, Client, Platform, ServiceInstance

__all__ = ["hosts", "make_store", "on", "stage"]


class Rotatable(Steered):
    """Does as the script says, and rotates bindings."""

    plans = (
        Plan(id=SMALL, name="small", description="Small", binding_rotatable=True),
        Plan(id=LARGE, name="large", description="Large", binding_rotatable=True),
    )


@pytest.fixture
def managed(stage: Stage) -> Managed:
    """A served broker: whatever may be asynchronous is, and everything can be fetched, changed and rotated."""
    return stage(Rotatable(stage.script))


@pytest.fixture
def url(managed: Managed) -> str:
    return f"http://{CREDENTIALS.username}:{CREDENTIALS.password}@127.0.0.1:{managed.platform.port}"


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    with Client(url, sleep=nap) as client:
        yield client


@pytest.fixture
def platform(client: Client) -> Platform:
    return Platform(client, polling=QUICK, backoff=Backoff(first=0.01, longest=0.01))


@pytest.fixture
def odd() -> Iterator[Odd]:
    odd = Odd()
    yield odd
    odd.client.close()


@pytest.fixture
def obliging(odd: Odd) -> Odd:
    for kind in ("instance", "binding"):
        odd.answers(f"PUT {kind}", answer(201))
        odd.answers(f"PATCH {kind}", answer(200))
        odd.answers(f"DELETE {kind}", answer(200))
        odd.answers(f"GET {kind}", answer(200))
        odd.answers(f"GET {kind} poll", state("succeeded"))
    return odd


@pytest.fixture
def instance(obliging: Odd) -> ServiceInstance:
    return obliging.platform().create(OFFERING, PLAN, instance_id="one", name="mine")
