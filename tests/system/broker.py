"""The broker of the system tests: it writes down all that it does, and what it makes are files in a folder.

It is told by its environment where: ``SYSTEM_FOLDER`` for the journal and the things; ``SYSTEM_SETTINGS``, as JSON, for
what it does differently; ``SYSTEM_FAULT`` for a store that dies at one of its calls (see faulty_stores).
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from tests.system.faulty_stores import faulty_store
from tests.system.journal import Journal

from openbrokerapi.managed import AsyncWork, Broker, Failed, ManagedSettings, Offering, Plan, Unsealed, Work
from openbrokerapi.managed.subjects import Binding, Instance

SERVICE_ID = "5d5cf5a7-4a2e-4d4e-9d0b-3f1a0f0c7a11"
PLAN_ID = "8e0a0b5c-7a57-4a9e-8b1e-2f6d5b9f1c22"
FOLDER = Path(os.environ.get("SYSTEM_FOLDER", "."))


class Parameters(msgspec.Struct, forbid_unknown_fields=True):
    """What a platform may say of an instance, or of a binding: how long its operations take, and how they end."""

    steps: int = 3
    seconds: float = 0.1
    value: int = 0
    fails: bool = False


class Doing:
    """One call of a handler, as the journal shows it."""

    def __init__(self, journal: Journal, kind: str, instance: str, binding: str, work: Work | AsyncWork) -> None:
        self._journal = journal
        self._fields: dict[str, Any] = {
            "kind": kind,
            "instance": instance,
            "binding": binding,
            "operation": work.operation_id,
            "attempt": work.attempt,
        }

    @contextmanager
    def handled(self) -> Iterator[None]:
        self._journal.write("began", **self._fields)
        try:
            yield
        except BaseException:
            self._journal.write("left", **self._fields)
            raise
        self._journal.write("ended", **self._fields)

    def step(self, name: str, seconds: float, act: Callable[[], object]) -> str:
        self._journal.write("begin", step=name, **self._fields)
        act()
        if seconds:
            time.sleep(seconds)
        self._journal.write("end", step=name, **self._fields)
        return name

    async def async_step(self, name: str, seconds: float, act: Callable[[], object]) -> str:
        self._journal.write("begin", step=name, **self._fields)
        act()
        if seconds:
            await asyncio.sleep(seconds)
        self._journal.write("end", step=name, **self._fields)
        return name


def thing(instance_id: str) -> Path:
    return FOLDER / "things" / instance_id


class Things(Offering):
    id = SERVICE_ID
    name = "thing"
    description = "A folder for each instance, and a file in it for each binding"
    plans = (Plan(id=PLAN_ID, name="one", description="The only one"),)
    parameters = Parameters
    bind_parameters = Parameters

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def provision(self, instance: Instance[Parameters], work: Work) -> None:
        doing = Doing(self._journal, "provision", instance.id, "", work)
        place, wanted = thing(instance.id), instance.parameters
        acts: dict[int, Callable[[], object]] = {
            0: lambda: place.mkdir(parents=True, exist_ok=True),
            1: lambda: (place / "value").write_text(str(wanted.value)),
        }
        with doing.handled():
            work.progress("making it")
            for number in range(wanted.steps):
                act = acts.get(number, lambda: None)
                work.step(f"step {number}", doing.step, f"step {number}", wanted.seconds, act)
            if wanted.fails:
                raise Failed("It was to fail.")

    def deprovision(self, instance: Instance[Parameters], work: Work) -> None:
        doing = Doing(self._journal, "deprovision", instance.id, "", work)
        with doing.handled():
            for number in range(instance.parameters.steps):
                work.step(f"step {number}", doing.step, f"step {number}", instance.parameters.seconds, lambda: None)
            shutil.rmtree(thing(instance.id), ignore_errors=True)

    async def update(self, instance: Instance[Parameters], previous: Instance[Parameters], work: AsyncWork) -> None:
        doing = Doing(self._journal, "update", instance.id, "", work)
        wanted = instance.parameters
        with doing.handled():
            for number in range(wanted.steps):
                await work.step(f"step {number}", doing.async_step, f"step {number}", wanted.seconds, lambda: None)
            (thing(instance.id) / "value").write_text(str(wanted.value))

    async def bind(
        self, instance: Instance[Parameters], binding: Binding[Parameters], work: AsyncWork
    ) -> dict[str, str]:
        doing = Doing(self._journal, "bind", instance.id, binding.id, work)
        place = thing(instance.id) / f"binding {binding.id}"
        wanted = binding.parameters
        with doing.handled():
            for number in range(wanted.steps):
                act: Callable[[], object] = place.touch if number == 0 else lambda: None
                await work.step(f"step {number}", doing.async_step, f"step {number}", wanted.seconds, act)
        return {"password": work.operation_id}

    def unbind(self, instance: Instance[Parameters], binding: Binding[Parameters], work: Work) -> None:
        doing = Doing(self._journal, "unbind", instance.id, binding.id, work)
        with doing.handled():
            for number in range(binding.parameters.steps):
                work.step(f"step {number}", doing.step, f"step {number}", binding.parameters.seconds, lambda: None)
            (thing(instance.id) / f"binding {binding.id}").unlink(missing_ok=True)


def broker() -> Broker:
    settings = msgspec.json.decode(os.environ.get("SYSTEM_SETTINGS", "{}"), type=ManagedSettings)
    journal = Journal(FOLDER / "journal")
    made = Broker(Things(journal), settings=settings)
    if fault := os.environ.get("SYSTEM_FAULT"):
        made.connect(faulty_store(os.environ["OPENBROKER_STORE"], fault, journal), Unsealed())
    return made
