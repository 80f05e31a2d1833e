"""Requests as bytes, and answers as they come over a socket: what is verified is what is measured."""

from __future__ import annotations

import base64
import json
import socket
from dataclasses import dataclass
from typing import Any

from bench.brokers import PASSWORD, USERNAME

HOST = "127.0.0.1"
TIMEOUT = 30  # seconds
_END_OF_HEAD = b"\r\n\r\n"
_BODILESS = 304
_BASIC = "Basic " + base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
_HEADERS = {"Host": HOST, "Accept": "application/json", "Authorization": _BASIC, "X-Broker-API-Version": "2.17"}


class WrongAnswer(Exception):  # noqa: N818 - it says what was found
    """A server did not answer what it has to; nothing that it was measured with counts."""


@dataclass(frozen=True)
class Answer:
    """One answer.

    Attributes:
        size: Bytes of all of it, head and body.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    size: int

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def raw_request(method: str, target: str, body: Any = None, headers: dict[str, str | None] | None = None) -> bytes:
    """Write a request with credentials and version; a header that is None is left out."""
    content = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
    fields: dict[str, str | None] = dict(_HEADERS)
    if body is not None:
        fields |= {"Content-Type": "application/json", "Content-Length": str(len(content))}
    fields |= headers or {}
    lines = [
        f"{method} {target} HTTP/1.1",
        *(f"{name}: {value}" for name, value in fields.items() if value is not None),
    ]
    return "\r\n".join(lines).encode() + _END_OF_HEAD + content


class Client:
    """One connection, kept alive for as long as the server keeps it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def send(self, raw: bytes) -> Answer:
        """Send a request, and wait for its answer."""
        if self._socket is None:
            self._socket = socket.create_connection((HOST, self._port), TIMEOUT)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(raw)
        answer = _receive(self._socket)
        if answer.headers.get("connection", "").lower() == "close":
            self.close()
        return answer

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def send(port: int, raw: bytes) -> Answer:
    """Send one request on a connection of its own."""
    client = Client(port)
    try:
        return client.send(raw)
    finally:
        client.close()


def _receive(connection: socket.socket) -> Answer:
    received = b""
    while _END_OF_HEAD not in received:
        received += _more(connection)
    head, _, body = received.partition(_END_OF_HEAD)
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    status = int(first.split()[1])
    length = 0 if status == _BODILESS else int(headers["content-length"])
    parts, missing = [body], length - len(body)
    while missing > 0:
        parts.append(_more(connection))
        missing -= len(parts[-1])
    return Answer(status, headers, b"".join(parts), len(head) + len(_END_OF_HEAD) + length)


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(1 << 18)
    if not data:
        raise ConnectionError("the server closed the connection before its answer was complete")
    return data
