"""What applications around the blueprint rely on, and `serve` and `serve_multiple`."""

# mypy: disable-error-code="override"
from __future__ import annotations

import json
import logging
import pickle
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import flask
import pytest
from tests.contract.brokers import BIND, IDS, INSTANCE, PROVISION, SERVICE, SMALL, RecordingBroker
from tests.contract.hosts import CREDENTIALS, HOSTS, Platform, Serving, serving
from tests.contract.ten import CATALOG, PROVISIONING

import openbrokerapi
from openbrokerapi import api, constants, errors
from openbrokerapi import settings as openbrokerapi_settings
from openbrokerapi.service_broker import (
    BindDetails,
    DeprovisionDetails,
    ProvisionDetails,
    UnbindDetails,
    UpdateDetails,
)

IDENTITY = "cloudfoundry eyANCiAgInVzZXJfaWQiOiAiNjgzZWE3NDgtMzA5Mi00ZmY0LWI2NTYtMzljYWNjNGQ1MzYwIg0KfQ=="
VERSION = "X-Broker-API-Version"


@pytest.fixture(scope="module")
def on_flask() -> Iterator[Serving]:
    with serving(next(host for host in HOSTS if host.name == "flask")) as running:
        yield running


def application(broker: Any, **options: Any) -> flask.Flask:
    app = flask.Flask(__name__)
    app.register_blueprint(api.get_blueprint(broker, CREDENTIALS, logging.getLogger("test"), **options))
    return app


def test_the_blueprint_has_its_name_and_its_handlers() -> None:
    app = application(RecordingBroker())
    assert "open_broker" in app.blueprints
    handlers = app.error_handler_spec["open_broker"][None]
    assert {Exception, NotImplementedError, errors.ErrBadRequest} <= set(handlers)


def test_a_replaced_handler_answers_with_the_exception_that_was_raised(on_flask: Serving) -> None:
    app = application(RecordingBroker(provision=ValueError("mine")))
    seen: list[Exception] = []

    def handle(error: Exception) -> Any:
        seen.append(error)
        return {"description": "handled by the application"}, 503

    app.error_handler_spec["open_broker"][None][Exception] = handle
    answer = PROVISIONING.by(on_flask.app(app), {"X-Broker-API-Request-Identity": "x-1"})
    assert (answer.status, answer.json) == (503, {"description": "handled by the application"})
    assert [str(error) for error in seen] == ["mine"]
    assert answer.headers["x-broker-api-request-identity"] == "x-1"


@pytest.mark.parametrize(
    ("kind", "error"),
    [(NotImplementedError, NotImplementedError("x")), (errors.ErrBadRequest, errors.ErrBadRequest("x"))],
)
def test_a_deleted_handler_leaves_the_error_to_the_next_one(
    on_flask: Serving, kind: type[Exception], error: Exception
) -> None:
    app = application(RecordingBroker(provision=error))
    handlers = app.error_handler_spec["open_broker"][None]
    del handlers[kind]
    del handlers[Exception]

    @app.errorhandler(kind)
    def handle(raised: Exception) -> Any:
        return {"description": f"the application's: {raised}"}, 418

    answer = PROVISIONING.by(on_flask.app(app))
    assert (answer.status, answer.json) == (418, {"description": "the application's: x"})


def test_a_request_that_the_library_refuses_reaches_the_handler_of_bad_requests(on_flask: Serving) -> None:
    app = application(RecordingBroker())
    app.error_handler_spec["open_broker"][None][errors.ErrBadRequest] = lambda error: ({"mine": str(error)}, 400)
    answer = on_flask.app(app).send("PUT", INSTANCE, {**PROVISION, "plan_id": 7})
    assert (answer.status, list(answer.json)) == (400, ["mine"])
    assert "plan_id" in answer.json["mine"]


def test_the_originating_identity_is_on_flasks_request(on_flask: Serving) -> None:
    seen: list[Any] = []

    class Looking(RecordingBroker):
        def provision(self, **arguments: Any) -> Any:
            seen.append(flask.request.originating_identity)  # type: ignore[attr-defined]  # set by the blueprint
            return super().provision(**arguments)

    platform = on_flask(Looking())
    PROVISIONING.by(platform, {"X-Broker-API-Originating-Identity": IDENTITY})
    PROVISIONING.by(platform)
    wanted = {"platform": "cloudfoundry", "value": {"user_id": "683ea748-3092-4ff4-b656-39cacc4d5360"}}
    assert seen == [wanted, None]


def test_settings_are_read_at_each_request(serve: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    platform = serve(RecordingBroker())
    without = {name: value for name, value in PROVISION.items() if name not in ("organization_guid", "space_guid")}
    assert CATALOG.by(platform, {VERSION: None}).status == 400
    assert platform.send("PUT", INSTANCE, without).status == 400
    monkeypatch.setattr(openbrokerapi_settings, "DISABLE_VERSION_CHECK", True)
    monkeypatch.setattr(openbrokerapi_settings, "DISABLE_SPACE_ORG_GUID_CHECK", True)
    assert CATALOG.by(platform, {VERSION: None}).status == 200
    assert platform.send("PUT", INSTANCE, without).status == 201
    monkeypatch.undo()
    assert CATALOG.by(platform, {VERSION: None}).status == 400
    assert platform.send("PUT", INSTANCE, without).status == 400


@pytest.mark.parametrize("context", [None, {}, {"platform": "cloudfoundry"}, {"platform": "kubernetes"}])
def test_organization_and_space_are_asked_of_cloud_foundry_only(serve: Serving, context: Any) -> None:
    body = {"service_id": SERVICE, "plan_id": SMALL, "context": context}
    other = context == {"platform": "kubernetes"}
    assert serve(RecordingBroker()).send("PUT", INSTANCE, body).status == (201 if other else 400)


def test_constants_are_read_at_each_request(serve: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    platform = serve(RecordingBroker(provision=ValueError()))
    assert PROVISIONING.by(platform).json["description"] == (
        "Some error occurred, please contact your support or administrator."
    )
    monkeypatch.setattr(constants, "DEFAULT_EXCEPTION_ERROR_MESSAGE", "Ask Ann.")
    assert PROVISIONING.by(platform).json["description"] == "Ask Ann."


KINDS: list[tuple[str, str, Any, type]] = [
    (
        "PUT",
        INSTANCE,
        {**PROVISION, "context": {"platform": "cloudfoundry"}, "parameters": {"size": 2}},
        ProvisionDetails,
    ),
    ("PATCH", INSTANCE, {"service_id": SERVICE, "previous_values": {"plan_id": SMALL}}, UpdateDetails),
    ("DELETE", INSTANCE, None, DeprovisionDetails),
    ("PUT", f"{INSTANCE}/service_bindings/b", {**BIND, "bind_resource": {"app_guid": "a", "x": 1}}, BindDetails),
    ("DELETE", f"{INSTANCE}/service_bindings/b", None, UnbindDetails),
]


def plain(value: Any) -> Any:
    return {name: plain(held) for name, held in vars(value).items()} if hasattr(value, "__dict__") else value


@pytest.mark.parametrize(("method", "target", "body", "kind"), KINDS)
def test_details_can_be_pickled_and_made_again_from_their_attributes(
    serve: Serving, method: str, target: str, body: Any, kind: type
) -> None:
    recording = RecordingBroker()
    headers: dict[str, str | None] = {"X-Broker-API-Originating-Identity": IDENTITY}
    assert serve(recording).send(method, target, body, headers, IDS).status < 300
    details = recording.details
    assert type(details) is kind
    again = pickle.loads(pickle.dumps(details))  # noqa: S301 - our own
    rebuilt = kind(**vars(details))
    from_json = kind(**json.loads(json.dumps(plain(details))))
    for other in (again, rebuilt, from_json):
        assert plain(other) == plain(details)
        assert other.originating_identity["platform"] == "cloudfoundry"
        assert other.authorization_username == "platform"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


def in_a_daemon_thread(serve: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    threading.Thread(target=serve, args=args, kwargs=kwargs, daemon=True).start()


def when_it_answers(port: int) -> Platform:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        else:
            return Platform(port)


def test_serve_runs_in_a_daemon_thread() -> None:
    port = free_port()
    in_a_daemon_thread(openbrokerapi.serve, RecordingBroker(), CREDENTIALS, host="127.0.0.1", port=port)
    platform = when_it_answers(port)
    assert CATALOG.by(platform).status == 200
    assert CATALOG.by(platform, {"Authorization": None}).status == 401


def test_serve_takes_the_arguments_of_0_3_6_by_position() -> None:  # C13
    port = free_port()
    in_a_daemon_thread(api.serve, RecordingBroker(), CREDENTIALS, logging.getLogger("test"), port, False)
    assert CATALOG.by(when_it_answers(port)).status == 200


def test_serve_takes_the_arguments_of_4_7_3_by_position() -> None:
    port = free_port()
    logger = logging.getLogger("test")
    in_a_daemon_thread(api.serve, RecordingBroker(), [CREDENTIALS], logger, None, "127.0.0.1", port, False)
    assert CATALOG.by(when_it_answers(port)).status == 200


def test_serve_takes_an_authenticator() -> None:
    class Open(api.BrokerAuthenticator):
        def authenticate(self) -> Any:
            return None if flask.request.headers.get("X-Token") else ("no", 401)

    port = free_port()
    in_a_daemon_thread(api.serve, RecordingBroker(), None, authenticator=Open(), host="127.0.0.1", port=port)
    platform = when_it_answers(port)
    assert CATALOG.by(platform).status == 401
    assert CATALOG.by(platform, {"X-Token": "yes"}).status == 200


def test_serve_multiple_serves_several_brokers_as_one() -> None:
    one, two = RecordingBroker(), RecordingBroker()
    one.offerings, two.offerings = one.offerings[:1], two.offerings[1:]
    port = free_port()
    in_a_daemon_thread(api.serve_multiple, [one, two], CREDENTIALS, host="127.0.0.1", port=port)
    platform = when_it_answers(port)
    assert [each["name"] for each in CATALOG.by(platform).json["services"]] == ["database", "queue"]
    assert PROVISIONING.by(platform).status == 201
    assert (len(one.calls), len(two.calls)) == (1, 0)
