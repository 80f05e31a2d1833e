"""Brokers and platforms that do what nobody expects."""

from __future__ import annotations

import asyncio
import functools
import threading
from typing import Any

import pytest
from tests.contract.brokers import INSTANCE, PROVISION, RecordingBroker, catalog
from tests.contract.hosts import CREDENTIALS, Platform, Serving

from openbrokerapi import errors
from openbrokerapi.auth import BasicBrokerAuthenticator, NoneBrokerAuthenticator
from openbrokerapi.protocol.request import Request
from openbrokerapi.service_broker import LastOperation, OperationState, ProvisionedServiceSpec
from openbrokerapi.web import asgi, wsgi
from openbrokerapi.web.exchange import Exchange
from openbrokerapi.web.health import Health
from openbrokerapi.web.waiting import LoopThread, wait_in_thread


class Leaves(BaseException):
    """What ends a thread or a process, and is no Exception."""


@pytest.mark.parametrize("fault", [Leaves("MARKER"), SystemExit("MARKER"), asyncio.CancelledError("MARKER")])
def test_what_is_no_exception_is_answered_for_too(
    platform: Platform, recording: RecordingBroker, fault: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    recording.answers["provision"] = fault
    answer = platform.send("PUT", INSTANCE, {**PROVISION, "parameters": {"name": "MARKER"}})
    assert answer.status == 500
    assert set(answer.json) == {"description"}
    assert "MARKER" not in caplog.text
    assert platform.send("GET", "/v2/catalog").status == 200


class QuotingError(Exception):
    """Has the parameter as an attribute, as errors of validators have."""

    def __init__(self) -> None:
        super().__init__("MARKER")
        self.instance = "MARKER"
        self.lock = threading.Lock()


@pytest.mark.parametrize("kind", [errors.ErrBadRequest, errors.ErrInvalidParameters])
def test_an_exception_as_a_description_is_not_sent(platform: Platform, recording: RecordingBroker, kind: Any) -> None:
    recording.answers["provision"] = kind(QuotingError())
    answer = platform.send("PUT", INSTANCE, PROVISION)
    assert answer.status == 400
    assert isinstance(answer.json["description"], str)
    assert b"MARKER" not in answer.body


class Closed(NoneBrokerAuthenticator):
    def authenticate(self) -> Any:
        return "forbidden", 403


class Narrow(BasicBrokerAuthenticator):
    def authenticate(self) -> Any:
        return "forbidden", 403


@pytest.mark.parametrize("authenticator", [Closed(), Narrow(CREDENTIALS)])
@pytest.mark.parametrize("create_app", [asgi.create_app, wsgi.create_app])
def test_a_check_that_only_flask_can_ask_is_never_passed_over(create_app: Any, authenticator: Any) -> None:
    with pytest.raises(TypeError, match="Flask host only"):
        create_app(RecordingBroker(), authenticator=authenticator)


class Defaults(RecordingBroker):
    """0.3.6, with defaults."""

    def provision(self, instance_id: Any, service_details: Any = None, async_allowed: Any = False) -> Any:  # type: ignore[override]
        assert service_details.plan_id == PROVISION["plan_id"]
        return ProvisionedServiceSpec(is_async=async_allowed)

    def last_operation(self, instance_id: Any, operation: Any = None) -> Any:  # type: ignore[override]
        return LastOperation(OperationState.IN_PROGRESS, operation)


class PositionalOnly(Defaults):
    def provision(self, instance_id: Any, /, details: Any, async_allowed: Any) -> Any:  # type: ignore[override]
        return super().provision(instance_id, details, async_allowed)


def by_position(method: Any) -> Any:
    @functools.wraps(method)
    def wrapper(*args: Any) -> Any:
        return method(*args)

    return wrapper


def by_keyword(method: Any) -> Any:
    @functools.wraps(method)
    def wrapper(self: Any, **kwargs: Any) -> Any:
        return method(self, *kwargs.values())

    return wrapper


class WrappedByPosition(Defaults):
    provision = by_position(Defaults.provision)
    last_operation = by_position(Defaults.last_operation)


class WrappedByKeyword(Defaults):
    provision = by_keyword(Defaults.provision)


@pytest.mark.parametrize("kind", [Defaults, PositionalOnly, WrappedByPosition, WrappedByKeyword])
def test_methods_of_any_signature_get_their_arguments(serve: Serving, kind: Any) -> None:
    platform = serve(kind())
    assert platform.send("PUT", INSTANCE, PROVISION).status == 201
    polled = platform.send("GET", f"{INSTANCE}/last_operation", query={"operation": "op-1"})
    assert (polled.status, polled.json["description"]) == (200, "op-1")


def test_is_async_can_be_set_as_in_0_3_6() -> None:
    spec = ProvisionedServiceSpec(False, "http://dashboard", "op")
    spec.is_async = True
    assert spec.is_async


def test_a_large_value_in_an_exception_does_not_hold_the_broker_up(
    platform: Platform, recording: RecordingBroker, caplog: pytest.LogCaptureFixture
) -> None:
    # The pattern of so many such letters takes a quarter of a minute, that of a larger body minutes.
    word = "é" * 100_000
    recording.answers["provision"] = ValueError(word)
    assert platform.send("PUT", INSTANCE, {**PROVISION, "parameters": {"name": word}}).status == 500
    assert "éééé" not in caplog.text


class Slow(RecordingBroker):
    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.asked = 0

    def catalog(self) -> Any:
        self.asked += 1
        self.go.wait(20)
        return catalog()


def test_however_many_probes_ask_the_catalog_is_looked_at_once() -> None:
    broker = Slow()
    now = [100.0]
    health = Health(Exchange(broker, NoneBrokerAuthenticator()), pause=1.0, patience=30.0, clock=lambda: now[0])
    probe = Request("GET", b"/readyz", b"", {})

    def ask() -> int:
        conversation = health.conversation(probe)
        assert conversation is not None
        return wait_in_thread(conversation, lambda limit: b"", LoopThread().wait).status

    first = threading.Thread(target=ask)
    first.start()
    while not broker.asked:
        pass  # until the first one looks; the suite's limit ends it otherwise
    assert [ask() for _ in range(5)] == [503] * 5
    now[0] += 60.0
    assert ask() == 503
    assert broker.asked == 1
    broker.go.set()
    first.join()
    assert ask() == 200


def test_a_catalog_that_changes_at_each_request_is_not_checked_at_each(caplog: pytest.LogCaptureFixture) -> None:
    broker = RecordingBroker()
    now = [100.0]
    exchange = Exchange(broker, NoneBrokerAuthenticator(), clock=lambda: now[0])

    def fetch(name: str) -> None:
        broker.offerings = catalog()
        broker.offerings[0].id = ""
        broker.offerings[0].name = name
        conversation = Health(exchange).conversation(Request("GET", b"/readyz", b"", {}))
        assert conversation is not None
        wait_in_thread(conversation, lambda limit: b"", LoopThread().wait)

    fetch("one")
    said = caplog.text.count("SVC-03")
    assert said == 1
    fetch("two")
    assert caplog.text.count("SVC-03") == said
    now[0] += 120.0
    fetch("three")
    assert caplog.text.count("SVC-03") == said + 1


def test_an_application_can_be_started_again() -> None:
    app = asgi.create_app(RecordingBroker())

    async def live() -> None:
        messages = iter(({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}))

        async def receive() -> Any:
            return next(messages)

        async def send(message: Any) -> None:
            assert message["type"].endswith(".complete")
            if message["type"] == "lifespan.startup.complete":
                assert await status(app) == 200

        await app({"type": "lifespan"}, receive, send)

    async def status(app: Any) -> int:
        found = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b""}

        async def send(message: Any) -> None:
            found.append(message)

        scope = {"type": "http", "method": "GET", "path": "/readyz", "query_string": b"", "headers": []}
        await app(scope, receive, send)
        return int(found[0]["status"])

    asyncio.run(live())
    asyncio.run(live())


def test_a_cancelled_request_is_answered_with_503() -> None:
    async def cancelled() -> Any:
        begun = asyncio.Event()

        class Waits(RecordingBroker):
            async def catalog(self) -> Any:
                begun.set()
                await asyncio.sleep(3600)  # until it is cancelled

        found: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b""}

        async def send(message: Any) -> None:
            found.append(message)

        headers = [(b"x-broker-api-version", b"2.17")]
        scope = {"type": "http", "method": "GET", "path": "/v2/catalog", "query_string": b"", "headers": headers}
        task = asyncio.create_task(asgi.create_app(Waits())(scope, receive, send))
        await begun.wait()
        task.cancel()
        await task
        return found

    start, body = asyncio.run(cancelled())
    assert start["status"] == 503
    assert body["body"].startswith(b'{"description":')
