"""Connections that fail, time out, go on for ever, or are secured."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import trustme
import uvicorn
from tests.platform.odd import OFFERING, PLAN, Odd

from openbrokerapi.platform import (
    AsyncClient,
    Client,
    MalformedAnswer,
    NoAnswer,
)

INSTANCE, BINDING = "instance-1", "binding-1"


def test_no_more_is_read_than_is_allowed() -> None:
    read: list[int] = []

    def endless() -> Iterator[bytes]:
        for count in range(100):
            read.append(count)
            yield b" " * 100

    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, content=endless()))
    with (
        Client("http://broker.example", transport=transport, maximum_body=1000) as client,
        pytest.raises(MalformedAnswer, match="too large"),
    ):
        client.catalog()
    assert len(read) == 11


def test_a_broker_in_the_same_process_has_to_answer_in_time_as_well() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.Event().wait()

    async def fetch() -> None:
        transport = httpx2.ASGITransport(app)
        async with AsyncClient("http://broker.example", transport=transport, timeout=0.05) as client:
            await client.catalog()

    with pytest.raises(NoAnswer) as caught:
        asyncio.run(fetch())
    assert caught.value.timed_out


def test_a_compressed_answer_is_read_and_a_broken_one_is_malformed() -> None:
    def compressed(body: bytes) -> Callable[[Any], httpx2.Response]:
        # A response of httpx2 would decode it at once.
        stream = httpx2.ByteStream(body)
        return lambda _: httpx2.Response(200, stream=stream, headers={"Content-Encoding": "gzip"})

    good, bad = (httpx2.MockTransport(compressed(body)) for body in (gzip.compress(b'{"services": []}'), b"not gzip"))
    with Client("http://broker.example", transport=good) as client:
        assert client.catalog().offerings == ()
    with Client("http://broker.example", transport=bad) as client, pytest.raises(MalformedAnswer):
        client.catalog()


@pytest.mark.parametrize(
    ("error", "sent", "timed_out"),
    [
        (httpx2.ReadTimeout("secret"), True, True),
        (httpx2.WriteTimeout("secret"), True, True),
        (httpx2.ConnectTimeout("secret"), False, True),
        (httpx2.PoolTimeout("secret"), False, True),
        (httpx2.ReadError("secret"), True, False),
        (httpx2.RemoteProtocolError("secret"), True, False),
        (httpx2.ConnectError("refused"), False, False),
        (httpx2.LocalProtocolError("secret"), False, False),
    ],
)
def test_no_answer_says_whether_the_request_was_sent(
    odd: Odd, error: httpx2.HTTPError, sent: bool, timed_out: bool
) -> None:
    odd.answers("PUT instance", error)
    with pytest.raises(NoAnswer) as caught:
        odd.client.provision(INSTANCE, OFFERING, PLAN)
    found = caught.value
    assert (found.sent, found.timed_out) == (sent, timed_out)
    assert "secret" not in str(found)
    assert found.request_identity


def test_an_operation_that_no_url_can_hold_is_no_answer(odd: Odd) -> None:
    with pytest.raises(NoAnswer) as caught:
        odd.client.poll_instance(INSTANCE, operation="x" * 100_000)
    assert not caught.value.sent


@contextmanager
def listening(play: Callable[[socket.socket], None]) -> Iterator[str]:
    """Play a server for one connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                play(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join(10)


def drip(connection: socket.socket) -> None:
    """Send a long answer so slowly that no single read takes long."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    try:
        for _ in range(400):
            connection.sendall(b" ")
            threading.Event().wait(0.01)
    except OSError:
        pass  # the client has hung up, as it should


def silent(connection: socket.socket) -> None:
    connection.settimeout(10)
    while connection.recv(65536):
        pass


def hang_up(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{")


@pytest.mark.parametrize(("play", "timed_out"), [(drip, True), (silent, True), (hang_up, False)])
def test_a_broker_that_does_not_end_its_answer_has_not_answered(play: Any, timed_out: bool) -> None:
    with listening(play) as url, Client(url, timeout=0.2) as client, pytest.raises(NoAnswer) as caught:
        client.provision(INSTANCE, OFFERING, PLAN)
    assert (caught.value.sent, caught.value.timed_out) == (True, timed_out)


@pytest.mark.parametrize(("play", "timed_out"), [(drip, True), (silent, True), (hang_up, False)])
def test_nor_has_it_for_an_asynchronous_client(play: Any, timed_out: bool) -> None:
    async def provision(url: str) -> None:
        async with AsyncClient(url, timeout=0.2) as client:
            await client.provision(INSTANCE, OFFERING, PLAN)

    with listening(play) as url, pytest.raises(NoAnswer) as caught:
        asyncio.run(provision(url))
    assert (caught.value.sent, caught.value.timed_out) == (True, timed_out)


def test_a_broker_that_is_not_there_was_not_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with Client(f"http://user:secret@127.0.0.1:{port}") as client, pytest.raises(NoAnswer, match="refused") as caught:
        client.catalog()
    assert (caught.value.sent, caught.value.timed_out) == (False, False)
    assert "secret" not in str(caught.value)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def secure(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker that asks for a certificate of the client."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b'{"services": []}'})

    folder = tmp_path_factory.mktemp("certificates")
    ca, certificate = folder / "ca.pem", folder / "server.pem"
    authority.cert_pem.write_to_path(ca)
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(certificate)
    config = uvicorn.Config(
        app,
        log_level="critical",
        lifespan="off",
        ws="none",
        ssl_certfile=certificate,
        ssl_ca_certs=str(ca),
        ssl_cert_reqs=ssl.CERT_REQUIRED,
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        yield f"https://localhost:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.mark.rule("AUTH-09")
def test_certificates_are_checked_on_both_sides(secure: str, authority: trustme.CA, tmp_path: Path) -> None:
    trusted, cert, key = (tmp_path / name for name in ("ca.pem", "cert.pem", "key.pem"))
    authority.cert_pem.write_to_path(trusted)
    issued = authority.issue_cert("client@example.com")
    issued.private_key_pem.write_to_path(key)
    for pem in issued.cert_chain_pems:
        pem.write_to_path(cert, append=True)

    for verify in (trusted, str(trusted), False, ssl.create_default_context(cafile=trusted)):
        with Client(secure, verify=verify, cert=(str(cert), str(key))) as client:
            assert client.catalog().offerings == ()
    with Client(secure, cert=(str(cert), str(key))) as client, pytest.raises(NoAnswer, match="certificate") as caught:
        client.catalog()
    assert not caught.value.sent
    with Client(secure, verify=trusted) as client, pytest.raises(NoAnswer):
        client.catalog()
