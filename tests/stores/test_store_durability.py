"""A process that is killed in the middle loses nothing that it has answered, and leaves nothing half-written."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from tests.stores.committing import CLIENTS
from tests.stores.places import Place, text_of

from openbrokerapi.stores.contract import Store
from openbrokerapi.stores.rows import Event, InstanceRow, OperationRow

ROOT = Path(__file__).resolve().parents[2]


def answered_until_killed(place: Place, answers: int) -> set[str]:
    """Let a process commit, and kill it after so many answers; give the instances that it answered for."""
    command = [sys.executable, "-m", "tests.stores.committing", text_of(place)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(answers)]
        process.kill()
        lines += process.stdout.readlines()
        assert process.wait(20) == -9
    return {f"i{line.strip().decode()}" for line in lines if line.endswith(b"\n")}


async def written(store: Store) -> tuple[set[str], set[str], set[str]]:
    """Give the instances that there are by their rows, their operations, and their events."""
    found: list[set[str]] = []
    for table in ("instance", "operation", "event"):
        rows = await store.rows(table, limit=100_000)
        found.append({row.instance_id for row in rows if isinstance(row, InstanceRow | OperationRow | Event)})
    return found[0], found[1], found[2]


@pytest.mark.parametrize("answers", [1, 150, 700])
def test_what_was_answered_survives_the_death_of_the_process(place: Place, answers: int) -> None:
    answered = answered_until_killed(place, answers)
    assert len(answered) >= answers

    async def look() -> tuple[set[str], set[str], set[str]]:
        store = place.store()
        await store.open()
        try:
            return await written(store)
        finally:
            await store.close()

    instances, operations, events = asyncio.run(look())
    assert answered <= instances
    assert instances == operations == events
    assert len(instances - answered) <= CLIENTS
