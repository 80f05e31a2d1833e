"""A managed broker in front of something slow and external: a service that builds machines, in minutes.

It starts a job there and asks every few seconds how it goes. When the broker dies meanwhile, it goes on waiting for the
same job after its restart; when the platform deletes the instance meanwhile, the job is cancelled. Two things of the
service are needed: a key by which it knows a request that it has had, and a way to find what belongs to a name.

    export SLOW_SERVICE_URL=http://127.0.0.1:8090   # python slow_service.py 8090
    openbroker serve --development slow_service_broker:create_broker

It needs httpx2 (pip install httpx2).
"""

import os
from typing import Annotated, Any

import httpx2
import msgspec

from openbrokerapi.managed import Broker, Failed, Instance, ManagedSettings, Offering, Plan, Provisioned, Work

OUT = httpx2.TransportError  # the service cannot be reached: not now, but perhaps in a moment


class Parameters(msgspec.Struct, forbid_unknown_fields=True):
    """What a machine is ordered with."""

    make: Annotated[str, msgspec.Meta(max_length=20)] = "usual"
    seconds: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 60


class Machines(Offering):
    """Machines, built by the service at a URL.

    Args:
        every: Seconds between two looks at a job.
    """

    id = "9a4c1b2d-6e3f-4f70-8a5b-4d7c2e1f0a11"
    name = "machine"
    description = "A machine of your own, ready in some minutes"
    plans = (
        Plan(
            id="1e8d7c6b-5a49-4382-9170-6f5e4d3c2b12",
            name="standard",
            description="One machine",
            maximum_polling_duration=3600,  # seconds; what takes longer is failed, and cleaned up
        ),
    )
    bindable = False
    parameters = Parameters
    asynchronous = True  # it always takes longer than a request
    estimate = 60

    def __init__(self, url: str, every: float = 3.0) -> None:
        self.every = every
        self.service = httpx2.Client(base_url=url, timeout=10)

    def provision(self, instance: Instance[Parameters], work: Work) -> Provisioned:
        """Start the job, and wait for its end."""
        patient = work.retry(10, backoff=1, on=OUT)
        job_id = patient.step("start", self.start, instance, work.operation_id)
        # After a crash `start` is not called again: the step gives the id that it has remembered.
        machine = patient.until("built", self.look, job_id, work, every=self.every)
        return Provisioned(private={"machine": machine})

    def deprovision(self, instance: Instance[Parameters], work: Work) -> None:
        """Cancel what is being built, and scrap what has been: by name, for the job's id may never have come back."""
        work.progress("Scrapping the machine")
        work.retry(10, backoff=1, on=OUT).step("scrap", self.scrap, instance.id)

    def start(self, instance: Instance[Parameters], key: str) -> str:
        """Start a job; the key makes it the same job, however often a crash lets this be repeated."""
        order = {"machine": instance.id, "make": instance.parameters.make, "seconds": instance.parameters.seconds}
        answer = self.service.post("/jobs", json=order, headers={"Idempotency-Key": key}).raise_for_status()
        return str(answer.json()["id"])

    def look(self, job_id: str, work: Work) -> str | None:
        """Look how a job goes; give the machine's name when it is built."""
        job: dict[str, Any] = self.service.get(f"/jobs/{job_id}").raise_for_status().json()
        if job["state"] in ("failed", "cancelled"):
            raise Failed(f"The machine could not be built: its job has {job['state']}.")
        work.progress(f"Building the machine: {job['percent']} %")
        return str(job["machine"]) if job["state"] == "built" else None

    def scrap(self, instance_id: str) -> None:
        """Let go of all that belongs to an instance; to have nothing of it is fine, too."""
        self.service.delete("/jobs", params={"machine": instance_id}).raise_for_status()


def create_broker() -> Broker:
    """Make the broker, with what the environment says."""
    every = float(os.environ.get("SLOW_SERVICE_EVERY", "3"))
    return Broker(Machines(os.environ["SLOW_SERVICE_URL"], every), settings=ManagedSettings(concurrency=500))
