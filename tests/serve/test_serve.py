"""`openbroker serve` as an operator runs it: a process, signals, files, certificates."""

from __future__ import annotations

import http.client
import os
import re
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest
import trustme
from tests.contract.hosts import Answer, Platform

SERVICE = "5f2a6a3e-0f5c-4a53-a1f0-6f2f3c1d7b01"
PLAN = "0d1c7a52-3a8e-4b8a-9d5f-2b9a5f0e1c02"
BODY = {"service_id": SERVICE, "plan_id": PLAN, "organization_guid": "o", "space_guid": "s"}
INSTANCE = "/v2/service_instances/i-1"
LIMIT = 20.0

# `hold` keeps a provision waiting until the test writes into the pipe of that name; `begun` tells that it has begun.
BROKER = f"""
import asyncio
import os
from pathlib import Path
import openbrokerapi as o

class Broker(o.ServiceBroker):
    def catalog(self):
        plan = o.ServicePlan("{PLAN}", "small", "A small one")
        return o.Service("{SERVICE}", "thing", "Things", bindable=False, plans=[plan])

    def provision(self, instance_id, details, async_allowed, **kwargs):
        print("provisions", instance_id, os.getpid(), flush=True)
        if details.parameters:
            Path(details.parameters["hold"]).read_bytes()
        return o.ProvisionedServiceSpec()

broker = Broker()

def once():
    # The first process makes it, its workers cannot.
    if os.environ.get("OPENBROKER_SERVING"):
        raise RuntimeError("no database")
    return Broker()

class Incomplete(Broker):
    def catalog(self):
        return o.Service("", "thing", "Things", bindable=False, plans=[])

class IncompleteAsync(Incomplete):
    async def catalog(self):
        return super().catalog()

class Loops(Broker):
    loop = None

    async def catalog(self):
        self.loop = self.loop or asyncio.get_running_loop()
        assert self.loop is asyncio.get_running_loop(), "on two loops"
        return super().catalog()

class Leaves(Broker):
    def provision(self, instance_id, details, async_allowed, **kwargs):
        raise SystemExit("it says " + details.parameters["word"])
"""


@dataclass
class Served:
    process: subprocess.Popen[str]
    platform: Platform
    lines: list[str]

    def output(self) -> str:
        out, err = self.process.communicate(timeout=LIMIT)
        return "".join(self.lines) + (err or "") + (out or "")


def until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.01)  # between two looks, until the deadline
    raise AssertionError("it did not happen in time")


def line_with(stream: IO[str], wanted: str, lines: list[str]) -> re.Match[str]:
    for line in stream:
        lines.append(line)
        if found := re.search(wanted, line):
            return found
    raise AssertionError(f"no line with {wanted}: {lines}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "things.py").write_text(BROKER)
    return tmp_path


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "openbrokerapi.cli.main", "serve", *arguments]


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENBROKER")}
    return {**kept, "OPENBROKER_USERNAME": "platform", "OPENBROKER_PASSWORD": "pass:word", **more}


@contextmanager
def served(folder: Path, *arguments: str, broker: str = "things:broker", **more: str) -> Iterator[Served]:
    process = subprocess.Popen(
        command(broker, "--port", "0", *arguments),
        cwd=folder,
        env=environment(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    lines: list[str] = []
    try:
        port = int(line_with(process.stderr, r"Serving .*:(\d+)", lines)[1])
        yield Served(process, Platform(port, username="platform", password="pass:word"), lines)
    finally:
        process.kill()
        process.communicate()


def refused(folder: Path, *arguments: str, env: dict[str, str] | None = None) -> tuple[int, str]:
    done = subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment() if env is None else env,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    return done.returncode, done.stderr


def test_a_broker_is_served_with_the_credentials_of_the_environment(folder: Path) -> None:
    with served(folder) as running:
        assert running.platform.send("GET", "/v2/catalog").json["services"][0]["id"] == SERVICE
        assert running.platform.send("GET", "/v2/catalog", headers={"Authorization": None}).status == 401
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(LIMIT) == 0


def test_the_probes_need_no_credentials(folder: Path) -> None:
    with served(folder) as running:
        for path in ("/healthz", "/readyz"):
            assert running.platform.send("GET", path, headers={"Authorization": None}).status == 200


def test_credentials_come_from_a_file_with_several_pairs(folder: Path) -> None:
    (folder / "pairs").write_text("# platforms\none:first:part\n\ntwo:second\n")
    with served(folder, "--credentials-file", "pairs") as running:
        for username, password, status in (("one", "first:part", 200), ("two", "second", 200), ("two", "first", 401)):
            running.platform.username, running.platform.password = username, password
            assert running.platform.send("GET", "/v2/catalog").status == status


def test_a_bearer_token_works_beside_a_password(folder: Path) -> None:
    with served(folder, OPENBROKER_TOKEN="tok-1") as running:
        assert running.platform.send("GET", "/v2/catalog").status == 200
        assert running.platform.send("GET", "/v2/catalog", headers={"Authorization": "Bearer tok-1"}).status == 200
        assert running.platform.send("GET", "/v2/catalog", headers={"Authorization": "Bearer tok-2"}).status == 401


def provision_in_another_process(running: Served, pipe: Path) -> subprocess.Popen[str]:
    body = {**BODY, "parameters": {"hold": str(pipe)}}
    script = (
        "import sys; from tests.contract.hosts import Platform; "
        f"p = Platform({running.platform.port}, username='platform', password='pass:word'); "
        f"print(p.send('PUT', '{INSTANCE}', {body!r}).status)"
    )
    root = Path(__file__).parent.parent.parent
    return subprocess.Popen([sys.executable, "-c", script], cwd=root, stdout=subprocess.PIPE, text=True)


def test_a_request_under_way_is_answered_after_sigterm(folder: Path) -> None:
    pipe = folder / "hold"
    os.mkfifo(pipe)
    with served(folder) as running:
        client = provision_in_another_process(running, pipe)
        assert running.process.stdout is not None
        line_with(running.process.stdout, "provisions i-1", [])
        running.process.send_signal(signal.SIGTERM)
        until(lambda: not accepts(running.platform.port))
        assert running.process.poll() is None
        pipe.write_bytes(b"go on")
        assert client.communicate(timeout=LIMIT)[0].strip() == "201"
        assert running.process.wait(LIMIT) == 0


def accepts(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
    try:
        connection.connect()
    except ConnectionRefusedError:
        return False
    finally:
        connection.close()
    return True


def test_a_request_that_takes_longer_than_the_limit_is_left_behind_and_said_so(folder: Path) -> None:
    pipe = folder / "hold"
    os.mkfifo(pipe)
    with served(folder, "--grace", "0.2") as running:
        client = provision_in_another_process(running, pipe)
        assert running.process.stdout is not None
        line_with(running.process.stdout, "provisions i-1", [])
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(LIMIT) == 0
        assert "left behind: 1 call" in running.output()
        client.kill()
        client.communicate()


def test_several_workers_share_the_port_and_stop_together(folder: Path) -> None:
    with served(folder, "--workers", "2") as running:
        until(lambda: running.platform.send("GET", "/readyz").status == 200)
        for number in range(20):
            assert running.platform.send("PUT", f"/v2/service_instances/{number}", BODY).status == 201
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(LIMIT) == 0
        until(lambda: not accepts(running.platform.port))


def test_with_a_client_authority_only_clients_with_a_certificate_of_it_are_served(folder: Path) -> None:
    authority, others = trustme.CA(), trustme.CA()
    server = authority.issue_cert("127.0.0.1")
    server.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    options = ["--tls-certificate", "server.pem", "--tls-client-ca", "ca.pem"]
    with served(folder, *options) as running:
        assert tls_status(running.platform, authority, authority.issue_cert("client@example.com")) == 200
        for stranger in (None, others.issue_cert("client@example.com")):
            with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
                tls_status(running.platform, authority, stranger)


def tls_status(platform: Platform, authority: trustme.CA, certificate: trustme.LeafCert | None) -> int:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    if certificate is not None:
        certificate.configure_cert(context)
    connection = http.client.HTTPSConnection("127.0.0.1", platform.port, context=context, timeout=LIMIT)
    try:
        connection.request("GET", "/v2/catalog", headers={**platform.headers, **platform.authorization()})
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_prefix_stands_in_front_of_every_path(folder: Path) -> None:
    with served(folder, "--prefix", "/tenant-a") as running:
        assert running.platform.send("GET", "/tenant-a/v2/catalog").status == 200
        assert running.platform.send("GET", "/v2/catalog").status == 404


def test_each_request_has_a_log_line_with_its_identity_and_nothing_of_its_query_or_body(folder: Path) -> None:
    with served(folder) as running:
        answer: Answer = running.platform.send(
            "PUT",
            f"{INSTANCE}%0A?accepts_incomplete=true&x=query-marker",
            {**BODY, "parameters": {"hold": "body-marker"}},
            headers={"X-Broker-API-Request-Identity": "rid-77"},
        )
        assert answer.status == 400
        running.process.send_signal(signal.SIGTERM)
        logged = running.output()
    assert re.search(r"\[rid-77\] PUT /v2/service_instances/i-1%0A 400 [\d.]+ ms\n", logged)
    for marker in ("query-marker", "body-marker", "pass:word"):
        assert marker not in logged


@pytest.mark.parametrize("broker", ["things:Incomplete", "things:IncompleteAsync"])
def test_a_catalog_that_breaks_a_must_is_refused_with_the_rule(folder: Path, broker: str) -> None:
    code, text = refused(folder, broker, "--port", "0")
    assert code == 2
    assert "SVC-03" in text
    assert "SVC-16" in text
    assert "Traceback" not in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["things:nothing"], "has no nothing; it has broker"),
        (["things"], "write package.module:attribute"),
        (["things:broker", "--tls-key", "things.py"], "need --tls-certificate"),
        (["things:broker", "--tls-certificate", "things.py"], "--tls-client-ca do not work"),
        (["things:broker", "--credentials-file", "things.py"], "things.py, line 2: write username:password"),
        (["things:broker", "--minimum-version", "two"], "two numbers with a dot between"),
        (["things:broker", "--prefix", "tenant"], "begin it with a slash"),
        (["things:broker", "--host", "no.such.host.invalid"], "cannot listen on no.such.host.invalid"),
        (["things:once", "--workers", "2", "--port", "0"], "a worker cannot start"),
        (["things:broker", "--password", "x"], "No such option"),
    ],
)
def test_what_cannot_be_served_is_said_in_a_sentence(folder: Path, arguments: list[str], said: str) -> None:
    code, text = refused(folder, *arguments)
    assert code == 2
    assert said in " ".join(text.split())
    assert "Traceback" not in text


def test_an_async_broker_lives_on_one_event_loop(folder: Path) -> None:
    with served(folder, broker="things:Loops") as running:
        for _ in range(2):
            assert running.platform.send("GET", "/v2/catalog").status == 200


def test_a_broker_that_calls_exit_is_answered_for_and_quotes_no_parameter(folder: Path) -> None:
    with served(folder, broker="things:Leaves") as running:
        answer = running.platform.send("PUT", INSTANCE, {**BODY, "parameters": {"word": "MARKER-7"}})
        assert answer.status == 500
        assert answer.json["description"]
        assert running.platform.send("GET", "/v2/catalog").status == 200
        running.process.send_signal(signal.SIGTERM)
        logged = running.output()
    assert "SystemExit" in logged
    assert "MARKER-7" not in logged


def test_without_credentials_it_serves_only_when_told_to(folder: Path) -> None:
    env = {name: value for name, value in environment().items() if not name.startswith("OPENBROKER")}
    code, text = refused(folder, "things:broker", env=env)
    assert code == 2
    assert "OPENBROKER_USERNAME" in text
    assert "--no-auth" in text


def test_a_port_that_is_taken_is_said_in_a_sentence(folder: Path) -> None:
    with served(folder) as running:
        code, text = refused(folder, "things:broker", "--port", str(running.platform.port))
    assert code == 2
    assert "choose another --host or --port" in text
