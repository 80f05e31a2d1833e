"""What can be asked of a broker, and what it means for the record: one table."""

from __future__ import annotations

from dataclasses import dataclass

from openbrokerapi.platform import Endpoint

from .record import State


@dataclass(frozen=True)
class Nature:
    """One kind of undertaking.

    Attributes:
        kind: Its name, as it is in the record.
        endpoint: The request that begins it.
        during: The state until it has ended.
        failed: The state after it has failed.
        done: What to say when it has ended well.
        makes: Whether it makes something, which may be left behind.
        deletes: Whether it deletes something.
    """

    kind: str
    endpoint: Endpoint
    during: State
    failed: State
    done: str
    makes: bool = False
    deletes: bool = False


PROVISION = Nature("provision", Endpoint.PROVISION, State.CREATING, State.CREATE_FAILED, "is ready", makes=True)
UPDATE = Nature("update", Endpoint.UPDATE, State.UPDATING, State.UPDATE_FAILED, "is updated")
DEPROVISION = Nature(
    "deprovision", Endpoint.DEPROVISION, State.DELETING, State.DELETE_FAILED, "is deleted", deletes=True
)
BIND = Nature("bind", Endpoint.BIND, State.CREATING, State.CREATE_FAILED, "is ready", makes=True)
UNBIND = Nature("unbind", Endpoint.UNBIND, State.DELETING, State.DELETE_FAILED, "is deleted", deletes=True)

NATURES = {each.kind: each for each in (PROVISION, UPDATE, DEPROVISION, BIND, UNBIND)}
