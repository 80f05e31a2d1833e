"""examples/slow_service_broker.py: a remote job is started once, waited for across a crash, and cancelled."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.examples.playing import EXAMPLES, Play, killed, played, told_to_stop
from tests.operating.commands import until

SERVICE, PLAN = "9a4c1b2d-6e3f-4f70-8a5b-4d7c2e1f0a11", "1e8d7c6b-5a49-4382-9170-6f5e4d3c2b12"


class Remote:
    """The slow service, as a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self.url = f"http://127.0.0.1:{process.stdout.readline().split()[-1]}"

    @property
    def jobs(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self.url}/jobs", timeout=10) as answer:  # noqa: S310 - of this machine
            found: list[dict[str, Any]] = json.load(answer)
            return found

    def job(self) -> dict[str, Any] | None:
        """Give the one job that there is, if there is one."""
        jobs = self.jobs
        assert len(jobs) <= 1
        return jobs[0] if jobs else None


@pytest.fixture
def remote() -> Iterator[Remote]:
    process = subprocess.Popen([sys.executable, EXAMPLES / "slow_service.py", "0"], stdout=subprocess.PIPE, text=True)
    try:
        yield Remote(process)
    finally:
        process.kill()
        process.communicate()


def machines(folder: Path, remote: Remote):
    return played(
        folder,
        "slow_service_broker:create_broker",
        SERVICE,
        "--development",
        SLOW_SERVICE_URL=remote.url,
        SLOW_SERVICE_EVERY="0.1",
    )


def begun(play: Play, instance_id: str = "one", **parameters: Any) -> str:
    """Order a machine; give the operation."""
    answer = play.provision(instance_id, PLAN, parameters=parameters)
    assert answer.status == 202, answer.body
    return str(answer.json["operation"])


def waits(play: Play, operation: str) -> None:
    """Go on when the broker waits for the remote job."""
    until(lambda: "%" in play.poll("one", operation).json.get("description", ""))


def test_a_machine_is_built_and_scrapped(tmp_path, remote):
    with machines(tmp_path, remote) as play:
        operation = begun(play, seconds=0.5)
        end, texts = play.end_of("one", operation)
        assert end.json == {"state": "succeeded"}
        assert any(text.startswith("Building the machine: ") for text in texts)

        gone = play.deprovision("one", PLAN)
        assert gone.status == 202
        end, _ = play.end_of("one", gone.json["operation"])
        assert end.status == 410
        assert remote.jobs[0]["state"] == "cancelled"


def test_it_needs_a_platform_that_polls(tmp_path, remote):
    with machines(tmp_path, remote) as play:
        body = {"service_id": SERVICE, "plan_id": PLAN, "organization_guid": "o", "space_guid": "s"}
        answer = play.send("PUT", "service_instances/one", body, accepts_incomplete="false")

        assert (answer.status, answer.json["error"]) == (422, "AsyncRequired")
        assert remote.jobs == []


@pytest.mark.parametrize("end", [killed, told_to_stop])
def test_a_job_is_started_once_though_the_broker_ends_while_it_waits(tmp_path, remote, end):
    with machines(tmp_path, remote) as play:
        operation = begun(play, seconds=5)
        waits(play, operation)
        before = remote.job()
        end(play)
    assert before is not None
    assert remote.jobs[0]["state"] == "building"
    with machines(tmp_path, remote) as play:
        last, _ = play.end_of("one", operation)

    assert last.json == {"state": "succeeded"}
    after = remote.job()
    assert after is not None
    assert (after["id"], after["state"], after["asked"]) == (before["id"], "built", 1)


def test_a_deprovision_cancels_the_job_that_is_waited_for(tmp_path, remote):
    with machines(tmp_path, remote) as play:
        operation = begun(play, seconds=600)
        waits(play, operation)

        gone = play.deprovision("one", PLAN)
        assert gone.status == 202
        last, _ = play.end_of("one", gone.json["operation"])

        assert last.status == 410
        assert play.poll("one", operation).json["state"] == "failed"
    job = remote.job()
    assert job is not None
    assert job["state"] == "cancelled"


def test_a_job_that_fails_is_told_and_cleaned_up(tmp_path, remote):
    with machines(tmp_path, remote) as play:
        last, _ = play.end_of("one", begun(play, make="broken", seconds=600))
        assert last.json == {"state": "failed", "description": "The machine could not be built: its job has failed."}

        until(lambda: remote.jobs[0]["state"] == "cancelled")
        until(lambda: play.deprovision("one", PLAN).status == 410)


def test_a_service_that_is_out_is_waited_for(tmp_path, remote):
    nowhere = Remote.__new__(Remote)
    nowhere.url = "http://127.0.0.1:1"
    with machines(tmp_path, nowhere) as play:
        operation = begun(play, seconds=0)
        killed(play)
    with machines(tmp_path, remote) as play:
        last, _ = play.end_of("one", operation)

        assert last.json == {"state": "succeeded"}
    assert remote.job() is not None
