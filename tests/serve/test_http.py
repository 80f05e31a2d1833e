"""The HTTP side of `openbroker serve`, byte for byte, beside that of uvicorn as it comes."""

from __future__ import annotations

import asyncio
import contextvars
import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from tests.contract.brokers import INSTANCE, PROVISION, RecordingBroker, asynchronous
from tests.contract.hosts import CREDENTIALS, HOSTS, Platform, Serving, Switch, serving, short_way

from openbrokerapi.errors import ErrUnauthorized
from openbrokerapi.service_broker import ProvisionedServiceSpec
from openbrokerapi.settings import Settings
from openbrokerapi.web import asgi
from openbrokerapi.web.outbox import Outbox

LIMIT = 20.0
BODY = json.dumps(PROVISION).encode()
BIG = json.dumps({**PROVISION, "context": {"platform": "x", "text": "y" * 3000}}).encode()
OWN = "\r\n".join(f"{k}: {v}" for k, v in {**Platform(0).headers, **Platform(0).authorization()}.items()).encode()
CLOSE = b"Connection: close"


def request(method: bytes, target: bytes, *lines: bytes, body: bytes = b"", version: bytes = b"1.1") -> bytes:
    length = [b"Content-Length: %d" % len(body)] if body else []
    first = b"%s %s HTTP/%s" % (method, target, version)
    return b"\r\n".join([first, b"Host: broker", OWN, *length, *lines, b"", body])


def put(*lines: bytes, body: bytes = BODY) -> bytes:
    return request(b"PUT", INSTANCE.encode(), *lines, body=body)


GET = request(b"GET", b"/v2/catalog")
LAST = request(b"GET", b"/v2/catalog", CLOSE)
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)

# What is sent, in pieces; each is read by the server before the next one is sent.
SCRIPTS: dict[str, list[bytes]] = {
    "one": [LAST],
    "two after another": [GET, LAST],
    "two in one piece": [GET + LAST],
    "a body, and another request": [put() + LAST],
    "many in one piece": [GET * 40 + put() * 40 + LAST],
    "a body that comes later": [put(CLOSE)[: -len(BODY)], BODY],
    "a body in two pieces": [put(CLOSE)[:-20], put(CLOSE)[-20:]],
    "a head in two pieces": [put(CLOSE)[:40], put(CLOSE)[40:]],
    "half a request after a whole one": [GET + put(CLOSE)[:200], put(CLOSE)[200:]],
    "half a body after a whole request": [GET + put(CLOSE)[:-9], put(CLOSE)[-9:]],
    "chunks": [put(b"Transfer-Encoding: chunked", CLOSE, body=b"") + CHUNKED],
    "chunks, one by one": [put(b"Transfer-Encoding: chunked", CLOSE, body=b""), CHUNKED[:20], CHUNKED[20:]],
    "chunks, and a header at their end": [
        put(b"Transfer-Encoding: chunked", CLOSE, body=b"") + CHUNKED[:-2] + b"X-Broker-API-Version: 1.0\r\n\r\n"
    ],
    "a bad chunk": [put(b"Transfer-Encoding: chunked", body=b"") + b"what?\r\n"],
    "expect, with the body": [put(b"Expect: 100-continue", CLOSE)],
    "expect, the body later": [put(b"Expect: 100-continue", CLOSE)[: -len(BODY)], BODY],
    "a body over the limit": [put(body=BIG) + LAST],
    "a body over the limit, not sent": [put(CLOSE, body=BIG)[: -len(BIG)]],
    "a body that is no JSON": [put(body=b"{") + LAST],
    "HEAD": [request(b"HEAD", b"/v2/catalog") + LAST],
    "304": [request(b"GET", b"/v2/catalog", b"If-None-Match: *") + LAST],
    "HTTP/1.0": [request(b"GET", b"/v2/catalog", version=b"1.0")],
    "HTTP/1.0, kept alive": [request(b"GET", b"/v2/catalog", b"Connection: keep-alive", version=b"1.0")],
    "HTTP/1.0, kept alive, and another request": [
        request(b"PUT", INSTANCE.encode(), b"Connection: keep-alive", body=BODY, version=b"1.0") * 2
    ],
    "nothing is looked at after the end": [put(CLOSE) + put()],
    "an upgrade": [request(b"GET", b"/v2/catalog", b"Connection: Upgrade, close", b"Upgrade: websocket")],
    "no HTTP": [b"what is this?\r\n\r\n"],
    "a header without a name": [GET[:-2] + b": nothing\r\n\r\n"],
    "an absolute target": [request(b"GET", b"http://broker/v2/catalog", CLOSE)],
    "a target with a fragment": [request(b"GET", b"/v2/catalog#x", CLOSE)],
    "a target with an empty query": [request(b"GET", b"/v2/catalog?", CLOSE)],
    "two slashes": [request(b"GET", b"//v2/catalog", CLOSE)],
    "a star": [request(b"OPTIONS", b"*", CLOSE)],
    "odd characters": [request(b"GET", b"/v2/service_instances/a%2Fb'(;,)~?service_id=%22", CLOSE)],
    "bytes beyond ASCII": [request(b"GET", "/v2/service_instances/é".encode(), CLOSE)],
    "an unknown path": [request(b"GET", b"/v3", CLOSE)],
    "an unknown method": [request(b"BREW", b"/v2/catalog", CLOSE)],
    "a probe": [request(b"GET", b"/healthz", CLOSE)],
    "an identity": [request(b"GET", b"/v2/catalog", b"X-Broker-API-Request-Identity: rid-7", CLOSE)],
    "an identity with a control character": [
        request(b"GET", b"/v2/catalog", b"X-Broker-API-Request-Identity: a\x01b", CLOSE)
    ],
    "a header twice": [request(b"GET", b"/v2/catalog", b"X-Broker-API-Version: 1.0", CLOSE)],
    "no credentials": [
        b"PUT %s HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (INSTANCE.encode(), len(BODY), BODY) + LAST
    ],
}


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Serving, Serving]]:
    by_name = {host.name: host for host in HOSTS}
    with ExitStack() as stack:
        yield tuple(stack.enter_context(serving(by_name[name])) for name in ("serve", "asgi"))  # type: ignore[misc]


def converse(platform: Platform, pieces: list[bytes]) -> bytes:
    with socket.create_connection(("127.0.0.1", platform.port), timeout=LIMIT) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            connection.sendall(piece)
            # The server has one loop: when this is answered, it has read what was sent before.
            assert platform.send("GET", "/healthz").status == 200
        return all_of(connection)


@pytest.mark.parametrize("how", ["plain", "async"])
@pytest.mark.parametrize("script", SCRIPTS)
def test_it_answers_as_uvicorn_does(both: tuple[Serving, Serving], script: str, how: str) -> None:
    said, reached = [], []
    for serve in both:
        broker = RecordingBroker() if how == "plain" else asynchronous(RecordingBroker())
        received = converse(serve(broker, settings=Settings(body_limit=2000)), SCRIPTS[script])
        said.append(re.sub(rb"(?im)^(date|last-modified): .*$", rb"\1:", received))
        reached.append([(name, arguments.get("instance_id")) for name, arguments in broker.calls])
    assert said[0] == said[1]
    assert reached[0] == reached[1]
    assert said[0]


@contextmanager
def served(broker: Any, **options: Any) -> Iterator[Platform]:
    switch = Switch()
    switch.app = asgi.create_app(broker, CREDENTIALS)
    with short_way(switch, **options) as port:
        yield Platform(port)


def connected(platform: Platform) -> socket.socket:
    return socket.create_connection(("127.0.0.1", platform.port), timeout=LIMIT)


def statuses(received: bytes) -> list[bytes]:
    return re.findall(rb"HTTP/1\.1 (\d+) ", received)


def all_of(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65536), b""))


seen: contextvars.ContextVar[str] = contextvars.ContextVar("seen", default="nothing")


class Looks(RecordingBroker):
    """Looks at the task and the context that it is called in."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Any] = []
        self.ended = threading.Event()

    async def provision(self, **arguments: Any) -> Any:
        instance_id = arguments["instance_id"]
        task = asyncio.current_task()
        assert task is not None
        task.add_done_callback(lambda _: self.ended.set())
        self.found.append((task, seen.get()))
        seen.set(instance_id)
        if "waits" in instance_id:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await asyncio.sleep(3600)  # until the timeout cancels it
            assert asyncio.current_task() is task
            assert seen.get() == instance_id
        return ProvisionedServiceSpec()


@pytest.mark.parametrize("instance", ["one", "waits"])
def test_a_method_has_a_task_and_a_context_of_its_own_from_its_first_line(instance: str) -> None:
    broker = Looks()
    with served(broker) as platform, connected(platform) as connection:
        raw = request(b"PUT", f"/v2/service_instances/{instance}".encode(), body=BODY)
        connection.sendall(raw * 2 + LAST)
        assert statuses(all_of(connection)) == [b"201", b"201", b"200"]
        assert broker.ended.wait(LIMIT)
    (one, before_one), (two, before_two) = broker.found
    assert one is not two
    assert (before_one, before_two) == ("nothing", "nothing")


class Waits(RecordingBroker):
    """Answers a provision when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Event()
        self.go_on = asyncio.Event()
        self.loop: Any = None

    async def provision(self, **arguments: Any) -> Any:
        self.loop = asyncio.get_running_loop()
        self.begun.set()
        await self.go_on.wait()
        return ProvisionedServiceSpec()


def test_answers_come_in_the_order_of_the_requests_even_if_the_first_one_takes_long() -> None:
    broker = Waits()
    with served(broker) as platform, connected(platform) as connection:
        connection.sendall(put() + GET + LAST)
        assert broker.begun.wait(LIMIT)
        assert platform.send("GET", "/v2/catalog").status == 200
        broker.loop.call_soon_threadsafe(broker.go_on.set)
        assert statuses(all_of(connection)) == [b"201", b"200", b"200"]


def test_a_client_that_leaves_during_a_request_harms_nobody() -> None:
    broker = Waits()
    with served(broker) as platform:
        with connected(platform) as connection:
            connection.sendall(put())
            assert broker.begun.wait(LIMIT)
        assert platform.send("GET", "/v2/catalog").status == 200
        broker.loop.call_soon_threadsafe(broker.go_on.set)
        assert platform.send("GET", "/v2/catalog").status == 200


class Counts(RecordingBroker):
    """Has a large catalog, and counts how often it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.offerings[0].description = "d" * 100_000

    async def catalog(self) -> Any:
        self.asked += 1
        return self.offerings


def test_a_client_that_does_not_read_is_not_written_to_without_end() -> None:
    count = 400
    broker = Counts()
    with served(broker) as platform, socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        connection.settimeout(LIMIT)
        connection.connect(("127.0.0.1", platform.port))
        writing = threading.Thread(target=connection.sendall, args=(GET * count + LAST,))
        writing.start()
        asked = -1
        while broker.asked != asked or not asked:  # until it goes no further
            asked = broker.asked
            assert platform.send("GET", "/healthz").status == 200
        assert asked < count / 2
        assert statuses(all_of(connection)) == [b"200"] * (count + 1)
        writing.join(LIMIT)


def test_responses_of_one_round_go_out_at_its_end_but_no_more_than_32_wait() -> None:
    sent: list[int] = []

    class Sender:
        def __init__(self, number: int) -> None:
            self._number = number

        def send_out(self) -> None:
            sent.append(self._number)

    async def round_of_the_loop() -> list[int]:
        loop = asyncio.get_running_loop()
        outbox, counts = Outbox.of(loop), []
        for number in range(70):
            outbox.put(Sender(number), loop)
            counts.append(len(sent))
        await asyncio.sleep(0)
        return counts

    counts = asyncio.run(round_of_the_loop())
    assert counts == [0] * 31 + [32] * 32 + [64] * 7
    assert sent == list(range(70))


def test_many_at_once_are_all_answered() -> None:
    with served(asynchronous(RecordingBroker())) as platform, ExitStack() as stack:
        every = [stack.enter_context(connected(platform)) for _ in range(100)]
        for connection in every:
            connection.sendall(put() + LAST)
        assert [statuses(all_of(each)) for each in every] == [[b"201", b"200"]] * 100


def test_an_idle_connection_is_closed_and_a_busy_one_is_not() -> None:
    broker = Waits()
    with served(broker, timeout_keep_alive=0.1) as platform, connected(platform) as idle, connected(platform) as busy:
        busy.sendall(GET)
        assert statuses(busy.recv(65536)) == [b"200"]
        busy.sendall(put() + LAST)
        assert broker.begun.wait(LIMIT)
        idle.sendall(GET)  # its time begins after that of the other
        assert statuses(all_of(idle)) == [b"200"]
        broker.loop.call_soon_threadsafe(broker.go_on.set)
        assert statuses(all_of(busy)) == [b"201", b"200"]


def test_what_is_no_http_does_not_cost_the_request_before_it_its_answer() -> None:
    with served(asynchronous(RecordingBroker())) as platform, connected(platform) as connection:
        connection.sendall(GET + b"what is this?\r\n\r\n")
        assert statuses(all_of(connection)) == [b"200", b"400"]


class Challenges:
    """Refuses with a challenge that would add a header to the answer."""

    def identify(self, request: Any) -> None:
        raise ErrUnauthorized(challenge="Basic\r\nSet-Cookie: x=y")


def test_a_header_that_would_be_two_is_never_sent() -> None:
    switch = Switch()
    switch.app = asgi.create_app(RecordingBroker(), authenticator=Challenges())
    with short_way(switch, log_level="critical") as port, connected(Platform(port)) as connection:
        connection.sendall(GET)
        received = all_of(connection)
    assert statuses(received) == [b"500"]
    assert b"Set-Cookie" not in received


def test_an_application_without_a_short_way_is_served_as_any() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 202, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    switch = Switch()
    switch.app = app
    with short_way(switch) as port:
        assert Platform(port).send("GET", "/").status == 202
