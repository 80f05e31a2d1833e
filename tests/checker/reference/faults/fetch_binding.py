"""Faults in what the fetch of a binding is answered with."""

from __future__ import annotations

from typing import Any

from tests.checker.reference.app import Reference
from tests.checker.reference.bindings import show
from tests.checker.reference.faults import fault, fault_before, fault_setting
from tests.checker.reference.faults.bind_request import concerns
from tests.checker.reference.faults.bind_response import find
from tests.checker.reference.wire import Call, Reply, refuse

NOT_FOUND = refuse(404, "There is no binding with this id.").reply


def with_fields(call: Call, reply: Reply, broker: Reference, **fields: Any) -> Reply:
    """Return the answer with these fields, where it shows a binding of the plan that few checks look at."""
    shown = reply.status == 200 and concerns(call, broker, "reference-db", "large")
    return reply.with_fields(**fields) if shown else reply


@fault_before("GETB-01", "does not show the bindings of one of the plans", at="fetch_binding")
def hide_plan(call: Call, broker: Reference) -> Reply | None:
    return NOT_FOUND if concerns(call, broker, "reference-db", "large") else None


@fault(
    "GETB-02",
    "has not noticed yet that a binding is there, which it was asked for while it was being made",
    at="fetch_binding",
    also={"LOB-19"},
)
def notice_late(call: Call, reply: Reply, broker: Reference) -> Reply:
    absent: set[str] = broker.memory.setdefault("absent", set())
    if reply.status == 404:
        absent.add(call.binding_id)
    noticed = call.binding_id not in absent
    return reply if noticed else reply.having(status=404, body=NOT_FOUND.body)


@fault("LOB-19", "shows a new binding at the second fetch only", at="fetch_binding", also={"GETB-02"})
def show_second_time(call: Call, reply: Reply, broker: Reference) -> Reply:
    asked: list[str] = broker.memory.setdefault("asked", [])
    if reply.status == 404 and find(call, broker) is not None:
        asked.append(call.binding_id)
    if reply.status != 200 or call.binding_id not in asked:
        return reply
    asked.remove(call.binding_id)
    return reply.having(status=404, body=NOT_FOUND.body)


@fault("GETB-06", "shows a binding whatever instance is named", at="fetch_binding")
def look_for_binding_everywhere(call: Call, reply: Reply, broker: Reference) -> Reply:
    found = [
        each.bindings[call.binding_id] for each in broker.instances(call).values() if call.binding_id in each.bindings
    ]
    elsewhere = reply.status == 404 and found and call.binding_id not in called_bindings(call, broker)
    return reply.having(status=200, body=show(broker, found[0])) if elsewhere and found[0].status == "ready" else reply


def called_bindings(call: Call, broker: Reference) -> set[str]:
    """Return the ids of the bindings of the instance that is named."""
    instance = broker.find_instance(call)
    return set() if instance is None else set(instance.bindings)


@fault_before("GETB-04", "answers 400 to a fetch of a binding without a service_id", at="fetch_binding")
def require_service(call: Call, broker: Reference) -> Reply | None:
    return None if call.query.get("service_id") else refuse(400, "The query lacks service_id.").reply


@fault_before("GETB-04", "answers 400 to a fetch of a binding without a plan_id", at="fetch_binding")
def require_plan(call: Call, broker: Reference) -> Reply | None:
    return None if call.query.get("plan_id") else refuse(400, "The query lacks plan_id.").reply


@fault("GETB-05", "shows a binding in an array", at="fetch_binding", also={"ORPH-09"})
def wrap(call: Call, reply: Reply, broker: Reference) -> Reply:
    shown = reply.status == 200 and concerns(call, broker, "reference-db", "large")
    return reply.having(body=[reply.body]) if shown else reply


@fault("GETB-06", "answers 410 to the fetch of a binding that never was", at="fetch_binding")
def never_was_is_gone(call: Call, reply: Reply, broker: Reference) -> Reply:
    instance = broker.find_instance(call)
    unknown = reply.status == 404 and (instance is None or call.binding_id not in instance.bindings)
    return reply.having(status=410) if unknown else reply


@fault("GETB-06", "answers 410 to the fetch of a binding that is unbound", at="fetch_binding")
def unbound_is_gone(call: Call, reply: Reply, broker: Reference) -> Reply:
    instance = broker.find_instance(call)
    binding = None if instance is None else instance.bindings.get(call.binding_id)
    return reply.having(status=410) if binding is not None and binding.status == "deleted" else reply


fault_setting(
    "GETB-07", "shows a binding that is still being made", at="fetch_binding", fetch_binding_while_creating=True
)


@fault("GETB-09", "shows a binding that was made asynchronously without its credentials", at="fetch_binding")
def withhold_credentials(call: Call, reply: Reply, broker: Reference) -> Reply:
    binding = find(call, broker)
    late = binding is not None and bool(binding.operations)
    return reply.without_fields("credentials") if reply.status == 200 and late else reply


@fault("GETB-10", "shows a syslog_drain_url that the offering does not require", at="fetch_binding", also={"BIND-46"})
def show_drain(call: Call, reply: Reply, broker: Reference) -> Reply:
    return with_fields(call, reply, broker, syslog_drain_url="syslog-tls://logs.reference.example:6514/1")


@fault("GETB-11", "shows the parameters of a binding as an array", at="fetch_binding")
def list_parameters(call: Call, reply: Reply, broker: Reference) -> Reply:
    return with_fields(call, reply, broker, parameters=[])


@fault("GETB-13", "shows endpoints of a binding without their hosts", at="fetch_binding", also={"EPT-01"})
def hide_hosts(call: Call, reply: Reply, broker: Reference) -> Reply:
    return with_fields(call, reply, broker, endpoints=[{"ports": ["5432"]}])


@fault("GETB-13", "shows other endpoints than the bind answered", at="fetch_binding")
def move_endpoints(call: Call, reply: Reply, broker: Reference) -> Reply:
    elsewhere = {"host": "elsewhere.reference.example", "ports": ["5432"]}
    return reply.with_fields(endpoints=[elsewhere]) if "endpoints" in reply.body else reply


@fault("GETB-14", "shows the metadata of a binding as a text", at="fetch_binding", also={"BMD-01"})
def write_metadata(call: Call, reply: Reply, broker: Reference) -> Reply:
    return with_fields(call, reply, broker, metadata="none")
