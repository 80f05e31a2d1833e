"""What the contract suite runs on: every host, each with a real server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.contract.brokers import MemoryBroker, RecordingBroker, asynchronous
from tests.contract.hosts import HOSTS, Host, Platform, Serving, serving


@pytest.fixture(scope="session", params=HOSTS, ids=lambda host: host.name)
def serve(request: pytest.FixtureRequest) -> Iterator[Serving]:
    """Each host in turn, with a server that runs as long as the tests do."""
    host: Host = request.param
    with serving(host) as running:
        yield running


@pytest.fixture(params=["plain", "async"])
def recording(request: pytest.FixtureRequest) -> Any:
    """A broker that notes what reaches it, once with plain methods and once with `async def`."""
    return RecordingBroker() if request.param == "plain" else asynchronous(RecordingBroker())


@pytest.fixture
def platform(serve: Serving, recording: RecordingBroker) -> Platform:
    """A platform that talks to the recording broker."""
    return serve(recording)


@pytest.fixture
def memory() -> MemoryBroker:
    """A broker with a state of its own."""
    return MemoryBroker()


@pytest.fixture
def living(serve: Serving, memory: MemoryBroker) -> Platform:
    """A platform that talks to the broker with a state."""
    return serve(memory)
