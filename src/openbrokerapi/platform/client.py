"""The blocking client: the ten endpoints of any broker, and what a platform does around them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2

from . import calls, orphans, polling
from .address import OriginatingIdentity, read_address
from .catalog import Catalog
from .conversation import Conversation, Pause, Step, Work, conversation_of
from .driving import blocking, blocking_method
from .errors import NoAnswer
from .request import Request, Response
from .settings import API_VERSION, MAXIMUM_BODY, TIMEOUT, Settings, Verify, connection_arguments, new_id

T = TypeVar("T")


class Client:
    """Speak to a broker as a platform does.

    Several threads may use one client. It never follows a redirect, reads no environment, and keeps no cookie.

    Args:
        url: The broker's address without ``/v2``; a prefix and ``user:password@`` may be in it.
        username: The name for basic authentication.
        password: The password for basic authentication.
        token: A bearer token, instead of both.
        verify: Whether to check the broker's certificate; or the path of a file with the certificates to trust; or a
            whole context.
        cert: Paths of the client's certificate and key, where the broker asks for one.
        api_version: The value of ``X-Broker-API-Version``; None sends none, which only a test wants.
        originating_identity: On whose behalf the requests are: an `OriginatingIdentity`, or
            ``{"platform": ..., "value": {...}}``.
        timeout: Seconds to wait for an answer; None for no end.
        transport: An httpx2 transport, such as ``WSGITransport(app)`` for a broker in the same process.
        proxy: The URL of a proxy, or None.
        maximum_body: Bytes that are read of an answer; a longer one counts as malformed.
        clock: Seconds of a clock that never goes back.
        wall: Seconds since 1970, for dates in ``Retry-After``.
        sleep: Waits for some seconds.
        chance: A number from 0 up to, but without, 1.
        ids: Makes globally unique ids; each request's identity is one.

    Raises:
        ValueError: an argument is not usable; the message shows no credentials.
    """

    def __init__(
        self,
        url: str,
        *,
        username: str | None = None,
        password: str | None = None,
        token: str | None = None,
        verify: Verify = True,
        cert: tuple[str, str] | None = None,
        api_version: str | None = API_VERSION,
        originating_identity: OriginatingIdentity | Mapping[str, Any] | None = None,
        timeout: float | None = TIMEOUT,
        transport: httpx2.BaseTransport | None = None,
        proxy: str | None = None,
        maximum_body: int = MAXIMUM_BODY,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
        chance: Callable[[], float] = random.random,
        ids: Callable[[], str] = new_id,
    ) -> None:
        self._settings = Settings(
            address=read_address(url, username, password, token),
            api_version=api_version,
            identity=OriginatingIdentity.of(originating_identity),
            timeout=timeout,
            maximum_body=maximum_body,
            clock=clock,
            wall=wall,
            chance=chance,
            ids=ids,
        )
        self._sleep = sleep
        self._http = httpx2.Client(**connection_arguments(timeout, transport, verify, cert, proxy))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._settings.address.shown!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def acting_as(self, originating_identity: OriginatingIdentity | Mapping[str, Any] | None) -> Self:
        """Give a client on behalf of another user, on the same connections; closing one closes both (OID-08).

        Args:
            originating_identity: The user, or None for nobody.
        """
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._settings = replace(self._settings, identity=OriginatingIdentity.of(originating_identity))
        return other

    def exchange(self, request: Request) -> Response:
        """Send one request as it is, and give the answer as it came, whatever its status.

        Args:
            request: What to send; made by hand, or taken from a `Call` such as ``calls.provision(...).request``.

        Raises:
            NoAnswer: the broker did not answer.
        """
        outgoing = self._settings.outgoing(request)
        try:
            with self._http.stream(**outgoing.arguments) as response:
                try:
                    all(map(outgoing.take, response.iter_bytes()))  # until it is told not to read on
                except httpx2.DecodingError:
                    return outgoing.answered(response.status_code, response.headers, readable=False)
                return outgoing.answered(response.status_code, response.headers)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise outgoing.failed(error) from None

    def run(self, work: Work[T]) -> T:
        """Run a call or a conversation to its end, and give its result.

        Raises:
            PlatformError: what went wrong.
        """
        conversation = conversation_of(work)
        advance: Callable[[], Step] = partial(next, conversation)
        while True:
            try:
                step = advance()
            except StopIteration as end:
                result: T = end.value
                return result
            advance = self._take(conversation, step)

    def _take(self, conversation: Conversation[T], step: Step) -> Callable[[], Step]:
        if isinstance(step, Pause):
            self._sleep(step.seconds)
            return partial(conversation.send, None)
        if isinstance(step, Request):
            try:
                return partial(conversation.send, self.exchange(step))
            except NoAnswer as error:
                return partial(conversation.throw, error)
        return partial(conversation.send, self._settings.told(step))

    def fetching_catalog(self) -> Conversation[Catalog]:
        """Fetch the catalog; a second time only if it has changed (``ETag``, ``Last-Modified``)."""
        return self._settings.cache.fetch(calls.catalog())

    catalog = blocking_method(fetching_catalog)
    provision = blocking(calls.provision)
    update = blocking(calls.update)
    deprovision = blocking(calls.deprovision)
    fetch_instance = blocking(calls.fetch_instance)
    poll_instance = blocking(calls.poll_instance)
    bind = blocking(calls.bind)
    rotate = blocking(calls.rotate)
    unbind = blocking(calls.unbind)
    fetch_binding = blocking(calls.fetch_binding)
    poll_binding = blocking(calls.poll_binding)
    wait_for_instance = blocking(polling.wait_for_instance)
    wait_for_binding = blocking(polling.wait_for_binding)
    mitigate = blocking(orphans.mitigate)
