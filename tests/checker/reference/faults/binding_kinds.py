"""Faults in what bindings are for."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.checker.reference.app import Reference
from tests.checker.reference.faults import fault, fault_before, fault_catalog, fault_setting
from tests.checker.reference.faults.bind_request import concerns, is_plain
from tests.checker.reference.wire import Call, Reply, refuse

SHOWN = ("bind", "fetch_binding")
"""Where a binding's data is handed out."""


def hands_out(call: Call, reply: Reply, broker: Reference, service: str, plan: str = "standard") -> bool:
    """Tell whether an answer shows a binding of this plan."""
    return reply.status in (200, 201) and concerns(call, broker, service, plan)


def in_place_of(reply: Reply, name: str) -> Reply:
    """Return the answer with credentials in place of another field."""
    return reply.without_fields(name).with_fields(credentials={"token": "made-up"})


@fault_before("BIND-02", "binds instances of a plan that is not said to be bindable", at="bind")
def bind_unbindable(call: Call, broker: Reference) -> Reply | None:
    if not is_plain(call) or not concerns(call, broker, "unbindable"):
        return None
    return Reply(201, {"credentials": {"token": "made-up"}})


@fault_before("BIND-03", "has no endpoint for binds of a plan that is said to be bindable", at="bind")
def lack_endpoint(call: Call, broker: Reference) -> Reply | None:
    missing = refuse(405, "There is nothing at this address for this method.")
    return missing.reply if concerns(call, broker, "Reference-DB") else None


@fault("BIND-04", "answers 404 to the second of two equal fetches of a binding", at="fetch_binding")
def show_once(call: Call, reply: Reply, broker: Reference) -> Reply:
    fetched: Counter[str] = broker.memory.setdefault("fetched", Counter())
    question = f"{call.raw_path}?{call.query}"
    fetched[question] += reply.status == 200
    again = reply.status == 200 and fetched[question] > 1 and concerns(call, broker, "reference-db", "quick")
    return reply.having(status=404, body={"description": "It was shown."}) if again else reply


@fault("BIND-05", "never hands out the data of a binding", at=SHOWN)
def hand_out_nothing(call: Call, reply: Reply, broker: Reference) -> Reply:
    if not hands_out(call, reply, broker, "Reference-DB"):
        return reply
    return reply.without_fields("credentials", "endpoints")


@fault("BIND-45", "makes no credentials for one of the plans of a service", at=SHOWN)
def forget_credentials(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.without_fields("credentials") if hands_out(call, reply, broker, "reference-db", "locked") else reply


fault_setting("BIND-07", "gives all bindings the same credentials", at=SHOWN, distinct_credentials=False)


@fault("BIND-07", "removes all bindings of an instance with the first", at="unbind")
def remove_all(call: Call, reply: Reply, broker: Reference) -> Reply:
    instance = broker.find_instance(call)
    if reply.status == 200 and instance is not None and not instance.plan.behaviour.expires:
        for binding in instance.bindings.values():
            binding.remove()
    return reply


@fault("BIND-08", "gives a log drain credentials and no address for logs", at=SHOWN)
def lack_drain(call: Call, reply: Reply, broker: Reference) -> Reply:
    return in_place_of(reply, "syslog_drain_url") if hands_out(call, reply, broker, "log-drain") else reply


@fault_catalog("BIND-10", "does not say that a route service requires route_forwarding")
def hide_route_forwarding(catalog: dict[str, Any]) -> None:
    del next(service for service in catalog["services"] if service["name"] == "out-of-band")["requires"]


@fault("BIND-12", "breaks on parameters of a route", at="bind")
def break_on_route_parameters(call: Call, reply: Reply, broker: Reference) -> Reply:
    given = is_plain(call) and call.json.get("parameters") and concerns(call, broker, "proxy")
    return reply.having(status=500, body={"description": "It broke."}) if given else reply


@fault("BIND-12", "keeps one set of parameters for all routes", at="fetch_binding")
def mix_route_parameters(call: Call, reply: Reply, broker: Reference) -> Reply:
    instance = broker.find_instance(call)
    if instance is None or not hands_out(call, reply, broker, "proxy"):
        return reply
    return reply.with_fields(parameters=list(instance.bindings.values())[-1].parameters)


@fault("BIND-13", "gives a proxied route service credentials and no address", at=SHOWN)
def lack_route(call: Call, reply: Reply, broker: Reference) -> Reply:
    return in_place_of(reply, "route_service_url") if hands_out(call, reply, broker, "proxy") else reply


@fault("BIND-14", "gives a route service that is wired up elsewhere an address", at="bind")
def add_route(call: Call, reply: Reply, broker: Reference) -> Reply:
    if not hands_out(call, reply, broker, "out-of-band"):
        return reply
    return reply.with_fields(route_service_url="https://proxy.reference.example/0")


@fault("BIND-15", "gives a volume service credentials and no mounts", at=SHOWN)
def lack_mounts(call: Call, reply: Reply, broker: Reference) -> Reply:
    return in_place_of(reply, "volume_mounts") if hands_out(call, reply, broker, "volume") else reply


@fault("BMD-06", "wants a binding to be renewed at its very end", at=SHOWN)
def leave_no_time(call: Call, reply: Reply, broker: Reference) -> Reply:
    if not hands_out(call, reply, broker, "reference-db", "rotatable"):
        return reply
    end = reply.body["metadata"]["expires_at"]
    return reply.with_fields(metadata={"expires_at": end, "renew_before": end})
