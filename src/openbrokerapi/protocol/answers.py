"""The broker's answer, and the fields that each endpoint may carry: one table."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from .endpoints import (
    BIND,
    DEPROVISION,
    FETCH_BINDING,
    FETCH_INSTANCE,
    POLL_BINDING,
    POLL_INSTANCE,
    PROVISION,
    UNBIND,
    UPDATE,
    Endpoint,
)

MAX_OPERATION = 10_000


class Outcome(Enum):
    """How far the broker came within the request."""

    #: Done in this request: 201 on the PUTs, 200 elsewhere.
    DONE = "done"
    #: A repeated request, and what it asks for is there already: 200.
    SAME = "same"
    #: Begun; the platform polls: 202.
    ACCEPTED = "accepted"


class InvalidAnswer(Exception):  # noqa: N818 - the name says whose fault it is
    """The broker's answer cannot be sent: the specification does not allow it."""


@dataclass(slots=True)
class Answer:
    """What the broker answered.

    Args:
        outcome: How far it came.
        fields: The fields of the body that are of the specification, None where unset.
        operation: The operation to poll for, with ``ACCEPTED``.
        extensions: Vendor extension fields of the body (EXT-01).
        retry_after: Seconds until the next poll makes sense (LOI-22, LOB-16).
    """

    outcome: Outcome
    fields: dict[str, Any]
    operation: str | None = None
    extensions: dict[str, Any] | None = field(default=None, repr=False)
    retry_after: int | None = None


_INSTANCE_FIELDS = ("dashboard_url", "metadata")
_BINDING_FIELDS = ("metadata", "credentials", "syslog_drain_url", "route_service_url", "volume_mounts", "endpoints")

#: The fields of a body by endpoint, when the work is done.
DONE_FIELDS: dict[Endpoint, tuple[str, ...]] = {
    PROVISION: _INSTANCE_FIELDS,
    FETCH_INSTANCE: ("service_id", "plan_id", "dashboard_url", "parameters", "maintenance_info", "metadata"),
    UPDATE: _INSTANCE_FIELDS,
    DEPROVISION: (),
    POLL_INSTANCE: ("state", "description"),
    BIND: _BINDING_FIELDS,
    FETCH_BINDING: (*_BINDING_FIELDS, "parameters"),
    UNBIND: (),
    POLL_BINDING: ("state", "description"),
}

#: The fields of a 202, beside `operation`. BIND-34: that of a bind carries nothing of the binding.
ACCEPTED_FIELDS: dict[Endpoint, tuple[str, ...]] = {
    PROVISION: _INSTANCE_FIELDS,
    UPDATE: _INSTANCE_FIELDS,
    DEPROVISION: (),
    BIND: (),
    UNBIND: (),
}

#: BIND-46 to BIND-48, GETB-10: fields that need an entry in the offering's `requires`.
REQUIRES = {
    "syslog_drain_url": "syslog_drain",
    "route_service_url": "route_forwarding",
    "volume_mounts": "volume_mount",
}

#: ERR-05 to ERR-08: what an error may say about the instance, by endpoint.
FAILURE_FLAGS: dict[Endpoint, tuple[str, ...]] = {
    UPDATE: ("instance_usable", "update_repeatable"),
    DEPROVISION: ("instance_usable",),
}
#: LOI-18 to LOI-21: what the state "failed" of an instance's operation may say; an error of the poll says nothing.
FAILED_FLAGS = ("instance_usable", "update_repeatable")
STATES = frozenset(("in progress", "succeeded", "failed"))
