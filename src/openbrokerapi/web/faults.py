"""What the log says of an exception that nobody expected: all but what is secret in the request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openbrokerapi.auth import basic_pair
from openbrokerapi.protocol.call import Call
from openbrokerapi.protocol.request import Request
from openbrokerapi.traces import scrubbed

_AUTHORIZATION = b"authorization"


def scrubbed_traceback(error: BaseException, request: Request, call: Call | None) -> str:
    """Give the traceback of ``error`` without any value of the request's secrets.

    Parameters, bind resource, context and the authorization header must not reach a log by the message of an exception.
    """
    return scrubbed(error, _secrets(request, call))


def _secrets(request: Request, call: Call | None) -> Iterator[Any]:
    yield from _authorization(request)
    body = call.body if call is not None else None
    for name in ("parameters", "bind_resource", "context"):
        yield getattr(body, name, None)


def _authorization(request: Request) -> Iterator[str]:
    header = request.headers.get(_AUTHORIZATION, b"")
    yield header.decode("latin-1")
    yield header.partition(b" ")[2].decode("latin-1").strip()
    pair = basic_pair(request)
    if pair is not None:
        yield pair.partition(b":")[2].decode(errors="replace")
