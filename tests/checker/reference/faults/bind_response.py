"""Faults in what is answered to a bind."""

from __future__ import annotations

from typing import Any

from tests.checker.reference.app import Reference
from tests.checker.reference.bindings import show
from tests.checker.reference.faults import fault, fault_before
from tests.checker.reference.faults.bind_request import concerns, is_plain
from tests.checker.reference.state import OVER, Binding
from tests.checker.reference.wire import Call, Reply


def find(call: Call, broker: Reference) -> Binding | None:
    """Return the binding that a request is about, where there is one."""
    instance = broker.find_instance(call)
    found = None if instance is None else broker.find_binding(instance, call.binding_id)
    return None if found is None or found.status in OVER else found


def is_repeated(call: Call, broker: Reference) -> bool:
    """Tell whether this path was asked before."""
    seen: set[str] = broker.memory.setdefault("binds", set())
    repeated = call.raw_path in seen
    seen.add(call.raw_path)
    return repeated


@fault("BIND-29", "answers 409 to the repeated bind of a binding that is there", at="bind")
def refuse_repeat(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(status=409, body={"description": "It is there."}) if reply.status == 200 else reply


@fault("BIND-29", "answers a repeated bind without the credentials", at="bind")
def withhold_credentials_from_repeat(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.without_fields("credentials") if reply.status == 200 else reply


@fault("BIND-31", "answers 200 to a bind that makes a binding", at="bind")
def answer_ok_for_created(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(status=200) if reply.status == 201 and concerns(call, broker, "fixed-plan") else reply


@fault("BIND-31", "answers a bind that makes a binding with an array", at="bind", also={"ORPH-09"})
def answer_created_with_array(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(body=[]) if reply.status == 201 and concerns(call, broker, "out-of-band") else reply


@fault("BIND-32", "answers 201 to a bind while the binding is being made", at=("bind", "fetch_binding"))
def answer_created_too_early(call: Call, reply: Reply, broker: Reference) -> Reply:
    binding = find(call, broker)
    if binding is None or not concerns(call, broker, "reference-slow", "patient-locked"):
        return reply
    if reply.status == 404 and binding.status == "creating":
        return reply.having(status=200, body=show(broker, binding))
    return reply.having(status=201, body=show(broker, binding)) if reply.status == 202 else reply


@fault("BIND-30", "answers 200 to a repeated bind while the binding is being made", at="bind", also={"BIND-33"})
def answer_ok_for_running(call: Call, reply: Reply, broker: Reference) -> Reply:
    repeated = reply.status == 202 and is_repeated(call, broker) and is_plain(call)
    return reply.having(status=200, body={}) if repeated else reply


@fault("BIND-33", "names another operation in the answer to a repeated bind", at="bind")
def name_another_operation(call: Call, reply: Reply, broker: Reference) -> Reply:
    repeated = reply.status == 202 and is_repeated(call, broker) and is_plain(call)
    return reply.with_fields(operation="another") if repeated else reply


@fault("BIND-34", "shows the data of a binding that is being made", at="bind")
def show_credentials_early(call: Call, reply: Reply, broker: Reference) -> Reply:
    binding = find(call, broker)
    return reply.with_fields(**show(broker, binding)) if reply.status == 202 and binding is not None else reply


@fault("BIND-34", "shows when a binding that is being made will end", at="bind")
def show_metadata_early(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.with_fields(metadata={}) if reply.status == 202 else reply


def overlook_parameters(call: Call, binding: Binding) -> Call | None:
    """Return a bind with the parameters of the binding that is there, in place of its own."""
    return call.saying(parameters=binding.wanted["parameters"]) if is_plain(call) else None


@fault_before("BIND-37", "answers 200 to a bind with the id of a binding that has other parameters", at="bind")
def compare_nothing_with_ready(call: Call, broker: Reference) -> Call | None:
    binding = find(call, broker)
    return overlook_parameters(call, binding) if binding is not None and binding.status == "ready" else None


@fault_before("BIND-38", "answers 202 to a bind with the id of one that runs with other parameters", at="bind")
def compare_nothing_with_running(call: Call, broker: Reference) -> Call | None:
    binding = find(call, broker)
    return overlook_parameters(call, binding) if binding is not None and binding.status == "creating" else None


def error_of(reply: Reply) -> Any:
    """Return the error code of an answer, where it has one."""
    return reply.body.get("error") if isinstance(reply.body, dict) else None


@fault("BIND-39", "answers 400 to a bind that lacks an application", at="bind")
def answer_bad_request_for_requires_app(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(status=400) if error_of(reply) == "RequiresApp" else reply


@fault("BIND-40", "answers 409 to a bind that another bind stands in the way of", at="bind", also={"BLK-05"})
def answer_conflict_for_concurrency(call: Call, reply: Reply, broker: Reference) -> Reply:
    stands = error_of(reply) == "ConcurrencyError" and concerns(call, broker, "reference-slow", "serial-binds")
    return reply.having(status=409) if stands else reply


@fault("BIND-42", "does not know the operation that the answer to a bind named", at="poll_binding")
def forget_operation(call: Call, reply: Reply, broker: Reference) -> Reply:
    named = "operation" in call.query and concerns(call, broker, "reference-slow", "patient-large")
    binding = find(call, broker)
    creating = binding is not None and binding.status == "creating"
    return reply.having(status=400, body={"description": "It is not known."}) if named and creating else reply


@fault("BIND-43", "says null in place of the operation of a bind", at="bind")
def name_no_operation(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.with_fields(operation=None) if reply.status == 202 and "operation" not in reply.body else reply


@fault("BIND-43", "names an operation of a bind with 10,001 characters", at="bind")
def name_operation_at_length(call: Call, reply: Reply, broker: Reference) -> Reply:
    binding = find(call, broker)
    if reply.status != 202 or binding is None or not concerns(call, broker, "reference-slow", "either"):
        return reply
    binding.operations[-1].id = "x" * 10_001
    return reply.with_fields(operation=binding.operations[-1].id)
