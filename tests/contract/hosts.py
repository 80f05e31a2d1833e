"""Real servers for the hosts, each started once; the application behind it changes from test to test."""

from __future__ import annotations

import base64
import http.client
import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import flask
import uvicorn
from werkzeug.serving import WSGIRequestHandler, make_server

from openbrokerapi.auth import BrokerCredentials
from openbrokerapi.web import asgi, wsgi
from openbrokerapi.web.flask import get_blueprint
from openbrokerapi.web.uvicorn_http import BrokerProtocol

CREDENTIALS = BrokerCredentials("platform", "s3cret-of-the-platform")
VERSION = "2.17"


class Switch:
    """What the server calls; what is behind it changes."""

    def __init__(self) -> None:
        self.app: Any = None


@dataclass
class Answer:
    """What came back over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Platform:
    """Plays the platform against one server; sends exactly what it is told to, byte for byte."""

    port: int
    prefix: str = ""
    username: str | None = CREDENTIALS.username
    password: str = CREDENTIALS.password
    headers: dict[str, str] = field(default_factory=lambda: {"X-Broker-API-Version": VERSION})

    def send(
        self,
        method: str,
        target: str,
        body: Any = None,
        headers: dict[str, str | None] | None = None,
        query: dict[str, str] | None = None,
    ) -> Answer:
        """Send one request. `body` is sent as JSON unless it is bytes; a header that is None is left out."""
        sent: dict[str, str | None] = {**self.headers, **self.authorization()}
        raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if raw is not None:
            sent["Content-Type"] = "application/json"
        for name, value in (headers or {}).items():
            for known in [each for each in sent if each.lower() == name.lower()]:
                del sent[known]
            sent[name] = value
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.putrequest(method, self.prefix + target + (f"?{urlencode(query)}" if query else ""))
            for name, value in sent.items():
                if value is not None:
                    connection.putheader(name, value)
            if raw is not None:
                connection.putheader("Content-Length", str(len(raw)))
            connection.endheaders(raw)
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def authorization(self) -> dict[str, str]:
        if self.username is None:
            return {}
        pair = f"{self.username}:{self.password}".encode()
        return {"Authorization": "Basic " + base64.b64encode(pair).decode()}


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        pass


@contextmanager
def _uvicorn(switch: Switch) -> Iterator[int]:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await switch.app(scope, receive, send)

    with _running(uvicorn.Config(app, log_level="error", lifespan="off", ws="none")) as port:
        yield port


class _Switched:
    """An application with a short way, if the one behind the switch has it."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._switch.app(scope, receive, send)

    @property
    def answer(self) -> Any:
        return self._switch.app.answer


@contextmanager
def short_way(switch: Switch, **options: Any) -> Iterator[int]:
    """Serve as `openbroker serve` does. The options are those of uvicorn."""
    options = {"log_level": "error", "lifespan": "off", "ws": "none", "proxy_headers": False, **options}
    with _running(uvicorn.Config(_Switched(switch), http=BrokerProtocol, **options)) as port:
        yield port


@contextmanager
def _running(config: uvicorn.Config) -> Iterator[int]:
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join()


@contextmanager
def _werkzeug(switch: Switch) -> Iterator[int]:
    def app(environ: Any, start_response: Any) -> Any:
        return switch.app(environ, start_response)

    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


def _flask_app(broker: Any, credentials: Any, **options: Any) -> flask.Flask:
    app = flask.Flask(__name__)
    logger = options.pop("logger", None) or logging.getLogger("openbrokerapi")
    app.register_blueprint(get_blueprint(broker, credentials, logger, **options))
    return app


@dataclass(frozen=True)
class Host:
    """One way to serve a broker."""

    name: str
    make_app: Callable[..., Any]
    server: Callable[[Switch], Any]


HOSTS = (
    Host("asgi", asgi.create_app, _uvicorn),
    Host("serve", asgi.create_app, short_way),
    Host("wsgi", wsgi.create_app, _werkzeug),
    Host("flask", _flask_app, _werkzeug),
)


class Serving:
    """A running server of one host: hand it a broker, and get a platform that talks to it."""

    def __init__(self, host: Host, switch: Switch, port: int) -> None:
        self.name = host.name
        self._host = host
        self._switch = switch
        self._port = port

    def __call__(self, broker: Any, credentials: Any = CREDENTIALS, **options: Any) -> Platform:
        """Serve `broker` from now on. The options are those of `create_app` and `get_blueprint`."""
        self._switch.app = self._host.make_app(broker, credentials, **options)
        return Platform(self._port)

    def app(self, app: Any) -> Platform:
        """Serve an application of the test's own."""
        self._switch.app = app
        return Platform(self._port)


@contextmanager
def serving(host: Host) -> Iterator[Serving]:
    switch = Switch()
    with host.server(switch) as port:
        yield Serving(host, switch, port)
