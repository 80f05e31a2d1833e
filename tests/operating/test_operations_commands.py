"""`openbroker operations`, beside a real broker that could not delete something."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.operating.commands import LIMIT, command, environment, run, until
from tests.operating.conftest import keys_file
from tests.operating.processes import PLAN, SERVICE, served

# A provision and a clean-up fail as long as the file "broken" is there.
BROKER = f"""
from pathlib import Path
from openbrokerapi.managed import Broker, Failed, ManagedSettings, Offering, Plan

HERE = Path(__file__).parent

class Vaults(Offering):
    id = "{SERVICE}"
    name = "vault"
    description = "Vaults"
    plans = (Plan(id="{PLAN}", name="small", description="A small one"),)

    def provision(self, instance, work):
        (HERE / f"{{instance.id}}.made").touch()
        if (HERE / "broken").exists():
            raise Failed("The machine is full.")

    def deprovision(self, instance, work):
        if (HERE / "broken").exists():
            raise RuntimeError("marker-of-an-error")
        (HERE / f"{{instance.id}}.made").unlink(missing_ok=True)

broker = Broker(Vaults(), settings=ManagedSettings(look_after_every=0.1))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "vaults.py").write_text(BROKER)
    keys_file(tmp_path / "keys", "old")
    return tmp_path


def lines(folder: Path, *arguments: str, code: int = 0) -> list[dict[str, object]]:
    done = run(folder, "operations", *arguments, "--json", code=code)
    assert b"marker" not in done.stdout
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_what_could_not_be_cleaned_up_is_listed_and_deleted_when_the_operator_says_so(folder: Path) -> None:
    (folder / "broken").touch()
    with served(folder, "--keys-file", "keys") as running:
        assert running.provision("i-1").status == 500
        found = until(lambda: lines(folder, "left", code=1) if _is_left(folder) else None)
        assert [(each["instance"], each["state"]) for each in found] == [("i-1", "create failed")]
        assert (folder / "i-1.made").exists()
        (folder / "broken").unlink()
        assert b"The broker will try it again" in run(folder, "operations", "retry", "i-1").stdout
        until(lambda: not (folder / "i-1.made").exists())
        until(lambda: _whats(folder)[0] == "clean up succeeded")
        assert lines(folder, "left") == []
        assert _whats(folder) == [
            "clean up succeeded",
            "clean up requested",
            "clean up failed",
            "clean up begun",
            "provision failed",
            "provision requested",
        ]
        who = [each.get("who") for each in lines(folder, "events", "i-1")]
        assert str(who[1]["user"]).startswith("operator")  # type: ignore[index]


def test_nothing_is_tried_again_that_is_not_left_behind(folder: Path) -> None:
    with served(folder, "--keys-file", "keys") as running:
        assert running.provision("i-1").status == 201
        assert b"there is nothing to be deleted again" in run(folder, "operations", "retry", "i-1", code=1).stderr
        assert b"there is nothing to be deleted again" in run(folder, "operations", "retry", "none", code=1).stderr
        assert b"Nothing is left behind." in run(folder, "operations", "left").stdout
        assert b"No operation is in progress." in run(folder, "operations", "list").stdout
        done = lines(folder, "list", "--finished")
        assert [(each["kind"], each["state"], each["instance"]) for each in done] == [("provision", "succeeded", "i-1")]


def _is_left(folder: Path) -> bool:
    return b"create failed" in run_any(folder)


def run_any(folder: Path) -> bytes:
    """Give what `left` prints, whether or not there is anything."""
    done = subprocess.run(
        command("operations", "left"), cwd=folder, env=environment(), capture_output=True, timeout=LIMIT, check=False
    )
    return done.stdout


def _whats(folder: Path) -> list[object]:
    return [each["what"] for each in lines(folder, "events", "i-1")]
