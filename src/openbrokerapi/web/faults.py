"""What the log says of an exception that nobody expected: all but what is secret."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from typing import Any

from openbrokerapi.auth import basic_pair
from openbrokerapi.protocol.call import Call
from openbrokerapi.protocol.request import Request

_REDACTED = "[redacted]"
# Shorter values are as likely a part of some word of the traceback as a secret.
_SHORTEST = 4
_AUTHORIZATION = b"authorization"


def scrubbed_traceback(error: BaseException, request: Request, call: Call | None) -> str:
    """Give the traceback of ``error`` with every value of the request's secrets taken out.

    Authors put what they got into the messages of exceptions; parameters, bind resource, context and the authorization
    header must not reach a log that way.
    """
    text = "".join(traceback.format_exception(error))
    # Long values first: one may be a part of another.
    for secret in sorted(_secrets(request, call), key=len, reverse=True):
        text = text.replace(secret, _REDACTED)
    return text


def _secrets(request: Request, call: Call | None) -> set[str]:
    found = set(_authorization(request))
    body = call.body if call is not None else None
    for name in ("parameters", "bind_resource", "context"):
        found.update(_leaves(getattr(body, name, None)))
    return {secret for secret in found if len(secret) >= _SHORTEST}


def _authorization(request: Request) -> Iterator[str]:
    header = request.headers.get(_AUTHORIZATION, b"")
    yield header.decode("latin-1")
    yield header.partition(b" ")[2].decode("latin-1").strip()
    pair = basic_pair(request)
    if pair is not None:
        yield pair.partition(b":")[2].decode(errors="replace")


def _leaves(value: Any) -> Iterator[str]:
    # A list of what is still to be looked at instead of a recursion: the nesting is the sender's choice.
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, (str, int, float)) and not isinstance(value, bool):
            yield from {str(value), repr(value).strip("'\"")}
