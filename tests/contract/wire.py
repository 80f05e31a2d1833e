"""Requests that no HTTP client would send: bytes straight to the socket, and what comes back read as HTTP."""

from __future__ import annotations

import http.client
import io
import socket
from contextlib import suppress
from typing import Any

from tests.contract.hosts import Answer, Platform


class _Received:
    """What `http.client` wants of a socket, over bytes that are here already."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def makefile(self, *_: Any, **__: Any) -> io.BytesIO:
        return io.BytesIO(self._raw)


def head(platform: Platform, method: bytes, target: bytes, *lines: bytes) -> bytes:
    """Write a request's head with the platform's own headers and `lines` of the test's."""
    own = {**platform.headers, **platform.authorization(), "Host": "broker", "Connection": "close"}
    written = [f"{name}: {value}".encode() for name, value in own.items()]
    return b"\r\n".join((b"%s %s HTTP/1.1" % (method, target), *written, *lines, b"", b""))


def exchange(platform: Platform, raw: bytes, *, half_close: bool = False) -> Answer | None:
    """Send `raw` and read the answer; None where the server closed the connection without one.

    With `half_close` the server is told that nothing more will come.
    """
    with socket.create_connection(("127.0.0.1", platform.port), timeout=30) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):  # it has answered without reading to the end
            connection.sendall(raw)
        if half_close:
            with suppress(OSError):  # it has closed the connection by itself
                connection.shutdown(socket.SHUT_WR)
        received = _all(connection)
    if not received:
        return None
    response = http.client.HTTPResponse(_Received(received))  # type: ignore[arg-type]  # not a whole socket
    response.begin()
    return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())


def _all(connection: socket.socket) -> bytes:
    parts = []
    with suppress(ConnectionResetError):
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)
