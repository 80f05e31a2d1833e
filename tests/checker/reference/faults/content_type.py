"""Faults about the type of a body, and about bodies that cannot be read."""

from __future__ import annotations

from tests.checker.reference.app import Reference
from tests.checker.reference.faults import fault, fault_before, fault_setting
from tests.checker.reference.wire import Call, Reply


@fault("CT-01", "declares no type of its catalog")
def leave_out_type(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.with_header("content-type", "text/plain") if call.endpoint == "catalog" else reply


@fault("CT-01", "declares its errors as HTML")
def declare_html(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.with_header("content-type", "text/html") if reply.status == 404 else reply


@fault_before("CT-03", "breaks on a body of no type")
def break_without_type(call: Call, broker: Reference) -> Reply | None:
    missing = call.endpoint == "provision" and "content-type" not in call.headers
    return Reply(500, {"description": "KeyError: content-type"}) if missing else None


@fault("CT-04", "answers 415 to a body of another type")
def unsupported_type(call: Call, reply: Reply, broker: Reference) -> Reply:
    plain = call.headers.get("content-type") == "text/plain"
    return reply.having(status=415) if plain and reply.status == 400 else reply


@fault("CT-05", "answers 422 to a provision whose body is a text", also={"PROV-23"})
def unprocessable_text(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(status=422) if call.endpoint == "provision" and isinstance(call.json, str) else reply


@fault("CT-05", "breaks on a provision whose body is not UTF-8")
def break_on_bytes(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(status=500) if call.endpoint == "provision" and b"\xff" in call.body else reply


fault_setting("CT-06", "does not take a type with a character set for JSON", accept_charset=False)
