"""Faults that make orphans, or keep them."""

from __future__ import annotations

from tests.checker.reference.app import Reference
from tests.checker.reference.faults import fault, fault_before
from tests.checker.reference.faults.provision_response import is_of
from tests.checker.reference.wire import Call, Reply


@fault_before("ORPH-04", "breaks on the DELETE of an instance whose creation failed", at="deprovision")
def break_on_failed(call: Call, broker: Reference) -> Reply | None:
    instance = broker.find_instance(call)
    failed = instance is not None and instance.status == "failed"
    return Reply(500, {"description": "It broke."}) if failed else None


@fault_before("ORPH-04", "refuses the DELETE of an unknown instance without an identity", at="deprovision")
def require_identity(call: Call, broker: Reference) -> Reply | None:
    known = call.instance_id in broker.instances(call) or "x-broker-api-originating-identity" in call.headers
    return None if known else Reply(400, {"description": "The identity is missing."})


@fault("ORPH-08", "refuses a provision above the quota, and has made the instance", at="provision")
def quota_comes_late(call: Call, reply: Reply, broker: Reference) -> Reply:
    if reply.status == 422 and "quota" in str(reply.body):
        broker.leave_behind(call)
    return reply


@fault("ORPH-09", "answers a list to a repeated provision", also={"PROV-17"}, at="provision")
def list_as_repeat(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(body=[]) if reply.status == 200 and is_of(call, broker, "quick") else reply
