"""What a store does: the one contract, for every database.

All that changes the state of an instance is one transaction, :meth:`Store.change`: the store shows what there is, a
pure function decides, and the store writes all of it or nothing. Transactions on one instance follow one another, on
all replicas. What a worker writes meanwhile carries the operation's attempt, and is refused when another took over.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from .rows import BindingRow, Event, InstanceRow, OperationRow, Row, StepRow

T = TypeVar("T")


class StoreError(Exception):
    """The store cannot be used.

    Attributes:
        operator_message: One sentence for the operator: what is wrong, and what to change.
    """

    def __init__(self, operator_message: str) -> None:
        super().__init__(operator_message)
        self.operator_message = operator_message


class StoreInUseError(StoreError):
    """Another process owns the store."""


class SchemaMismatchError(StoreError):
    """The tables are of another version than this program can work with."""


class Count(msgspec.Struct, frozen=True):
    """How many instances there are of an offering, a plan, an organization: those that are not None, together."""

    service_id: str | None = None
    plan_id: str | None = None
    organization_guid: str | None = None


class Key(msgspec.Struct, frozen=True):
    """What a transaction is about.

    Args:
        instance_id: The instance; no other transaction about it runs meanwhile.
        binding_id: Show this binding of it, too.
        operation_id: Show this operation, too.
        bindings: Show all bindings of the instance.
        counts: Count these; no other transaction that counts the same runs meanwhile.
    """

    instance_id: str
    binding_id: str | None = None
    operation_id: str | None = None
    bindings: bool = False
    counts: tuple[Count, ...] = ()


class View(msgspec.Struct, frozen=True, kw_only=True):
    """What there is, as a transaction sees it.

    Attributes:
        active: The operations of the instance that are in progress, also those of its bindings, and those that have
            ended while a worker still holds them (``worker`` is set), the oldest first.
        operation: The one that the key names, also when it is finished.
        counts: One number for each of the key's ``counts``, in their order.
    """

    instance: InstanceRow | None = None
    binding: BindingRow | None = None
    bindings: tuple[BindingRow, ...] = ()
    active: tuple[OperationRow, ...] = ()
    operation: OperationRow | None = None
    counts: tuple[int, ...] = ()


class Change(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """What a transaction writes.

    Attributes:
        result: What :meth:`Store.change` returns.
        instance, bindings, operations: Rows to write; each replaces the one that is there.
        forget_instance: Delete the instance's row, and those of its bindings.
        forget_bindings: Delete the rows of these bindings.
        forget_steps: Delete the steps of these operations.
        events: Events to add.
        begin: Operations whose work is to be begun: handed to the runner in the same transaction where it has a queue.
    """

    result: T
    instance: InstanceRow | None = None
    forget_instance: bool = False
    bindings: tuple[BindingRow, ...] = ()
    forget_bindings: tuple[str, ...] = ()
    operations: tuple[OperationRow, ...] = ()
    forget_steps: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()
    begin: tuple[str, ...] = ()

    @property
    def writes(self) -> bool:
        """Tell whether there is anything to write."""
        return bool(
            self.instance
            or self.forget_instance
            or self.bindings
            or self.forget_bindings
            or self.operations
            or self.forget_steps
            or self.events
            or self.begin
        )


class Due(msgspec.Struct, frozen=True):
    """What is to be looked after.

    Attributes:
        unheld: Operations in progress, not blocked, that nobody works on: no worker, or the worker's lease is over.
        left: Operations that have ended while a handler was running whose worker's lease is over since.
        late: Operations in progress whose deadline is over.
        expired: Bindings, ready, whose ``expires_at`` is over: pairs of instance id and binding id.
    """

    unheld: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    late: tuple[str, ...] = ()
    expired: tuple[tuple[str, str], ...] = ()


class Status(msgspec.Struct, frozen=True):
    """The version of the tables.

    Attributes:
        where: The database, without a password.
        version: The number of the last migration that it has had; 0 before the first.
        pending: Names of the migrations that it has not had.
        unknown: Whether it has had migrations that this program does not know.
    """

    where: str
    version: int
    pending: tuple[str, ...]
    unknown: bool


#: Defers the work of operations within a transaction, on its connection.
Defer = Callable[[Any, Sequence[str]], Awaitable[None]]


class Store(Protocol):
    """A store. Its methods are called on the event loop on which :meth:`open` was awaited, but for nothing else.

    Whatever is returned is durable: it survives a power cut.

    Attributes:
        shared: Whether several processes may use it at the same time.
        defer: Set by a runner that has a queue in the same database.
    """

    shared: bool
    defer: Defer | None

    async def open(self, *, owner: bool = True) -> None:
        """Connect, bring the tables up to date, and make the store ready.

        When its owner opens a store that is not shared, no worker holds an operation any more: old leases are void.

        Args:
            owner: Whether this process runs a broker; a store that is not shared has one owner. False is for the
                commands of the operator, which work beside the broker.

        Raises:
            StoreInUseError: Another process owns it.
            SchemaMismatchError: Its tables are newer than this program.
            StoreError: It cannot be reached or written.
        """

    async def close(self) -> None:
        """Finish what is under way, and let go of everything."""

    async def migrate(self) -> list[str]:
        """Bring the tables up to date; needs no :meth:`open`. Give the names of the migrations that were missing."""

    async def status(self) -> Status:
        """Tell the version of the tables; needs no :meth:`open`."""

    async def change(self, key: Key, decide: Callable[[View], Change[T]]) -> T:
        """Carry out one transaction.

        Args:
            decide: Gets what there is and gives what to write; pure, for it may be called again. What it raises ends
                the transaction with nothing written.

        Returns:
            The change's ``result``, when all that it was decided upon is durable.
        """

    async def claim(self, operation_id: str, worker: str, lease: float) -> OperationRow | None:
        """Take an operation to work on it: count its attempt up, note the worker, start a lease of ``lease`` seconds.

        The first claim also notes when it was started.

        Returns:
            The operation; None if it is finished, blocked, or somebody's whose lease is not over.
        """

    async def beat(self, worker: str, lease: float, operation_ids: Sequence[str]) -> set[str]:
        """Renew the lease of those of these operations that this worker holds, also of those that have ended.

        Returns:
            Those that are this worker's and in progress; the handlers of the others are to stop.
        """

    async def steps(self, operation_id: str) -> list[StepRow]:
        """Give what is remembered of an operation's steps."""

    async def remember(self, step: StepRow, attempt: int) -> bool:
        """Write a step; false, and nothing written, if the operation is no longer in progress at this attempt."""

    async def report(self, operation_id: str, attempt: int, description: str) -> bool:
        """Write what the platform reads of an operation; false as with :meth:`remember`."""

    async def instance(self, instance_id: str) -> InstanceRow | None:
        """Give an instance."""

    async def binding(self, instance_id: str, binding_id: str) -> BindingRow | None:
        """Give a binding."""

    async def operation(self, operation_id: str) -> OperationRow | None:
        """Give an operation."""

    async def latest_operation(self, instance_id: str, binding_id: str | None = None) -> OperationRow | None:
        """Give the operation of an instance, or of a binding, that was begun last, but for clean-ups.

        Nobody asks for those, and a poll without an operation is about what was asked for.
        """

    async def due(self, limit: int = 100) -> Due:
        """Give what is to be looked after, at most ``limit`` of each."""

    async def purge(self, operations_before: float, events_before: float) -> int:
        """Delete finished operations, and events, from before a moment; give how many rows that were.

        The latest operation of an instance or a binding that there is stays, and one that a worker still holds.
        """

    async def rows(self, table: str, after: tuple[Any, ...] | None = None, limit: int = 1000) -> list[Row]:
        """Give rows of a table in the order of its key, from behind the key ``after``."""

    async def load(self, table: str, rows: Sequence[Row]) -> None:
        """Write rows as they are, in one transaction; those that are there are left alone."""

    async def reseal(self, table: str, replaced: Sequence[tuple[Row, Row]]) -> int:
        """Replace rows by themselves with other sealed values, if they still have the old ones; give how many had."""

    async def events(
        self, instance_id: str | None = None, *, before: int | None = None, limit: int = 100
    ) -> list[Event]:
        """Give events, the latest first, from before the event with the number ``before``."""

    async def operations(self, *, in_progress: bool, limit: int = 100) -> list[OperationRow]:
        """Give operations in progress, the oldest first; or finished ones, the last first."""

    async def instances(
        self, *, states: Sequence[str] | None = None, after: str | None = None, limit: int = 100
    ) -> list[InstanceRow]:
        """Give instances in the order of their ids, from behind ``after``, in these states only if any are given."""

    async def note(self, name: str) -> bytes | None:
        """Give a note of the whole store, such as the check of its keys."""

    async def write_note(self, name: str, value: bytes) -> None:
        """Write a note of the whole store."""
