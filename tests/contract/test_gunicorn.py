"""The WSGI application and the Flask blueprint on real gunicorn, as operators run them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.contract import ten, wire
from tests.contract.brokers import BIND, BINDING, IDS, INSTANCE, PROVISION, SERVICE, SMALL
from tests.contract.expectations import assert_answered, assert_refused
from tests.contract.hosts import CREDENTIALS, Platform

ROOT = Path(__file__).parents[2]
DEADLINE = 30  # seconds
MODULE = """
import logging

import flask

from openbrokerapi.auth import BrokerCredentials
from openbrokerapi.web import wsgi
from openbrokerapi.web.flask import get_blueprint
from tests.contract.brokers import MemoryBroker

credentials = BrokerCredentials({username!r}, {password!r})
plain = wsgi.create_app(MemoryBroker(), credentials)


class AsyncBroker(MemoryBroker):
    async def provision(self, **arguments):
        return super().provision(**arguments)

    async def get_instance(self, **arguments):
        return super().get_instance(**arguments)


asynchronous = wsgi.create_app(AsyncBroker(), credentials)
blueprint = flask.Flask(__name__)
tenants = get_blueprint(MemoryBroker(), credentials, logging.getLogger("b"))
blueprint.register_blueprint(tenants, url_prefix="/t/<tenant>")
"""
APPS = {"plain": "", "asynchronous": "", "blueprint": "/t/a%20b"}
# Fork after the application is loaded, or before: an event loop must live in the worker in both.
WORKERS = {
    "one worker": ["--workers=1", "--threads=1"],
    "preloaded, threads": ["--workers=1", "--threads=4", "--preload"],
}

pytestmark = pytest.mark.slow


@contextmanager
def gunicorn(folder: Path, app: str, options: list[str]) -> Iterator[int]:
    (folder / "served.py").write_text(MODULE.format(**vars(CREDENTIALS)), encoding="utf-8")
    log = folder / "log"
    command = [sys.executable, "-m", "gunicorn", "--bind=127.0.0.1:0", "--no-control-socket", f"served:{app}", *options]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
    with log.open("wb") as output:
        running = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output)
    try:
        yield _port(running, log)
    finally:
        running.terminate()
        running.wait(DEADLINE)
    assert "Traceback" not in log.read_text(encoding="utf-8")


def _port(running: subprocess.Popen[bytes], log: Path) -> int:
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        text = log.read_text(encoding="utf-8")
        found = re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", text)
        if found and "Booting worker" in text:
            return int(found[1])
        assert running.poll() is None, text
        time.sleep(0.02)  # a poll with a deadline
    raise AssertionError(log.read_text(encoding="utf-8"))


@pytest.fixture(scope="module", params=[(app, workers) for app in APPS for workers in WORKERS], ids=" ".join)
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    app, workers = request.param
    with gunicorn(tmp_path_factory.mktemp("gunicorn"), app, WORKERS[workers]) as port:
        yield Platform(port, APPS[app])


def test_a_whole_life_on_gunicorn(served: Platform) -> None:
    assert served.send("PUT", INSTANCE, {**PROVISION, "parameters": {"size": 3}}).status == 201
    assert served.send("PUT", BINDING, BIND).status == 201
    fetched = served.send("GET", INSTANCE)
    assert_answered(fetched, 200, {"service_id": SERVICE, "plan_id": SMALL, "parameters": {"size": 3}})
    for target in (BINDING, INSTANCE):
        assert_answered(served.send("DELETE", target, query=IDS), 200, {})
        assert_refused(served.send("DELETE", target, query=IDS), 410)


@pytest.mark.rule("URL-03")
@pytest.mark.parametrize("instance_id", ["a/b", "/", "a/../b", "a b", "é/日", "a%2Fb", "a?b#c", "a+b", "."])
def test_an_id_with_an_encoded_slash_is_one_id_on_gunicorn(served: Platform, instance_id: str) -> None:
    target = f"/v2/service_instances/{quote(instance_id, safe='')}"
    assert served.send("PUT", target, PROVISION).status == 201
    assert served.send("PUT", f"{target}/service_bindings/{quote(instance_id, safe='')}", BIND).status == 201
    assert served.send("GET", f"{target}/last_operation").json == {"state": "succeeded"}
    assert served.send("GET", f"{target}/service_bindings/{quote(instance_id, safe='')}").status == 200
    assert served.send("DELETE", target, query=IDS).status == 200


def test_what_is_wrong_is_refused_in_json_on_gunicorn(served: Platform) -> None:
    cases: list[tuple[int, Any]] = [
        (400, served.send("PUT", INSTANCE, b"{")),
        (400, served.send("GET", "/v2/service_instances/%zz")),
        (400, served.send("GET", "/v2/service_instances/a%0A")),
        (404, served.send("GET", "/v2/unknown")),
        (405, served.send("POST", "/v2/catalog", {})),
        (413, served.send("PUT", INSTANCE, b'{"a": "' + b"x" * 1024 * 1024 + b'"}')),
        (401, served.send("GET", "/v2/catalog", headers={"Authorization": None})),
    ]
    for status, answer in cases:
        assert_refused(answer, status)


def test_a_chunked_body_is_read_on_gunicorn(served: Platform) -> None:
    body = b'{"service_id": "%s", "plan_id": "%s",' % (SERVICE.encode(), SMALL.encode())
    rest = b'"organization_guid": "o", "space_guid": "s"}'
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body, rest, b""))
    target = f"{served.prefix}/v2/service_instances/chunked".encode()
    raw = wire.head(served, b"PUT", target, b"Content-Type: application/json", b"Transfer-Encoding: chunked")
    answer = wire.exchange(served, raw + chunks)
    assert answer is not None
    assert answer.status == 201
    assert served.send("DELETE", "/v2/service_instances/chunked", query=IDS).status == 200


def test_the_catalog_is_cached_by_its_tag_on_gunicorn(served: Platform) -> None:
    first = ten.CATALOG.by(served)
    assert (first.status, ten.CATALOG.by(served, {"If-None-Match": first.headers["etag"]}).status) == (200, 304)
