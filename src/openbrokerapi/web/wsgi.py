"""The WSGI host: for gunicorn, uWSGI, waitress or granian."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from openbrokerapi.auth import BrokerCredentials, IdentifiesRequests, authenticator_for
from openbrokerapi.log_util import request_identity
from openbrokerapi.protocol.headers import content_length
from openbrokerapi.protocol.problems import bad_request, too_large
from openbrokerapi.protocol.request import Headers, Request, Response
from openbrokerapi.protocol.urls import below, encoded
from openbrokerapi.settings import Settings

from .exchange import Exchange, Progress
from .health import Health
from .waiting import LoopThread, wait_in_thread

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# Where servers keep the target of the request line: WSGI's own PATH_INFO is decoded, and has lost an encoded slash.
_RAW = ("RAW_URI", "REQUEST_URI")


class BrokerWSGI:
    """A WSGI application that answers for one broker."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.health = Health(exchange)
        self._loop = LoopThread()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request of the server's."""
        request = request_of(environ)
        token = request_identity.set(request.header("X-Broker-API-Request-Identity"))
        try:
            conversation = self.health.conversation(request) or self.exchange.converse(Progress(request))
            response = wait_in_thread(conversation, body_reader(environ), self._loop.wait)
        finally:
            request_identity.reset(token)
        return _started(response, start_response, bodiless=request.method == "HEAD")


def request_of(environ: WSGIEnvironment) -> Request:
    """Read a WSGI environment; the body stays in it."""
    query = environ.get("QUERY_STRING", "").encode("latin-1")
    return Request(environ["REQUEST_METHOD"], _path(environ), query, _headers(environ))


def _path(environ: WSGIEnvironment) -> bytes:
    mount = environ.get("SCRIPT_NAME", "").encode("latin-1")
    for name in _RAW:
        raw = environ.get(name, "")
        if raw:
            path = raw if raw.startswith("/") else urlsplit(raw).path
            found = below(path.partition("?")[0].encode("latin-1", "replace"), mount)
            if found is not None:
                return found
    return encoded(environ.get("PATH_INFO", "").encode("latin-1"))


def _headers(environ: WSGIEnvironment) -> Headers:
    headers = {
        name[5:].replace("_", "-").lower().encode("latin-1"): value.encode("latin-1", "replace")
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if value := environ.get(name):
            headers[name.replace("_", "-").lower().encode()] = value.encode("latin-1", "replace")
    return headers


def _stream(environ: WSGIEnvironment) -> Any:
    stream = environ["wsgi.input"]
    # Flask's own server reads chunks with a raw stream. Where a chunk is shorter than it says, read() of that stream
    # gives whatever lies in memory behind it, and may end the process; a buffer around it refuses.
    return io.BufferedReader(stream) if isinstance(stream, io.RawIOBase) else stream


def body_reader(environ: WSGIEnvironment) -> Callable[[int], bytes]:
    """Give the reader of the request's body, which refuses one that is larger than its limit."""

    def read(limit: int) -> bytes:
        length = content_length(environ.get("CONTENT_LENGTH", "").encode("latin-1", "replace"))
        if length is not None and length > limit:
            raise too_large(limit)
        # Without a length only a server that marks the end of a chunked body can be read to its end.
        if length is None and not environ.get("wsgi.input_terminated"):
            return b""
        try:
            body: bytes = _stream(environ).read(limit + 1 if length is None else length)
        except (OSError, ValueError):  # a broken chunk, or the connection is gone
            raise bad_request("The request body cannot be read.") from None
        if len(body) > limit:
            raise too_large(limit)
        if length is not None and len(body) < length:
            raise bad_request("The request body is not complete.")
        return body

    return read


def header_list(response: Response) -> list[tuple[str, str]]:
    """Give the headers of a response as WSGI wants them."""
    headers = [(name.decode("latin-1").title(), value.decode("latin-1")) for name, value in response.headers]
    if response.status != HTTPStatus.NOT_MODIFIED:
        headers.append(("Content-Length", str(len(response.body))))
    return headers


def _started(response: Response, start_response: StartResponse, *, bodiless: bool) -> list[bytes]:
    start_response(f"{response.status} {HTTPStatus(response.status).phrase}", header_list(response))
    return [] if bodiless or not response.body else [response.body]


def create_app(
    broker: Any,
    credentials: BrokerCredentials | Iterable[BrokerCredentials] | None = None,
    *,
    authenticator: IdentifiesRequests | None = None,
    settings: Settings | None = None,
    logger: logging.Logger | None = None,
) -> BrokerWSGI:
    """Make a WSGI application that answers for ``broker``.

    Args:
        broker: Any object with the methods of :class:`~openbrokerapi.service_broker.ServiceBroker`. Its ``async``
            methods run on one event loop in a thread of its own.
        credentials: One pair or several for basic authentication; None serves without any.
        authenticator: In place of the credentials: an object with ``identify(request)``.
        settings: What this application does differently; see :class:`~openbrokerapi.settings.Settings`.
        logger: Where unexpected errors go; ``openbrokerapi`` by default.

    Raises:
        TypeError: The authenticator is made for Flask only.
    """
    return BrokerWSGI(Exchange(broker, authenticator_for(credentials, authenticator), settings, logger))
