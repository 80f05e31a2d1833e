"""A small load generator, for machines without wrk: closed loop, kept-alive connections, one process.

It is a program: what to send comes as JSON on standard input, what was counted goes as JSON to standard output.
"""

from __future__ import annotations

import base64
import json
import re
import selectors
import socket
import sys
import time
from itertools import cycle
from typing import Any

_LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\nconnection:\s*close", re.IGNORECASE)
_FIRST_ERROR = 400


class _Connection:
    def __init__(self, load: _Load) -> None:
        self._load = load
        self._buffer = b""
        self._total = 0
        self._open()

    def _open(self) -> None:
        self._socket = socket.create_connection((self._load.host, self._load.port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._load.selector.register(self._socket, selectors.EVENT_READ, self)
        self._socket.sendall(next(self._load.requests))

    def _reopen(self) -> None:
        self._load.selector.unregister(self._socket)
        self._socket.close()
        self._buffer, self._total = b"", 0
        self._open()

    def readable(self) -> None:
        data = self._socket.recv(1 << 18)
        self._load.bytes += len(data)
        self._buffer += data
        if not data:
            self._load.errors += 1
            self._reopen()
        elif self._total == 0:
            self._head()
        if self._total and len(self._buffer) >= self._total:
            self._complete()

    def _head(self) -> None:
        end = self._buffer.find(b"\r\n\r\n")
        if end >= 0:
            found = _LENGTH.search(self._buffer, 0, end)
            self._total = end + 4 + (int(found[1]) if found else 0)

    def _complete(self) -> None:
        self._load.answers += 1
        if int(self._buffer[9:12]) >= _FIRST_ERROR:
            self._load.errors += 1
        if _CLOSES.search(self._buffer, 0, min(self._total, 1000)):
            self._reopen()
        else:
            self._buffer, self._total = b"", 0
            self._socket.sendall(next(self._load.requests))


class _Load:
    def __init__(self, host: str, port: int, requests: list[bytes]) -> None:
        self.host, self.port = host, port
        self.requests = cycle(requests)
        self.selector = selectors.DefaultSelector()
        self.answers = self.bytes = self.errors = 0

    def run(self, connections: int, seconds: float) -> dict[str, Any]:
        started = time.perf_counter()
        for _ in range(connections):
            _Connection(self)
        while time.perf_counter() - started < seconds:
            for key, _ in self.selector.select(0.1):
                key.data.readable()
        taken = time.perf_counter() - started
        return {"answers": self.answers, "seconds": taken, "bytes": self.bytes, "errors": self.errors}


if __name__ == "__main__":
    task = json.load(sys.stdin)
    load = _Load(task["host"], task["port"], [base64.b64decode(each) for each in task["requests"]])
    json.dump(load.run(task["connections"], task["seconds"]), sys.stdout)
