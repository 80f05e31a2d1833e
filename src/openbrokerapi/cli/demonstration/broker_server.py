"""The example broker, served over HTTP by uvicorn in a thread of this process."""

from __future__ import annotations

import importlib.util
import secrets
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn

import openbrokerapi
from openbrokerapi.auth import BrokerCredentials
from openbrokerapi.web.asgi import create_app

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

EXAMPLE = Path("examples", "postgres_broker.py")
START_SECONDS = 30
STOP_SECONDS = 10


class BrokerServerError(RuntimeError):
    """The broker cannot be loaded or served; the text says why."""


class BrokerServer:
    """Serve a broker on 127.0.0.1, on a free port and with random credentials, as long as the ``with`` block lasts.

    Args:
        broker: Any broker that ``create_app`` takes.

    Raises:
        BrokerServerError: it does not answer within 30 s.
    """

    def __init__(self, broker: Any) -> None:
        self.username = "platform"
        self.password = secrets.token_urlsafe(18)
        application: Any = create_app(broker, BrokerCredentials(self.username, self.password))
        # No access log: the demonstration shows each request itself.
        config = uvicorn.Config(application, log_level="error", access_log=False, timeout_graceful_shutdown=2)
        self._server = uvicorn.Server(config)
        self._socket = socket.socket()
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)

    @property
    def url(self) -> str:
        """The base URL, without credentials."""
        host, port = self._socket.getsockname()
        return f"http://{host}:{port}"

    def __enter__(self) -> Self:
        self._socket.bind(("127.0.0.1", 0))
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                self._stop()
                raise BrokerServerError("The broker's server did not start; see the messages above")
            time.sleep(0.005)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(STOP_SECONDS)
        self._socket.close()


def find_example() -> Path:
    """Find the example: in the installed package, else in the checkout that this file belongs to."""
    package = Path(openbrokerapi.__file__).parent
    for folder in (package, package.parent.parent):
        if (folder / EXAMPLE).is_file():
            return folder / EXAMPLE
    raise BrokerServerError(f"{EXAMPLE} is neither in the installed package nor in a checkout around it")


def load_broker(file: Path, url: str) -> Any:
    """Import the file and build its PostgresBroker for the PostgreSQL at the URL, with a new secret.

    Raises:
        BrokerServerError: the file has no PostgresBroker. What the file itself raises passes through.
    """
    specification = importlib.util.spec_from_file_location(file.stem, file)
    if specification is None or specification.loader is None:
        raise BrokerServerError(f"{file} is no Python file")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    if not hasattr(module, "PostgresBroker"):
        raise BrokerServerError(f"{file} has no class PostgresBroker")
    return module.PostgresBroker(url, secrets.token_urlsafe(32))
