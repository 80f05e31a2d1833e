"""The example of the seed's page, word for word with its bodies filled in, as the documentation shows it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.contract.hosts import HOSTS, Platform, Serving, serving

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "how-to" / "run-a-0.3.6-broker.md"
LIMIT = 20.0

# What the page prints. The bodies are `pass`.
PRINTED = """\
from flask import Flask
from openbrokerapi import service_broker
from openbrokerapi.api import *
from openbrokerapi.log_util import *

# Implement a service broker by overriding methods of ServiceBroker
class CustomServiceBroker(service_broker.ServiceBroker):
    def catalog(self) -> List[Service]:
        pass

    def provision(self, instance_id: str, service_details: ProvisionDetails, async_allowed: bool) -> ProvisionedServiceSpec:
        pass

    def unbind(self, instance_id: str, binding_id: str, details: UnbindDetails):
        pass

    def update(self, instance_id: str, details: UpdateDetails, async_allowed: bool) -> UpdateServiceSpec:
        pass

    def bind(self, instance_id: str, binding_id: str, details: BindDetails) -> Binding:
        pass

    def deprovision(self, instance_id: str, details: DeprovisionDetails, async_allowed: bool) -> DeprovisionServiceSpec:
        pass

    def last_operation(self, instance_id: str, operation_data: str) -> LastOperation:
        pass

# Simpely start the server
serve(CustomServiceBroker(), BrokerCredentials("", ""))

# or register blueprint to your own FlaskApp instance
app = Flask(__name__)
logger = basic_config() #  Use root logger with a basic configuration provided by openbrokerapi.log_utils
openbroker_bp = get_blueprint(CustomServiceBroker(), BrokerCredentials("",""), logger)
app.register_blueprint(openbroker_bp)
app.run("0.0.0.0")
"""  # noqa: E501 - the page's lines

# Runs the example as it stands; only the port, 5000 in both places, is chosen by the test, and the first server is
# stopped by a line on standard input, so that the second one gets its turn.
RUNNER = """
import runpy, sys, threading
import flask
import openbrokerapi.web.flask as host
from werkzeug.serving import make_server

def serve_until_told(app, wanted_host, wanted_port):
    assert (wanted_host, wanted_port) == ("0.0.0.0", 5000), (wanted_host, wanted_port)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=lambda: (sys.stdin.readline(), server.shutdown()), daemon=True).start()
    print("port", server.server_port, flush=True)
    server.serve_forever()

class FromTheExample:
    def __init__(self, wanted_host, wanted_port, app):
        self.arguments = (app, wanted_host, wanted_port)
    def serve_forever(self):
        serve_until_told(*self.arguments)

host.make_server = lambda wanted_host, wanted_port, app, **options: FromTheExample(wanted_host, wanted_port, app)
flask.Flask.run = lambda app, wanted_host=None, port=5000, **options: serve_until_told(app, wanted_host, port)
runpy.run_path(sys.argv[1], run_name="__main__")
"""

IDS = {"service_id": "seed-service", "plan_id": "seed-plan"}
ORDER = {**IDS, "organization_guid": "o", "space_guid": "s"}
INSTANCE = "/v2/service_instances/one"
BINDING = f"{INSTANCE}/service_bindings/app"
WAIT = {"accepts_incomplete": "true"}


def example() -> str:
    found = re.search(r'```python title="seed_example.py"\n(.*?)```', PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def test_the_documentation_shows_what_the_page_prints() -> None:
    bodies = re.compile(r"(    def [^\n]*:\n)(?:(?:        [^\n]*)?\n)*?(?=\n    def |\n# Simpely)")
    assert bodies.sub(r"\1        pass\n", example()) == PRINTED


def answers_every_endpoint(platform: Platform) -> None:
    platform.username = platform.password = ""
    platform.headers["X-Broker-API-Version"] = "2.13"
    assert platform.send("GET", "/v2/catalog", headers={"Authorization": None}).status == 401
    catalog = platform.send("GET", "/v2/catalog")
    assert (catalog.status, catalog.json["services"][0]["plans"][0]["id"]) == (200, "seed-plan")
    dashboard = {"dashboard_url": "http://dashboard/one"}
    for target, method, body, query, wanted in (
        (INSTANCE, "PUT", ORDER, None, (201, dashboard)),
        (INSTANCE, "PUT", ORDER, WAIT, (202, {**dashboard, "operation": "provision-seed-plan"})),
        (
            f"{INSTANCE}/last_operation",
            "GET",
            None,
            {"operation": "op"},
            (200, {"state": "in progress", "description": "op"}),
        ),
        (INSTANCE, "PATCH", {**IDS, "previous_values": IDS}, None, (200, {})),
        (INSTANCE, "PATCH", {**IDS, "previous_values": IDS}, WAIT, (202, {"operation": "update-seed-plan"})),
        (
            BINDING,
            "PUT",
            {**IDS, "bind_resource": {"app_guid": "a"}},
            None,
            (201, {"credentials": {"uri": "seed://one", "app": "a"}}),
        ),
        (BINDING, "DELETE", None, IDS, (200, {})),
        (INSTANCE, "DELETE", None, IDS, (200, {})),
        (INSTANCE, "DELETE", None, {**IDS, **WAIT}, (202, {"operation": "deprovision-seed-plan"})),
        # What 0.3.6 did not know yet.
        (INSTANCE, "GET", None, None, (501, None)),
        (BINDING, "GET", None, None, (501, None)),
        (f"{BINDING}/last_operation", "GET", None, None, (501, None)),
    ):
        answer = platform.send(method, target, body, query=query)
        assert answer.status == wanted[0], (method, target, query)
        assert wanted[1] is None or answer.json == wanted[1], (method, target, query)


@pytest.fixture(params=HOSTS, ids=lambda host: host.name)
def serve(request: pytest.FixtureRequest) -> Iterator[Serving]:
    with serving(request.param) as running:
        yield running


def test_its_broker_answers_every_endpoint_on_every_host(serve: Serving) -> None:
    namespace: dict[str, Any] = {}
    exec(example().partition("# Simpely start the server")[0], namespace)  # noqa: S102 - the example is ours
    credentials = namespace["BrokerCredentials"]("", "")
    answers_every_endpoint(serve(namespace["CustomServiceBroker"](), credentials))


def test_it_runs_as_it_stands_first_by_serve_and_then_in_an_application_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "seed_example.py").write_text(example(), encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-c", RUNNER, str(tmp_path / "seed_example.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        for _ in range(2):
            line = process.stdout.readline().split()
            assert line[:1] == ["port"], process.communicate(timeout=LIMIT)
            answers_every_endpoint(Platform(int(line[1])))
            process.stdin.write("next\n")
            process.stdin.flush()
        assert process.wait(LIMIT) == 0
    finally:
        process.kill()
        process.communicate()
