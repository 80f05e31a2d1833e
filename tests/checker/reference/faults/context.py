"""Faults of how the context is read."""

from __future__ import annotations

from typing import Any

from tests.checker.reference.app import Reference
from tests.checker.reference.faults import fault_before, fault_setting
from tests.checker.reference.wire import Call, Reply


def read_context(call: Call) -> dict[str, Any]:
    """Return the context that a request has."""
    context = call.json.get("context") if isinstance(call.json, dict) else None
    return context if isinstance(context, dict) else {}


def lacks_names(call: Call) -> bool:
    """Tell whether a request of a version before 2.15 has a context of Cloud Foundry without names."""
    old = call.headers.get("x-broker-api-version") in ("2.13", "2.14")
    context = read_context(call)
    return old and "organization_guid" in context and "organization_name" not in context


@fault_before("CTX-03", "demands names in the context of an old version", at="provision")
def demand_names(call: Call, broker: Reference) -> Reply | None:
    if lacks_names(call):
        return Reply(400, {"description": "organization_name is missing in the context."})
    return None


@fault_before("CTX-03", "demands names in the context of a bind of an old version", at="bind")
def demand_names_of_bind(call: Call, broker: Reference) -> Reply | None:
    if lacks_names(call):
        return Reply(400, {"description": "organization_name is missing in the context."})
    return None


fault_setting("CTX-13", "compares the context of a repeated provision", compare_context=True)


@fault_before("CTX-13", "compares the organization's name of a repeated bind", at="bind")
def compare_names(call: Call, broker: Reference) -> Reply | None:
    name = read_context(call).get("organization_name")
    if name is None:
        return None
    if broker.memory.setdefault(call.raw_path, name) == name:
        return None
    return Reply(409, {"description": "There is a binding with this id and another context."})
