"""Faults in how bindings are rotated."""

from __future__ import annotations

from tests.checker.reference.app import Reference
from tests.checker.reference.faults import fault, fault_setting
from tests.checker.reference.state import Binding
from tests.checker.reference.wire import Call, Reply


def is_rotation(call: Call) -> bool:
    """Tell whether a bind asks for the successor of a binding."""
    return isinstance(call.json, dict) and "predecessor_binding_id" in call.json


@fault("ROT-03", "answers 200 to a rotation that makes a binding", at="bind")
def say_known(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(status=200) if reply.status == 201 and is_rotation(call) else reply


@fault("ROT-03", "answers 201 to a rotation that was made before", at="bind")
def say_new(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(status=201) if reply.status == 200 and is_rotation(call) else reply


fault_setting("ROT-04", "unbinds the old binding when the new one is there", at="bind", keep_predecessor=False)


@fault("ROT-04", "unbinds the new binding with the old one", at="unbind")
def take_along(call: Call, reply: Reply, broker: Reference) -> Reply:
    instance = broker.find_instance(call)
    for binding in instance.bindings.values() if instance is not None and reply.status == 200 else ():
        if binding.wanted.get("predecessor") == call.binding_id:
            binding.status = "deleted"
    return reply


@fault("ROT-05", "answers 400 to a rotation that must be asynchronous and may not", at="bind")
def answer_bad_request(call: Call, reply: Reply, broker: Reference) -> Reply:
    lacking = reply.status == 422 and reply.body.get("error") == "AsyncRequired"
    return reply.having(status=400) if lacking and is_rotation(call) else reply


fault_setting("ROT-06", "does not look whether the predecessor is there", at="bind", check_predecessor=False)


@fault("ROT-06", "makes a binding though it refuses the predecessor", at="bind")
def keep_refused(call: Call, reply: Reply, broker: Reference) -> Reply:
    instance = broker.find_instance(call)
    if instance is not None and reply.status == 400 and is_rotation(call):
        instance.bindings.setdefault(call.binding_id, Binding(call.binding_id, instance.plan, {}))
    return reply


fault_setting("ROT-07", "answers 400 to a rotation without service_id", at="bind", rotation_requires_ids=True)
fault_setting("ROT-08", "does not take over the parameters of the predecessor", at="bind", carry_over_parameters=False)
