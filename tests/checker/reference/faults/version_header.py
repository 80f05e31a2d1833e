"""Faults about the version header."""

from __future__ import annotations

from tests.checker.reference.app import Reference
from tests.checker.reference.faults import fault, fault_before, fault_setting
from tests.checker.reference.wire import Call, Reply

VERSION = "x-broker-api-version"

fault_setting("VER-02", "compares versions as texts", compare_versions="text")
fault_setting("VER-02", "compares versions as decimal fractions", compare_versions="decimal")


@fault_before("ERR-01", "breaks on a version that is not two numbers")
def read_numbers_only(call: Call, broker: Reference) -> Reply | None:
    parts = call.headers.get(VERSION, "2.17").split(".")
    return None if all(part.isdigit() for part in parts) else Reply(500, {"description": "ValueError"})


@fault("VER-03", "answers 400 to a version that is too old")
def bad_request_for_old(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(status=400) if reply.status == 412 else reply


@fault("VER-03", "does not say which version it needs")
def keep_version_secret(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.with_fields(description="This version is too old.") if reply.status == 412 else reply


fault_setting("VER-04", "refuses versions that are later than its own", accept_later_minors=False)


@fault("VER-05", "answers 404 to a request of no version")
def hide_without_version(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(status=404) if reply.status == 400 and VERSION not in call.headers else reply


@fault("VER-05", "does not say that the version is missing")
def say_nothing_of_version(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(body={}) if reply.status == 400 and VERSION not in call.headers else reply


@fault_before("VER-06", "knows the version header in one spelling only")
def spell_version_one_way(call: Call, broker: Reference) -> Reply | None:
    if "X-Broker-API-Version" in call.header_names or VERSION not in call.headers:
        return None
    return Reply(400, {"description": "The header X-Broker-API-Version is missing."})
