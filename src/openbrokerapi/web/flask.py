"""The Flask host: a blueprint, as in 0.3.6 and 4.7.3. Needs the extra ``flask``."""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable, Iterable
from typing import Any

try:
    from flask import Blueprint, Flask, Response, g, request
    from flask.blueprints import BlueprintSetupState
    from werkzeug.exceptions import HTTPException
    from werkzeug.routing import BaseConverter
    from werkzeug.serving import make_server
except ImportError as missing:  # pragma: no cover - run by a test in an environment without Flask
    raise ImportError(
        "get_blueprint and serve need Flask: install openbrokerapi[flask], "
        "or serve the broker with `openbroker serve`, which does without"
    ) from missing

from openbrokerapi.auth import (
    BrokerCredentials,
    authenticator_for,
    basic_username,
    decides_in_flask,
)
from openbrokerapi.errors import ErrBadRequest, ServiceException
from openbrokerapi.log_util import request_identity
from openbrokerapi.marks import nonblocking
from openbrokerapi.protocol import headers
from openbrokerapi.protocol.problems import BAD_REQUEST, UNEXPECTED, Refusal
from openbrokerapi.protocol.rendering import render_problem
from openbrokerapi.protocol.request import Request
from openbrokerapi.protocol.request import Response as Rendered
from openbrokerapi.settings import Settings

from .exchange import Exchange, Progress
from .waiting import LoopThread, wait_in_thread
from .wsgi import body_reader, header_list, request_of


class AnyPath(BaseConverter):
    """Everything that follows, slashes included: the package routes by itself, from the undecoded path."""

    # s: an encoded line break in an id is refused by the package, not by Flask.
    regex = "(?s:.*?)"
    part_isolating = False


class _Host:
    """The views and the error handlers of one blueprint."""

    def __init__(self, exchange: Exchange, authenticate: Any) -> None:
        self._exchange = exchange
        self._authenticate = authenticate
        self._loop = LoopThread()

    def answer(self, rest: str = "", **_: Any) -> Any:
        """Answer the present request of Flask's."""
        progress = g.openbrokerapi_progress = Progress(_below_mount(rest))
        token = request_identity.set(progress.request.header("X-Broker-API-Request-Identity"))
        try:
            if self._authenticate is not None:
                refused = self._authenticate()
                refused = self._loop.wait(refused) if inspect.isawaitable(refused) else refused
                if refused is not None:
                    return refused
            _set_identity(progress)
            conversation = self._exchange.converse(progress, self._seen_by_flask)
            response = wait_in_thread(conversation, body_reader(request.environ), self._loop.wait)
        finally:
            request_identity.reset(token)
        return _response(response)

    def _seen_by_flask(self, progress: Progress, error: Exception) -> Rendered:
        # Applications replace the blueprint's handlers of these three, so Flask has to see them.
        if isinstance(error, Refusal) and error.problem is BAD_REQUEST:
            raise ErrBadRequest(error.description or "") from None
        named = isinstance(error, Refusal) or (isinstance(error, ServiceException) and error.problem is not UNEXPECTED)
        if not named or isinstance(error, ErrBadRequest):
            raise error
        return self._exchange.failed(progress, error)

    def failed(self, error: Exception) -> Any:
        """Answer for an error that reached Flask."""
        if isinstance(error, HTTPException):
            return error
        progress = g.get("openbrokerapi_progress") or Progress(request_of(request.environ))
        # The view has ended, and its request identity with it; the log line is of the same request.
        token = request_identity.set(progress.request.header("X-Broker-API-Request-Identity"))
        try:
            return _response(self._exchange.failed(progress, error))
        finally:
            request_identity.reset(token)

    def identified(self, response: Response) -> Response:
        """Repeat the request's identity on whatever answers, the handlers of others included (RID-03)."""
        progress = g.get("openbrokerapi_progress") or Progress(request_of(request.environ))
        repeated = self._exchange.with_identity(progress.request, Rendered(response.status_code, (), b""))
        for name, value in repeated.headers:
            response.headers[name.decode().title()] = value.decode("latin-1")
        return response


def _below_mount(rest: str) -> Request:
    # Blueprints have prefixes, with variables even: as many parts as the decoded path has in front of /v2/ go.
    found = request_of(request.environ)
    mount = request.path.removesuffix(rest).rstrip("/").removesuffix("v2")
    parts = found.path.split(b"/")
    found.path = b"/" + b"/".join(parts[mount.count("/") :])
    return found


def _set_identity(progress: Progress) -> None:
    try:
        identity = headers.originating_identity(progress.request.headers)
    except Refusal:
        identity = None  # the conversation refuses the request for it
    request.originating_identity = identity  # type: ignore[attr-defined]  # brokers of 4.7.3 look for it there


def _response(rendered: Rendered) -> Response:
    response = Response(rendered.body, rendered.status)
    response.headers.clear()
    response.headers.extend(header_list(rendered))
    return response


class _FlaskAuthenticated:
    """Stands where `authenticate()` has decided already; it only tells who sent the request."""

    @nonblocking
    def identify(self, found: Request) -> str | None:
        return basic_username(found)


def _authentication(authenticator: Any) -> tuple[Any, Any]:
    """Give the authenticator for the conversation, and the one to call in Flask's context, if any."""
    if not decides_in_flask(authenticator):
        return authenticator, None
    return _FlaskAuthenticated(), authenticator if callable(authenticator) else authenticator.authenticate


def get_blueprint(
    service_broker: Any,
    broker_credentials: BrokerCredentials | Iterable[BrokerCredentials] | None,
    logger: logging.Logger,
    *,
    authenticator: Any = None,
    settings: Settings | None = None,
) -> Blueprint:
    """Make a Flask blueprint that answers for ``service_broker``.

    Args:
        service_broker: Any object with the methods of :class:`~openbrokerapi.service_broker.ServiceBroker`.
        broker_credentials: One pair or several for basic authentication; None serves without any.
        logger: Where unexpected errors go.
        authenticator: In place of the credentials: a ``BrokerAuthenticator``, whose ``authenticate()`` runs in Flask's
            request context and returns None or a Flask response, or an object with ``identify(request)``.
        settings: What this blueprint does differently; see :class:`~openbrokerapi.settings.Settings`.
    """
    chosen, in_flask = _authentication(authenticator_for(broker_credentials, authenticator))
    host = _Host(Exchange(service_broker, chosen, settings, logger), in_flask)
    blueprint = Blueprint("open_broker", __name__)
    blueprint.record(_know_any_path)
    for rule in ("/v2", "/v2/<openbrokerapi_rest:rest>"):
        blueprint.add_url_rule(
            rule,
            view_func=host.answer,
            provide_automatic_options=False,
            merge_slashes=False,
            strict_slashes=True,
        )
    blueprint.record(_let_any_method_in)
    for kind in (Exception, NotImplementedError, ErrBadRequest):
        blueprint.register_error_handler(kind, host.failed)
    blueprint.after_request(host.identified)
    return blueprint


def _know_any_path(state: BlueprintSetupState) -> None:
    state.app.url_map.converters["openbrokerapi_rest"] = AnyPath


def _let_any_method_in(state: BlueprintSetupState) -> None:
    # Flask's own 405 is a page of HTML. A rule without methods matches all of them, and the package answers by itself.
    for rule in state.app.url_map.iter_rules(f"{state.name_prefix}.{state.name}.{_Host.answer.__name__}".lstrip(".")):
        rule.methods = None


def serve(blueprint: Blueprint, host: str, port: int, *, debug: bool) -> None:
    """Serve a blueprint until the process ends, with a thread for each request and no signal handler."""
    app = Flask(__name__)
    app.debug = debug
    app.register_blueprint(blueprint)
    make_server(host, port, app, threaded=True).serve_forever()


def json_response(body: bytes) -> Response:
    """Make a Flask response of encoded JSON."""
    return Response(body, content_type="application/json")


def _filtered(check: Callable[[Request], object]) -> Response | None:
    try:
        check(request_of(request.environ))
    except Refusal as refusal:
        return _response(render_problem(None, refusal.problem, refusal.description, headers=refusal.headers))
    return None


def check_version() -> Response | None:
    """Give the response to a request of an API version that is not served; None for any other."""
    policy = Settings().policy()
    minimum = policy.minimum_version
    if minimum is None:
        return None
    return _filtered(lambda found: headers.check_version(found.headers, minimum, policy.missing_version_status))


def check_originating_identity() -> Response | None:
    """Set ``flask.request.originating_identity``, or give the response to a header that cannot be read."""

    def check(found: Request) -> None:
        request.originating_identity = headers.originating_identity(found.headers)  # type: ignore[attr-defined]

    return _filtered(check)


def print_request() -> None:
    """Write method and path of the present request to the debug log: no header, no query, no body."""
    logging.getLogger("openbrokerapi.request_filter").debug("%s %s", request.method, request.path)


def requires_application_json(f: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a view so that a body that says that it is not JSON is refused with 400."""

    @functools.wraps(f)
    def checked(*args: Any, **kwargs: Any) -> Any:
        refused = _filtered(lambda found: headers.check_content_type(found.headers))
        return f(*args, **kwargs) if refused is None else refused

    return checked
