"""Faults about fields that the specification does not know."""

from __future__ import annotations

from typing import Any

from tests.checker.reference.app import Reference
from tests.checker.reference.faults import fault, fault_before, fault_catalog, fault_setting, find_spare
from tests.checker.reference.wire import Call, Reply

REFUSAL = Reply(400, {"description": "The body holds a field that is not known."})


@fault("EXT-02", "adds a field without a prefix to what it answers to a provision")
def add_bare_field(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.with_fields(number=1) if call.endpoint == "provision" and reply.status == 201 else reply


@fault_catalog("EXT-02", "adds a field without a prefix to its plans")
def add_bare_field_to_plan(catalog: dict[str, Any]) -> None:
    find_spare(catalog)["plans"][0]["colour"] = "green"


def is_strange(fields: Any) -> bool:
    """Tell whether an object holds a field whose name begins with `x-`."""
    return isinstance(fields, dict) and any(name.startswith("x-") for name in fields)


@fault_before("EXT-03", "refuses an unknown field in a context")
def know_context(call: Call, broker: Reference) -> Reply | None:
    return REFUSAL if isinstance(call.json, dict) and is_strange(call.json.get("context")) else None


@fault_before("EXT-03", "refuses an unknown field in the bind_resource")
def know_resource(call: Call, broker: Reference) -> Reply | None:
    return REFUSAL if isinstance(call.json, dict) and is_strange(call.json.get("bind_resource")) else None


@fault_before("EXT-03", "refuses an unknown field in an update")
def know_update(call: Call, broker: Reference) -> Reply | None:
    return REFUSAL if call.endpoint == "update" and is_strange(call.json) else None


fault_setting("EXT-03", "refuses every unknown field", also={"EXT-04", "EXT-07"}, ignore_unknown_fields=False)
fault_setting("EXT-04", "takes a provision with another unknown field for another one", compare_unknown_fields=True)


@fault_before("EXT-07", "refuses fields of a later version")
def know_this_version(call: Call, broker: Reference) -> Reply | None:
    later = isinstance(call.json, dict) and any(name.startswith("later_") for name in call.json)
    return REFUSAL if later else None
