"""Faults about the headers that say who asks, and which request it is."""

from __future__ import annotations

import base64
import json

from tests.checker.reference.app import Reference
from tests.checker.reference.faults import fault, fault_before, fault_setting
from tests.checker.reference.wire import Call, Reply

ORIGINATING = "x-broker-api-originating-identity"
REQUEST = "x-broker-api-request-identity"


def decode_identity(call: Call) -> str:
    """Return the JSON text of the originating identity, "" where it cannot be read."""
    try:
        return base64.b64decode(call.headers.get(ORIGINATING, "").partition(" ")[2], validate=True).decode()
    except ValueError:
        return ""


def is_strange(call: Call) -> bool:
    """Tell whether there is an originating identity that cannot be read."""
    return ORIGINATING in call.headers and not decode_identity(call).startswith("{")


fault_setting(
    "OID-03", "requires the originating identity of a provision", at="provision", require_originating_identity=True
)


fault_setting(
    "OID-03", "requires the originating identity of who polls", at="poll_instance", require_originating_identity=True
)


@fault("OID-09", "breaks on an originating identity that cannot be read")
def break_on_identity(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(status=500) if is_strange(call) and reply.status == 400 else reply


@fault("OID-09", "refuses an originating identity that cannot be read, and makes the instance", at="provision")
def keep_in_spite_of_identity(call: Call, reply: Reply, broker: Reference) -> Reply:
    if is_strange(call) and reply.status == 400:
        broker.leave_behind(call)
    return reply


@fault_before("OID-10", "cannot read an identity with line ends in its JSON")
def read_one_line_only(call: Call, broker: Reference) -> Reply | None:
    return Reply(400, {"description": "The identity is not one line."}) if "\r\n" in decode_identity(call) else None


@fault_before("OID-10", "refuses an identity with a property that it does not know")
def know_user_id_only(call: Call, broker: Reference) -> Reply | None:
    try:
        identity = json.loads(decode_identity(call))
    except ValueError:
        return None
    strange = isinstance(identity, dict) and identity.keys() - {"user_id"}
    return Reply(400, {"description": "The identity has an unknown property."}) if strange else None


fault_setting("RID-02", "does not log the request's identity", log_identity=False)
fault_setting("RID-03", "does not send back the request's identity", echo_identity=False)


@fault("RID-03", "does not send back the request's identity with an error")
def forget_identity_of_error(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.without_header(REQUEST) if reply.status >= 400 else reply


@fault("RID-03", "sends back an identity of its own")
def make_identity(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.with_header(REQUEST, f"request-{broker.count()}") if call.endpoint == "catalog" else reply


fault_setting(
    "RID-07",
    "requires the request's identity of who asks for the catalog or polls",
    at=("catalog", "poll_instance"),
    require_request_identity=True,
)
