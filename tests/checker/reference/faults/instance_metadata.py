"""Faults of the metadata of a service instance."""

from __future__ import annotations

from tests.checker.reference.app import Reference
from tests.checker.reference.faults import fault, fault_setting
from tests.checker.reference.wire import Call, Reply


def spoil(reply: Reply, name: str, value: object) -> Reply:
    """Return an answer with another value in its metadata, where it has metadata."""
    body = reply.body if isinstance(reply.body, dict) else {}
    return reply.with_fields(metadata={**body["metadata"], name: value}) if "metadata" in body else reply


@fault("SIM-01", "gives labels as a list", at="update")
def list_labels(call: Call, reply: Reply, broker: Reference) -> Reply:
    return spoil(reply, "labels", ["quick"])


@fault("SIM-03", "gives attributes as a text", at="provision")
def write_attributes(call: Call, reply: Reply, broker: Reference) -> Reply:
    return spoil(reply, "attributes", "size=5")


fault_setting("SIM-04", "shows the attributes as they were at first", at="fetch_instance", show_attribute_changes=False)
