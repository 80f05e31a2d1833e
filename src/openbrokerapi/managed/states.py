"""The life of instances and bindings: one table for what a request meets, one for what an operation's end brings.

This is the state table of the package; all code looks here, and the pictures in the documentation are drawn from it.
"""

from __future__ import annotations

from enum import Enum, StrEnum


class State(StrEnum):
    """Where an instance or a binding is in its life."""

    #: There is none, or no more: nothing is kept of it but its operations.
    UNKNOWN = "unknown"
    CREATING = "creating"
    READY = "ready"
    UPDATING = "updating"
    UPDATE_FAILED = "update failed"
    DELETING = "deleting"
    DELETE_FAILED = "delete failed"
    #: It could not be created, and what there is of it is being deleted.
    CLEANING_UP = "cleaning up"
    #: It could not be created, and something of it may be left: the operator's to look at.
    CREATE_FAILED = "create failed"


class Asked(StrEnum):
    """What a request asks for, compared with what there is."""

    PUT_SAME = "PUT same"
    PUT_OTHER = "PUT other"
    #: A PATCH that asks for what is in force, or for what the running update brings.
    PATCH_SAME = "PATCH same"
    PATCH = "PATCH"
    DELETE = "DELETE"
    GET = "GET"
    #: A PUT of a new binding of the instance.
    BIND = "PUT binding"


class Reaction(Enum):
    """What is done about a request."""

    BEGIN = "begin"
    #: It is there already: 200 with what there is.
    DONE = "200"
    #: It is under way already: 202 with the same operation.
    REPEAT = "202 same operation"
    #: What is being created is stopped, and then deleted: 202.
    HALT = "stop, then delete"
    #: 409
    CONFLICT = "409"
    #: 422 ConcurrencyError
    BUSY = "422 ConcurrencyError"
    #: 404, or 410 on a DELETE
    MISSING = "404, DELETE 410"

    @property
    def begins(self) -> bool:
        """Whether an operation begins."""
        return self in (Reaction.BEGIN, Reaction.HALT)


_BEGIN, _DONE, _REPEAT, _HALT = Reaction.BEGIN, Reaction.DONE, Reaction.REPEAT, Reaction.HALT
_CONFLICT, _BUSY, _MISSING = Reaction.CONFLICT, Reaction.BUSY, Reaction.MISSING

_INSTANCE_COLUMNS = (
    Asked.PUT_SAME, Asked.PUT_OTHER, Asked.PATCH_SAME, Asked.PATCH, Asked.DELETE, Asked.GET, Asked.BIND,
)  # fmt: skip
_INSTANCE = {
    State.UNKNOWN:       (_BEGIN,  _BEGIN,    _MISSING, _MISSING, _MISSING, _MISSING, _MISSING),
    State.CREATING:      (_REPEAT, _CONFLICT, _BUSY,    _BUSY,    _HALT,    _MISSING, _BUSY),
    State.READY:         (_DONE,   _CONFLICT, _DONE,    _BEGIN,   _BEGIN,   _DONE,    _BEGIN),
    State.UPDATING:      (_BUSY,   _CONFLICT, _REPEAT,  _BUSY,    _BUSY,    _DONE,    _BUSY),
    State.UPDATE_FAILED: (_DONE,   _CONFLICT, _DONE,    _BEGIN,   _BEGIN,   _DONE,    _BEGIN),
    State.DELETING:      (_BUSY,   _BUSY,     _BUSY,    _BUSY,    _REPEAT,  _MISSING, _BUSY),
    State.DELETE_FAILED: (_DONE,   _CONFLICT, _DONE,    _BEGIN,   _BEGIN,   _DONE,    _BEGIN),
    State.CLEANING_UP:   (_BUSY,   _BUSY,     _MISSING, _MISSING, _REPEAT,  _MISSING, _MISSING),
    State.CREATE_FAILED: (_BEGIN,  _CONFLICT, _MISSING, _MISSING, _BEGIN,   _MISSING, _MISSING),
}  # fmt: skip

_BINDING_COLUMNS = (Asked.PUT_SAME, Asked.PUT_OTHER, Asked.DELETE, Asked.GET)
_BINDING = {
    State.UNKNOWN:       (_BEGIN,  _BEGIN,    _MISSING, _MISSING),
    State.CREATING:      (_REPEAT, _CONFLICT, _HALT,    _MISSING),
    State.READY:         (_DONE,   _CONFLICT, _BEGIN,   _DONE),
    State.DELETING:      (_BUSY,   _BUSY,     _REPEAT,  _MISSING),
    State.DELETE_FAILED: (_DONE,   _CONFLICT, _BEGIN,   _DONE),
    State.CLEANING_UP:   (_BUSY,   _BUSY,     _REPEAT,  _MISSING),
    State.CREATE_FAILED: (_BEGIN,  _CONFLICT, _BEGIN,   _MISSING),
}  # fmt: skip

#: What is done about a request on an instance, by its state.
INSTANCE: dict[State, dict[Asked, Reaction]] = {
    state: dict(zip(_INSTANCE_COLUMNS, row, strict=True)) for state, row in _INSTANCE.items()
}
#: What is done about a request on a binding, by its state.
BINDING: dict[State, dict[Asked, Reaction]] = {
    state: dict(zip(_BINDING_COLUMNS, row, strict=True)) for state, row in _BINDING.items()
}


class Kind(StrEnum):
    """What an operation does."""

    PROVISION = "provision"
    UPDATE = "update"
    DEPROVISION = "deprovision"
    BIND = "bind"
    UNBIND = "unbind"
    #: Deletes what a failed provision or bind left behind.
    CLEAN_UP = "clean up"


class Course(Enum):
    """The states that an operation leads through."""

    PROVISION = (State.CREATING, State.READY, State.CLEANING_UP)
    UPDATE = (State.UPDATING, State.READY, State.UPDATE_FAILED)
    DEPROVISION = (State.DELETING, State.UNKNOWN, State.DELETE_FAILED)
    BIND = PROVISION
    UNBIND = DEPROVISION
    CLEAN_UP = (State.CLEANING_UP, State.UNKNOWN, State.CREATE_FAILED)

    @property
    def during(self) -> State:
        """The state as long as the operation is in progress."""
        return self.value[0]

    def after(self, succeeded: bool) -> State:
        """Give the state when the operation has ended."""
        return self.value[1] if succeeded else self.value[2]


#: The course of each kind of operation.
COURSES: dict[Kind, Course] = {kind: Course[kind.name] for kind in Kind}
