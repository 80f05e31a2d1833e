"""One request, from first byte to last, for every host.

The conversation is a generator: it reads and renders by itself, and yields what it has to wait for. The host does the
waiting in its own way and sends the result back. That is all in which the hosts differ.
"""

from __future__ import annotations

import inspect
import logging
import re
import time
from collections.abc import Awaitable, Callable, Generator
from typing import Any, TypeAlias

import msgspec

from openbrokerapi import constants
from openbrokerapi.auth import decides_in_flask
from openbrokerapi.calling import Calling, Invocation, Style, answer_of, style_of
from openbrokerapi.errors import ErrUnauthorized, ServiceException
from openbrokerapi.protocol import catalog_rules
from openbrokerapi.protocol.answers import Outcome
from openbrokerapi.protocol.call import Call
from openbrokerapi.protocol.catalog_document import CatalogDocument
from openbrokerapi.protocol.checking import check
from openbrokerapi.protocol.endpoints import BIND, CATALOG, PROVISION, UPDATE, Endpoint
from openbrokerapi.protocol.headers import REQUEST_IDENTITY
from openbrokerapi.protocol.problems import NOT_IMPLEMENTED, UNAVAILABLE, UNEXPECTED, Refusal
from openbrokerapi.protocol.reading import add_body, read_head
from openbrokerapi.protocol.rendering import render, render_problem, undeclared
from openbrokerapi.protocol.request import Request, Response
from openbrokerapi.settings import Settings

from .catalog_keeper import CatalogKeeper
from .faults import scrubbed_traceback

_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


class ReadBody:
    """The wish for the request's body, of at most ``limit`` bytes."""

    __slots__ = ("limit",)

    def __init__(self, limit: int) -> None:
        self.limit = limit


Wish: TypeAlias = "ReadBody | Invocation | Awaitable[Any]"
Conversation: TypeAlias = Generator[Wish, Any, Response]


class Progress:
    """How far the conversation about one request has come."""

    __slots__ = ("call", "request")

    def __init__(self, request: Request) -> None:
        self.request = request
        self.call: Call | None = None

    @property
    def endpoint(self) -> Endpoint | None:
        """The endpoint, once the path has been read."""
        return self.call.endpoint if self.call is not None else None


Failed: TypeAlias = Callable[[Progress, Exception], Response]
_WARN_PAUSE = 60.0
_MOST_WARNINGS = 1000
_WITH_CATALOG = frozenset((CATALOG, PROVISION, UPDATE, BIND))


class Exchange:
    """Answers the requests to one broker.

    Args:
        broker: Any object with the methods of :class:`~openbrokerapi.service_broker.ServiceBroker`.
        authenticator: An object with ``identify(request)``.
        clock: Seconds since 1970, for ``Last-Modified``.
    """

    def __init__(
        self,
        broker: Any,
        authenticator: Any,
        settings: Settings | None = None,
        logger: logging.Logger | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings or Settings()
        self.logger = logger or logging.getLogger("openbrokerapi")
        self._calling = Calling(broker)
        self._clock = clock
        self._warned: set[str] = set()
        self._warn_again = 0.0
        self._catalogs = CatalogKeeper(clock, self._warn)
        self._identify, self._identify_style = _identifier(authenticator)
        self._read_body = ReadBody(self.settings.body_limit)

    def converse(self, progress: Progress, failed: Failed | None = None) -> Conversation:
        """Answer the request of ``progress``; whatever goes wrong becomes an answer, too.

        It is one generator, not several within one another, because it is on every request's way.

        Args:
            failed: What answers for an error, in place of :meth:`failed`; it may raise, too.
        """
        request = progress.request
        try:
            # AUTH-06: before anything else is looked at.
            if self._identify_style.nonblocking:
                username = self._identify(request)
            else:
                username = yield from _invoked(Invocation(self._identify, (request,), {}, self._identify_style))
            policy = self.settings.policy()
            call = progress.call = read_head(request, policy)
            call.username = username
            response = None
            if call.endpoint.has_body:
                add_body(call, (yield self._read_body), policy)
            if call.endpoint in _WITH_CATALOG:
                invocation = self._calling.catalog()
                offered = (yield invocation()) if invocation.style.is_async else (yield from _invoked(invocation))
                response = self._checked(call, self._catalogs.document(offered))
            if response is None:
                invocation = self._calling.invocation(call)
                result = (yield invocation()) if invocation.style.is_async else (yield from _invoked(invocation))
                response = self._rendered(call, result)
        except Exception as error:  # noqa: BLE001 - the one place where errors become responses
            response = (failed or self.failed)(progress, error)
        return self.with_identity(request, response)

    @staticmethod
    def _checked(call: Call, document: CatalogDocument | None) -> Response | None:
        """Check the call against the catalog, or answer it if it asks for just that."""
        if call.endpoint is not CATALOG:
            if document is not None:
                check(call, document.index)
            return None
        if document is None:
            raise TypeError("catalog() must return a Service or a list of them")
        return document.response(call.request.headers)

    def catalog_body(self) -> Generator[Wish, Any, bytes | None]:
        """Give the encoded catalog; None where the broker has none."""
        document = self._catalogs.document((yield from _invoked(self._calling.catalog())))
        return None if document is None else document.body

    def _warn(self, document: CatalogDocument) -> None:
        # Brokers of 4.7.3 may have an incomplete catalog, so it is served all the same; each fault is named once. A
        # catalog that changes at every request is not looked through at every request.
        now = self._clock()
        if now < self._warn_again or len(self._warned) > _MOST_WARNINGS:
            return
        self._warn_again = now + _WARN_PAUSE
        for finding in catalog_rules.check(msgspec.json.decode(document.body)):
            line = f"{finding.rule} {finding.where}: {finding.message}"
            if finding.level == "MUST" and line not in self._warned:
                self._warned.add(line)
                self.logger.warning("the catalog breaks the specification: %s", line)

    def _rendered(self, call: Call, result: Any) -> Response:
        answer = answer_of(call.endpoint, result)
        for name in undeclared(call, answer, self._catalogs.last):
            self.logger.warning(
                "%s: %s is left out, the offering's requires does not have it", call.endpoint.name, name
            )
        if answer.outcome is Outcome.ACCEPTED and not call.accepts_incomplete:
            self.logger.error(
                "%s went asynchronous although async_allowed was false, and has been answered with AsyncRequired; "
                "raise ErrAsyncRequired before anything is begun",
                call.endpoint.name,
            )
        return render(call, answer)

    def failed(self, progress: Progress, error: Exception) -> Response:
        """Turn an error into the response that the specification has for it."""
        endpoint = progress.endpoint
        if isinstance(error, Refusal):
            return render_problem(endpoint, error.problem, error.description, headers=error.headers)
        if isinstance(error, ServiceException) and error.problem is not UNEXPECTED:
            return self._refused(endpoint, error)
        if isinstance(error, NotImplementedError):
            return render_problem(endpoint, NOT_IMPLEMENTED, constants.DEFAULT_NOT_IMPLEMENTED_ERROR_MESSAGE)
        message = getattr(error, "operator_message", None)
        if isinstance(message, str):
            # Written for whoever runs the broker, such as that the database is away: it says all.
            self.logger.error("%s: %s", endpoint.name if endpoint is not None else progress.request.method, message)
            return render_problem(endpoint, UNAVAILABLE)
        self.logger.error(
            "%s: unexpected error\n%s",
            endpoint.name if endpoint is not None else progress.request.method,
            scrubbed_traceback(error, progress.request, progress.call),
        )
        flags = vars(error) if isinstance(error, ServiceException) else None
        return render_problem(endpoint, UNEXPECTED, constants.DEFAULT_EXCEPTION_ERROR_MESSAGE, flags=flags)

    def _refused(self, endpoint: Endpoint | None, error: ServiceException) -> Response:
        challenge = getattr(error, "challenge", None) if isinstance(error, ErrUnauthorized) else None
        headers = ((b"www-authenticate", challenge.encode("latin-1", "replace")),) if challenge else ()
        # A subclass of the author's need not have called our constructor.
        description = getattr(error, "description", None)
        if isinstance(description, BaseException):
            # Its text was not written for users, and may quote a parameter.
            self.logger.warning("the description of %s is an exception, and is left out", type(error).__name__)
            description = None
        description = description if description is None else str(description)
        return render_problem(endpoint, error.problem, description, flags=vars(error), headers=headers)

    @staticmethod
    def with_identity(request: Request, response: Response) -> Response:
        """Repeat the request's identity on the response (RID-03)."""
        identity = request.headers.get(REQUEST_IDENTITY)
        # A folded header would add a line to the response, or be more than its host can send.
        if not identity or _CONTROL.search(identity):
            return response
        return response._replace(headers=(*response.headers, (REQUEST_IDENTITY, identity)))


def _identifier(authenticator: Any) -> tuple[Callable[..., Any], Style]:
    if decides_in_flask(authenticator):
        raise TypeError(
            f"{type(authenticator).__name__} has no method identify(request) of its own: "
            "an authenticator with authenticate() works with the Flask host only"
        )
    return authenticator.identify, style_of("identify", authenticator.identify)


def _invoked(invocation: Invocation) -> Generator[Wish, Any, Any]:
    result = invocation() if invocation.style.nonblocking or invocation.style.is_async else (yield invocation)
    # A plain method may still return a coroutine, as a wrapped one does.
    return (yield result) if inspect.isawaitable(result) else result
