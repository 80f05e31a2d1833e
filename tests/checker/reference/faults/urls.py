"""Faults about ids in URLs."""

from __future__ import annotations

from typing import Any

from tests.checker.reference.app import Reference
from tests.checker.reference.faults import fault_before, fault_catalog, fault_setting, find_spare, register
from tests.checker.reference.wire import Call, Reply, decode

fault_setting("URL-01", "does not decode ids", decode_ids=False)


@fault_before("URL-01", "decodes ids twice")
def decode_twice(call: Call, broker: Reference) -> Call:
    return call.having(instance_id=decode(call.instance_id), binding_id=decode(call.binding_id))


@fault_before("URL-01", "refuses binding ids with a slash")
def refuse_slash(call: Call, broker: Reference) -> Reply | None:
    return Reply(404, {"description": "There is nothing at this address."}) if "/" in call.binding_id else None


@fault_before(
    "URL-01",
    "cannot read an operation beyond ASCII when it is asked for the first time",
    at="poll_instance",
    also={"LOI-06", "PROV-30"},
)
def read_ascii(call: Call, broker: Reference) -> Reply | None:
    operation = call.query.get("operation", "")
    if call.malformed or operation.isascii() or operation in broker.memory:
        return None
    broker.memory[operation] = True
    return Reply(400, {"description": "There is no such operation."})


@fault_catalog("URL-02", "has a plan with a space in its id", also={"PLAN-03"})
def space_in_id(catalog: dict[str, Any]) -> None:
    find_spare(catalog)["plans"][0]["id"] = "plan of mine"


def add_space(call: Call, reply: Reply, broker: Reference) -> Reply:
    """Name the operations of updates with a space."""
    if call.endpoint != "update" or not isinstance(reply.body, dict) or not reply.body.get("operation"):
        return reply
    return reply.with_fields(operation="the " + reply.body["operation"])


def take_space_off(call: Call, broker: Reference) -> Call | None:
    """Understand the operation of a poll as it was named."""
    operation = "" if call.malformed else call.query.get("operation", "")
    return call.asking(operation=operation.removeprefix("the ")) if operation.startswith("the ") else None


register(
    "URL-02",
    "names the operations of updates with a space",
    (),
    ("update", "poll_instance"),
    {},
    before=take_space_off,
    after=add_space,
)
