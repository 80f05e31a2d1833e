"""A managed broker, served and worked for by processes as an operator starts them."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.contract.hosts import Answer, Platform
from tests.operating.commands import LIMIT, command, environment, until

SERVICE = "5f2a6a3e-0f5c-4a53-a1f0-6f2f3c1d7b01"
PLAN = "0d1c7a52-3a8e-4b8a-9d5f-2b9a5f0e1c02"
IDS = {"service_id": SERVICE, "plan_id": PLAN}
BODY = {**IDS, "organization_guid": "o", "space_guid": "s"}
PASSWORD = "marker-of-a-bindings-password"

# Each instance is a file with the id of the process that made it. One that is told to hold waits for the file "go".
BROKER = f"""
import os, time
from pathlib import Path
import msgspec
import openbrokerapi as o
from openbrokerapi.managed import Bound, Broker, ManagedSettings, Offering, Plan, Unsealed

HERE = Path(__file__).parent

class Parameters(msgspec.Struct):
    hold: bool = False
    word: str = ""

class Vaults(Offering):
    id = "{SERVICE}"
    name = "vault"
    description = "Vaults"
    plans = (Plan(id="{PLAN}", name="small", description="A small one"),)
    parameters = Parameters

    def provision(self, instance, work):
        work.step("begin", self.begin, instance.id)
        while instance.parameters.hold and not (HERE / "go").exists() and not work.cancelled:
            time.sleep(0.02)
        work.step("make", self.make, instance.id)

    def begin(self, instance_id):
        (HERE / f"{{instance_id}}.begun").write_text(str(os.getpid()))

    def make(self, instance_id):
        (HERE / f"{{instance_id}}.made").write_text(str(os.getpid()))

    def deprovision(self, instance, work):
        (HERE / f"{{instance.id}}.made").unlink(missing_ok=True)

    def bind(self, instance, binding, work):
        return Bound(credentials={{"password": "{PASSWORD}"}})

    def unbind(self, instance, binding, work):
        pass

broker = Broker(Vaults())

def connected():
    from openbrokerapi.stores.location import open_location
    return Broker(Vaults(), store=open_location(f"sqlite:///{{HERE}}/own.db"), ring=Unsealed())

class Plain(o.ServiceBroker):
    def catalog(self):
        plan = o.ServicePlan("{PLAN}", "small", "A small one")
        return o.Service("{SERVICE}", "thing", "Things", bindable=False, plans=[plan])
"""


class Started:
    """A process, and what it writes to standard error."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.append(line)

    @property
    def text(self) -> str:
        return "".join(self._lines)

    def line_with(self, wanted: str) -> re.Match[str]:
        """Wait for a line."""

        def found() -> re.Match[str] | None:
            seen = re.search(wanted, self.text)
            assert seen or self.process.poll() is None, self.text
            return seen

        match: re.Match[str] = until(found)
        return match

    def ended(self) -> int:
        """Wait for its end; give the exit code."""
        code = self.process.wait(LIMIT)
        self._reader.join(LIMIT)
        return code


@contextmanager
def started(folder: Path, *arguments: str, **more: str) -> Iterator[Started]:
    process = subprocess.Popen(
        command(*arguments),
        cwd=folder,
        env=environment(OPENBROKER_USERNAME="platform", OPENBROKER_PASSWORD="pass:word", **more),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    running = Started(process)
    try:
        yield running
    finally:
        process.kill()
        running.ended()
        assert process.stderr is not None
        process.stderr.close()


class Served:
    """A served broker, and a platform that speaks to it."""

    def __init__(self, running: Started, port: int) -> None:
        self.running = running
        self.process = running.process
        self.platform = Platform(port, username="platform", password="pass:word")

    def provision(self, instance_id: str, **parameters: Any) -> Answer:
        body = {**BODY, "parameters": parameters} if parameters else BODY
        return self.platform.send("PUT", f"/v2/service_instances/{instance_id}?accepts_incomplete=true", body)

    def bind(self, instance_id: str, binding_id: str) -> Answer:
        path = f"/v2/service_instances/{instance_id}/service_bindings/{binding_id}"
        return self.platform.send("PUT", path, IDS)

    def password_of(self, instance_id: str, binding_id: str) -> str:
        path = f"/v2/service_instances/{instance_id}/service_bindings/{binding_id}"
        answer = self.platform.send("GET", path)
        assert answer.status == 200, answer.body
        return str(answer.json["credentials"]["password"])

    def state_of(self, instance_id: str, operation: str) -> str:
        path = f"/v2/service_instances/{instance_id}/last_operation"
        return str(self.platform.send("GET", path, query={**IDS, "operation": operation}).json["state"])


@contextmanager
def served(folder: Path, *arguments: str, broker: str = "vaults:broker", **more: str) -> Iterator[Served]:
    with started(folder, "serve", broker, "--port", "0", *arguments, **more) as running:
        port = int(running.line_with(r"Serving .*:(\d+) ")[1])
        served = Served(running, port)
        until(lambda: _answers(running, served.platform))
        yield served


def _answers(running: Started, platform: Platform) -> bool:
    assert running.process.poll() is None, running.text
    return platform.send("GET", "/readyz").status == 200
