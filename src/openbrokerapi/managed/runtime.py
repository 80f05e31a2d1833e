"""The runtime of one process: it carries operations out, and looks after those that others left."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from openbrokerapi.errors import ServiceException
from openbrokerapi.log_util import request_identity
from openbrokerapi.stores.contract import Change, Key, Store, StoreError, View
from openbrokerapi.stores.rows import IN_PROGRESS, BindingRow, InstanceRow, OperationRow
from openbrokerapi.traces import scrubbed

from .answers import Failed
from .endings import UNEXPECTED, Ended, Endings, Outcome, failed, succeeded
from .handlers import Handlers, Job
from .memory import Memory, Stopped
from .operations import FAILED, FOR_GOOD, Verdict
from .records import Records
from .runner import Runner
from .settings import ManagedSettings
from .states import Kind
from .waiting import End, Waiting

T = TypeVar("T")
#: What leaves something behind when it fails.
_DELETIONS = (Kind.DEPROVISION, Kind.UNBIND, Kind.CLEAN_UP)
#: Seconds between tries to write the end of an operation into a store that is out.
_PAUSE = 1.0
#: What an operation came to whose outcome no store takes; without it the operation would begin again for ever.
_UNWRITABLE = failed(LookupError())


class Runtime:
    """Carries operations out.

    Args:
        worker: This process's name; no other process ever has the same.
    """

    def __init__(
        self,
        store: Store,
        records: Records,
        endings: Endings,
        runner: Runner,
        settings: ManagedSettings,
        worker: str,
        clock: Callable[[], float],
        logger: logging.Logger,
    ) -> None:
        self.store = store
        self.endings = endings
        self.waiting = Waiting(store)
        self._records = records
        self._runner = runner
        self._settings = settings
        self._worker = worker
        self._clock = clock
        self._logger = logger
        self._threads = ThreadPoolExecutor(settings.concurrency, thread_name_prefix="openbrokerapi-work")
        self._handlers = Handlers(records, self._threads)
        self.jobs: dict[str, Job] = {}
        self._taken: dict[str, Job] = {}
        self._beginning: set[asyncio.Task[None]] = set()
        self._stopping = False

    @property
    def lease(self) -> float:
        """Seconds for which this process takes an operation."""
        return self._settings.lease if self.store.shared else FOR_GOOD

    async def submit(self, key: Key, decide: Callable[[View], Change[Verdict]]) -> Verdict:
        """Carry out the transaction of a request, and begin what it begins."""
        verdict = await self._changed(key, decide)
        if verdict.stopped is not None:
            self.stop_job(verdict.stopped)
        operation = verdict.operation
        if operation is not None and verdict.reaction.begins and operation.blocked_by is None:
            self.begin(operation, verdict.instance, verdict.binding)
        return verdict

    async def end(self, decision: tuple[Key, Callable[[View], Change[Ended]]]) -> Ended:
        """Carry out the transaction of an end, and begin what it sets free."""
        ended = await self._changed(*decision)
        for operation in ended.begun:
            self.begin(operation)
        return ended

    async def _changed(self, key: Key, decide: Callable[[View], Change[T]]) -> T:
        try:
            return await self.store.change(key, decide)
        except (StoreError, asyncio.CancelledError):
            # It may be committed all the same, for a client that has gone, say; a queue would have what it begins.
            if not self.store.shared and not self._stopping:
                task = asyncio.ensure_future(self._begin_unheard(key.instance_id))
                self._beginning.add(task)
                task.add_done_callback(self._beginning.discard)
            raise

    async def _begin_unheard(self, instance_id: str) -> None:
        """Begin what a transaction has begun whose caller did not hear of it, and stop what it has stopped."""
        try:
            view = await self.store.change(Key(instance_id), lambda view: Change(result=view))
        except StoreError as error:
            self._logger.warning("instance %s cannot be looked at: %s", instance_id, error)
            return
        for row in view.active:
            known = row.operation_id in self.jobs or row.operation_id in self._taken
            if row.state != IN_PROGRESS:
                self.stop_job(row.operation_id)
            elif row.worker == self._worker and not known:
                self.begin(row)

    def begin(
        self, operation: OperationRow, instance: InstanceRow | None = None, binding: BindingRow | None = None
    ) -> None:
        """Hand over an operation whose transaction is committed; a shared store's transaction has done that itself."""
        if operation.worker == self._worker:
            self._taken[operation.operation_id] = Job(operation, instance, binding, time.monotonic())
        self.hand_over(operation.operation_id)

    def hand_over(self, operation_id: str) -> None:
        """Let the runner have an operation, to be claimed unless it is taken; between processes the queue has it."""
        if not self.store.shared:
            self._runner.begin((operation_id,))

    def stop_job(self, operation_id: str) -> None:
        """Let an operation's method end at its next step, if it runs here."""
        if (job := self.jobs.get(operation_id) or self._taken.get(operation_id)) is not None:
            job.stop()

    async def run(self, operation_id: str) -> None:
        """Carry an operation out, if it is there to be carried out; what goes wrong is logged."""
        if operation_id in self.jobs or self._stopping:
            return
        try:
            job = self._taken.pop(operation_id, None) or await self._claimed(operation_id)
            if job is not None:
                await self._carry_out(job)
        except Exception as error:  # noqa: BLE001 - the runner goes on; the row is found and handed over again
            self._logger.error("operation %s: %s", operation_id, scrubbed(error, ()))  # noqa: TRY400 - scrubbed
            await self._leave(operation_id)

    async def _leave(self, operation_id: str) -> None:
        """Hold an operation no longer than a lease from now on: then its row is found, and handed over again."""
        while not self._stopping:
            try:
                await self.store.beat(self._worker, self._settings.lease, [operation_id])
                break
            except StoreError:
                await asyncio.sleep(_PAUSE)

    async def _claimed(self, operation_id: str) -> Job | None:
        began = time.monotonic()
        operation = await self.store.claim(operation_id, self._worker, self.lease)
        if operation is None:
            return None
        if operation.attempt > 1:
            self._logger.info("%s taken up, attempt %d", describe(operation), operation.attempt)
        return Job(operation, None, None, began)

    async def _carry_out(self, job: Job) -> None:
        operation = job.operation
        self.jobs[operation.operation_id] = job
        job.task = asyncio.current_task()
        token = request_identity.set(job.who.request_identity)
        try:
            await self._load(job)
            self._logger.debug("%s begun, attempt %d", describe(operation), operation.attempt)
            outcome = await self._handled(job)
            left = job.memory is not None and job.memory.told
            await self._settle(job, None if left else outcome)
        finally:
            request_identity.reset(token)
            del self.jobs[operation.operation_id]
            job.ended.set()

    async def _load(self, job: Job) -> None:
        """Read what the transaction that began it did not hand over."""
        row = job.operation
        if job.instance is None:
            job.instance = await self.store.instance(row.instance_id)
        if row.binding_id is not None and job.binding is None:
            job.binding = await self.store.binding(row.instance_id, row.binding_id)
        if job.binding is not None and job.binding.predecessor_binding_id is not None and row.kind == Kind.BIND:
            job.predecessor = await self.store.binding(row.instance_id, job.binding.predecessor_binding_id)
        if row.binding_id is None and row.kind in (Kind.DEPROVISION, Kind.CLEAN_UP):
            view = await self.store.change(Key(row.instance_id, bindings=True), lambda view: Change(result=view))
            job.bindings = view.bindings

    async def _handled(self, job: Job) -> Outcome | None:
        """Call the author's method; give None where the operation is not to be ended by this worker."""
        memory = job.memory = Memory(self.store, self._records, job.operation, self._clock, lambda: self._is_held(job))
        offering = self._records.offering(job.instance.service_id) if job.instance is not None else None
        if offering is None:
            self._logger.error(
                "%s: the broker has no offering with its service_id; keep it in the broker, with retired = True",
                describe(job.operation),
            )
            return failed(LookupError())
        if job.stopped or not await self._is_held(job):
            # It was frozen since it took the operation, or is to be deleted: not even the first line of the method may
            # run.
            return None
        try:
            return succeeded(Kind(job.operation.kind), await self._handlers.handle(offering, job, memory))
        except Stopped:
            return None
        except asyncio.CancelledError as error:
            # The author's own, such as that of a task that he cancelled, must not set the work to begin again for ever.
            task = asyncio.current_task()
            if self._stopping or (task is not None and task.cancelling()):
                return None
            self._log_unexpected(job, error)
            return failed(error)
        except BaseException as error:  # noqa: BLE001 - whatever the author's code raises ends the operation only
            return self._raised(job, memory, error)

    def _raised(self, job: Job, memory: Memory, error: BaseException) -> Outcome | None:
        if memory.told:
            # It comes of the work's being stopped.
            return None
        if not isinstance(error, (Failed, ServiceException)):
            self._log_unexpected(job, error)
        return failed(error)

    def _log_unexpected(self, job: Job, error: BaseException) -> None:
        rows = (job.instance, job.binding, job.predecessor, *job.bindings, job.operation)
        more = job.memory.results if job.memory is not None else ()
        self.log_unexpected(describe(job.operation), error, *rows, more=more)

    def log_unexpected(
        self,
        what: str,
        error: BaseException,
        *rows: InstanceRow | BindingRow | OperationRow | None,
        more: Sequence[Any] = (),
    ) -> None:
        """Log what an author's method raised, without what is sealed in these rows, and without ``more``."""
        secrets = [*more]
        for row in rows:
            # What cannot be opened, the author's method has not seen either.
            with suppress(Exception):
                secrets += self._records.secrets(row)
        self._logger.error("%s: unexpected error\n%s", what, scrubbed(error, secrets))

    async def _is_held(self, job: Job) -> bool:
        if self._stopping:
            return False
        if not self.store.shared or time.monotonic() - job.beaten_at < self._settings.lease * 0.8:
            return True
        # The process may have been frozen: another one may have the operation by now.
        began = time.monotonic()
        alive = await self.store.beat(self._worker, self.lease, [job.operation.operation_id])
        job.beaten_at = began
        return job.operation.operation_id in alive

    async def _settle(self, job: Job, outcome: Outcome | None) -> None:
        """Write the end of an operation, however long the store is out."""
        while True:
            try:
                ended = await self.end(self._ending(job, outcome))
                break
            except StoreError as error:
                if outcome is None and self._stopping:
                    # Its lease ends it for this worker just as well.
                    return
                self._logger.warning("%s: its end cannot be written yet: %s", describe(job.operation), error)
                await asyncio.sleep(_PAUSE)
            except Exception as error:
                if outcome is None or outcome == _UNWRITABLE:
                    raise
                self._log_unexpected(job, error)
                outcome = _UNWRITABLE
        self._tell(outcome, ended)

    def _tell(self, outcome: Outcome | None, ended: Ended) -> None:
        """Tell the request that waits, and the log; or go on with what has not ended."""
        if ended.operation is not None and ended.operation.state != IN_PROGRESS:
            if ended.mine:
                self._log_end(ended.operation)
            raised = outcome.error if outcome is not None and ended.mine else None
            self.waiting.tell(End(ended.operation, raised, ended.instance, ended.binding))
        elif ended.operation is not None and not self._stopping:
            self.begin(ended.operation)

    def _log_end(self, operation: OperationRow) -> None:
        """Say how an operation ended, in the author's words for the user; a success is nobody's concern."""
        if operation.state != FAILED:
            self._logger.debug("%s succeeded", describe(operation))
            return
        # What was unexpected has been logged with its traceback.
        said = "" if operation.description == UNEXPECTED else f": {operation.description}"
        if operation.kind in _DELETIONS:
            hint = "what may be left of it is in `openbroker operations left`"
            self._logger.warning("%s failed%s (%s)", describe(operation), said, hint)
        elif said:
            self._logger.info("%s failed%s", describe(operation), said)

    def _ending(self, job: Job, outcome: Outcome | None) -> tuple[Key, Callable[[View], Change[Ended]]]:
        if outcome is None:
            return self.endings.release(job.operation)
        return self.endings.end(job.operation, outcome, steps=job.memory is not None and job.memory.used)

    async def beat(self) -> None:
        """Renew the leases of what runs here, and stop what is not this worker's any more."""
        if not self.jobs:
            return
        jobs = dict(self.jobs)
        began = time.monotonic()
        alive = await self.store.beat(self._worker, self.lease, list(jobs))
        for operation_id, job in jobs.items():
            if operation_id in alive:
                job.beaten_at = began
            else:
                job.stop()

    async def stop(self) -> None:
        """Begin no more, and leave what does not end within ``stop_within`` to others at once."""
        self._stopping = True
        await self._runner.stop()
        jobs = list(self.jobs.values())
        for job in jobs:
            job.stop()
        if jobs:
            await asyncio.wait(
                [asyncio.ensure_future(job.ended.wait()) for job in jobs], timeout=self._settings.stop_within
            )
        for job in [job for job in jobs if not job.ended.is_set()]:
            self._logger.warning("%s: left to others, its step did not end in time", describe(job.operation))
            with suppress(StoreError):  # the lease ends by itself, too
                await self.end(self.endings.release(job.operation))
            if job.task is not None:
                job.task.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)


def describe(operation: OperationRow) -> str:
    """Name an operation in a log line."""
    binding = f" of binding {operation.binding_id}" if operation.binding_id is not None else ""
    return f"{operation.kind}{binding} of instance {operation.instance_id} (operation {operation.operation_id})"
