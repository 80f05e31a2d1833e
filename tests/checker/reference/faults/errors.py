"""Faults about errors: their statuses, codes and fields, and what they leave behind."""

from __future__ import annotations

from tests.checker.reference.app import Reference
from tests.checker.reference.faults import fault, fault_before, fault_setting
from tests.checker.reference.wire import Call, Reply

MAKERS = ("provision", "update", "deprovision", "bind", "unbind")


def read_code(reply: Reply) -> str:
    """Return the error code of a reply, "" without."""
    return reply.body.get("error", "") if isinstance(reply.body, dict) else ""


def recode(reply: Reply, code: str, other: str) -> Reply:
    """Return a reply with another code in place of this one."""
    return reply.with_fields(error=other) if read_code(reply) == code else reply


@fault("ERR-01", "breaks on a provision beyond the quota")
def break_on_quota(call: Call, reply: Reply, broker: Reference) -> Reply:
    full = call.endpoint == "provision" and reply.status == 422 and not read_code(reply)
    return reply.having(status=500) if full else reply


@fault("ERR-01", "answers a provision with a redirection")
def redirect(call: Call, reply: Reply, broker: Reference) -> Reply:
    full = call.endpoint == "provision" and reply.status == 422 and not read_code(reply)
    return Reply(307, None, {**reply.headers, "location": "/elsewhere"}) if full else reply


@fault("ERR-02", "answers 204 to a poll where there is no operation", also={"LOI-09"})
def no_content(call: Call, reply: Reply, broker: Reference) -> Reply:
    instance = broker.instances(call).get(call.instance_id)
    idle = call.endpoint == "poll_instance" and instance is not None and not instance.operations
    return Reply(204, None, reply.headers) if idle and reply.status == 200 else reply


@fault("ERR-03", "has an error code of two words")
def two_words(call: Call, reply: Reply, broker: Reference) -> Reply:
    return recode(reply, "QuotaExceeded", "quota exceeded")


@fault("ERR-03", "has an empty error code")
def empty_code(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.with_fields(error="") if reply.status == 404 else reply


@fault("ERR-04", "has an empty description in an error")
def empty_description(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.with_fields(description="") if reply.status == 404 else reply


@fault("ERR-04", "has a description that is no text in an error")
def listed_description(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.with_fields(description=["gone"]) if reply.status == 410 and call.endpoint == "unbind" else reply


@fault("ERR-05", "says instance_usable in an error of a provision")
def usable_in_provision(call: Call, reply: Reply, broker: Reference) -> Reply:
    wrong = call.endpoint == "provision" and reply.status == 400
    return reply.with_fields(instance_usable=False) if wrong else reply


@fault("ERR-05", "says instance_usable in an error of a fetch")
def usable_in_fetch(call: Call, reply: Reply, broker: Reference) -> Reply:
    wrong = call.endpoint == "fetch_instance" and reply.status == 404
    return reply.with_fields(instance_usable=False) if wrong else reply


@fault("ERR-06", "says instance_usable as a text")
def usable_as_text(call: Call, reply: Reply, broker: Reference) -> Reply:
    wrong = call.endpoint == "update" and reply.status == 422 and "instance_usable" in reply.body
    return reply.with_fields(instance_usable="yes") if wrong else reply


@fault("ERR-07", "says update_repeatable in an error of a deletion")
def repeatable_in_deletion(call: Call, reply: Reply, broker: Reference) -> Reply:
    wrong = call.endpoint == "deprovision" and reply.status in (400, 422)
    return reply.with_fields(update_repeatable=True) if wrong else reply


@fault("ERR-07", "says update_repeatable in an error of a provision")
def repeatable_in_provision(call: Call, reply: Reply, broker: Reference) -> Reply:
    wrong = call.endpoint == "provision" and reply.status == 400
    return reply.with_fields(update_repeatable=False) if wrong else reply


@fault("ERR-08", "says update_repeatable as a text")
def repeatable_as_text(call: Call, reply: Reply, broker: Reference) -> Reply:
    wrong = call.endpoint == "update" and reply.status == 422 and "update_repeatable" in reply.body
    return reply.with_fields(update_repeatable="no") if wrong else reply


@fault("ERR-08", "serves an update that it called not repeatable")
def repeat_all_the_same(call: Call, reply: Reply, broker: Reference) -> Reply:
    if call.endpoint != "update" or read_code(reply) != "QuotaExceeded":
        return reply
    times = broker.memory[call.instance_id] = broker.memory.get(call.instance_id, 0) + 1
    return Reply(200, {}, reply.headers) if times > 1 else reply


@fault("ERR-10", "misspells AsyncRequired", also={"ASY-10", "PROV-02"})
def misspell_async(call: Call, reply: Reply, broker: Reference) -> Reply:
    return recode(reply, "AsyncRequired", "AsyncRequiredError") if call.endpoint == "provision" else reply


@fault("ERR-11", "misspells ConcurrencyError", also={"BLK-02", "UPD-41"})
def misspell_concurrency(call: Call, reply: Reply, broker: Reference) -> Reply:
    return recode(reply, "ConcurrencyError", "Concurrency") if call.endpoint == "update" else reply


@fault("ERR-11", "breaks on a bind while the instance is being made")
def break_on_concurrency(call: Call, reply: Reply, broker: Reference) -> Reply:
    instance = broker.instances(call).get(call.instance_id)
    wrong = call.endpoint == "bind" and instance is not None and instance.status == "creating"
    return Reply(500, {"description": "RuntimeError"}, reply.headers) if wrong else reply


@fault("ERR-12", "misspells RequiresApp", also={"BIND-39"})
def misspell_app(call: Call, reply: Reply, broker: Reference) -> Reply:
    return recode(reply, "RequiresApp", "RequiresApplication")


@fault("ERR-13", "misspells MaintenanceInfoConflict", also={"PROV-14"})
def misspell_conflict(call: Call, reply: Reply, broker: Reference) -> Reply:
    return recode(reply, "MaintenanceInfoConflict", "MaintenanceConflict") if call.endpoint == "provision" else reply


@fault("ERR-16", "keeps the instance of a provision without a plan that it refuses", at="provision")
def keep_refused_instance(call: Call, reply: Reply, broker: Reference) -> Reply:
    if reply.status == 400 and isinstance(call.json, dict) and "plan_id" not in call.json:
        broker.leave_behind(call)
    return reply


@fault("ERR-16", "takes the parameters of an update whose plan it refuses", at="update")
def take_half(call: Call, reply: Reply, broker: Reference) -> Reply:
    instance = broker.find_instance(call)
    if instance is not None and reply.status == 422 and "plan_id" in call.json:
        instance.parameters = {**instance.parameters, **call.json.get("parameters", {})}
    return reply


@fault_before("ERR-16", "keeps the binding of a bind without ids that it refuses")
def keep_refused_binding(call: Call, broker: Reference) -> Reply | None:
    instance = broker.find_instance(call)
    if call.endpoint != "bind" or instance is None or not isinstance(call.json, dict):
        return None
    if call.json.keys() & {"plan_id", "predecessor_binding_id"}:
        return None
    broker.handle(call.saying(service_id=instance.plan.service_id, plan_id=instance.plan.id))
    return Reply(400, {"description": "plan_id is missing, empty, or not a string."})


fault_setting("ERR-17", "keeps the instance of a provision that breaks", keep_broken_creation=True)
fault_setting("ERR-17", "makes the change of an update that breaks", also={"UPD-31"}, apply_broken_update=True)


@fault("ERR-18", "answers with a text to a fetch of what does not exist", at="fetch_instance")
def plain_error(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(body="Not Found") if reply.status == 404 else reply


@fault("ERR-18", "answers with nothing to a bad provision")
def empty_error(call: Call, reply: Reply, broker: Reference) -> Reply:
    wrong = call.endpoint == "provision" and reply.status == 400 and isinstance(call.json, list)
    return reply.having(body=None) if wrong else reply
