"""A broker over HTTP that answers as the test says."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.platform.odd import catalog, kind_of


@dataclass(frozen=True)
class Sent:
    """A request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    json: Any


Answer = tuple[int, Any] | Callable[[], tuple[int, Any]]


class Scripted(http.server.ThreadingHTTPServer):
    """Gives its answers in order, by method and the end of the path; the last one again and again."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.sent: list[Sent] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self._answers: dict[str, list[Answer]] = {"GET /v2/catalog": [(200, catalog())]}

    def answers(self, what: str, *answers: Answer) -> None:
        """Say how it answers, such as to ``PUT instance`` or ``GET binding poll``."""
        self._answers[what] = list(answers)

    def requests(self, what: str) -> list[Sent]:
        return [sent for sent in self.sent if f"{sent.method} {kind_of(sent.target)}" == what]

    def answer(self, sent: Sent) -> tuple[int, Any]:
        self.sent.append(sent)
        answers = self._answers[f"{sent.method} {kind_of(sent.target)}"]
        chosen = answers.pop(0) if len(answers) > 1 else answers[0]
        return chosen() if callable(chosen) else chosen


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Scripted

    def _take(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, body = self.server.answer(Sent(self.command, self.path, headers, json.loads(raw) if raw else None))
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_PATCH = do_DELETE = _take  # noqa: N815 - its names there

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""


@contextmanager
def scripted() -> Iterator[Scripted]:
    with Scripted() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
