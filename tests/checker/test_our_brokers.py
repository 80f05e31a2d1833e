"""The checker finds no fault in the examples, on either store and on every host, and leaves nothing behind in them."""

from __future__ import annotations

import asyncio
import importlib.util
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import apsw
import psycopg
import pytest
from tests.contract.hosts import CREDENTIALS, HOSTS, serving
from tests.stores.postgresql import Server

from openbrokerapi.cli.demonstration.broker_server import BrokerServer, find_example, load_broker
from openbrokerapi.conformance import Checker, Cooperation, Credentials, Options, Report, Verdict
from openbrokerapi.conformance.checker import NoListener
from openbrokerapi.conformance.http_sender import HttpSender
from openbrokerapi.conformance.wire import Answer
from openbrokerapi.managed.key_ring import KeyRing
from openbrokerapi.stores.location import open_location

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[2] / "examples"
PATIENCE = 30.0
#: Longer than a managed broker lets a request wait, so that what takes so long is asynchronous.
LONGER_THAN_A_REQUEST = 1.0

FOLDERS = {"plans": [{"service": "folder", "plan": "small", "other_parameters": {"seconds": 0.01}}]}
# The bindings of a trust store are volumes; certificates are bound with parameters of their own.
CERTIFICATES = {
    "plans": [
        {
            "service": "certificate-authority",
            "plan": "simple",
            "parameters": {"common_name": "One", "lifetime": 90 * 86_400},
            "update_parameters": {"lifetime": 86_400},
            "bind_parameters": {"common_name": "app", "lifetime": 3600},
            "update_not_to": "audited",
        },
        {
            "service": "certificate-authority",
            "plan": "simple",
            "parameters": {"lifetime": 90 * 86_400},
            "update_to": "audited",
            "traits": ["over-quota-update"],
        },
        {"service": "certificate-authority", "plan": "simple"},
        {"service": "certificate-authority", "plan": "audited", "update_parameters": {"lifetime": 3600}},
        {
            "service": "trust-store",
            "plan": "shared",
            "bad_parameters": {"certificates": ["no certificate"]},
            "traits": ["volume", "requires-app", "no-credentials"],
        },
    ]
}
MACHINES = {
    "plans": [
        {
            "service": "machine",
            "plan": "standard",
            "parameters": {"seconds": 0.7},
            "other_parameters": {"seconds": 0.8},
        },
        {
            "service": "machine",
            "plan": "standard",
            "parameters": {"make": "broken"},
            "traits": ["fails-provision"],
        },
    ]
}


def loaded(name: str) -> ModuleType:
    """Import an example anew: what a test changes of it is gone afterwards."""
    specification = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the examples keep their things in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def place(request: pytest.FixtureRequest, here: Path) -> str:
    """The URL of a store of the kind that is asked for."""
    return str(request.getfixturevalue("database")) if request.param == "postgresql" else f"sqlite:///{here}/broker.db"


@contextmanager
def served(broker: Any, host: str, location: str) -> Iterator[str]:
    """Serve a managed broker on a host; give its address."""
    broker.connect(open_location(location), KeyRing({"a": bytes(range(32))}))
    with serving(next(each for each in HOSTS if each.name == host)) as start:
        platform = start(broker)
        try:
            yield f"http://127.0.0.1:{platform.port}"
        finally:
            asyncio.run_coroutine_threadsafe(broker.shutdown(), broker._loop).result(PATIENCE)


def checked(url: str, told: dict[str, Any], credentials: Credentials | None = None) -> Report:
    """Check the broker there; interpretations weigh like the rest."""

    async def check() -> Report:
        sender = HttpSender(url)
        shown = credentials or Credentials(CREDENTIALS.username, CREDENTIALS.password)
        options = Options(strict=True, patience=PATIENCE)
        try:
            return await Checker(sender, shown, url=url, options=options, cooperation=Cooperation.of(told)).check()
        finally:
            await sender.close()

    return asyncio.run(check())


def expect_flawless(report: Report, *judged: str) -> None:
    """Make sure that nothing was found or left, that all could be decided, and that these rules were looked at."""
    seen = {result.rule.id: result for result in report.results}
    failed = {
        rule: [(finding.check, finding.expected, finding.answers[-1].status) for finding in result.findings]
        for rule, result in seen.items()
        if result.verdict is Verdict.FAILED
    }
    undecided = {rule: result.reason for rule, result in seen.items() if result.verdict is Verdict.UNDECIDED}
    assert (failed, undecided, report.troubles, report.left_behind) == ({}, {}, (), ())
    assert {rule: (seen[rule].verdict, seen[rule].reason) for rule in judged} == {
        rule: (Verdict.PASSED, seen[rule].reason) for rule in judged
    }


def kept(location: str) -> dict[str, int]:
    """Ask the store itself how many instances, bindings and unfinished operations it has."""
    counted = {
        "instance": "SELECT count(*) FROM {}instance",
        "binding": "SELECT count(*) FROM {}binding",
        "operation": "SELECT count(*) FROM {}operation WHERE state = 'in progress'",
    }
    if location.startswith("postgresql"):
        with psycopg.connect(location) as connection:
            return {name: _one(connection.execute(query.format("openbroker."))) for name, query in counted.items()}
    file = apsw.Connection(location.removeprefix("sqlite:///"))
    try:
        return {name: _one(file.execute(query.format(""))) for name, query in counted.items()}
    finally:
        file.close()


def _one(cursor: Any) -> int:
    return int(cursor.fetchone()[0])


NOTHING = {"instance": 0, "binding": 0, "operation": 0}


@pytest.mark.parametrize(("host", "place"), [("asgi", "sqlite"), ("serve", "postgresql")], indirect=["place"])
def test_the_smallest_managed_broker_keeps_to_the_specification(host: str, place: str, here: Path):
    with served(loaded("smallest_managed").broker, host, place) as url:
        report = checked(url, FOLDERS)
    expect_flawless(report, "PROV-17", "PROV-25", "DEP-16", "LOI-12", "GETI-01", "ASY-01")
    assert kept(place) == NOTHING
    assert list(here.glob("folders/*")) == []


@pytest.mark.parametrize(
    ("host", "place"),
    [("asgi", "sqlite"), ("serve", "postgresql"), ("wsgi", "sqlite"), ("flask", "sqlite")],
    indirect=["place"],
)
def test_the_certificate_broker_keeps_to_the_specification(
    host: str, place: str, here: Path, monkeypatch: pytest.MonkeyPatch
):
    module = loaded("certificate_broker")
    monkeypatch.setitem(module.Authorities.plans[1].settings, "waiting", LONGER_THAN_A_REQUEST)
    with served(module.broker, host, place) as url:
        report = checked(url, CERTIFICATES)
    expect_flawless(
        report,
        *("PROV-15", "LOI-09", "LOI-12", "LOB-10", "UPD-10", "UPD-20", "UPD-28", "UPD-29"),
        *("BIND-20", "BIND-28", "BIND-29", "BIND-39", "ROT-03", "GETB-04", "UNB-14", "BMD-06", "VOL-01"),
    )
    assert kept(place) == NOTHING
    assert list(here.glob("certificates/*")) == []


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_a_run_that_is_ended_early_leaves_nothing_and_says_what_it_has_not_looked_at(
    place: str, here: Path, monkeypatch: pytest.MonkeyPatch
):
    module = loaded("certificate_broker")
    monkeypatch.setitem(module.Authorities.plans[1].settings, "waiting", LONGER_THAN_A_REQUEST)
    with served(module.broker, "asgi", place) as url:
        for answers in (8, 30, 200):
            report = asyncio.run(ended_after(answers, url))
            assert (report.interrupted, report.left_behind, kept(place)) == (True, (), NOTHING), answers
            reasons = [each.reason for each in report.results if each.verdict is Verdict.UNDECIDED]
            assert "the run was ended before it could be judged" in reasons
    assert list(here.glob("certificates/*")) == []


class EndsIt(NoListener):
    """Cancels a run after so many answers, as Ctrl-C does."""

    def __init__(self, answers: int) -> None:
        self._answers = answers
        self.run: asyncio.Task[Report] | None = None

    def answered(self, answer: Answer) -> None:
        self._answers -= 1
        if self._answers == 0 and self.run is not None:
            self.run.cancel()


async def ended_after(answers: int, url: str) -> Report:
    sender, listener = HttpSender(url), EndsIt(answers)
    shown = Credentials(CREDENTIALS.username, CREDENTIALS.password)
    listener.run = asyncio.ensure_future(Checker(sender, shown, url=url, listener=listener).check())
    try:
        return await listener.run
    finally:
        await sender.close()


@pytest.fixture
def builder() -> Iterator[tuple[str, Callable[[], list[Any]]]]:
    """The slow service, and how to ask it for its jobs."""
    handler = loaded("slow_service").Handler
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", handler.jobs.found
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(("host", "place"), [("asgi", "postgresql"), ("serve", "sqlite")], indirect=["place"])
def test_the_broker_of_a_slow_service_keeps_to_the_specification(
    host: str, place: str, builder: tuple[str, Callable[[], list[Any]]], monkeypatch: pytest.MonkeyPatch
):
    url_of_service, jobs = builder
    monkeypatch.setenv("SLOW_SERVICE_URL", url_of_service)
    monkeypatch.setenv("SLOW_SERVICE_EVERY", "0.05")
    broker = loaded("slow_service_broker").create_broker()
    try:
        with served(broker, host, place) as url:
            report = checked(url, MACHINES)
    finally:
        for offering in broker._offerings.values():
            offering.service.close()
    expect_flawless(
        report, "ASY-10", "PROV-02", "PROV-21", "PROV-22", "LOI-09", "LOI-13", "LOI-19", "DEP-04", "GETI-15"
    )
    assert kept(place) == NOTHING
    assert {job["state"] for job in jobs()} == {"cancelled"}


def test_the_broker_of_the_demonstration_keeps_to_the_specification(postgresql_server: Server):
    server_url = postgresql_server.url
    with BrokerServer(load_broker(find_example(), server_url)) as running:
        report = checked(running.url, {}, Credentials(running.username, running.password))
    expect_flawless(
        report, "PROV-17", "LOI-12", "LOB-10", "UPD-10", "UPD-27", "BIND-20", "BIND-29", "GETB-04", "UNB-14", "DEP-16"
    )
    with psycopg.connect(server_url) as connection:
        left = connection.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE 'osb%%' UNION SELECT rolname FROM pg_roles"
            " WHERE rolname LIKE 'osb%%'"
        ).fetchall()
    assert left == []
