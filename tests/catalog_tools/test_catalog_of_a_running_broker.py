"""`openbroker catalog` with the address of a running broker."""

import base64
import http.server
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from tests.catalog_tools.command import SECRET, refused, run
from tests.catalog_tools.valid_catalog import valid_catalog


class _Broker(http.server.BaseHTTPRequestHandler):
    server: "_Server"

    def do_GET(self) -> None:
        self.server.requests.append((self.path, dict(self.headers)))
        status, headers, body = self.server.answers.get(self.path, (404, {}, b"{}"))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the interface of the standard library
        """Say nothing."""


class _Server(http.server.ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Broker)
        self.requests: list[tuple[str, dict[str, str]]] = []
        body = json.dumps(valid_catalog()).encode()
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {"/v2/catalog": (200, {}, body)}
        self.address = f"http://127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def broker() -> Iterator[_Server]:
    with _Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.rule("VER-01", "AUTH-01")
def test_a_running_broker_is_a_source_with_credentials_from_the_environment(broker, monkeypatch):
    monkeypatch.setenv("OPENBROKER_USERNAME", "admin")
    monkeypatch.setenv("OPENBROKER_PASSWORD", SECRET)
    result = run("show", f"{broker.address}/", "--json")
    assert json.loads(result.stdout) == valid_catalog()
    ((path, headers),) = broker.requests
    token = base64.b64encode(f"admin:{SECRET}".encode()).decode()
    assert path == "/v2/catalog"
    assert headers["X-Broker-API-Version"] == "2.17"
    assert headers["Authorization"] == f"Basic {token}"


def test_credentials_can_come_from_a_file(broker):
    Path("credentials").write_text("# first\n\nadmin:pä:ss\nother:pass\n", encoding="utf-8")
    assert run("check", broker.address, "--credentials-file", "credentials").exit_code == 0
    assert broker.requests[0][1]["Authorization"] == f"Basic {base64.b64encode('admin:pä:ss'.encode()).decode()}"


def test_a_running_broker_is_asked_without_credentials_where_none_are_given(broker):
    assert run("check", broker.address).exit_code == 0
    assert "Authorization" not in broker.requests[0][1]


def test_a_broker_below_a_path_is_asked_there(broker):
    broker.answers["/tenant/v2/catalog"] = broker.answers["/v2/catalog"]
    assert run("check", f"{broker.address}/tenant").exit_code == 0
    assert run("check", f"{broker.address}/tenant/v2/catalog").exit_code == 0
    assert [path for path, _ in broker.requests] == ["/tenant/v2/catalog"] * 2


def test_a_redirect_is_not_followed_for_the_other_end_may_be_somebody_else(broker):
    Path("credentials").write_text(f"admin:{SECRET}", encoding="utf-8")
    broker.answers["/old/v2/catalog"] = (302, {"Location": f"{broker.address}/v2/catalog"}, b"")
    message = refused("check", f"{broker.address}/old", "--credentials-file", "credentials")
    assert message == f"{broker.address}/old/v2/catalog answers with 302; the catalog is a 200"
    assert [path for path, _ in broker.requests] == ["/old/v2/catalog"]


def test_check_of_what_is_json_but_no_catalog_is_a_broken_must(broker):
    broker.answers["/v2/catalog"] = (200, {}, b"[]")
    result = run("check", broker.address)
    assert result.exit_code == 1
    assert "CAT-02" in result.stdout


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            (401, {}, b"{}"),
            (
                "answers with 401; set OPENBROKER_USERNAME and OPENBROKER_PASSWORD, or OPENBROKER_TOKEN, "
                "or give --credentials-file"
            ),
        ),
        ((412, {}, b"{}"), "answers with 412; the broker does not speak version 2.17"),
        ((500, {}, b"{}"), "answers with 500; the catalog is a 200"),
        ((204, {}, b""), "answers with 204; the catalog is a 200"),
        ((200, {}, b"<html>"), "does not answer with JSON; check that it is the address of a broker"),
        ((200, {}, b"\xff"), "does not answer with JSON; check that it is the address of a broker"),
        ((200, {}, b"[" * 50_000), "does not answer with JSON; check that it is the address of a broker"),
    ],
)
def test_a_running_broker_that_gives_no_catalog_ends_with_2_and_one_sentence(broker, answer, message):
    broker.answers["/v2/catalog"] = answer
    assert refused("check", broker.address) == f"{broker.address}/v2/catalog {message}"


def test_a_broker_that_does_not_run_ends_with_2():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        assert refused("check", address).startswith(f"catalog: the broker at {address} was not reached ")


@pytest.mark.parametrize("text", [SECRET, f"{SECRET}\nadmin:x", "", "# nothing\n", f":{SECRET}", "admin:"])
def test_a_credentials_file_without_credentials_is_refused_without_its_text(broker, text):
    Path("credentials").write_text(text, encoding="utf-8")
    message = "credentials has no credentials; write username:password"
    assert refused("check", broker.address, "--credentials-file", "credentials") == message


def test_half_of_the_credentials_is_refused(broker, monkeypatch):
    monkeypatch.setenv("OPENBROKER_PASSWORD", SECRET)
    message = "set both OPENBROKER_USERNAME and OPENBROKER_PASSWORD, or neither"
    assert refused("check", broker.address) == message


def test_a_token_of_the_environment_is_sent(broker, monkeypatch):
    monkeypatch.setenv("OPENBROKER_TOKEN", SECRET)
    assert run("check", broker.address).exit_code == 0
    assert broker.requests[0][1]["Authorization"] == f"Bearer {SECRET}"


def test_without_a_command_the_catalog_of_the_broker_at_the_url_is_shown(broker, monkeypatch):
    shown = run("show", broker.address)
    assert "fake-plan-1" in shown.stdout
    assert run("--url", broker.address).stdout == shown.stdout
    monkeypatch.setenv("OPENBROKER_URL", f"{broker.address}/v2/")
    assert run().stdout == shown.stdout
    assert json.loads(run("--json").stdout) == valid_catalog()


def test_without_a_command_and_a_url_it_is_said_what_is_missing():
    assert refused() == "which broker? give its address, or set OPENBROKER_URL"


def test_an_option_in_front_of_a_command_is_refused_for_it_would_do_nothing(broker):
    result = run("--json", "show", broker.address)
    assert result.exit_code == 2
    assert "--json stands behind show, or without a command" in result.stderr
    assert broker.requests == []


def test_a_broker_is_reached_over_tls_with_the_authority_that_is_given(broker):
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.cert_pem.write_to_path("ca.pem")
    # Before the first request: the server accepts when it is asked.
    broker.socket = server.wrap_socket(broker.socket, server_side=True)
    address = broker.address.replace("http:", "https:")
    assert run("check", address, "--ca", "ca.pem").exit_code == 0
    assert run("--url", address, "--insecure").exit_code == 0
    assert "certificate" in refused("check", address)
