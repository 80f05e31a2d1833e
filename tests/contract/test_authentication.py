"""Who may send requests (section "Platform to Service Broker Authentication")."""

# mypy: disable-error-code="override"
from __future__ import annotations

import asyncio
import base64
import time
from typing import Any

import flask
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from tests.contract.brokers import BINDING, IDS, INSTANCE, PROVISION, RecordingBroker
from tests.contract.hosts import CREDENTIALS, Answer, Platform, Serving
from tests.contract.ten import CATALOG, PROVISIONING, TEN, Sent, of
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from openbrokerapi.api import get_blueprint
from openbrokerapi.auth import (
    BasicBrokerAuthenticator,
    BearerAuthenticator,
    BrokerAuthenticator,
    BrokerCredentials,
    NoneBrokerAuthenticator,
)
from openbrokerapi.errors import ErrUnauthorized
from openbrokerapi.protocol.request import Request
from openbrokerapi.web import asgi, wsgi

GUID = {"X-Broker-API-Request-Identity": "e26cee84"}


def basic(pair: str | bytes) -> str:
    return "Basic " + base64.b64encode(pair if isinstance(pair, bytes) else pair.encode()).decode()


def refused(answer: Answer) -> None:
    assert answer.status == 401
    assert answer.headers["content-type"] == "application/json"
    assert answer.json["description"]
    assert answer.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.rule("AUTH-02", "AUTH-11")
@of(TEN)
def test_without_authorization_every_endpoint_answers_401(
    platform: Platform, recording: RecordingBroker, sent: Sent
) -> None:
    refused(sent.by(platform, {"Authorization": None}))
    assert recording.calls == []


@pytest.mark.rule("AUTH-03")
@pytest.mark.parametrize(
    "pair",
    [
        f"somebody:{CREDENTIALS.password}",
        f"{CREDENTIALS.username}:wrong",
        f"{CREDENTIALS.username}:",
        f"{CREDENTIALS.username}:{CREDENTIALS.password}x",
        f"{CREDENTIALS.username}:{CREDENTIALS.password[:-1]}",
        f"{CREDENTIALS.username.upper()}:{CREDENTIALS.password}",
        ":",
    ],
)
@of(TEN)
def test_wrong_credentials_are_refused_at_every_endpoint(
    platform: Platform, recording: RecordingBroker, sent: Sent, pair: str
) -> None:
    refused(sent.by(platform, {"Authorization": basic(pair)}))
    assert recording.calls == []


RIGHT = f"{CREDENTIALS.username}:{CREDENTIALS.password}"


@pytest.mark.rule("AUTH-04")
@pytest.mark.parametrize(
    "value",
    [
        "",
        "Basic",
        "Basic ",
        "Basic ***",
        "Basic " + base64.b64encode(RIGHT.encode()).decode() + "!",
        "Basic " + base64.b64encode(RIGHT.encode()).decode().rstrip("=")[:-1],
        basic(f"{CREDENTIALS.username}{CREDENTIALS.password}"),  # no colon
        basic(b"\xff\xfe:\xff"),
        "Basic é",
        "Basic " + "QUJD" * 4000,
        "Bearer " + base64.b64encode(RIGHT.encode()).decode(),
        "Digest username=platform",
        "Negotiate abc",
        base64.b64encode(RIGHT.encode()).decode(),
        RIGHT,
    ],
)
def test_an_authorization_that_cannot_be_read_is_401(platform: Platform, value: str) -> None:
    refused(CATALOG.by(platform, {"Authorization": value}))


def test_the_scheme_is_read_in_any_case(platform: Platform) -> None:
    assert CATALOG.by(platform, {"Authorization": basic(RIGHT).replace("Basic", "bAsIc")}).status == 200


def test_credentials_may_hold_any_characters(serve: Serving) -> None:
    platform = serve(RecordingBroker(), BrokerCredentials("jürgen", "pä:ss wörd:"))
    assert CATALOG.by(platform, {"Authorization": basic("jürgen:pä:ss wörd:")}).status == 200
    refused(CATALOG.by(platform, {"Authorization": basic("jürgen:pä")}))


@pytest.mark.rule("AUTH-06")
@pytest.mark.parametrize(
    "request_",
    [
        ("PUT", INSTANCE, b"{garbage", {}),
        ("PUT", INSTANCE, b" " * (1024 * 1024 + 1), {}),
        ("PUT", INSTANCE, b"{}", {"Content-Type": "text/plain"}),
        ("GET", "/v2/service_instances/unknown", None, {}),
        ("GET", "/v2/nowhere", None, {}),
        ("GET", "/v2/service_instances/%zz", None, {}),
        ("POST", "/v2/catalog", None, {}),
        ("DELETE", INSTANCE, None, {}),
        ("GET", "/v2/catalog", None, {"X-Broker-API-Version": None}),
        ("GET", "/v2/catalog", None, {"X-Broker-API-Version": "1.0"}),
        ("GET", "/v2/catalog", None, {"X-Broker-API-Originating-Identity": "nonsense"}),
    ],
)
def test_authentication_is_decided_before_anything_else(platform: Platform, request_: Any) -> None:
    method, target, body, headers = request_
    refused(platform.send(method, target, body, {"Authorization": None, **headers}))


@pytest.mark.rule("AUTH-07")
def test_a_401_changes_nothing(living: Platform) -> None:
    refused(living.send("PUT", INSTANCE, PROVISION, {"Authorization": None}))
    assert living.send("DELETE", INSTANCE, query=IDS).status == 410
    assert living.send("PUT", INSTANCE, PROVISION).status == 201
    refused(living.send("DELETE", INSTANCE, headers={"Authorization": basic("a:b")}, query=IDS))
    assert living.send("GET", INSTANCE).status == 200


@pytest.mark.rule("AUTH-05", "AUTH-11")
@of(TEN)
def test_a_bearer_token_opens_what_nothing_else_does(serve: Serving, sent: Sent) -> None:
    platform = serve(RecordingBroker(), authenticator=BearerAuthenticator("tok-1", "tok-2"))
    for token in ("tok-1", "tok-2"):
        assert sent.by(platform, {"Authorization": f"Bearer {token}"}).status == sent.made
    for value in (None, "Bearer tok-3", "Bearer", "Bearer tok-1x", basic(RIGHT), "tok-1"):
        answer = sent.by(platform, {"Authorization": value})
        assert (answer.status, answer.headers["www-authenticate"]) == (401, 'Bearer realm="service broker"')


@pytest.mark.rule("AUTH-10")
@pytest.mark.parametrize("kind", [list, tuple, set, iter])
def test_several_platforms_have_credentials_of_their_own(serve: Serving, kind: Any) -> None:
    recording = RecordingBroker()
    pairs = kind([BrokerCredentials("one", "first"), BrokerCredentials("two", "second")])
    platform = serve(recording, pairs)
    for username, password in (("one", "first"), ("two", "second")):
        assert PROVISIONING.by(platform, {"Authorization": basic(f"{username}:{password}")}).status == 201
        assert recording.details.authorization_username == username
    for pair in ("one:second", "two:first", RIGHT):
        refused(CATALOG.by(platform, {"Authorization": basic(pair)}))


def _nothing(environ: Any, start: Any) -> list[bytes]:
    start("404 Nothing Here", [])
    return []


def two_tenants(host: str, one: RecordingBroker, two: RecordingBroker) -> Any:
    """One application with two brokers below prefixes, each with credentials of its own."""
    tenants = {"/one": (one, BrokerCredentials("one", "first")), "/deep/two": (two, BrokerCredentials("two", "second"))}
    if host in ("asgi", "serve"):
        return Starlette(routes=[Mount(at, asgi.create_app(*tenant)) for at, tenant in tenants.items()])
    if host == "wsgi":
        made: Any = {at: wsgi.create_app(*tenant) for at, tenant in tenants.items()}
        return DispatcherMiddleware(_nothing, made)
    app = flask.Flask(__name__)
    for at, (broker, credentials) in tenants.items():
        app.register_blueprint(get_blueprint(broker, credentials, app.logger), url_prefix=at, name=at.replace("/", "-"))
    return app


@pytest.mark.rule("AUTH-10")
@of(TEN)
def test_one_application_serves_each_platform_below_a_prefix(serve: Serving, sent: Sent) -> None:
    one, two = RecordingBroker(), RecordingBroker()
    platform = serve.app(two_tenants(serve.name, one, two))
    for prefix, pair, broker, other in (("/one", "one:first", one, two), ("/deep/two", "two:second", two, one)):
        platform.prefix = prefix
        calls = len(broker.calls), len(other.calls)
        assert sent.by(platform, {"Authorization": basic(pair)}).status == sent.made
        assert (len(broker.calls), len(other.calls)) == (calls[0] + (sent.name != "catalog"), calls[1])
        wrong = "two:second" if pair == "one:first" else "one:first"
        refused(sent.by(platform, {"Authorization": basic(wrong)}))


@pytest.mark.rule("AUTH-10", "URL-01")
def test_ids_with_slashes_and_spaces_arrive_below_a_prefix_too(serve: Serving) -> None:
    one, two = RecordingBroker(), RecordingBroker()
    platform = serve.app(two_tenants(serve.name, one, two))
    platform.prefix = "/deep/two"
    target = "/v2/service_instances/a%2Fb%20c%25/service_bindings/%2F"
    headers: dict[str, str | None] = {"Authorization": basic("two:second")}
    assert platform.send("DELETE", target, headers=headers, query=IDS).status == 200
    arguments = two.calls[-1][1]
    assert (arguments["instance_id"], arguments["binding_id"]) == ("a/b c%", "/")


def test_without_credentials_everybody_passes(serve: Serving) -> None:
    for authenticator in (None, NoneBrokerAuthenticator()):
        platform = serve(RecordingBroker(), None, authenticator=authenticator)
        assert CATALOG.by(platform, {"Authorization": None}).status == 200


def test_an_empty_list_of_credentials_is_refused_at_start(serve: Serving) -> None:
    with pytest.raises(ValueError, match="no credentials"):
        serve(RecordingBroker(), [])


class ByHeader:
    """An authenticator of an author's own, for all hosts."""

    def identify(self, request: Request) -> str:
        time.sleep(0)
        token = request.header("X-Token")
        if token != "let me in":
            raise ErrUnauthorized("Ask for a token.", challenge="Token")
        return "the one with the token"


class ByHeaderLater(ByHeader):
    """The same, `async def`."""

    async def identify(self, request: Request) -> str:
        await asyncio.sleep(0)
        return super().identify(request)


@pytest.mark.rule("AUTH-05", "AUTH-11")
@pytest.mark.parametrize("authenticator", [ByHeader(), ByHeaderLater()], ids=["plain", "async"])
@of((CATALOG, PROVISIONING))
def test_an_authenticator_of_the_authors_decides(
    serve: Serving, recording: RecordingBroker, authenticator: Any, sent: Sent
) -> None:
    platform = serve(recording, authenticator=authenticator)
    answer = sent.by(platform, {"Authorization": None, "X-Token": "no", **GUID})
    assert (answer.status, answer.json) == (401, {"description": "Ask for a token."})
    assert (answer.headers["www-authenticate"], answer.headers["x-broker-api-request-identity"]) == (
        "Token",
        "e26cee84",
    )
    assert sent.by(platform, {"Authorization": None, "X-Token": "let me in"}).status == sent.made
    if recording.calls:
        assert recording.details.authorization_username == "the one with the token"


def test_an_authenticator_that_breaks_is_a_500_without_its_text(serve: Serving) -> None:
    class Broken:
        def identify(self, request: Request) -> None:
            raise RuntimeError("the directory is down")

    answer = CATALOG.by(serve(RecordingBroker(), authenticator=Broken()))
    assert answer.status == 500
    assert "directory" not in str(answer.json)


class OfFlask(BrokerAuthenticator):
    """An authenticator as 4.7.3 has them: in Flask's request context, with a Flask response value."""

    def authenticate(self) -> Any:
        if flask.request.headers.get("X-Token") == "let me in":
            return None
        return {"description": "Ask for a token."}, 401, {"WWW-Authenticate": "Token"}


class OfFlaskLater(BrokerAuthenticator):
    async def authenticate(self) -> Any:
        await asyncio.sleep(0)
        return flask.make_response(({"description": "Not today."}, 403))


@pytest.mark.rule("AUTH-05")
def test_an_authenticator_of_4_7_3_runs_in_flasks_request_context(serve: Serving) -> None:
    if serve.name != "flask":
        with pytest.raises(TypeError, match="works with the Flask host only"):
            serve(RecordingBroker(), authenticator=OfFlask())
        return
    recording = RecordingBroker()
    platform = serve(recording, authenticator=OfFlask())
    answer = PROVISIONING.by(platform, {"X-Token": "no", **GUID})
    assert (answer.status, answer.json) == (401, {"description": "Ask for a token."})
    assert answer.headers["x-broker-api-request-identity"] == "e26cee84"
    assert recording.calls == []
    assert PROVISIONING.by(platform, {"X-Token": "let me in"}).status == 201
    assert recording.details.authorization_username == "platform"


def test_an_authenticator_of_flask_needs_no_base_class(serve: Serving) -> None:
    class Duck:
        def authenticate(self) -> Any:
            return None if flask.request.headers.get("X-Token") else ({"description": "No."}, 401)

    if serve.name == "flask":
        for authenticator in (Duck(), Duck().authenticate):
            platform = serve(RecordingBroker(), authenticator=authenticator)
            assert CATALOG.by(platform, {"X-Token": "yes"}).status == 200
            assert CATALOG.by(platform).json == {"description": "No."}


def test_an_async_authenticator_of_4_7_3_is_awaited(serve: Serving) -> None:
    if serve.name == "flask":
        answer = CATALOG.by(serve(RecordingBroker(), authenticator=OfFlaskLater()))
        assert (answer.status, answer.json) == (403, {"description": "Not today."})


def test_a_subclass_of_the_basic_authenticator_may_refuse_more(serve: Serving) -> None:
    class OnlyWeekdays(BasicBrokerAuthenticator):
        def authenticate(self) -> Any:
            return super().authenticate() or ({"description": "It is Sunday."}, 401)

    if serve.name == "flask":
        platform = serve(RecordingBroker(), authenticator=OnlyWeekdays(CREDENTIALS))
        assert CATALOG.by(platform).json == {"description": "It is Sunday."}
        refused(CATALOG.by(platform, {"Authorization": basic("a:b")}))


def test_no_path_below_the_binding_escapes_authentication(platform: Platform) -> None:
    for target in (BINDING, f"{BINDING}/", f"{BINDING}/last_operation/more", "/v2", "/v2/", "/v2//catalog"):
        refused(platform.send("GET", target, headers={"Authorization": None}))
