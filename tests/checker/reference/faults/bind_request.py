"""Faults in what a bind asks for."""

from __future__ import annotations

from tests.checker.reference.app import Reference
from tests.checker.reference.faults import fault, fault_before, fault_setting
from tests.checker.reference.plans import make_id
from tests.checker.reference.wire import Call, Reply, refuse


def concerns(call: Call, broker: Reference, service: str, plan: str = "standard") -> bool:
    """Tell whether a request is about an instance of this plan."""
    instance = broker.find_instance(call)
    return instance is not None and instance.plan.id == make_id(service, plan)


def is_plain(call: Call) -> bool:
    """Tell whether a bind has a JSON object as its body, and is no rotation."""
    return isinstance(call.json, dict) and "predecessor_binding_id" not in call.json


@fault_before("BIND-17", "takes the word false for leave to bind asynchronously", at="bind", also={"ASY-09"})
def take_false_for_true(call: Call, broker: Reference) -> Call | None:
    return call.asking(accepts_incomplete="true") if call.query.get("accepts_incomplete") == "false" else None


@fault("BIND-17", "answers 400 to a bind without leave to do it asynchronously", at="bind")
def answer_bad_request_for_async_required(call: Call, reply: Reply, broker: Reference) -> Reply:
    lacking = reply.status == 422 and reply.body.get("error") == "AsyncRequired"
    return reply.having(status=400) if lacking and is_plain(call) else reply


@fault_before("BIND-18", "binds without a service_id", at="bind")
def guess_service(call: Call, broker: Reference) -> Call | None:
    instance = broker.find_instance(call)
    if instance is None or not is_plain(call) or "service_id" in call.json:
        return None
    return call.saying(service_id=instance.plan.service_id)


@fault_before("BIND-18", "takes an empty service_id for the instance's", at="bind")
def fill_service(call: Call, broker: Reference) -> Call | None:
    instance = broker.find_instance(call)
    if instance is None or not is_plain(call) or call.json.get("service_id") != "":
        return None
    return call.saying(service_id=instance.plan.service_id)


@fault_before("BIND-19", "binds without a plan_id", at="bind")
def guess_plan(call: Call, broker: Reference) -> Call | None:
    instance = broker.find_instance(call)
    if instance is None or not is_plain(call) or "plan_id" in call.json:
        return None
    return call.saying(plan_id=instance.plan.id)


@fault("BIND-19", "answers 422 to an empty plan_id", at="bind")
def answer_unprocessable_for_empty_plan(call: Call, reply: Reply, broker: Reference) -> Reply:
    empty = is_plain(call) and call.json.get("plan_id") == ""
    return reply.having(status=422) if empty and reply.status == 400 else reply


fault_setting("BIND-20", "does not look at the service_id and plan_id of a bind", at="bind", check_bind_ids=False)


@fault_before("BIND-20", "does not look whether the plan_id of a bind is that of the instance", at="bind")
def take_any_known_plan(call: Call, broker: Reference) -> Call | None:
    instance = broker.find_instance(call)
    if instance is None or not is_plain(call) or call.json.get("service_id") != instance.plan.service_id:
        return None
    known = broker.catalog.offerings[instance.plan.service_id].plans
    return call.saying(plan_id=instance.plan.id) if call.json.get("plan_id") in known else None


@fault_before("BIND-21", "takes a text as the context of a bind", at="bind")
def overlook_context(call: Call, broker: Reference) -> Call | None:
    wrong = is_plain(call) and not isinstance(call.json.get("context", {}), dict)
    return call.leaving_out("context") if wrong else None


@fault_before("BIND-21", "refuses a bind without a context", at="bind")
def require_context(call: Call, broker: Reference) -> Reply | None:
    lacks = is_plain(call) and {"service_id", "plan_id"} <= call.json.keys() and "context" not in call.json
    return refuse(400, "context is missing.").reply if lacks else None


fault_setting(
    "BIND-22", "does not look at the app_guid beside bind_resource", at="bind", accept_top_level_app_guid=False
)
fault_setting("BIND-22", "does not look at bind_resource.app_guid", at="bind", accept_resource_app_guid=False)


@fault_before("BIND-24", "refuses a bind without bind_resource", at="bind")
def require_resource(call: Call, broker: Reference) -> Reply | None:
    instance = broker.find_instance(call)
    if instance is None or instance.plan.behaviour.requires_app or not is_plain(call) or "bind_resource" in call.json:
        return None
    return refuse(400, "bind_resource is missing.").reply


fault_setting("BIND-28", "does not look at the parameters of a bind", at="bind", validate_bind_parameters=False)


@fault("BIND-36", "breaks on parameters of a bind that do not fit", at="bind")
def break_on_parameters(call: Call, reply: Reply, broker: Reference) -> Reply:
    bad = reply.status == 400 and reply.body["description"].startswith("The parameters")
    return reply.having(status=500) if bad else reply


@fault("BIND-35", "answers 422 to a bind whose body is an array", at="bind")
def answer_unprocessable_for_array(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(status=422) if isinstance(call.json, list) else reply
