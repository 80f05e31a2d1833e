"""The runner of a process that carries nothing out: workers elsewhere take what it puts into the queue."""

from __future__ import annotations

from collections.abc import Sequence

from openbrokerapi.managed.runner import Run
from openbrokerapi.stores.contract import Store
from openbrokerapi.stores.postgres.job_queue import defer


class DeferringRunner:
    """Puts operations into the queue, in the transactions that write them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def start(self, run: Run) -> None:  # noqa: ARG002 - the interface of runners
        """Let the store's transactions put what they begin into the queue."""
        self._store.defer = defer

    def begin(self, operation_ids: Sequence[str]) -> None:
        """Do nothing: it is in the queue."""

    async def stop(self) -> None:
        """Do nothing."""

    async def join(self) -> None:
        """Do nothing."""
