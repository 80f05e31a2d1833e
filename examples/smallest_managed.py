"""The smallest managed broker, folders: `openbroker serve --development smallest_managed:broker`."""

import shutil
from pathlib import Path

import msgspec

from openbrokerapi.managed import Broker, Instance, Offering, Plan, Work


class Parameters(msgspec.Struct, forbid_unknown_fields=True):
    seconds: float = 0


class Folders(Offering):
    id = "0f1d6f0e-2a9b-4f43-9b0c-6a7b1f1f3a51"
    name = "folder"
    description = "A folder on this machine, made as slowly as you like"
    plans = (Plan(id="5b0a7a2e-5a63-4b7c-9d4e-0f6a0d3f6c11", name="small", description="One folder"),)
    parameters = Parameters

    def provision(self, instance: Instance[Parameters], work: Work) -> None:
        work.step("make", Path("folders", instance.id.encode().hex()).mkdir, parents=True, exist_ok=True)
        work.sleep(instance.parameters.seconds)

    def deprovision(self, instance: Instance[Parameters], work: Work) -> None:
        shutil.rmtree(Path("folders", instance.id.encode().hex()), ignore_errors=True)  # an id may have slashes


broker = Broker(Folders())
