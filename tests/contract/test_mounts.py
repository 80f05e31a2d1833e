"""A broker below a path of a larger application: Starlette, FastAPI, SCRIPT_NAME, and Flask's prefixes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import fastapi
import flask
import pytest
import starlette.applications
import starlette.routing
from tests.contract import ten
from tests.contract.brokers import BIND, BINDING, IDS, INSTANCE, PROVISION, RecordingBroker
from tests.contract.expectations import assert_answered, assert_refused
from tests.contract.hosts import CREDENTIALS, HOSTS, Platform, Serving, serving
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from openbrokerapi.auth import BrokerCredentials
from openbrokerapi.web import asgi, wsgi
from openbrokerapi.web.flask import get_blueprint

LOGGER = logging.getLogger("openbrokerapi")


def starlette_app(broker: Any, mount: str) -> Any:
    return starlette.applications.Starlette(
        routes=[starlette.routing.Mount(mount, asgi.create_app(broker, CREDENTIALS))]
    )


def fastapi_app(broker: Any, mount: str) -> Any:
    app = fastapi.FastAPI()
    app.mount(mount, asgi.create_app(broker, CREDENTIALS))
    return app


def script_name_app(broker: Any, mount: str) -> Any:
    return DispatcherMiddleware(_nothing_here, {mount: wsgi.create_app(broker, CREDENTIALS)})


def _nothing_here(environ: Any, start_response: Any) -> list[bytes]:
    start_response("404 Not Found", [])
    return [b"outside"]


def flask_app(broker: Any, mount: str) -> Any:
    app = flask.Flask(__name__)
    rule = mount.replace("{", "<").replace("}", ">")
    app.register_blueprint(get_blueprint(broker, CREDENTIALS, LOGGER), url_prefix=rule)
    return app


def flask_below_script_name(broker: Any, mount: str) -> Any:
    return DispatcherMiddleware(_nothing_here, {"/outer": flask_app(broker, mount)})


@dataclass(frozen=True)
class Mounted:
    """One way to put a broker below a path: where the server has it, and where the platform finds it."""

    host: str
    make: Callable[[Any, str], Any]
    mount: str
    prefix: str

    def __str__(self) -> str:
        return f"{self.make.__name__} {self.mount}".encode("ascii", "replace").decode()


MOUNTED = [
    *(
        Mounted("asgi", make, mount, prefix)
        for make in (starlette_app, fastapi_app)
        for mount, prefix in (
            ("/broker", "/broker"),
            ("/a/b", "/a/b"),
            ("/v2", "/v2"),
            ("/tenants/{tenant}", "/tenants/acme"),
            ("/tenants/{tenant}/osb", "/tenants/a%20b%C3%A9/osb"),
            ("/tenants/{tenant}", "/tenants/%25"),
        )
    ),
    *(
        Mounted("wsgi", script_name_app, mount, prefix)
        for mount, prefix in (
            ("/broker", "/broker"),
            ("/a/b", "/a/b"),
            ("/v2", "/v2"),
            ("/a b", "/a%20b"),
            ("/%", "/%25"),
        )
    ),
    *(
        Mounted("flask", flask_app, mount, prefix)
        for mount, prefix in (
            ("/broker", "/broker"),
            ("/a/b/", "/a/b"),
            ("/v2", "/v2"),
            ("/tenants/{tenant}", "/tenants/acme"),
            ("/tenants/{tenant}/osb", "/tenants/a%20b%C3%A9/osb"),
            ("/tenants/{tenant}", "/tenants/%25"),
        )
    ),
    Mounted("flask", flask_below_script_name, "/tenants/{tenant}", "/outer/tenants/acme"),
]
ODD = {
    "a%2Fb": "a/b",
    "%2F": "/",
    "a%2F..%2Fb": "a/../b",
    "a%20b": "a b",
    "%C3%A9%E6%97%A5": "é日",
    "a%252Fb": "a%2Fb",
    "a+b": "a+b",
}


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, Serving]]:
    with _all({host.name: serving(host) for host in HOSTS}) as running:
        yield running


@contextmanager
def _all(managers: dict[str, Any]) -> Iterator[dict[str, Any]]:
    from contextlib import ExitStack

    with ExitStack() as stack:
        yield {name: stack.enter_context(manager) for name, manager in managers.items()}


@pytest.mark.parametrize("instance_id", ["a%0Ab", "a%0A", "%0A", "%0D%0Aa"])
def test_a_line_break_in_an_id_is_refused_by_the_package(platform: Platform, instance_id: str) -> None:
    assert_refused(platform.send("GET", f"/v2/service_instances/{instance_id}"), 400)


@pytest.fixture(params=MOUNTED, ids=str)
def mounted(request: pytest.FixtureRequest, servers: dict[str, Serving], recording: RecordingBroker) -> Platform:
    where: Mounted = request.param
    platform = servers[where.host].app(where.make(recording, where.mount))
    platform.prefix = where.prefix
    return platform


def test_the_ten_requests_are_answered_below_the_mount(mounted: Platform, recording: RecordingBroker) -> None:
    for sent in ten.TEN:
        assert sent.by(mounted).status == sent.made, sent.name
    assert [name for name, _ in recording.calls] == [sent.name for sent in ten.NINE]


@pytest.mark.rule("URL-03")
def test_ids_with_an_encoded_slash_work_below_the_mount(mounted: Platform, recording: RecordingBroker) -> None:
    for encoded, instance_id in ODD.items():
        target = f"/v2/service_instances/{encoded}"
        assert mounted.send("PUT", target, PROVISION).status == 201, encoded
        assert recording.calls[-1][1]["instance_id"] == instance_id
        assert mounted.send("PUT", f"{target}/service_bindings/{encoded}", BIND).status == 201, encoded
        assert recording.calls[-1][1]["binding_id"] == instance_id
        assert mounted.send("GET", f"{target}/last_operation").status == 200, encoded
        assert recording.calls[-1][0] == "last_operation"


def test_what_is_wrong_is_refused_in_json_below_the_mount(mounted: Platform, recording: RecordingBroker) -> None:
    assert_refused(mounted.send("GET", "/v2/unknown"), 404)
    assert_refused(mounted.send("POST", "/v2/catalog", {}), 405)
    mounted.password = "wrong"
    assert_refused(mounted.send("GET", "/v2/catalog"), 401)
    assert recording.calls == []


def test_nothing_answers_outside_of_the_mount(mounted: Platform, recording: RecordingBroker) -> None:
    for prefix in ("", f"/x{mounted.prefix}"):
        mounted.prefix = prefix
        assert mounted.send("GET", "/v2/catalog").status == 404
    assert recording.calls == []


def test_a_tenant_of_flask_reaches_the_broker(servers: dict[str, Serving]) -> None:
    class Tenants(RecordingBroker):
        def provision(self, **arguments: Any) -> Any:
            assert flask.request.view_args is not None
            return super().provision(**arguments, tenant=flask.request.view_args["tenant"])

    broker = Tenants()
    platform = servers["flask"].app(flask_app(broker, "/tenants/{tenant}"))
    for tenant in ("a", "b"):
        platform.prefix = f"/tenants/{tenant}"
        assert platform.send("PUT", INSTANCE, PROVISION).status == 201
    assert [arguments["tenant"] for _, arguments in broker.calls] == ["a", "b"]


TENANTS = {"a": BrokerCredentials("a", "password-of-a"), "b": BrokerCredentials("b", "password-of-b")}


def two_in_flask(brokers: dict[str, RecordingBroker]) -> Any:
    app = flask.Flask(__name__)
    for name, broker in brokers.items():
        blueprint = get_blueprint(broker, TENANTS[name], LOGGER)
        app.register_blueprint(blueprint, name=f"broker_{name}", url_prefix=f"/{name}")
    return app


def two_in_starlette(brokers: dict[str, RecordingBroker]) -> Any:
    mounts = [
        starlette.routing.Mount(f"/{name}", asgi.create_app(broker, TENANTS[name])) for name, broker in brokers.items()
    ]
    return starlette.applications.Starlette(routes=mounts)


def two_below_script_names(brokers: dict[str, RecordingBroker]) -> Any:
    apps: dict[str, Any] = {f"/{name}": wsgi.create_app(broker, TENANTS[name]) for name, broker in brokers.items()}
    return DispatcherMiddleware(_nothing_here, apps)


@pytest.mark.parametrize(
    ("host", "make"), [("flask", two_in_flask), ("asgi", two_in_starlette), ("wsgi", two_below_script_names)]
)
def test_two_tenants_in_one_application_have_nothing_in_common(
    servers: dict[str, Serving], host: str, make: Callable[[Any], Any]
) -> None:
    brokers = {name: RecordingBroker() for name in TENANTS}
    brokers["a"].offerings[0].name = "of-a"
    brokers["b"].answers["unbind"] = RuntimeError("b fails")
    platform = servers[host].app(make(brokers))
    for name, pair in TENANTS.items():
        platform.prefix, platform.username, platform.password = f"/{name}", pair.username, pair.password
        assert platform.send("GET", "/v2/catalog").json["services"][0]["name"] == {"a": "of-a", "b": "database"}[name]
        assert platform.send("PUT", INSTANCE, PROVISION).status == 201
        assert platform.send("DELETE", BINDING, query=IDS).status == {"a": 200, "b": 500}[name]
        platform.prefix = {"a": "/b", "b": "/a"}[name]
        assert platform.send("GET", "/v2/catalog").status == 401
    assert [len(broker.calls) for broker in brokers.values()] == [2, 2]


def test_a_flask_application_keeps_its_own_pages_and_errors(servers: dict[str, Serving]) -> None:
    app = flask_app(RecordingBroker(), "/broker")
    app.add_url_rule("/hello", view_func=lambda: "hello")
    app.register_error_handler(404, lambda _: ("own page", 404))
    platform = servers["flask"].app(app)
    assert platform.send("GET", "/hello").body == b"hello"
    assert platform.send("GET", "/nowhere").body == b"own page"
    assert_refused(platform.send("GET", "/broker/v2/nowhere"), 404)


def test_a_prefix_of_the_server_is_taken_off(servers: dict[str, Serving], recording: RecordingBroker) -> None:
    """What `uvicorn --root-path` and a proxy make of it: the whole path, and the root beside it."""
    inner = asgi.create_app(recording, CREDENTIALS)

    async def below_root(scope: Any, receive: Any, send: Any) -> None:
        path, raw = f"/root{scope['path']}", b"/root" + scope["raw_path"]
        await inner({**scope, "root_path": "/root", "path": path, "raw_path": raw}, receive, send)

    async def stripped(scope: Any, receive: Any, send: Any) -> None:
        await inner({**scope, "root_path": "/root"}, receive, send)

    async def without_raw_path(scope: Any, receive: Any, send: Any) -> None:
        await inner({key: value for key, value in scope.items() if key != "raw_path"}, receive, send)

    for app in (below_root, stripped, without_raw_path):
        platform = servers["asgi"].app(app)
        answer = platform.send("GET", f"{INSTANCE}%20%C3%A9%252F/last_operation")
        assert_answered(answer, 200, {"state": "in progress"})
        assert recording.calls[-1][1]["instance_id"] == "instance-1 é%2F"
