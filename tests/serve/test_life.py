"""What a broker opens before the first request, and closes after the last."""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock, MagicMock

import pytest
from tests.contract.brokers import RecordingBroker
from tests.serve.test_serve import (
    BODY,
    INSTANCE,
    LIMIT,
    accepts,
    command,
    environment,
    line_with,
    refused,
    served,
    until,
)

from openbrokerapi.web import asgi

BROKER = """
import asyncio
import os
import openbrokerapi as o

class Broker(o.ServiceBroker):
    def __init__(self):
        self.opened = None

    async def startup(self):
        print("startup", flush=True)
        self.opened = asyncio.get_running_loop()

    async def shutdown(self):
        assert self.opened is asyncio.get_running_loop()
        print("shutdown", flush=True)

    def catalog(self):
        plan = o.ServicePlan("0d1c7a52-3a8e-4b8a-9d5f-2b9a5f0e1c02", "small", "A small one")
        return o.Service("5f2a6a3e-0f5c-4a53-a1f0-6f2f3c1d7b01", "thing", "Things", bindable=False, plans=[plan])

    async def provision(self, instance_id, details, async_allowed, **kwargs):
        assert self.opened is asyncio.get_running_loop()
        print("provisions", flush=True)
        while details.parameters and not os.path.exists(details.parameters["until"]):
            await asyncio.sleep(0.01)
        print("provisioned", flush=True)
        return o.ProvisionedServiceSpec()

class AsyncCatalog(Broker):
    async def catalog(self):
        assert self.opened, "the catalog needs what startup() opens"
        return super().catalog()

class Incomplete(AsyncCatalog):
    async def catalog(self):
        return o.Service("", "thing", "Things", bindable=False, plans=[])

class CannotOpen(Exception):
    operator_message = "the database things.db belongs to another process; stop that one first"

class Fails(Broker):
    async def startup(self):
        raise CannotOpen("locked")

class FailsAsync(AsyncCatalog):
    async def startup(self):
        raise CannotOpen("locked")

class FailsOddly(Broker):
    async def startup(self):
        raise ValueError("what nobody expected")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "things.py").write_text(BROKER)
    return tmp_path


@pytest.mark.parametrize("broker", ["Broker", "AsyncCatalog"])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_broker_is_opened_before_the_first_request_and_closed_after_the_last(
    folder: Path, broker: str, workers: str
) -> None:
    with served(folder, "--workers", workers, broker=f"things:{broker}") as running:
        until(lambda: running.platform.send("GET", "/readyz").status == 200)
        assert running.platform.send("PUT", INSTANCE, BODY).status == 201
        output = running.process.stdout
        assert output is not None
        said: list[str] = []
        # One worker answers while the other may still be starting.
        while said.count("startup") < int(workers):
            said += output.readline().split()
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(LIMIT) == 0
        said += output.read().split()
    assert sorted(said) == sorted([*["startup", "shutdown"] * int(workers), "provisions", "provisioned"])
    assert said[0] == "startup"
    assert said[-1] == "shutdown"


def test_shutdown_waits_for_the_requests_under_way(folder: Path) -> None:
    body = {**BODY, "parameters": {"until": str(folder / "go")}}
    with served(folder, broker="things:Broker") as running, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(running.platform.send, "PUT", INSTANCE, body)
        stdout: Any = running.process.stdout
        line_with(stdout, "provisions", [])
        running.process.send_signal(signal.SIGTERM)
        until(lambda: not accepts(running.platform.port))
        (folder / "go").touch()
        assert answer.result(LIMIT).status == 201
        assert running.process.wait(LIMIT) == 0
        assert stdout.read().split() == ["provisioned", "shutdown"]


def test_a_request_that_takes_longer_than_the_limit_is_answered_with_503_and_then_comes_shutdown(folder: Path) -> None:
    body = {**BODY, "parameters": {"until": str(folder / "never")}}
    with served(folder, "--grace", "0.2", broker="things:Broker") as running, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(running.platform.send, "PUT", INSTANCE, body)
        stdout: Any = running.process.stdout
        line_with(stdout, "provisions", [])
        running.process.send_signal(signal.SIGTERM)
        assert answer.result(LIMIT).status == 503
        assert running.process.wait(LIMIT) == 0
        assert stdout.read().split() == ["shutdown"]
        assert re.search(r"PUT /v2/service_instances/i-1 503 [\d.]+ ms\n", running.process.stderr.read())  # type: ignore[union-attr]


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("broker", ["Fails", "FailsAsync"])
def test_what_an_operator_has_to_know_is_one_sentence_and_nothing_is_served(
    folder: Path, broker: str, workers: str
) -> None:
    code, text = refused(folder, f"things:{broker}", "--port", "0", "--workers", workers)
    assert code == 2
    assert "the database things.db belongs to another process; stop that one first" in text
    for more in ("Traceback", "CannotOpen", "locked", "catalog() fails"):
        assert more not in text


def test_what_nobody_expected_at_the_start_has_its_traceback_in_the_log(folder: Path) -> None:
    code, text = refused(folder, "things:FailsOddly", "--port", "0")
    assert code == 2
    assert "startup() of the broker failed: ValueError: what nobody expected" in text
    assert "in startup\n" in text


def test_a_broker_whose_catalog_is_refused_is_closed_again(folder: Path) -> None:
    done = subprocess.run(
        command("things:Incomplete", "--port", "0"),
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout.split() == ["startup", "shutdown"]


async def _live(app: Any) -> list[dict[str, Any]]:
    messages = iter(({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}))
    sent: list[dict[str, Any]] = []

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        sent.append(message)

    await app({"type": "lifespan"}, receive, send)
    return sent


def test_nothing_is_called_on_a_mock_or_on_a_plain_method() -> None:
    class Plain(RecordingBroker):
        def startup(self) -> None:
            raise AssertionError("a plain startup() is the author's own affair")

        shutdown = startup

    mock = MagicMock(startup=AsyncMock(), shutdown=AsyncMock())
    for broker in (mock, Plain()):
        sent = asyncio.run(_live(asgi.create_app(broker)))
        assert [each["type"] for each in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    mock.startup.assert_not_called()
    mock.shutdown.assert_not_called()


def test_an_error_of_shutdown_is_said_and_keeps_nothing_from_ending() -> None:
    class Fails(RecordingBroker):
        async def shutdown(self) -> None:
            raise ValueError("half closed")

    started, ended = asyncio.run(_live(asgi.create_app(Fails())))
    assert started["type"] == "lifespan.startup.complete"
    assert ended == {
        "type": "lifespan.shutdown.failed",
        "message": "shutdown() of the broker failed: ValueError: half closed",
    }


def test_an_application_that_is_started_twice_opens_its_broker_twice() -> None:
    class Counts(RecordingBroker):
        said = ""

        async def startup(self) -> None:
            self.said += "("

        async def shutdown(self) -> None:
            self.said += ")"

    broker = Counts()
    app = asgi.create_app(broker)
    asyncio.run(_live(app))
    asyncio.run(_live(app))
    assert broker.said == "()()"
