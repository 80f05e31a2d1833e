"""How the client of `openbrokerapi.platform` reaches a broker in the same process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import httpx2

from openbrokerapi.conformance.wire import Answer, Endpoint, Request


class Sends(Protocol):
    """What sends requests, each to a replica."""

    def send(self, *requests: Request, via: Sequence[int] = ()) -> list[Answer | BaseException]:
        """Send them at the same moment; give what came of each."""
        ...


class InProcessTransport(httpx2.BaseTransport):
    """Hands requests over, and gives the answers.

    Args:
        host: Where the broker runs.
    """

    def __init__(self, host: Sends) -> None:
        self._host = host

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request."""
        path, _, query = request.url.raw_path.decode("ascii").partition("?")
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw)
        kept = tuple(pair for pair in headers if pair[0].lower() not in ("host", "content-length"))
        body = request.read() if request.method in ("PUT", "PATCH") else None
        # The endpoint is for reports only; there are none of these requests.
        sent = Request(Endpoint.CATALOG, request.method, path, headers=kept, raw=body, raw_query=query or None)
        (found,) = self._host.send(sent)
        if isinstance(found, Answer):
            return httpx2.Response(found.status, headers=list(found.headers), content=found.body, request=request)
        raise httpx2.ReadError(str(found), request=request)
