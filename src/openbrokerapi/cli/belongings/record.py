"""The record of what was created: instances and bindings by their names, and what is being done to them.

It holds no credentials and no parameters.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias, TypeVar

import msgspec

FORMAT = "openbroker record"
VERSION = 1


class State(StrEnum):
    """How an instance or a binding is, as far as the record knows."""

    CREATING = "creating"
    READY = "ready"
    UPDATING = "updating"
    DELETING = "deleting"
    CREATE_FAILED = "create failed"
    UPDATE_FAILED = "update failed"
    DELETE_FAILED = "delete failed"


class Named(msgspec.Struct, frozen=True):
    """An offering or a plan."""

    id: str
    name: str


class Pending(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was asked of the broker and has not ended, as far as the record knows.

    Attributes:
        kind: One of the kinds of `nature`.
        accepted: Whether the broker has answered 202. If not, nobody knows whether the request arrived.
        operation: What to poll with, or None.
        plan: The plan that an update leads to, or None for the same.
        maintenance_version: The one that an update leads to, or None for the same.
    """

    kind: str
    accepted: bool = False
    operation: str | None = None
    plan: Named | None = None
    maintenance_version: str | None = None


class Binding(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A binding of a recorded instance."""

    name: str
    id: str
    state: State
    pending: Pending | None = None


class Instance(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A recorded instance.

    Attributes:
        name: What the operator calls it.
        id: The instance_id.
        broker: The address of the broker that has it.
        platform, organization, space: Of the context that it was made with.
        maintenance_version: The version that it was made with, or brought to.
        maximum_polling_duration: The plan's, in seconds.
        usable: Whether the broker says that it works, after a failure.
    """

    name: str
    id: str
    broker: str
    offering: Named
    plan: Named
    state: State
    pending: Pending | None = None
    platform: str = ""
    organization: str = ""
    space: str = ""
    maintenance_version: str | None = None
    maximum_polling_duration: int | None = None
    usable: bool = True
    bindings: tuple[Binding, ...] = ()

    def binding(self, name: str) -> Binding | None:
        """Find a binding by its name, or else by its id."""
        by_name = (each for each in self.bindings if each.name == name)
        return next(by_name, None) or next((each for each in self.bindings if each.id == name), None)

    def with_binding(self, name: str, binding: Binding | None) -> Instance:
        """Replace, add or (None) take out the binding of a name."""
        return msgspec.structs.replace(self, bindings=_replaced(self.bindings, name, binding))


Entry: TypeAlias = Instance | Binding
_EntryT = TypeVar("_EntryT", Instance, Binding)


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    format: str = FORMAT
    version: int = VERSION
    instances: tuple[Instance, ...] = ()

    def named(self, name: str, broker: str | None = None) -> list[Instance]:
        """Find the instances of a name, or else of an id, at one broker or at all."""
        here = [each for each in self.instances if broker is None or each.broker == broker]
        return [each for each in here if each.name == name] or [each for each in here if each.id == name]

    def with_instance(self, broker: str, name: str, instance: Instance | None) -> Record:
        """Replace, add or (None) take out the instance of a name at a broker."""
        here = tuple(each for each in self.instances if each.broker == broker)
        others = tuple(each for each in self.instances if each.broker != broker)
        return msgspec.structs.replace(self, instances=(*others, *_replaced(here, name, instance)))


def _replaced(among: tuple[_EntryT, ...], name: str, entry: _EntryT | None) -> tuple[_EntryT, ...]:
    if entry is None:
        return tuple(each for each in among if each.name != name)
    if not any(each.name == name for each in among):
        return among + (entry,)  # noqa: RUF005 - with a star, the type would be lost
    return tuple(entry if each.name == name else each for each in among)
