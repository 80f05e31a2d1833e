"""What the broker remembers: instances, bindings, and the operations that run on them or have run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.checker.reference.conduct import Conduct
from tests.checker.reference.plans import Plan

Status = Literal["creating", "ready", "updating", "deleting", "deleted", "failed"]
OVER: tuple[Status, ...] = ("deleted", "failed")
"""There is nothing: the id may be used anew."""

RUNNING = {"create": "creating", "update": "updating", "delete": "deleting"}


@dataclass(slots=True)
class Operation:
    """One asynchronous operation; `wanted` is its request, by which a repeat is recognised."""

    kind: str
    id: str
    ends_at: float
    wanted: Any
    fails: bool
    apply: Callable[[], None]
    fields: dict[str, Any] = field(default_factory=dict)  # what the answer says beside `operation`
    state: str = "in progress"
    halted: bool = False
    told: bool = False  # a platform has read its end
    by_name_only: bool = False  # a poll that names no operation is not told of it


@dataclass(slots=True)
class Resource:
    """What an instance and a binding have in common."""

    id: str
    plan: Plan
    wanted: Any
    status: Status = "ready"
    operations: list[Operation] = field(default_factory=list)
    failed_once: bool = False

    @property
    def running(self) -> Operation | None:
        """The operation that is in progress, if one is."""
        latest = self.operations[-1] if self.operations else None
        return latest if latest is not None and latest.state == "in progress" else None

    def begin(self, operation: Operation) -> None:
        """Take up an operation."""
        self.operations.append(operation)
        self.status = RUNNING[operation.kind]  # type: ignore[assignment]

    def settle(self, now: float, conduct: Conduct) -> None:
        """End the running operation when its time is over."""
        operation = self.running
        if operation is None or now < operation.ends_at:
            return
        if operation.fails and conduct.operations_fail_as_planned:
            operation.state = "failed"
            self.status = "ready"
            if operation.kind == "create" and not conduct.keep_failed_creation:
                self.status = "failed"
            if operation.kind == "update" and conduct.apply_failed_update:
                operation.apply()
            return
        operation.state = "succeeded"
        self.status = "ready"
        operation.apply()

    def halt(self, conduct: Conduct) -> None:
        """End the creation that runs, as it is deleted meanwhile."""
        operation = self.running
        if operation is None:
            return
        operation.halted = True
        operation.state = "failed" if conduct.report_halted_creation_as_failed else "succeeded"

    def remove(self) -> None:
        """Be deleted."""
        self.status = "deleted"


@dataclass(slots=True)
class Binding(Resource):
    """One binding."""

    parameters: dict[str, Any] = field(default_factory=dict)
    number: int = 0
    made_at: float = 0.0
    app_guid: str = ""


@dataclass(slots=True)
class Instance(Resource):
    """One instance."""

    organization_guid: str = ""
    space_guid: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)
    dashboard_url: str = ""
    version: str | None = None
    number: int = 0
    changes: int = 0
    bindings: dict[str, Binding] = field(default_factory=dict)

    def remove(self) -> None:
        """Be deleted, and the bindings too (DEP-03); those that were being made or deleted end."""
        self.status = "deleted"
        for binding in self.bindings.values():
            if binding.running is not None:
                binding.running.halted, binding.running.state = True, "failed"
            binding.status = "deleted"
