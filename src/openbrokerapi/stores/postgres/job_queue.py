"""Procrastinate's tables beside ours: jobs are put in by the transaction that writes their operations."""

from __future__ import annotations

from collections.abc import Sequence

from .connections import Connection
from .statements import SQL

#: The names that the statement ``defer`` writes into each job.
QUEUE = "openbroker"
TASK = "openbroker.run"
#: For a worker's connections: Procrastinate does not say in which schema its tables are.
SEARCH_PATH = "-c search_path=openbroker"
#: Seconds after which a worker that has not been heard of is taken to be dead.
_STALLED = 60.0


async def defer(connection: Connection, operation_ids: Sequence[str]) -> None:
    """Put the work of operations into the queue, in the transaction that the connection is in, if any.

    Procrastinate's own function ends the transaction if a job for an operation is waiting already; this one leaves the
    waiting one.
    """
    await connection.execute(SQL["defer"], (list(operation_ids),))


async def tidy(connection: Connection) -> None:
    """Delete the jobs that dead workers had just taken out of the queue; their operations are found by their rows."""
    await connection.execute(SQL["tidy"], (_STALLED,))
