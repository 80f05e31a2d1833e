"""The rows that a store keeps: what is known of instances, bindings, operations, their steps, and what happened.

Moments are seconds since 1970, UTC. What may hold secrets is sealed before it gets here: a store sees bytes. No row
shows its sealed values in ``repr``.
"""

from __future__ import annotations

from typing import Any

import msgspec

#: The state of an operation as long as it is not finished; the others are "succeeded" and "failed".
IN_PROGRESS = "in progress"


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    def __rich_repr__(self) -> Any:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if value is not None:
                yield name, f"<{len(value)} bytes>" if isinstance(value, bytes) else value

    def __repr__(self) -> str:
        # A sealed value is long, and is nobody's to read.
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.__rich_repr__())})"


class InstanceRow(_Row, frozen=True, kw_only=True):
    """An instance: what is in force of it.

    Attributes:
        state: Where it is in its life; the words are of :mod:`openbrokerapi.managed.states`.
        usable: Whether it can be used, as far as its last failed operation said (ERR-06).
        organization_guid, space_guid, platform, name: Of the request and its context, to count and to search by.
        request: Sealed: the parameters and the context in force.
        answer: Sealed: dashboard URL, metadata, and what the author keeps for himself.
    """

    instance_id: str
    service_id: str
    plan_id: str
    state: str
    usable: bool = True
    organization_guid: str | None = None
    space_guid: str | None = None
    platform: str | None = None
    name: str | None = None
    maintenance_version: str | None = None
    request: bytes
    answer: bytes | None = None
    created_at: float
    updated_at: float


class BindingRow(_Row, frozen=True, kw_only=True):
    """A binding.

    Attributes:
        request: Sealed: parameters, context, bind resource.
        answer: Sealed: credentials, and all else that the author returned.
        expires_at, renew_before: Of the binding's metadata (BMD-01, BMD-02).
        predecessor_binding_id: The binding that this one took over from (2.17).
    """

    instance_id: str
    binding_id: str
    service_id: str
    plan_id: str
    state: str
    app_guid: str | None = None
    predecessor_binding_id: str | None = None
    expires_at: float | None = None
    renew_before: float | None = None
    request: bytes
    answer: bytes | None = None
    created_at: float
    updated_at: float


class OperationRow(_Row, frozen=True, kw_only=True):
    """An operation of an instance, or of a binding where ``binding_id`` is set.

    Attributes:
        kind: What is done: "provision", "update", "deprovision", "bind", "unbind", "clean up".
        state: "in progress", "succeeded" or "failed".
        lane: At most one operation of an instance is in progress in a lane: "" unless bindings may go side by side.
        description: What the platform reads.
        instance_usable, update_repeatable: Of a failed one (LOI-18, LOI-20).
        request: Sealed: what an update is to bring into force.
        who: Who asked for it, as JSON; no secret.
        blocked_by: The operation whose handler must have ended before this one may begin.
        attempt: Counts the workers that took it; each write of a worker carries it.
        worker: Who runs a handler for it, until ``lease_until``; also after it has ended, while the handler still runs.
        deadline: When it fails if it is not finished.
    """

    operation_id: str
    instance_id: str
    binding_id: str | None = None
    kind: str
    state: str = IN_PROGRESS
    lane: str = ""
    description: str | None = None
    instance_usable: bool | None = None
    update_repeatable: bool | None = None
    request: bytes | None = None
    who: str | None = None
    blocked_by: str | None = None
    attempt: int = 0
    worker: str | None = None
    lease_until: float | None = None
    deadline: float | None = None
    created_at: float
    started_at: float | None = None
    finished_at: float | None = None


class StepRow(_Row, frozen=True, kw_only=True):
    """What is remembered of a step of an operation.

    Attributes:
        name: The step's name, unique in its operation.
        done: Whether it is finished; else it was tried, or waits.
        tries: How often it was tried.
        next_at: When it is tried again, or a sleep ends.
        result: Sealed: what it returned.
    """

    operation_id: str
    name: str
    done: bool
    tries: int = 0
    next_at: float | None = None
    result: bytes | None = None


class Event(_Row, frozen=True, kw_only=True):
    """Something that happened; events are only ever added.

    Attributes:
        number: Given by the store, growing.
        what: Such as "provision requested" or "provision succeeded".
        who: Who asked, as JSON; None for what the package did by itself.
        detail: One sentence for the operator; no secret.
    """

    number: int = 0
    at: float
    instance_id: str
    binding_id: str | None = None
    operation_id: str | None = None
    what: str
    who: str | None = None
    detail: str | None = None


Row = InstanceRow | BindingRow | OperationRow | StepRow | Event

#: The tables by their names, in the order in which they are exported.
TABLES: dict[str, type[InstanceRow | BindingRow | OperationRow | StepRow | Event]] = {
    "instance": InstanceRow,
    "binding": BindingRow,
    "operation": OperationRow,
    "step": StepRow,
    "event": Event,
}
#: The columns that make a row of a table unique.
KEYS: dict[str, tuple[str, ...]] = {
    "instance": ("instance_id",),
    "binding": ("instance_id", "binding_id"),
    "operation": ("operation_id",),
    "step": ("operation_id", "name"),
    "event": ("number",),
}
#: The sealed columns.
SEALED: dict[str, tuple[str, ...]] = {
    "instance": ("request", "answer"),
    "binding": ("request", "answer"),
    "operation": ("request",),
    "step": ("result",),
    "event": (),
}
