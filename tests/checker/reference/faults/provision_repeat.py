"""Faults of a provision whose id is taken."""

from __future__ import annotations

from tests.checker.reference.app import Reference
from tests.checker.reference.faults import fault, fault_before, fault_setting
from tests.checker.reference.faults.provision_request import code_of
from tests.checker.reference.wire import Call, Reply


@fault("PROV-17", "answers ConcurrencyError to a repeated provision though nothing runs", at="provision")
def always_busy(call: Call, reply: Reply, broker: Reference) -> Reply:
    busy = {"error": "ConcurrencyError", "description": "Another operation is in progress."}
    return reply.having(status=422, body=busy) if reply.status == 200 and call.flag else reply


@fault("PROV-18", "answers 200 to a repeated provision that does not allow 202, while the first runs", at="provision")
def done_without_flag(call: Call, reply: Reply, broker: Reference) -> Reply:
    running = running_kind(call, broker) == "create"
    return reply.having(status=200, body={}) if running and code_of(reply) == "AsyncRequired" else reply


def running_kind(call: Call, broker: Reference) -> str:
    """Return the kind of operation that runs on the instance that a call is about, "" where none does."""
    instance = broker.find_instance(call)
    return instance.running.kind if instance is not None and instance.running is not None else ""


fault_setting(
    "PROV-21",
    "answers 200 to a repeated provision while the first runs",
    at="provision",
    repeats_are_asynchronous=False,
)
fault_setting(
    "PROV-22", "names another operation to a repeated provision", at="provision", same_operation_on_repeat=False
)
fault_setting(
    "PROV-25",
    "answers 200 to a PUT with the id of an instance that has other parameters",
    also={"PROV-26"},
    at="provision",
    compare_parameters=False,
)


@fault("PROV-25", "answers 422 to a PUT with the id of an instance of another plan", at="provision")
def conflict_is_unprocessable(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(status=422) if reply.status == 409 and not running_kind(call, broker) else reply


fault_setting(
    "PROV-25", "answers 409, and takes the new values all the same", at="provision", overwrite_on_conflict=True
)
fault_setting(
    "PROV-26",
    "answers 202 to a PUT with other attributes while the first one runs",
    at="provision",
    compare_while_running=False,
)


def breaks_during(kind: str, what: str) -> None:
    """Register a broker that breaks on a PUT while another operation runs."""

    @fault_before("PROV-34", f"breaks on a PUT while the instance is {what}", at="provision")
    def break_down(call: Call, broker: Reference) -> Reply | None:
        return Reply(500, {"description": "It broke."}) if running_kind(call, broker) == kind else None


breaks_during("delete", "deprovisioned")
breaks_during("update", "updated")


@fault("PROV-34", "refuses a PUT while the instance is deprovisioned without saying ConcurrencyError", at="provision")
def hide_concurrency(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.without_fields("error") if code_of(reply) == "ConcurrencyError" else reply


@fault_before("PROV-34", "breaks on a PUT while a DELETE of the same id is there", linger=0.001)
def break_when_both_are_there(call: Call, broker: Reference) -> Reply | None:
    met = call.endpoint == "provision" and broker.in_flight["DELETE", call.raw_path] > 0
    return Reply(500, {"description": "It broke."}) if met else None
