"""Faults of deprovisioning."""

from __future__ import annotations

from tests.checker.reference.app import Reference
from tests.checker.reference.door import BASIC
from tests.checker.reference.faults import fault, fault_before, fault_setting
from tests.checker.reference.faults.provision_request import code_of
from tests.checker.reference.faults.provision_response import is_late, is_of, lengthen
from tests.checker.reference.state import Instance
from tests.checker.reference.wire import Call, Reply

BROKEN = Reply(500, {"description": "It broke."})


def is_first(call: Call, broker: Reference) -> bool:
    """Tell whether this is asked of an instance for the first time."""
    asked: set[str] = broker.memory.setdefault("asked", set())
    first = call.instance_id not in asked
    asked.add(call.instance_id)
    return first


@fault("DEP-01", "answers 200 to the DELETE of an instance of one plan, and keeps it", at="deprovision")
def keep(call: Call, reply: Reply, broker: Reference) -> Reply:
    if reply.status == 200 and is_of(call, broker, "locked") and is_first(call, broker):
        broker.instances(call)[call.instance_id].status = "ready"
    return reply


@fault("DEP-01", "says in the end that an instance of one plan is deleted, and keeps it", at="deprovision")
def keep_in_the_end(call: Call, reply: Reply, broker: Reference) -> Reply:
    if is_late(call, reply, broker) and is_first(call, broker):
        broker.instances(call)[call.instance_id].operations[-1].apply = lambda: None
    return reply


@fault_before("DEP-03", "breaks on the DELETE of an instance that has bindings", at="deprovision")
def break_on_bindings(call: Call, broker: Reference) -> Reply | None:
    return BROKEN if has_bindings(call, broker) else None


@fault_before("DEP-03", "refuses the DELETE of an instance that has bindings, and deletes those", at="deprovision")
def lose_bindings(call: Call, broker: Reference) -> Reply | None:
    if not has_bindings(call, broker):
        return None
    broker.instances(call)[call.instance_id].bindings.clear()
    return Reply(400, {"description": "There are bindings."})


def has_bindings(call: Call, broker: Reference) -> bool:
    """Tell whether somebody with credentials asks about an instance that has bindings."""
    instance = broker.find_instance(call)
    if instance is None or instance.status != "ready" or call.headers.get("authorization") != BASIC[call.platform]:
        return False
    return any(binding.status == "ready" for binding in instance.bindings.values())


fault_setting(
    "DEP-04",
    "goes on with a creation that is deleted meanwhile",
    also={"DEP-06"},
    at="deprovision",
    halt_creation_on_delete=False,
)
fault_setting(
    "DEP-05",
    "tells of the creation when it has been deleted meanwhile",
    at="deprovision",
    report_deletion_after_halt=False,
)
fault_setting(
    "DEP-06",
    "says that a creation succeeded that was deleted meanwhile",
    at="deprovision",
    report_halted_creation_as_failed=False,
)


def guesses(rule: str, name: str) -> None:
    """Register a broker that deprovisions without one of the ids."""

    @fault_before(rule, f"deprovisions without a {name}", at="deprovision")
    def guess(call: Call, broker: Reference) -> Call | None:
        instance = broker.instances(call).get(call.instance_id)
        if call.query.get(name) or instance is None:
            return None
        plan = instance.plan
        return call.asking(**{name: plan.service_id if name == "service_id" else plan.id})


guesses("DEP-07", "service_id")
guesses("DEP-08", "plan_id")


@fault("DEP-09", "answers 400 where it could only deprovision asynchronously", at="deprovision")
def async_required_is_bad(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(status=400) if code_of(reply) == "AsyncRequired" else reply


fault_setting(
    "DEP-09", "answers AsyncRequired, and deletes all the same", at="deprovision", delete_on_async_required=True
)


@fault("DEP-10", "answers 201 to the DELETE of an instance of one plan", also={"ASY-05"}, at="deprovision")
def deleted_is_created(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(status=201) if reply.status == 200 and is_of(call, broker, "locked") else reply


@fault("DEP-10", "answers 200 without a body to a DELETE for one plan", also={"ORPH-09"}, at="deprovision")
def delete_says_nothing(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(body=None) if reply.status == 200 and is_of(call, broker, "locked") else reply


@fault("DEP-11", "gives a number as the operation of a deletion for one plan", at="deprovision")
def number_as_operation(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.with_fields(operation=7) if is_late(call, reply, broker) else reply


fault_setting(
    "DEP-12", "answers 200 to a repeated DELETE while the first runs", at="deprovision", repeats_are_asynchronous=False
)
fault_setting(
    "DEP-13", "names another operation to a repeated DELETE", at="deprovision", same_operation_on_repeat=False
)


@fault("DEP-14", "answers 422 to a DELETE without a query", at="deprovision")
def no_query_is_unprocessable(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(status=422) if reply.status == 400 and not call.query else reply


@fault_before("DEP-14", "breaks on a DELETE whose query cannot be decoded", at="deprovision")
def break_on_query(call: Call, broker: Reference) -> Reply | None:
    return BROKEN if call.malformed else None


@fault("DEP-15", "breaks on a DELETE whose ids are not those of the instance", at="deprovision")
def break_on_ids(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(status=500) if is_about_ids(reply) else reply


@fault("DEP-15", "refuses a DELETE whose ids are not those of the instance, and deletes it", at="deprovision")
def delete_in_spite_of_ids(call: Call, reply: Reply, broker: Reference) -> Reply:
    instance: Instance | None = broker.find_instance(call)
    if instance is not None and is_about_ids(reply):
        instance.status = "deleted"
    return reply


def is_about_ids(reply: Reply) -> bool:
    """Tell whether an answer refuses ids that are not those of the instance."""
    return reply.status == 400 and "is not that of the instance" in str(reply.body)


@fault("DEP-16", "answers 404 to the DELETE of an instance that does not exist", also={"ORPH-04"}, at="deprovision")
def gone_is_not_found(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(status=404) if reply.status == 410 else reply


@fault("DEP-16", "answers 422 to the DELETE of what has been deleted before", also={"ORPH-04"}, at="deprovision")
def gone_is_unprocessable(call: Call, reply: Reply, broker: Reference) -> Reply:
    known = call.instance_id in broker.instances(call)
    return reply.having(status=422) if reply.status == 410 and known else reply


@fault("DEP-17", "answers 409 to a DELETE while another operation runs", at="deprovision")
def concurrency_is_conflict(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(status=409) if code_of(reply) == "ConcurrencyError" else reply


@fault("DEP-20", "names a deletion with 10,001 characters for one plan", at="deprovision")
def long_operation(call: Call, reply: Reply, broker: Reference) -> Reply:
    return lengthen(call, reply, broker) if is_late(call, reply, broker) else reply
