"""Make a host of whatever a test has: a broker, a URL, a command."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from openbrokerapi.conformance.wire import Credentials

from .applications import Testable
from .hosts import Host
from .in_process import InProcess
from .over_http import Commanded, Remote, Served


@contextmanager
def hosted(broker: Testable | str | Host, **options: Any) -> Iterator[Host]:
    """Start a broker in this process, or reach one at its address; leave a host as it is.

    Args:
        broker: A `ServiceBroker`, a managed `Broker`, an `Offering` or a list of them, an ASGI or WSGI application, a
            class or a function without arguments that makes one of these, a URL, or a host.
        options: Those of `InProcess`, or of `Remote`.
    """
    if isinstance(broker, InProcess | Remote):
        yield broker
    elif isinstance(broker, str):
        with remote(broker, **options) as host:
            yield host
    else:
        with InProcess(broker, **options) as host:
            yield host


def remote(url: str, *replicas: str, credentials: Credentials | None = None, timeout: float = 60.0) -> Remote:
    """Reach a broker at its address, in whatever language.

    Args:
        url: Its address without ``/v2``; ``user:password@`` may be in it.
        replicas: The addresses of further replicas.
        credentials: What is shown to it, in place of what is in the URL.
        timeout: Seconds to wait for an answer.
    """
    address, found = without_credentials(url)
    others = [without_credentials(each)[0] for each in replicas]
    return Remote(address, *others, credentials=credentials or found, timeout=timeout)


def served(
    broker: Testable | None = None,
    *,
    command: Sequence[str] | None = None,
    url: str | None = None,
    credentials: Credentials | None = None,
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
    **options: Any,
) -> Remote:
    """Serve a broker over HTTP for a ``with`` block: one of this process, or one that a command starts.

    Args:
        broker: A broker of this process, served by uvicorn in a thread.
        command: In its place, a program and its arguments, which serves a broker in whatever language.
        url: Where that will answer, without ``/v2``.
        credentials: What is shown to that.
        cwd: The folder that it runs in.
        environ: Its whole environment; that of this process unless given.
        options: ``store`` and ``settings``, of a broker of this process.

    Raises:
        ValueError: There is neither a broker, nor a command with a URL.
        RuntimeError: It does not start.
    """
    if command is not None and url is not None:
        address, found = without_credentials(url)
        return Commanded(command, address, credentials=credentials or found, cwd=cwd, environ=environ)
    if broker is None:
        raise ValueError("give a broker, or a command and the url where it will answer")
    return Served(broker, **options)


def without_credentials(url: str) -> tuple[str, Credentials]:
    """Take the credentials out of a URL.

    Args:
        url: Such as ``https://user:password@broker.example.com/prefix``.
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    name, password = (unquote(each) if each is not None else None for each in (parts.username, parts.password))
    return urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", "")), Credentials(name, password)
