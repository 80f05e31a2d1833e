"""What both clients share: how a request is put together for httpx2, and how its answer is taken."""

from __future__ import annotations

import json
import random
import ssl
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any

import httpx2

from .address import Address, OriginatingIdentity, headers_of
from .catalog import Catalog
from .conversation import Ask, Conversation
from .errors import NoAnswer
from .reading import Call
from .request import Request, Response

API_VERSION = "2.17"
#: What a platform typically waits for an answer, in seconds (section "Orphan Mitigation").
TIMEOUT = 60.0
MAXIMUM_BODY = 16 * 1024 * 1024
_NOT_MODIFIED = 304

Verify = bool | str | Path | ssl.SSLContext


def new_id() -> str:
    """Make a GUID (RID-06)."""
    return str(uuid.uuid4())


@dataclass
class CatalogCache:
    """The catalog that came last, to ask only whether it has changed (section "Catalog Management")."""

    known: Catalog | None = None

    def fetch(self, call: Call[Catalog]) -> Conversation[Catalog]:
        """Fetch the catalog; give the known one if the broker says that it has not changed."""
        known = self.known
        validators = {} if known is None else _validators(known)
        response: Response = yield replace(call.request, headers=validators)
        if response.status == _NOT_MODIFIED and known is not None and validators:
            return known
        headers = response.headers
        self.known = replace(call.read(response), etag=headers.get("etag"), last_modified=headers.get("last-modified"))
        return self.known


def _validators(known: Catalog) -> dict[str, str]:
    given = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    return {name: value for name, value in given.items() if value}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a client knows of itself besides its connections.

    Attributes:
        address: Where the broker is, and the credentials.
        api_version: The value of ``X-Broker-API-Version``; None sends none.
        identity: The user on whose behalf it acts, or None.
        timeout: Seconds to wait for an answer; None for no end.
        maximum_body: Bytes that are read of an answer.
        clock: Seconds of a clock that never goes back.
        wall: Seconds since 1970.
        chance: A number from 0 up to, but without, 1.
        ids: Makes globally unique ids.
    """

    address: Address
    api_version: str | None = API_VERSION
    identity: OriginatingIdentity | None = None
    timeout: float | None = TIMEOUT
    maximum_body: int = MAXIMUM_BODY
    clock: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    chance: Callable[[], float] = random.random
    ids: Callable[[], str] = new_id
    cache: CatalogCache = field(default_factory=CatalogCache, repr=False)

    def __post_init__(self) -> None:
        try:
            httpx2.URL(self.address.shown)
        except httpx2.InvalidURL:
            raise ValueError("the address of the broker has a host or a path that cannot be sent") from None

    def told(self, asked: Ask) -> float | str:
        """Answer what a conversation asks."""
        sources: dict[Ask, Callable[[], float | str]] = {
            Ask.TIME: self.clock,
            Ask.DATE: self.wall,
            Ask.CHANCE: self.chance,
            Ask.ID: self.ids,
        }
        return sources[asked]()

    def outgoing(self, request: Request) -> Outgoing:
        """Begin to send a request."""
        identity = self.ids()
        headers = headers_of(
            request,
            address=self.address,
            api_version=self.api_version,
            identity=self.identity,
            request_identity=identity,
        )
        return Outgoing(self, request, headers, identity, self.clock())


class Outgoing:
    """One request on its way; collects the answer, and turns what goes wrong into `NoAnswer`.

    Args:
        settings: Those of the client.
        request: What is sent.
        headers: Its headers.
        identity: Its request identity.
        started: When it was begun, by the client's clock.
    """

    def __init__(
        self, settings: Settings, request: Request, headers: Mapping[str, str], identity: str, started: float
    ) -> None:
        self._settings = settings
        self._request = request
        self._identity = identity
        self._started = started
        self._chunks: list[bytes] = []
        self._size = 0
        self.arguments: dict[str, Any] = {
            "method": request.method,
            "url": settings.address.shown + request.target,
            "headers": dict(headers),
        }
        if request.body is not None:
            self.arguments["content"] = json.dumps(request.body, allow_nan=False).encode()

    def take(self, chunk: bytes) -> bool:
        """Take a part of the body; tell whether to read on.

        Raises:
            NoAnswer: the time is over.
        """
        self._size += len(chunk)
        if self._size > self._settings.maximum_body:
            return False
        limit = self._settings.timeout
        # The client library limits each wait for a byte; this limits a broker that sends a byte at a time.
        if limit is not None and self._settings.clock() - self._started > limit:
            raise self.overdue()
        self._chunks.append(chunk)
        return True

    def answered(self, status: int, headers: httpx2.Headers, *, readable: bool = True) -> Response:
        """Give the answer; without its body if that is too large, or cannot be decoded."""
        whole = readable and self._size <= self._settings.maximum_body
        return Response(
            status=status,
            headers={name.lower(): value for name, value in headers.items()},
            body=b"".join(self._chunks) if whole else None,
            request_identity=self._identity,
            received_at=self._settings.wall(),
        )

    def overdue(self) -> NoAnswer:
        """Make the error that the time is over."""
        return self._no_answer(f"did not answer within {self._settings.timeout:g} s", sent=True, timed_out=True)

    def failed(self, error: httpx2.HTTPError | httpx2.InvalidURL) -> NoAnswer:
        """Make the error that a failure of the connection is."""
        sent = not isinstance(error, _BEFORE_SENDING)
        if isinstance(error, httpx2.TimeoutException):
            return self.overdue() if sent else self._no_answer("was not reached in time", sent=False, timed_out=True)
        what = "broke the connection" if sent else "was not reached"
        # Only this one's text is about the connection alone: others quote what was sent or received.
        why = f": {error}" if isinstance(error, httpx2.ConnectError) else ""
        return self._no_answer(f"{what} ({type(error).__name__}{why})", sent=sent, timed_out=False)

    def _no_answer(self, what: str, *, sent: bool, timed_out: bool) -> NoAnswer:
        return NoAnswer(
            f"{self._request.endpoint.value}: the broker at {self._settings.address.shown} {what}",
            endpoint=self._request.endpoint,
            request_identity=self._identity,
            sent=sent,
            timed_out=timed_out,
        )


_BEFORE_SENDING = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
    httpx2.LocalProtocolError,
    httpx2.InvalidURL,  # an operation so long that no URL can hold it
)


def connection_arguments(
    timeout: float | None, transport: Any, verify: Verify, cert: tuple[str, str] | None, proxy: str | None
) -> dict[str, Any]:
    """Give what an httpx2 client is made with."""
    arguments: dict[str, Any] = {
        "timeout": timeout,
        "follow_redirects": False,  # the credentials are for this host alone
        "trust_env": False,  # what the environment says of proxies and certificates is an argument here
        # A broker has no session with a platform, nor one user's with another's.
        "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    }
    if transport is not None:
        return {**arguments, "transport": transport}
    return {**arguments, "verify": _context(verify, cert), "proxy": proxy}


def _context(verify: Verify, cert: tuple[str, str] | None) -> ssl.SSLContext:
    if isinstance(verify, str | Path):
        context = ssl.create_default_context(cafile=str(verify))
    else:
        context = httpx2.create_ssl_context(verify=verify, trust_env=False)
    if cert is not None:
        context.load_cert_chain(*cert)
    return context
