"""The endpoints of a binding: bind and rotate, fetch, unbind."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tests.checker.reference.instances import check_retired
from tests.checker.reference.operations import begin, decide, delete, refuse_concurrent, repeat
from tests.checker.reference.requests import check_ids, read_body, read_ids, read_object, read_parameters, read_text
from tests.checker.reference.state import OVER, Binding, Instance
from tests.checker.reference.wire import Call, Reply, refuse

if TYPE_CHECKING:
    from tests.checker.reference.app import Reference

DAY = 86_400.0
LIFETIME = 30 * DAY
RENEWAL = 7 * DAY
"""How long before its end a binding should be renewed (BMD-05, BMD-06)."""


def bind(broker: Reference, call: Call) -> Reply:
    """Create a binding (PUT), also in place of another one."""
    body = read_body(broker, call)
    rotation = "predecessor_binding_id" in body
    plan_id = read_bind_ids(broker, body, rotation)
    instance = find_bindable(broker, call, body, plan_id)
    plan = instance.plan
    parameters = read_parameters(broker, body, plan, "service_binding", "create")
    read_object(body, "context", broker.conduct.check_context_is_object)
    app_guid = read_app(broker, body)
    wanted = {
        "parameters": parameters if rotation else (parameters or {}),
        "app_guid": app_guid,
        "predecessor": read_text(body, "predecessor_binding_id") if rotation else "",
    }
    mode = plan.behaviour.bind
    asynchronous = decide(broker, call, mode)
    present = broker.find_binding(instance, call.binding_id)
    if present is not None and present.status not in OVER:
        return bind_again(broker, call, present, wanted)
    binding = Binding(call.binding_id, plan, wanted, parameters=parameters or {}, app_guid=app_guid)
    if rotation:
        take_over(broker, instance, binding, wanted)
    if plan.behaviour.requires_app and not binding.app_guid and broker.conduct.require_app:
        # BIND-39
        raise refuse(422, "This plan binds only to an application.", "RequiresApp")
    return create(broker, instance, binding, asynchronous)


def read_bind_ids(broker: Reference, body: dict[str, Any], rotation: bool) -> str:
    """Return the plan's id; both ids are required but in a rotation (BIND-18, BIND-19, ROT-07)."""
    conduct = broker.conduct
    required = conduct.require_bind_ids and (not rotation or conduct.rotation_requires_ids)
    read_text(body, "service_id", required)
    return read_text(body, "plan_id", required)


def find_bindable(broker: Reference, call: Call, body: dict[str, Any], plan_id: str) -> Instance:
    """Return the instance to bind to."""
    instance = broker.find_instance(call)
    if instance is None or instance.status in OVER:
        raise refuse(404, "There is no instance with this id.")
    if instance.running is not None:
        raise refuse_concurrent(broker, instance)
    if broker.conduct.check_bind_ids:
        same_service = body.get("service_id") in (None, "", instance.plan.service_id)
        if not same_service or plan_id not in ("", instance.plan.id):
            raise refuse(400, "service_id or plan_id is not that of the instance.")
    check_retired(broker, instance.plan)
    offering = broker.catalog.offerings[instance.plan.service_id]
    if not instance.plan.says.get("bindable", offering.says["bindable"]):
        raise refuse(400, "Instances of this plan cannot be bound.")
    return instance


def read_app(broker: Reference, body: dict[str, Any]) -> str:
    """Return the application's id, from `bind_resource` or from the deprecated field beside it (BIND-22)."""
    conduct = broker.conduct
    resource = read_object(body, "bind_resource") or {}
    nested = read_text(resource, "app_guid", required=False) if conduct.accept_resource_app_guid else ""
    beside = read_text(body, "app_guid", required=False) if conduct.accept_top_level_app_guid else ""
    return nested or beside


def take_over(broker: Reference, instance: Instance, binding: Binding, wanted: dict[str, Any]) -> None:
    """Give a binding what it takes over from its predecessor (ROT-06 to ROT-08)."""
    conduct = broker.conduct
    old = broker.find_binding(instance, wanted["predecessor"])
    if old is None or old.status != "ready" or is_expired(broker, old):
        if conduct.check_predecessor:
            raise refuse(400, "The predecessor is no binding of this instance, or has expired.")
        return
    if not instance.plan.says.get("binding_rotatable"):
        raise refuse(400, "Bindings of this plan cannot be rotated.")
    if wanted["parameters"] is None and conduct.carry_over_parameters:
        binding.parameters = old.parameters
    binding.app_guid = binding.app_guid or old.app_guid
    if not conduct.keep_predecessor:
        old.status = "deleted"


def bind_again(broker: Reference, call: Call, binding: Binding, wanted: dict[str, Any]) -> Reply:
    """Answer a PUT whose id is taken (BIND-29, BIND-33, BIND-37, BIND-38)."""
    conduct = broker.conduct
    running = binding.running
    if running is not None and running.kind == "delete":
        raise refuse_concurrent(broker, binding)
    first = binding.wanted if conduct.compare_parameters else {**binding.wanted, "parameters": wanted["parameters"]}
    check = running is None or conduct.compare_while_running
    if check and not (wanted == first and conduct.recognise_repeat):
        if conduct.overwrite_on_conflict:
            binding.parameters = wanted["parameters"] or {}
        raise refuse(409, "There is a binding with this id and other attributes.")
    if running is None:
        return Reply(200, show(broker, binding))
    return repeat(broker, call, running)


def create(broker: Reference, instance: Instance, binding: Binding, asynchronous: bool) -> Reply:
    """Create a binding that is not there yet."""
    serial = instance.plan.behaviour.serial_binds and broker.conduct.serialise_binds
    for other in list(instance.bindings.values()) if serial else ():
        other.settle(broker.now(), broker.conduct)
        if other.running is not None:
            # BIND-40, BLK-05
            raise refuse_concurrent(broker, other)
    binding.number = broker.count()
    binding.made_at = broker.now()
    instance.bindings[binding.id] = binding
    if not asynchronous:
        return Reply(201, show(broker, binding))
    fields = show(broker, binding) if broker.conduct.credentials_in_202 else {}
    return begin(broker, binding, "create", "bind", binding.wanted, lambda: None, **fields)


def is_expired(broker: Reference, binding: Binding) -> bool:
    """Tell whether the time of a binding is over."""
    return binding.plan.behaviour.expires and broker.now() >= binding.made_at + LIFETIME


def show(broker: Reference, binding: Binding) -> dict[str, Any]:
    """Return what a binding gives to an application."""
    number = binding.number if broker.conduct.distinct_credentials else 0
    given = {name: GIFTS[name](number) for name in binding.plan.behaviour.gives}
    if binding.plan.behaviour.expires:
        end = binding.made_at + LIFETIME
        given["metadata"] = {"expires_at": write_time(end), "renew_before": write_time(end - RENEWAL)}
    return given


def write_time(seconds: float) -> str:
    """Return a time as the specification writes it (BMD-03)."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.0Z", time.gmtime(seconds))


def make_credentials(number: int) -> dict[str, Any]:
    """Return credentials; those of two bindings differ (BIND-07)."""
    user, password, host = f"user-{number}", f"made-up-{number:08}", "db.reference.example"
    return {
        "uri": f"postgres://{user}:{password}@{host}:5432/reference",
        "username": user,
        "password": password,
        "host": host,
        "port": 5432,
        "database": "reference",
    }


def make_mounts(number: int) -> list[dict[str, Any]]:
    """Return the one mount of a volume service."""
    device = {"volume_id": f"volume-{number}", "mount_config": {"share": "reference"}}
    place = f"/var/volumes/{number}"
    return [{"driver": "nfs", "container_dir": place, "mode": "rw", "device_type": "shared", "device": device}]


GIFTS = {
    "credentials": make_credentials,
    "endpoints": lambda number: [{"host": "db.reference.example", "ports": ["5432"], "protocol": "tcp"}],
    "syslog_drain_url": lambda number: f"syslog-tls://logs.reference.example:6514/{number}",
    "route_service_url": lambda number: f"https://proxy.reference.example/{number}",
    "volume_mounts": make_mounts,
}


def fetch_binding(broker: Reference, call: Call) -> Reply:
    """Show a binding (GET)."""
    conduct = broker.conduct
    instance = broker.find_instance(call)
    binding = None if instance is None else broker.find_binding(instance, call.binding_id)
    visible = ("ready", "creating") if conduct.fetch_binding_while_creating else ("ready",)
    if instance is None or instance.status in OVER or binding is None or binding.status not in visible:
        raise refuse(404, "There is no binding with this id.")
    if not broker.catalog.offerings[binding.plan.service_id].says.get("bindings_retrievable"):
        raise refuse(404, "The bindings of this offering are not shown.")
    if conduct.fetch_requires_query and not (call.query.get("service_id") and call.query.get("plan_id")):
        raise refuse(400, "The query lacks service_id or plan_id.")
    return Reply(200, {**show(broker, binding), "parameters": binding.parameters})


def unbind(broker: Reference, call: Call) -> Reply:
    """Delete a binding (DELETE)."""
    ids = read_ids(broker, call)
    instance = broker.find_instance(call)
    if instance is None or instance.status in OVER:
        return delete(broker, call, None, "unbind")
    check_ids(broker, instance.plan, *ids)
    check_retired(broker, instance.plan)
    binding = broker.find_binding(instance, call.binding_id)
    if binding is not None and binding.status not in OVER and instance.status == "deleting":
        raise refuse_concurrent(broker, instance)
    return delete(broker, call, binding, "unbind")
