"""A platform that plays an example through, as an operator has served it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.contract.hosts import Answer
from tests.operating.processes import Served, served

EXAMPLES = Path(__file__).parents[2] / "examples"
LIMIT = 60.0


class Play:
    """What one platform does with one offering of a served broker."""

    def __init__(self, served: Served, service_id: str) -> None:
        self._served = served
        self.service_id = service_id

    def send(self, method: str, path: str, body: Any = None, **query: str) -> Answer:
        return self._served.platform.send(method, f"/v2/{path}", body, query={"accepts_incomplete": "true", **query})

    def provision(self, instance_id: str, plan_id: str, **more: Any) -> Answer:
        body = {"service_id": self.service_id, "plan_id": plan_id, "organization_guid": "o", "space_guid": "s", **more}
        return self.send("PUT", path_of(instance_id), body)

    def update(self, instance_id: str, **body: Any) -> Answer:
        return self.send("PATCH", path_of(instance_id), {"service_id": self.service_id, **body})

    def deprovision(self, instance_id: str, plan_id: str) -> Answer:
        return self.send("DELETE", path_of(instance_id), service_id=self.service_id, plan_id=plan_id)

    def bind(self, instance_id: str, binding_id: str, plan_id: str, **body: Any) -> Answer:
        body = {"service_id": self.service_id, "plan_id": plan_id, **body}
        return self.send("PUT", path_of(instance_id, binding_id), body)

    def unbind(self, instance_id: str, binding_id: str, plan_id: str) -> Answer:
        return self.send("DELETE", path_of(instance_id, binding_id), service_id=self.service_id, plan_id=plan_id)

    def poll(self, instance_id: str, operation: str) -> Answer:
        return self.send("GET", f"{path_of(instance_id)}/last_operation", operation=operation)

    def end_of(self, instance_id: str, operation: str) -> tuple[Answer, set[str]]:
        """Poll until an operation has ended; give the last answer, and all texts that were shown before."""
        texts: set[str] = set()
        deadline = time.monotonic() + LIMIT
        while True:
            answer = self.poll(instance_id, operation)
            if answer.status != 200 or answer.json["state"] != "in progress":
                return answer, texts
            texts.add(answer.json.get("description", ""))
            assert time.monotonic() < deadline, answer.body
            time.sleep(0.02)  # between two polls, until the deadline


def path_of(instance_id: str, binding_id: str | None = None) -> str:
    path = f"service_instances/{quote(instance_id, safe='')}"
    return path if binding_id is None else f"{path}/service_bindings/{quote(binding_id, safe='')}"


@contextmanager
def played(folder: Path, reference: str, service_id: str, *arguments: str, **environment: str) -> Iterator[Play]:
    """Serve an example from a folder, where its state stays, and play its platform."""
    name = f"{reference.partition(':')[0]}.py"
    if (EXAMPLES / name).exists():  # else it is there already, as the test has made it
        shutil.copy(EXAMPLES / name, folder / name)
    with served(folder, *arguments, broker=reference, **environment) as running:
        yield Play(running, service_id)


def killed(play: Play) -> None:
    """Kill the broker without a warning, and wait until it is gone."""
    play._served.process.kill()
    play._served.running.ended()


def told_to_stop(play: Play) -> None:
    """End the broker as an operator does."""
    play._served.process.terminate()
    play._served.running.ended()
