"""A broker on uvicorn, in one process or in several."""

from __future__ import annotations

import logging
import os
import signal
import socket
import ssl
import sys
import threading
from typing import TYPE_CHECKING, Any

import click
import msgspec
import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from openbrokerapi.log_util import basic_config
from openbrokerapi.settings import Settings
from openbrokerapi.web.asgi import create_app
from openbrokerapi.web.uvicorn_http import BrokerProtocol

from .access_log import AccessLog
from .broker_reference import load_broker
from .credentials import authenticator_from
from .managing import handed_over, prepare
from .served import Served, answer_under_prefix, under_prefix
from .start_check import CheckedAtStart, is_async

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

logger = logging.getLogger("openbrokerapi.serve")

# How the supervisor tells its workers what to serve. Secrets are not in it: each reads them where the first one did.
_ENVIRONMENT = "OPENBROKER_SERVING"


class Serving(msgspec.Struct, frozen=True, kw_only=True):
    """What ``openbroker serve`` was told."""

    reference: str
    host: str
    port: int
    workers: int
    grace: float
    log_level: str
    access_log: bool
    prefix: str
    credentials_file: str | None
    no_auth: bool
    tls_certificate: str | None
    tls_key: str | None
    tls_client_ca: str | None
    body_limit: int
    threads: int
    minimum_version: tuple[int, int]
    missing_version_status: int

    def settings(self) -> Settings:
        """Give the application's settings."""
        return Settings(
            minimum_version=self.minimum_version,
            missing_version_status=self.missing_version_status,
            body_limit=self.body_limit,
            threads=self.threads,
        )

    def address(self, port: int) -> str:
        """Give the URL of the broker."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls_certificate else 'http'}://{host}:{port}{self.prefix}"


def application(serving: Serving, broker: Any) -> Served:
    """Make the ASGI application."""
    authenticator = authenticator_from(serving.credentials_file, allow_none=serving.no_auth)
    made = create_app(broker, authenticator=authenticator, settings=serving.settings())
    app: Any = CheckedAtStart(made, broker) if is_async(broker) else made
    answer: Any = made.answer
    if serving.prefix:
        app, answer = under_prefix(app, serving.prefix), answer_under_prefix(answer, serving.prefix)
    if serving.access_log:
        app = AccessLog(app, answer, logger)
        answer = app.answer
    return Served(app, answer, made.life)


_REFUSED = 2


def worker() -> Any:
    """Make the ASGI application of a worker process, by what its supervisor wrote into the environment."""
    serving = msgspec.json.decode(os.environ[_ENVIRONMENT], type=Serving)
    configure_logging(serving.log_level)
    try:
        broker = load_broker(serving.reference)
        prepare(broker, handed_over(), processes=serving.workers, reference=serving.reference)
        return application(serving, broker)
    except click.ClickException as error:
        logger.error("a worker cannot start: %s", error.message)  # noqa: TRY400 - it is a sentence for the operator
        # With this code the supervisor ends, instead of starting one worker after the other.
        sys.exit(STARTUP_FAILURE)


def configure_logging(level: str) -> None:
    """Write log lines to standard error, each with its request's identity."""
    if not logging.root.handlers:
        basic_config(level=getattr(logging, level.upper()))
    # Several lines for each job, and the operations' own events say more.
    logging.getLogger("procrastinate").setLevel(logging.WARNING)


def run(serving: Serving, app: Any, announce: Callable[[int], None]) -> None:
    """Serve until a signal, then answer what is under way, within ``grace`` seconds.

    Args:
        announce: Told the port, once the socket is there.

    Raises:
        OSError: The address cannot be had.
    """
    listening = _listen(serving.host, serving.port)
    announce(listening.getsockname()[1])
    # uvicorn raises the signal again once it has stopped; to have stopped in good order is no failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stopped)
    if serving.workers > 1:
        os.environ[_ENVIRONMENT] = msgspec.json.encode(serving).decode()
        config = _config(serving, "openbrokerapi.cli.serving:worker", factory=True)
        supervisor = Multiprocess(config, sockets=[listening])
        supervisor.run()
        failed = any(each.process.exitcode == STARTUP_FAILURE for each in supervisor.processes)
    else:
        failed = _run_here(uvicorn.Server(_config(serving, app, factory=False)), listening)
    _leave(_REFUSED if failed else 0)


def _run_here(server: uvicorn.Server, listening: socket.socket) -> bool:
    try:
        server.run([listening])
    except SystemExit:  # how uvicorn says that the application did not start; the reason is logged
        return True
    return not server.started


def _config(serving: Serving, app: Any, *, factory: bool) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        factory=factory,
        workers=serving.workers,
        ssl_certfile=serving.tls_certificate,
        ssl_keyfile=serving.tls_key,
        ssl_ca_certs=serving.tls_client_ca,
        ssl_cert_reqs=ssl.CERT_REQUIRED if serving.tls_client_ca else ssl.CERT_NONE,
        timeout_graceful_shutdown=serving.grace,  # type: ignore[arg-type]  # seconds; a part of one is taken, too
        log_config=None,
        log_level="warning",
        access_log=False,
        http=BrokerProtocol,
        ws="none",
        # Nothing here looks at who the client is.
        proxy_headers=False,
        server_header=False,
    )


def check_tls(serving: Serving) -> None:
    """Load the files of TLS once, so that what is wrong with them is said at the start.

    Raises:
        OSError: One of them is not what it should be.
    """
    if serving.tls_certificate is None:
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(serving.tls_certificate, serving.tls_key, password=lambda: "")
    if serving.tls_client_ca is not None:
        context.load_verify_locations(serving.tls_client_ca)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family, backlog=2048)
    listening.set_inheritable(True)
    return listening


def _stopped(number: int, frame: FrameType | None) -> None:
    """Do nothing: uvicorn has stopped already."""


def _leave(code: int) -> None:
    left = [thread for thread in threading.enumerate() if thread.name.startswith("openbrokerapi-") and _busy(thread)]
    if left:
        logger.warning("left behind: %s of the broker not done in time", _counted(len(left)))
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    # A thread that still waits for something would keep the process for as long.
    os._exit(code)


def _counted(calls: int) -> str:
    return "1 call" if calls == 1 else f"{calls} calls"


def _busy(thread: threading.Thread) -> bool:
    frame = sys._current_frames().get(thread.ident or 0)  # noqa: SLF001 - the only way to ask
    return frame is not None and "concurrent" not in frame.f_code.co_filename
