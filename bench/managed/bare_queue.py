"""Bare Procrastinate: jobs that do nothing, deferred by as many clients as send provisions, run by one worker.

    python -m bench.managed.bare_queue <url> <seconds>

It prints how many jobs were deferred and run a second.
"""

from __future__ import annotations

import asyncio
import sys
import time

import procrastinate
from bench.load import CONNECTIONS
from procrastinate.jobs import DeleteJobCondition
from procrastinate.schema import SchemaManager


async def run_jobs(url: str, seconds: float) -> float:
    """Give the jobs a second, from the first one deferred to the last one run."""
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url, max_size=CONNECTIONS + 4))
    ended = 0

    @app.task(name="nothing", queue="bare")
    async def nothing(number: int) -> None:
        nonlocal ended
        ended += 1

    async with app.open_async():
        await SchemaManager(app.connector).apply_schema_async()
        worker = asyncio.create_task(
            app.run_worker_async(
                queues=["bare"],
                concurrency=100,
                delete_jobs=DeleteJobCondition.ALWAYS,
                install_signal_handlers=False,
            )
        )
        began = time.perf_counter()

        async def client() -> int:
            deferred = 0
            while time.perf_counter() - began < seconds:
                await nothing.defer_async(number=deferred)
                deferred += 1
            return deferred

        deferred = sum(await asyncio.gather(*(client() for _ in range(CONNECTIONS))))
        while ended < deferred:  # noqa: ASYNC110 - an event would be work in each job
            await asyncio.sleep(0.005)
        rate = ended / (time.perf_counter() - began)
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
    return rate


if __name__ == "__main__":
    print(asyncio.run(run_jobs(sys.argv[1], float(sys.argv[2]))))
