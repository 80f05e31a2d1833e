"""Faults of the fetching of an instance."""

from __future__ import annotations

from typing import Any

from tests.checker.reference.app import Reference
from tests.checker.reference.faults import fault, fault_before, fault_setting
from tests.checker.reference.faults.provision_request import code_of
from tests.checker.reference.faults.provision_response import is_of
from tests.checker.reference.wire import Call, Reply

NOT_FOUND = Reply(404, {"description": "There is no instance with this id."})


@fault_before("GETI-01", "does not show the instances of one plan", at="fetch_instance")
def hide_plan(call: Call, broker: Reference) -> Reply | None:
    return NOT_FOUND if is_of(call, broker, "locked") else None


@fault_before("GETI-02", "shows an instance of one plan only when it is asked again", at="fetch_instance")
def show_late(call: Call, broker: Reference) -> Reply | None:
    asked: set[str] = broker.memory.setdefault("asked", set())
    if not is_of(call, broker, "patient-locked") or call.instance_id in asked:
        return None
    asked.add(call.instance_id)
    return NOT_FOUND


fault_setting("GETI-06", "does not show an instance without the hints", at="fetch_instance", fetch_requires_query=True)


def spoils(rule: str, says: str, **fields: Any) -> None:
    """Register a broker that shows the instances of one plan with other fields."""

    @fault(rule, says, at="fetch_instance")
    def spoil(call: Call, reply: Reply, broker: Reference) -> Reply:
        return reply.with_fields(**fields) if reply.status == 200 and is_of(call, broker, "locked") else reply


spoils("GETI-07", "shows a plan's name as the plan_id of an instance", plan_id="locked")
spoils("GETI-07", "shows a number as the service_id of an instance", service_id=7)
fault_setting(
    "GETI-07", "shows the old plan when an instance has changed", at="fetch_instance", fetch_shows_new_plan=False
)


@fault("GETI-08", "provisions one plan without a dashboard_url, and shows one", at="provision")
def hide_dashboard(call: Call, reply: Reply, broker: Reference) -> Reply:
    shown = reply.status == 201 and is_of(call, broker, "locked")
    return reply.without_fields("dashboard_url") if shown else reply


spoils("GETI-09", "shows the parameters of an instance as a list", parameters=["size=1"])
spoils("GETI-11", "shows another version of maintenance_info", maintenance_info={"version": "0.0.1"})
spoils("GETI-11", "shows maintenance_info as a text", maintenance_info="2.1.1+abcdef")
spoils("GETI-13", "shows a text as the metadata of an instance", metadata="none")


@fault("GETI-14", "answers 400 to the GET of an unknown instance", at="fetch_instance")
def unknown_is_bad(call: Call, reply: Reply, broker: Reference) -> Reply:
    unknown = reply.status == 404 and call.instance_id not in broker.instances(call)
    return reply.having(status=400) if unknown else reply


@fault("GETI-14", "answers 410 to the GET of an instance that has been deleted", at="fetch_instance")
def deleted_is_gone(call: Call, reply: Reply, broker: Reference) -> Reply:
    instance = broker.find_instance(call)
    deleted = instance is not None and instance.status == "deleted"
    return reply.having(status=410) if reply.status == 404 and deleted else reply


fault_setting("GETI-15", "shows an instance while it is made", at="fetch_instance", fetch_while_creating=True)


@fault("GETI-16", "answers 404 to the GET of an instance that is being updated", at="fetch_instance")
def updating_is_not_found(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(status=404) if code_of(reply) == "ConcurrencyError" else reply


@fault("GETI-16", "refuses the GET of an instance that is being updated without a code", at="fetch_instance")
def updating_has_no_code(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.without_fields("error") if code_of(reply) == "ConcurrencyError" else reply
