"""Faults in how bindings are unbound."""

from __future__ import annotations

from typing import Any

from tests.checker.reference.app import Reference
from tests.checker.reference.bindings import show
from tests.checker.reference.faults import fault, fault_before, fault_setting
from tests.checker.reference.faults.bind_request import concerns
from tests.checker.reference.faults.bind_response import find
from tests.checker.reference.faults.instance_polling import is_spare
from tests.checker.reference.state import Binding
from tests.checker.reference.wire import Call, Reply, refuse

GUID = 36
"""The ids that platforms use have so many characters; not those with which odd characters are tried."""


def find_halted(call: Call, broker: Reference) -> Binding | None:
    """Return the binding that a request is about, where its creation was halted by an asynchronous unbind."""
    instance = broker.find_instance(call)
    binding = None if instance is None else broker.find_binding(instance, call.binding_id)
    halted = binding is not None and [operation.halted for operation in binding.operations] == [True, False]
    return binding if halted else None


@fault_before("UNB-01", "has no endpoint for unbinds of a plan that can be bound", at="unbind")
def lack_endpoint(call: Call, broker: Reference) -> Reply | None:
    missing = refuse(405, "There is nothing at this address for this method.")
    return missing.reply if concerns(call, broker, "unretrievable") else None


@fault("UNB-02", "shows a binding that was unbound asynchronously", at="fetch_binding")
def show_unbound(call: Call, reply: Reply, broker: Reference) -> Reply:
    instance = broker.find_instance(call)
    binding = None if instance is None else broker.find_binding(instance, call.binding_id)
    if binding is None or [operation.halted for operation in binding.operations] != [False, False]:
        return reply
    return reply.having(status=200, body=show(broker, binding)) if binding.status == "deleted" else reply


@fault("UNB-03", "goes on with a bind that it was told to halt", at="unbind")
def go_on(call: Call, reply: Reply, broker: Reference) -> Reply:
    binding = find_halted(call, broker)
    if binding is not None and binding.running is not None:
        binding.running.apply = lambda: setattr(binding, "status", "ready")
    return reply


@fault("UNB-04", "tells of the halted bind while an unbind runs that has no name", at="poll_binding")
def tell_of_bind(call: Call, reply: Reply, broker: Reference) -> Reply:
    nameless = "operation" not in call.query
    halted = nameless and reply.status == 200 and find_halted(call, broker) is not None
    return reply.having(body={"state": "failed"}) if halted else reply


fault_setting(
    "UNB-05",
    "says of a bind that was halted by an unbind that it has succeeded",
    at="unbind",
    report_halted_creation_as_failed=False,
)


def without(call: Call, broker: Reference, name: str, empty: bool) -> Call | None:
    """Return an unbind that lacks an id with that id."""
    instance = broker.find_instance(call)
    if instance is None or call.malformed or call.query.get(name, "") or (name in call.query) is not empty:
        return None
    return call.asking(**{name: instance.plan.service_id if name == "service_id" else instance.plan.id})


@fault_before("UNB-06", "unbinds without a service_id", at="unbind")
def guess_service(call: Call, broker: Reference) -> Call | None:
    return without(call, broker, "service_id", empty=False)


@fault_before("UNB-06", "unbinds with an empty service_id", at="unbind")
def fill_service(call: Call, broker: Reference) -> Call | None:
    return without(call, broker, "service_id", empty=True)


@fault_before("UNB-07", "unbinds without a plan_id", at="unbind")
def guess_plan(call: Call, broker: Reference) -> Call | None:
    return without(call, broker, "plan_id", empty=False)


@fault_before("UNB-07", "unbinds with an empty plan_id", at="unbind")
def fill_plan(call: Call, broker: Reference) -> Call | None:
    return without(call, broker, "plan_id", empty=True)


def lacks_flag(reply: Reply) -> bool:
    """Tell whether an answer says that the unbind must be asynchronous."""
    return reply.status == 422 and reply.body.get("error") == "AsyncRequired"


@fault("UNB-08", "answers 400 to an unbind that must be asynchronous and may not", at="unbind")
def answer_bad_request(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(status=400) if lacks_flag(reply) else reply


@fault("UNB-08", "leaves out the code AsyncRequired", at="unbind")
def leave_out_code(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.without_fields("error") if lacks_flag(reply) else reply


@fault("UNB-09", "answers the unbind that is done with an empty body", at="unbind", also={"ORPH-09"})
def say_nothing(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(body=None) if reply.status == 200 else reply


@fault("UNB-10", "answers 200 to every unbind but the first, though it goes on", at="unbind")
def say_done(call: Call, reply: Reply, broker: Reference) -> Reply:
    if reply.status != 202 or not concerns(call, broker, "reference-slow", "patient"):
        return reply
    first = broker.memory.setdefault("first", call.binding_id) == call.binding_id
    return reply if first else reply.having(status=200, body={})


def is_repeated(call: Call, reply: Reply, broker: Reference) -> bool:
    """Tell whether an unbind was sent before, and goes on."""
    begun: set[str] = broker.memory.setdefault("unbinds", set())
    repeated = reply.status == 202 and call.binding_id in begun
    begun.add(call.binding_id)
    return repeated


@fault("UNB-11", "answers 200 to the repeated unbind that goes on", at="unbind")
def say_done_again(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(status=200, body={}) if is_repeated(call, reply, broker) else reply


fault_setting(
    "UNB-11", "names another operation when an unbind is repeated", at="unbind", same_operation_on_repeat=False
)


@fault_before("UNB-12", "passes over what it cannot decode in the query of an unbind", at="unbind")
def pass_over_malformed(call: Call, broker: Reference) -> Reply | None:
    return Reply(200, {}) if call.malformed and find(call, broker) is not None else None


@fault_before("UNB-13", "breaks on an unbind with the ids of another service", at="unbind")
def break_on_foreign(call: Call, broker: Reference) -> Reply | None:
    instance = broker.find_instance(call)
    service_id: Any = call.query.get("service_id")
    foreign = instance is not None and service_id and not call.malformed and service_id != instance.plan.service_id
    return refuse(500, "Something broke.").reply if foreign else None


@fault("UNB-14", "answers 200 to the second unbind of a binding", at="unbind")
def unbind_twice(call: Call, reply: Reply, broker: Reference) -> Reply:
    instance = broker.find_instance(call)
    unbound = instance is not None and call.binding_id in instance.bindings and len(call.binding_id) == GUID
    return reply.having(status=200, body={}) if reply.status == 410 and unbound else reply


@fault("UNB-14", "unbinds a binding whatever instance is named", at="unbind")
def unbind_everywhere(call: Call, reply: Reply, broker: Reference) -> Reply:
    named = broker.find_instance(call)
    if reply.status != 410 or named is None or call.binding_id in named.bindings:
        return reply
    found = [
        each.bindings[call.binding_id] for each in broker.instances(call).values() if call.binding_id in each.bindings
    ]
    for binding in found:
        binding.remove()
    return reply.having(status=200, body={}) if found else reply


@fault("UNB-14", "answers 404 to the unbind of a binding that is unbound", at="unbind")
def gone_is_not_found(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(status=404) if reply.status == 410 else reply


@fault("UNB-15", "answers 409 to an unbind that must wait for the bind", at="unbind")
def conflict(call: Call, reply: Reply, broker: Reference) -> Reply:
    binding = find(call, broker)
    waits = reply.status == 422 and reply.body.get("error") == "ConcurrencyError" and binding is not None
    return reply.having(status=409) if waits else reply


@fault("UNB-17", "names the operation of an unbind with a number", at="unbind")
def number(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.with_fields(operation=7) if reply.status == 202 and is_spare(call, broker) else reply


@fault("UNB-17", "names the operation of an unbind with too long a text", at="unbind")
def lengthen(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.with_fields(operation="o" * 10_001) if reply.status == 202 and is_spare(call, broker) else reply
