"""The shapes of what a binding hands out: metadata, volume mounts, endpoints."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from openbrokerapi.conformance.binding_data import (
    credentials_of,
    named_ports,
    names_a_host,
    read_time,
    shown,
    shows_binding,
    time_to_renew,
)
from openbrokerapi.conformance.check import Watched, watch
from openbrokerapi.conformance.wire import Answer

from .fetch_binding import PERMISSIONS

_Judgements: TypeAlias = Iterator[tuple[str, bool, str]]

_PERMITTED = (
    ("BIND-46", "syslog_drain_url", str, "string"),
    ("BIND-47", "route_service_url", str, "string"),
    ("BIND-48", "volume_mounts", list, "array"),
)
_HOST_NAME = re.compile(r"(?=.{1,253}\.?\Z)([\w]([\w-]{0,61}[\w])?)(\.[\w]([\w-]{0,61}[\w])?)*\.?\Z")
_PORTS = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?\Z")
_LAST_PORT = 65_535
_SECRET_LENGTH = 8  # characters; shorter texts are in two places by chance
_TIMES = frozenset({"expires_at", "renew_before"})


def _objects(answer: Answer, name: str) -> list[Any]:
    """List the members of an array of the answer; one that is no array counts as a member that is wrong."""
    found = answer.fields.get(name) if shows_binding(answer) else None
    if found is None:
        return []
    return found if isinstance(found, list) else [None]


@watch("BIND-46", "BIND-47", "BIND-48")
def a_binding_has_only_what_its_service_requires_permission_for(answer: Answer, watched: Watched) -> _Judgements:
    fields = shown(answer) if shows_binding(answer) else {}
    for rule, name, kind, kind_name in _PERMITTED:
        if name in fields:
            permission = PERMISSIONS[name]
            allowed = watched.requires is None or permission in watched.requires
            expected = f"{name}, if any, as {kind_name}, and {permission} in what the offering requires"
            yield rule, isinstance(fields[name], kind) and allowed, expected


@watch("BIND-51")
def credentials_are_an_object_with_whatever_keys(answer: Answer, _: Watched) -> _Judgements:
    if shows_binding(answer) and "credentials" in shown(answer):
        yield "BIND-51", isinstance(answer.fields["credentials"], dict), "a JSON object as credentials"


@watch("BIND-06", "BIND-50")
def the_endpoints_of_a_binding_are_beside_its_credentials(answer: Answer, _: Watched) -> _Judgements:
    if not shows_binding(answer):
        return
    credentials = credentials_of(answer)
    endpoints = _objects(answer, "endpoints")
    if names_a_host(credentials):
        yield "BIND-06", bool(endpoints), "endpoints beside the credentials, as these name a host"
    wanted = named_ports(credentials)
    if wanted and "endpoints" in shown(answer):
        listed = [ports for each in endpoints if isinstance(each, dict) for ports in _ranges(each.get("ports"))]
        covered = all(any(low <= port <= high for low, high in listed) for port in wanted)
        yield "BIND-50", covered, "every endpoint that the credentials name among the endpoints"


def _ranges(ports: Any) -> Iterator[tuple[int, int]]:
    """Read ports with patience: numbers are wrong (EPT-02), but they say what is meant."""
    for each in ports if isinstance(ports, list) else []:
        found = _PORTS.match(str(each))
        if found:
            yield int(found[1]), int(found[2] or found[1])


@watch("BMD-01", "BMD-02")
def the_metadata_of_a_binding_is_an_object_without_what_is_needed_to_connect(answer: Answer, _: Watched) -> _Judgements:
    if not shows_binding(answer) or "metadata" not in shown(answer):
        return
    metadata = answer.fields["metadata"]
    yield "BMD-01", isinstance(metadata, dict), "a JSON object as metadata"
    if isinstance(metadata, dict):
        told = {text for name, value in metadata.items() if name not in _TIMES for text in _texts(value)}
        shared = told & {text for text in _texts(credentials_of(answer)) if len(text) >= _SECRET_LENGTH}
        yield "BMD-02", not shared and "credentials" not in metadata, "nothing of the credentials in the metadata"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(each)


@watch("BMD-03", "BMD-04", "BMD-05")
def the_times_of_a_binding_are_in_order_and_written_as_asked_for(answer: Answer, _: Watched) -> _Judgements:
    metadata = shown(answer).get("metadata") if shows_binding(answer) else None
    if not isinstance(metadata, dict):
        return
    times = {name: metadata[name] for name in _TIMES if metadata.get(name) is not None}
    for rule, name in (("BMD-03", "expires_at"), ("BMD-04", "renew_before")):
        if name in times:
            holds = read_time(times[name]) is not None
            yield rule, holds, f"{name} in UTC with a fraction of the second: yyyy-mm-ddThh:mm:ss.sZ"
    seconds = time_to_renew(answer)
    if seconds is not None:
        yield "BMD-05", seconds >= 0, "renew_before not after expires_at"


@watch("VOL-01", "VOL-02", "VOL-03", "VOL-04", "VOL-05", "VOL-06")
def a_volume_mount_has_all_that_a_platform_needs(answer: Answer, _: Watched) -> _Judgements:
    for each in _objects(answer, "volume_mounts"):
        mount = each if isinstance(each, dict) else {}
        yield "VOL-01", _is_text(mount.get("driver")), "driver, a string, in each volume mount"
        yield "VOL-02", _is_text(mount.get("container_dir")), "container_dir, a string, in each volume mount"
        yield "VOL-03", mount.get("mode") in ("r", "rw"), "mode, r or rw, in each volume mount"
        yield "VOL-04", mount.get("device_type") == "shared", "device_type, always shared, in each volume mount"
        found = mount.get("device")
        device = found if isinstance(found, dict) else {}
        yield "VOL-05", _is_text(device.get("volume_id")), "device, an object with volume_id, in each volume mount"
        config = device.get("mount_config")
        if config is not None:
            yield "VOL-06", isinstance(config, dict), "a JSON object as mount_config of a device"


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


@watch("EPT-01", "EPT-02", "EPT-03")
def an_endpoint_has_a_host_and_ports(answer: Answer, _: Watched) -> _Judgements:
    for each in _objects(answer, "endpoints"):
        endpoint = each if isinstance(each, dict) else {}
        yield "EPT-01", _is_host(endpoint.get("host")), "host, a host name or one IP address, in each endpoint"
        ports = endpoint.get("ports")
        holds = isinstance(ports, list) and bool(ports) and all(map(_are_ports, ports))
        yield "EPT-02", holds, 'ports, an array of strings such as "443" and "9000-9010", in each endpoint'
        protocol = endpoint.get("protocol")
        if protocol is not None:
            yield "EPT-03", protocol in ("tcp", "udp", "all"), "tcp, udp or all as protocol of an endpoint"


def _is_host(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        ipaddress.ip_address(value.removeprefix("[").removesuffix("]"))
    except ValueError:
        # Four numbers that are no address are no name either.
        return bool(_HOST_NAME.match(value)) and not re.fullmatch(r"[0-9.]+", value)
    return True


def _are_ports(value: Any) -> bool:
    found = _PORTS.match(value) if isinstance(value, str) else None
    if found is None:
        return False
    low, high = int(found[1]), int(found[2] or found[1])
    return low <= high <= _LAST_PORT
