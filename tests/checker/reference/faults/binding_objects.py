"""Faults in the shapes of what a binding hands out; all of them in the answer to a bind alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.checker.reference.app import Reference
from tests.checker.reference.faults import Fault, register
from tests.checker.reference.faults.bind_request import concerns
from tests.checker.reference.wire import Call, Reply

Change = Callable[[dict[str, Any]], None]


def spoil(rule: str, says: str, change: Change, service: str = "Reference-DB", plan: str = "standard") -> Fault:
    """Register a change of the data that the bind of one plan is answered with."""

    def after(call: Call, reply: Reply, broker: Reference) -> Reply:
        if reply.status in (200, 201) and concerns(call, broker, service, plan):
            change(reply.body)
        return reply

    return register(rule, says, (), "bind", {}, after=after)


def spoil_endpoint(rule: str, says: str, **fields: Any) -> None:
    """Register wrong fields of the one endpoint of a binding; None takes one out."""
    spoil(rule, says, lambda body: put(body["endpoints"][0], fields))


def spoil_mount(rule: str, says: str, **fields: Any) -> None:
    """Register wrong fields of the one volume mount of a binding; None takes one out."""
    spoil(rule, says, lambda body: put(body["volume_mounts"][0], fields), "volume")


def spoil_device(rule: str, says: str, **fields: Any) -> None:
    """Register wrong fields of the device of a volume mount; None takes one out."""
    spoil(rule, says, lambda body: put(body["volume_mounts"][0]["device"], fields), "volume")


def spoil_times(rule: str, says: str, **fields: Any) -> None:
    """Register wrong times of a binding that expires."""
    spoil(rule, says, lambda body: put(body["metadata"], fields), "reference-db", "rotatable")


def put(target: dict[str, Any], fields: dict[str, Any]) -> None:
    """Set fields; None takes one out."""
    for name, value in fields.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = value


DRAIN = "syslog-tls://logs.reference.example:6514/0"
MOUNT = {
    "driver": "nfs",
    "container_dir": "/var/volumes/0",
    "mode": "rw",
    "device_type": "shared",
    "device": {"volume_id": "volume-0"},
}

spoil("BIND-06", "names a host in the credentials, and no endpoints", lambda body: put(body, {"endpoints": None}))
spoil(
    "BIND-46", "gives a drain though syslog_drain is not required", lambda body: put(body, {"syslog_drain_url": DRAIN})
)
spoil("BIND-46", "gives several drains", lambda body: put(body, {"syslog_drain_url": [DRAIN]}), "log-drain")
spoil(
    "BIND-47",
    "gives a route service though route_forwarding is not required",
    lambda body: put(body, {"route_service_url": "https://proxy.reference.example/0"}),
)
spoil("BIND-48", "gives mounts though volume_mount is not required", lambda body: put(body, {"volume_mounts": [MOUNT]}))
spoil("BIND-51", "gives credentials as a text", lambda body: put(body, {"credentials": "made-up"}))
spoil_endpoint("BIND-50", "lists another port than that of the credentials", ports=["5431", "5433-5439"])

spoil("BMD-01", "gives metadata as a text", lambda body: put(body, {"metadata": "none"}))
spoil(
    "BMD-02",
    "repeats the password in the metadata",
    lambda body: put(body, {"metadata": {"labels": [body["credentials"]["password"]]}}),
)
spoil_times("BMD-03", "says when a binding expires without a fraction of the second", expires_at="2099-12-31T23:59:59Z")
spoil_times("BMD-03", "says when a binding expires in local time", expires_at="2099-12-31T23:59:59.0+01:00")
spoil_times("BMD-03", "says that a binding expires on a day that does not exist", expires_at="2099-02-31T23:59:59.0Z")
spoil_times("BMD-04", "says when to renew a binding without the time", renew_before="2025-12-31")
spoil_times("BMD-04", "says when to renew a binding in seconds", renew_before=1_767_225_599)
spoil_times("BMD-05", "wants a binding to be renewed after its end", renew_before="2999-12-31T23:59:59.5Z")

spoil_mount("VOL-01", "gives a volume mount without driver", driver=None)
spoil_mount("VOL-02", "gives a volume mount with a list as container_dir", container_dir=["/var/volumes/0"])
spoil_mount("VOL-03", "gives a volume mount with a mode that does not exist", mode="w")
spoil_mount("VOL-03", "gives a volume mount without mode", mode=None)
spoil_mount("VOL-04", "gives a volume mount with a device_type that does not exist", device_type="local")
spoil_mount("VOL-05", "gives a volume mount with a text as device", device="volume-0")
spoil_device("VOL-05", "gives a volume mount with a number as volume_id", volume_id=7)
spoil_device("VOL-06", "gives a volume mount with a text as mount_config", mount_config="share=reference")

spoil_endpoint("EPT-01", "gives an endpoint without host", host=None)
spoil_endpoint("EPT-01", "gives an endpoint with an address and a port as host", host="db.reference.example:5432")
spoil_endpoint("EPT-01", "gives an endpoint with a range of addresses as host", host="192.0.2.0/24")
spoil_endpoint("EPT-02", "gives an endpoint with numbers as ports", ports=[5432])
spoil_endpoint(
    "EPT-02", "gives an endpoint with a range of ports that ends before it begins", ports=["5432", "9010-9000"]
)
spoil_endpoint("EPT-03", "gives an endpoint with a protocol that does not exist", protocol="TCP")
