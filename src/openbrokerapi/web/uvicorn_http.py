"""The HTTP side of ``openbroker serve``: uvicorn's, with a short way for requests that arrive whole.

Nearly every request arrives in one piece, on a connection where nothing else is under way. It goes to the application
as a :class:`~openbrokerapi.protocol.request.Request`, and its response goes out in one write, without the messages of
ASGI in between. Whatever is not so plain goes uvicorn's way, as an ASGI scope to the same application: a body in
several pieces or in chunks, ``Expect``, an upgrade, a request sent ahead of an answer that takes time, a client that
does not read.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from contextvars import copy_context
from typing import Any, TypeAlias

import httptools
from uvicorn.protocols.http.httptools_impl import HEADER_RE, HEADER_VALUE_RE, HttpToolsProtocol

from openbrokerapi.protocol.problems import UNEXPECTED, too_large
from openbrokerapi.protocol.rendering import JSON_ONLY, render_problem
from openbrokerapi.protocol.request import Request, Response

from .at_once import begin
from .outbox import Outbox

Answer: TypeAlias = Callable[[Request, Callable[[int], Coroutine[Any, Any, bytes]]], Coroutine[Any, Any, Response]]

# The bytes of a target that needs no second look: all that can be seen but the one that begins a fragment.
_PLAIN = bytes(range(0x21, 0x7F)).replace(b"#", b"")
_JSON_LINE = b"content-type: application/json\r\n"
_MOST_UNSENT = 65_536  # bytes of one connection
_BODILESS = 304
_INVALID = "Invalid HTTP request received."


class _NoEvent:
    """In place of what wakes an ASGI application: nobody waits for a part of a request that is there."""

    def set(self) -> None:
        """Wake nobody."""


class _Whole:
    """A request on the short way, with the attributes that uvicorn looks at in its own cycles."""

    __slots__ = ("body", "disconnected", "keep_alive", "method", "response_complete")
    message_event = _NoEvent()

    def __init__(self, method: str, body: bytes, *, keep_alive: bool) -> None:
        self.method = method
        self.keep_alive = keep_alive
        self.body = body
        self.response_complete = False
        self.disconnected = False

    async def read_body(self, limit: int) -> bytes:
        """Give the body.

        Raises:
            Refusal: 413, it has more than ``limit`` bytes.
        """
        if len(self.body) > limit:
            raise too_large(limit)
        return self.body


def _lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    for name, value in headers:
        if HEADER_RE.search(name) or HEADER_VALUE_RE.search(value):
            raise ValueError("a header of the response cannot be sent")
    return b"".join([b"%b: %b\r\n" % header for header in headers])


class BrokerProtocol(HttpToolsProtocol):
    """One connection to an application that has a coroutine method ``answer(request, read_body)``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._answer: Answer = getattr(self.app, "answer", None)  # type: ignore[assignment]  # None: never called
        self._has_short_way = self._answer is not None and self.limit_concurrency is None
        self._outbox = Outbox.of(self.loop)
        self._context = copy_context()
        self._unsent: list[bytes] = []
        self._fields: dict[bytes, bytes] = {}
        #: The body so far of a request whose head is there; None where there is none, or it goes the long way.
        self._arriving: bytes | None = None
        self._idle_since: float | None = None

    # What arrives

    def data_received(self, data: bytes) -> None:
        """Take what has arrived, and answer what has arrived whole."""
        self._idle_since = None
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self._arriving = None
            self.send_out()
            self.logger.warning(_INVALID)
            self.send_400_response(_INVALID)
        except httptools.HttpParserUpgrade:
            self._unsupported_upgrade_warning()
        else:
            if self._arriving is not None:
                self._take_the_long_way(self._arriving)

    def on_message_begin(self) -> None:
        """Begin a request."""
        self.url = b""
        self.headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Choose the way."""
        before: Any = self.cycle
        busy = before is not None and not before.response_complete
        if before is not None and not (busy or before.keep_alive):
            return  # the connection is at its end; what follows on it is not looked at
        if busy or self.flow.write_paused or not self._is_plain():
            self._start_long_way()
        else:
            self._arriving = b""

    def _is_plain(self) -> bool:
        fields = self._fields = dict(self.headers)
        url = self.url
        return (
            self._has_short_way
            and url[:1] == b"/"
            and not url.translate(None, _PLAIN)
            and b"expect" not in fields
            and b"transfer-encoding" not in fields
            and not self.parser.should_upgrade()
        )

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        if self._arriving is None:
            super().on_body(body)
        else:
            self._arriving += body

    def on_message_complete(self) -> None:
        """Answer a request that has arrived whole."""
        body = self._arriving
        if body is None:
            super().on_message_complete()
            return
        self._arriving = None
        method = self.parser.get_method().decode("ascii")
        cycle = _Whole(method, body, keep_alive=self._stays_open())
        self.cycle = cycle  # type: ignore[assignment]  # it has the attributes that are looked at
        path, _, query = self.url.partition(b"?")
        task = begin(self.loop, self._converse(cycle, Request(method, path, query, self._fields)))
        if task is not None:
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    def _stays_open(self) -> bool:
        if not self.parser.should_keep_alive():
            return False
        # As uvicorn does it, a connection of HTTP/1.0 is closed even if the client asks for more.
        return b"connection" not in self._fields or self.parser.get_http_version() != "1.0"

    # The long way

    def _take_the_long_way(self, body: bytes) -> None:
        self._arriving = None
        self._start_long_way()
        if body:
            super().on_body(body)

    def _start_long_way(self) -> None:
        url, headers = self.url, self.headers
        super().on_message_begin()
        self.url = url
        for name, value in headers:
            super().on_header(name, value)
        super().on_headers_complete()

    # The short way

    async def _converse(self, cycle: _Whole, request: Request) -> None:
        try:
            written, rest = self._written(cycle, await self._answer(request, cycle.read_body))
        except BaseException:
            self.logger.exception("Exception in the application")
            cycle.keep_alive = False
            written, rest = self._written(cycle, render_problem(None, UNEXPECTED))
        cycle.response_complete = True
        if not cycle.disconnected:
            self._send(written, rest, at_once=not cycle.keep_alive)
        self.on_response_complete()

    def _written(self, cycle: _Whole, response: Response) -> tuple[bytes, bytes]:
        """Give what is written, and the body apart where to copy it would cost more than a second write."""
        status, headers, body = response
        start = self._outbox.start(status, self.server_state.default_headers)
        fields = _JSON_LINE if headers is JSON_ONLY else _lines(headers)
        length = b"" if status == _BODILESS else b"content-length: %d\r\n" % len(body)
        end = b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n"
        sent = body if cycle.method != "HEAD" else b""
        if len(sent) > _MOST_UNSENT:
            return b"".join((start, fields, length, end)), sent
        return b"".join((start, fields, length, end, sent)), b""

    def _send(self, written: bytes, rest: bytes, *, at_once: bool) -> None:
        self._unsent.append(written)
        if at_once or rest or len(self._unsent) > 1:
            self.send_out()
            if rest and not self.transport.is_closing():
                self.transport.write(rest)
            if at_once:
                self.transport.close()
        else:
            self._outbox.put(self, self.loop)

    def send_out(self) -> None:
        """Write the responses that wait for the end of the loop's round."""
        written, self._unsent = self._unsent, []
        if written and not self.transport.is_closing():
            self.transport.write(b"".join(written))

    # The connection

    def on_response_complete(self) -> None:
        """Go on with the next request, or wait for one."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self.send_out()
            # Not in the context of the request that is answered here.
            self._context.copy().run(self._start_asgi_task, *self.pipeline.pop())
            return
        # One timer for as long as the connection lives, in place of one after each response.
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._look_again_in(self.timeout_keep_alive)

    def _look_again_in(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection, if nothing came on it for as long as that."""
        self.timeout_keep_alive_task = None
        if self._idle_since is None:
            return
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._look_again_in(left)
        else:
            super().timeout_keep_alive_handler()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget what can no longer be sent."""
        self._unsent.clear()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """End once what is under way is answered."""
        self.send_out()
        super().shutdown()
