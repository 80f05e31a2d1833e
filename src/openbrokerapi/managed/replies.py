"""What the platform is answered: at once where the work is done in time, and with an operation where it is not."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from openbrokerapi.errors import (
    ErrAsyncRequired,
    ErrBindingDoesNotExist,
    ErrBindingGone,
    ErrInstanceDoesNotExist,
    ErrInstanceGone,
    ErrOperationFailed,
)
from openbrokerapi.specs import (
    Binding,
    BindState,
    DeprovisionServiceSpec,
    GetBindingSpec,
    GetInstanceDetailsSpec,
    LastOperation,
    OperationState,
    ProvisionedServiceSpec,
    ProvisionState,
    UnbindSpec,
    UpdateServiceSpec,
)
from openbrokerapi.stores.rows import IN_PROGRESS, BindingRow, InstanceRow, OperationRow

from .offering import Offering
from .operations import STOPPED, SUCCEEDED, Verdict
from .records import Records
from .runtime import Runtime
from .settings import ManagedSettings
from .states import Kind, Reaction
from .waiting import End

_TOO_LONG = "The operation was not finished in time, and has been stopped."
_DELETES = frozenset((Kind.DEPROVISION, Kind.UNBIND, Kind.CLEAN_UP))
_SHORTEST_PAUSE = 1
_LONGEST_PAUSE = 60


class Replies:
    """Answers requests."""

    def __init__(
        self,
        runtime: Runtime,
        records: Records,
        offerings: Mapping[str, Offering],
        settings: ManagedSettings,
        clock: Callable[[], float],
    ) -> None:
        self._runtime = runtime
        self._store = runtime.store
        self._records = records
        self._offerings = offerings
        self._settings = settings
        self._clock = clock

    async def provisioned(self, verdict: Verdict, async_allowed: bool) -> ProvisionedServiceSpec:
        """Answer a provision."""
        operation, end = await self._unfinished(verdict, async_allowed)
        if operation is not None:
            # PROV-28: it cannot come later.
            url = self._announced(verdict.instance) if verdict.instance is not None else None
            return ProvisionedServiceSpec(ProvisionState.IS_ASYNC, url, operation)
        row, state = verdict.instance, ProvisionState.IDENTICAL_ALREADY_EXISTS
        if verdict.reaction is not Reaction.DONE:
            row = await self._row(verdict, end)
            state = ProvisionState.SUCCESSFUL_CREATED if verdict.reaction is Reaction.BEGIN else state
        answer = self._records.instance_answer(row) if row is not None else {}
        return ProvisionedServiceSpec(state, answer.get("dashboard_url"), metadata=answer.get("metadata"))

    async def updated(self, verdict: Verdict, async_allowed: bool) -> UpdateServiceSpec:
        """Answer an update."""
        operation, end = await self._unfinished(verdict, async_allowed)
        if operation is not None:
            return UpdateServiceSpec(is_async=True, operation=operation)
        row = verdict.instance if verdict.reaction is Reaction.DONE else await self._row(verdict, end)
        answer = self._records.instance_answer(row) if row is not None else {}
        return UpdateServiceSpec(dashboard_url=answer.get("dashboard_url"), metadata=answer.get("metadata"))

    async def deprovisioned(self, verdict: Verdict, async_allowed: bool) -> DeprovisionServiceSpec:
        """Answer a deprovision."""
        operation, _ = await self._unfinished(verdict, async_allowed)
        return DeprovisionServiceSpec(is_async=operation is not None, operation=operation)

    async def unbound(self, verdict: Verdict, async_allowed: bool) -> UnbindSpec:
        """Answer an unbind."""
        operation, _ = await self._unfinished(verdict, async_allowed)
        return UnbindSpec(is_async=operation is not None, operation=operation)

    async def bound(self, verdict: Verdict, async_allowed: bool) -> Binding:
        """Answer a bind."""
        operation, end = await self._unfinished(verdict, async_allowed)
        if operation is not None:
            return Binding(BindState.IS_ASYNC, operation=operation)
        row, state = verdict.binding, BindState.IDENTICAL_ALREADY_EXISTS
        if verdict.reaction is not Reaction.DONE:
            state = BindState.SUCCESSFUL_BOUND if verdict.reaction is Reaction.BEGIN else state
            row = await self._binding_row(verdict, end)
        if row is None:
            raise ErrBindingDoesNotExist
        fields = self._records.binding_answer(row)
        fields.pop("private", None)
        return Binding(state, **fields)

    async def _binding_row(self, verdict: Verdict, end: End | None) -> BindingRow | None:
        if end is not None and end.binding is not None:
            return end.binding
        found = verdict.operation
        return await self._store.binding(found.instance_id, found.binding_id or "") if found is not None else None

    async def _row(self, verdict: Verdict, end: End | None) -> InstanceRow | None:
        if end is not None and end.instance is not None:
            return end.instance
        found = verdict.instance
        return await self._store.instance(found.instance_id) if found is not None else None

    async def _unfinished(self, verdict: Verdict, async_allowed: bool) -> tuple[str | None, End | None]:
        """Wait for what the request began, or what it repeats; give the operation's id if it goes on, or its end.

        Raises:
            ServiceException: It has failed, or may not go on.
        """
        operation = verdict.operation
        if operation is None:
            return None, None
        end = await self._runtime.waiting.wait(operation.operation_id, self._patience(verdict, async_allowed))
        if end is not None and not (async_allowed and end.operation.description == STOPPED):
            _check(end)
            return None, end
        if async_allowed:
            return operation.operation_id, None
        if not verdict.reaction.begins:
            raise ErrAsyncRequired  # ASY-10: it is another request's
        ended = await self._runtime.end(self._runtime.endings.abandon(operation, _TOO_LONG))
        if not ended.mine and ended.operation is not None:
            # It ended by itself just now.
            end = End(ended.operation)
            _check(end)
            return None, end
        self._runtime.stop_job(operation.operation_id)
        raise ErrOperationFailed(_TOO_LONG)

    def _patience(self, verdict: Verdict, async_allowed: bool) -> float:
        """Give how long to wait, in seconds: not at all for what is known to be slow."""
        if not async_allowed:
            return self._settings.sync_timeout
        about = verdict.instance or verdict.binding
        offering = self._offerings.get(about.service_id) if about is not None else None
        return 0.0 if offering is not None and offering.asynchronous else self._settings.answer_within

    def _announced(self, row: InstanceRow) -> str | None:
        offering = self._offerings.get(row.service_id)
        if offering is None or type(offering).dashboard_url is Offering.dashboard_url:
            return None
        try:
            url = offering.dashboard_url(self._records.instance(offering, row))
        except Exception as error:  # noqa: BLE001 - the author's; what has begun goes on, and is to be answered
            self._runtime.log_unexpected(f"dashboard_url of instance {row.instance_id}", error, row)
            return None
        return url if isinstance(url, str) else None

    async def polled(
        self, instance_id: str, binding_id: str | None, operation_id: str | None, service_id: str | None
    ) -> LastOperation:
        """Answer a poll (section "Polling Last Operation").

        Args:
            service_id: The hint, if there was one: it saves a look into the store.
        """
        row = await self._store.operation(operation_id) if operation_id else None
        if row is None or row.instance_id != instance_id or row.binding_id != binding_id:
            row = await self._store.latest_operation(instance_id, binding_id)
        if row is None:
            # LOI-12, LOB-10
            raise ErrInstanceDoesNotExist if binding_id is None else ErrBindingDoesNotExist
        if row.state == IN_PROGRESS:
            return LastOperation(
                OperationState.IN_PROGRESS, row.description, retry_after=await self._retry_after(row, service_id)
            )
        if row.state == SUCCEEDED:
            if row.kind in _DELETES and self._settings.deleted_is_gone:
                # LOI-13, LOB-11
                raise ErrInstanceGone if binding_id is None else ErrBindingGone
            return LastOperation(OperationState.SUCCEEDED)
        return LastOperation(
            OperationState.FAILED,
            row.description,
            instance_usable=row.instance_usable,
            update_repeatable=row.update_repeatable,
        )

    async def _retry_after(self, row: OperationRow, service_id: str | None) -> int:
        """Give the seconds until the next poll makes sense (LOI-22), from the offering's estimate."""
        if service_id is None and (instance := await self._store.instance(row.instance_id)) is not None:
            service_id = instance.service_id
        offering = self._offerings.get(service_id or "")
        estimate = offering.takes(row.kind) if offering is not None else 10.0
        left = row.created_at + estimate - self._clock()
        pause = left if left > 0 else estimate / 10
        return max(_SHORTEST_PAUSE, min(_LONGEST_PAUSE, math.ceil(pause)))

    def fetched_instance(self, row: InstanceRow) -> GetInstanceDetailsSpec:
        """Answer a fetch of an instance (section "Fetching a Service Instance")."""
        answer = self._records.instance_answer(row)
        version = row.maintenance_version
        return GetInstanceDetailsSpec(
            row.service_id,
            row.plan_id,
            answer.get("dashboard_url"),
            self._shown(row),
            maintenance_info=None if version is None else {"version": version},
            metadata=answer.get("metadata"),
        )

    def fetched_binding(self, row: BindingRow) -> GetBindingSpec:
        """Answer a fetch of a binding (section "Fetching a Service Binding")."""
        fields = self._records.binding_answer(row)
        fields.pop("private", None)
        return GetBindingSpec(parameters=self._shown(row), **fields)

    def _shown(self, row: InstanceRow | BindingRow) -> dict[str, Any] | None:
        """Give the parameters without those that are secret (GETI-10, GETB-12)."""
        parameters = self._records.opened_request(row).parameters
        offering = self._offerings.get(row.service_id)
        secret = offering.secret_parameters if offering is not None else ()
        return {name: value for name, value in parameters.items() if name not in secret} or None


def _check(end: End) -> None:
    """Raise what a failed operation is answered with."""
    if end.operation.state != SUCCEEDED:
        if end.error is not None:
            raise end.error
        _refuse(end.operation)


def _refuse(operation: OperationRow) -> NoReturn:
    raise ErrOperationFailed(
        operation.description,
        instance_usable=operation.instance_usable,
        update_repeatable=operation.update_repeatable,
    )
