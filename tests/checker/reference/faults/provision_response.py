"""Faults of what a provision is answered with: each shows at one plan only, so that the others can be used."""

from __future__ import annotations

from typing import Any

from tests.checker.reference.app import Reference
from tests.checker.reference.faults import fault, fault_before
from tests.checker.reference.wire import Call, Reply


def is_of(call: Call, broker: Reference, *names: str) -> bool:
    """Tell whether a call is about an instance of one of these plans, or of an offering with one of these names."""
    instance = broker.instances(call).get(call.instance_id)
    if instance is None:
        return False
    offering = broker.catalog.offerings[instance.plan.service_id]
    return instance.plan.name in names or offering.name in names


@fault_before("PROV-01", "answers 410 to a bind of an instance of one offering", at="bind")
def cannot_be_bound(call: Call, broker: Reference) -> Reply | None:
    return Reply(410, {"description": "There is no such instance."}) if is_of(call, broker, "Reference-DB") else None


@fault("PROV-01", "answers 201 for one offering, and has no instance", also={"BIND-03"}, at="provision")
def creates_nothing(call: Call, reply: Reply, broker: Reference) -> Reply:
    if reply.status == 201 and is_of(call, broker, "unretrievable"):
        del broker.instances(call)[call.instance_id]
    return reply


@fault("PROV-19", "answers 200 to the creation of an instance of one plan", at="provision")
def created_is_ok(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(status=200) if reply.status == 201 and is_of(call, broker, "locked") else reply


@fault("PROV-20", "answers 202 with a list for one plan", also={"ORPH-09"}, at="provision")
def list_as_body(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(body=[]) if is_late(call, reply, broker) else reply


def is_late(call: Call, reply: Reply, broker: Reference) -> bool:
    """Tell whether an answer is 202 and about the plan that nothing else depends on."""
    return reply.status == 202 and is_of(call, broker, "patient-locked")


@fault("PROV-28", "tells of a dashboard_url only when the creation is over", at={"provision", "fetch_instance"})
def late_dashboard(call: Call, reply: Reply, broker: Reference) -> Reply:
    early = reply.status == 202 or call.endpoint == "fetch_instance"
    return reply.without_fields("dashboard_url") if early and reply.status < 300 else reply


@fault("PROV-29", "gives a number as the dashboard_url for one plan", at="provision")
def number_as_dashboard(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.with_fields(dashboard_url=7) if reply.status == 201 and is_of(call, broker, "locked") else reply


@fault("PROV-29", "gives all instances the same dashboard_url", at="provision")
def one_dashboard(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.with_fields(dashboard_url="https://dashboard.reference.example/") if reply.status < 300 else reply


@fault("PROV-30", "gives a number as the operation for one plan", at="provision")
def number_as_operation(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.with_fields(operation=7) if is_late(call, reply, broker) else reply


@fault_before("PROV-30", "does not know the operation of a provision again for one plan", at="poll_instance")
def forget_operation(call: Call, broker: Reference) -> Reply | None:
    forgotten = is_of(call, broker, "patient-locked") and call.query.get("operation", "").startswith("create")
    return Reply(400, {"description": "There is no such operation."}) if forgotten else None


@fault("PROV-31", "names an operation of 10,001 characters for one plan", at="provision")
def long_operation(call: Call, reply: Reply, broker: Reference) -> Reply:
    return lengthen(call, reply, broker) if is_late(call, reply, broker) else reply


def lengthen(call: Call, reply: Reply, broker: Reference) -> Reply:
    """Give the operation that an answer names a name that is one character too long."""
    name: Any = reply.body["operation"].ljust(10_001, "x")
    broker.instances(call)[call.instance_id].operations[-1].id = name
    return reply.with_fields(operation=name)


@fault("PROV-33", "gives a text as the metadata for one plan", at="provision")
def text_as_metadata(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.with_fields(metadata="none") if reply.status == 201 and is_of(call, broker, "locked") else reply
