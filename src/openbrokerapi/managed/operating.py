"""What an operator sees of a store and puts right in it, beside the brokers that use it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from openbrokerapi.stores.contract import Change, Key, Store, View
from openbrokerapi.stores.rows import BindingRow, InstanceRow, OperationRow

from .operations import Timing, refuse_if_busy, replace
from .states import Kind, State
from .subjects import Who

#: What an operation could not delete, and that nobody works on.
LEFT = (State.CREATE_FAILED, State.DELETE_FAILED)


class NothingToRetryError(LookupError):
    """There is nothing left behind under the id; the message says what there is."""


async def left_behind(store: Store) -> AsyncIterator[InstanceRow | BindingRow]:
    """Give the instances and bindings of which something may be left that could not be deleted."""
    after: str | None = None
    while rows := await store.instances(states=LEFT, after=after):
        for row in rows:
            yield row
        after = rows[-1].instance_id
    key: tuple[Any, ...] | None = None
    while found := await store.rows("binding", key):
        for each in found:
            if isinstance(each, BindingRow) and each.state in LEFT:
                yield each
        last = found[-1]
        key = (last.instance_id, last.binding_id) if isinstance(last, BindingRow) else None


async def retry(
    store: Store,
    instance_id: str,
    binding_id: str | None,
    who: Who,
    *,
    clock: Callable[[], float],
    new_id: Callable[[], str],
) -> OperationRow:
    """Let the author's ``deprovision`` or ``unbind`` run again for what is left behind; a running broker takes it up.

    Raises:
        NothingToRetryError: There is nothing left behind under this id.
        ErrConcurrentInstanceAccess: An operation of the instance is in progress.
    """
    timing: Timing = Timing(clock, new_id, None)

    def decide(view: View) -> Change[OperationRow]:
        about = view.instance if binding_id is None else view.binding
        if about is None or about.state not in LEFT:
            raise NothingToRetryError(
                "nothing of it is left behind" if about is None else f"its state is {about.state!r}"
            )
        refuse_if_busy(view, "")
        if any(each.state not in LEFT for each in view.bindings):
            raise NothingToRetryError("it has bindings that can be used: the platform is to delete them before")
        failed_deletion = about.state == State.DELETE_FAILED
        kind = _DELETION[isinstance(about, BindingRow)] if failed_deletion else Kind.CLEAN_UP
        operation = timing.begun(view, kind, about, who)
        state = State.DELETING if failed_deletion else State.CLEANING_UP
        changed = replace(about, state=state, updated_at=clock())
        bindings = tuple(replace(each, state=State.DELETING, updated_at=clock()) for each in view.bindings)
        rows: dict[str, Any] = {"instance": changed, "bindings": bindings}
        if isinstance(changed, BindingRow):
            rows = {"bindings": (changed,)}
        event = timing.event(operation, f"{kind} requested", "again, by the operator")
        # Not handed over here: the brokers look for what nobody works on.
        return Change(result=operation, operations=(operation,), events=(event,), **rows)

    return await store.change(Key(instance_id, binding_id, bindings=binding_id is None), decide)


_DELETION = {False: Kind.DEPROVISION, True: Kind.UNBIND}
