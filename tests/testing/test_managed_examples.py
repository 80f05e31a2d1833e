"""All scenarios of the misbehaving platform against the managed examples, on both stores: no fault, nothing left."""

import importlib.util
import sys
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from types import ModuleType

import pytest
from tests.examples.playing import EXAMPLES

from openbrokerapi.managed import ManagedSettings
from openbrokerapi.testing import SCENARIOS, InProcess, MisbehavingPlatform, Part, Report, assert_conforms

#: So that slow work is answered with 202 soon: the scenarios wait for that often.
SETTINGS = ManagedSettings(answer_within=0.05)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def store(request) -> str | None:
    return request.getfixturevalue("database") if request.param == "postgresql" else None


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Where the examples keep what they make."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def example(name: str) -> ModuleType:
    specification = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


def played(offering, store, leftovers, **part) -> Report:
    with InProcess(offering, store=store, settings=SETTINGS, replicas=2 if store else 1) as host:
        report = MisbehavingPlatform(host, Part(**part), leftovers=leftovers, patience=3600).play_all()
    assert not report.faults, report.text()
    assert not leftovers()
    assert len(report.outcomes) == len(SCENARIOS)
    assert ("races-replicas" in report.survived) is bool(store)
    return report


def test_the_smallest_example_survives_all(store, folder):
    report = played(
        example("smallest_managed").Folders(),
        store,
        lambda: list(folder.glob("folders/*")),
        parameters={"seconds": 5},
        other_parameters={"seconds": 6},
    )

    assert "deletes-while-a-provision-runs" in report.survived
    assert report.aside["repeats-a-bind"] == "the plan is not bindable"


def authority(store, folder, plan) -> Report:
    return played(
        example("certificate_broker").Authorities(folder / "certificates"),
        store,
        lambda: list(folder.glob("certificates/*")),
        plan=plan,
        update_parameters={"lifetime": 86_400},
        other_parameters={"common_name": "Another"},
    )


def test_the_certificate_authority_survives_all(store, folder):
    report = authority(store, folder, "audited")

    bindings = {"repeats-a-bind", "repeats-an-update", "unbinds-under-another-instance"}
    assert bindings | {"polls-for-days"} <= set(report.survived)


def test_a_certificate_authority_that_is_made_at_once_survives_all(folder):
    report = authority(None, folder, "simple")

    assert {"races-a-bind-with-its-unbind", "sends-everything-twice"} <= set(report.survived)


@pytest.fixture
def jobs() -> Iterator[tuple[str, ModuleType]]:
    """The slow service, in a thread."""
    service = example("slow_service")
    server = ThreadingHTTPServer(("127.0.0.1", 0), service.Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", service
    server.shutdown()
    server.server_close()


def test_the_example_of_a_slow_service_survives_all(store, jobs):
    url, service = jobs
    offering = example("slow_service_broker").Machines(url, every=1.0)
    try:
        report = played(
            offering,
            store,
            lambda: [job for job in service.Handler.jobs.found() if job["state"] != "cancelled"],
            parameters={"seconds": 0.05},
            other_parameters={"seconds": 0.06},
        )
    finally:
        offering.service.close()

    assert {"restarts-the-broker-while-a-provision-runs", "deletes-while-a-provision-runs"} <= set(report.survived)


def test_the_smallest_example_conforms():
    # AUTH-08, a SHOULD: in the process there are no credentials.
    assert_conforms(example("smallest_managed").broker, fail_on="should", skip=["AUTH"])


@pytest.mark.slow
def test_the_certificate_authority_conforms(folder):
    offering = example("certificate_broker").Authorities(folder / "certificates")
    assert_conforms(offering, settings=SETTINGS)
