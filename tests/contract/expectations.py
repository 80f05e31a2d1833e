"""What the specification says of answers in general, checked wherever a test gets one."""

from __future__ import annotations

import re
from typing import Any

from tests.contract.brokers import RecordingBroker
from tests.contract.hosts import Answer

CODE = re.compile(r"[A-Za-z][A-Za-z0-9]*")
#: What these mean is the specification's; a broker may have other codes of its own.
RESERVED = frozenset(("AsyncRequired", "ConcurrencyError", "RequiresApp", "MaintenanceInfoConflict"))


def assert_refused(answer: Answer, status: int, code: str | None = None, description: str | None = None) -> None:
    """Check status, error code and description of a refusal (section "Service Broker Errors").

    `code` is that of the specification, or None where it has none for this.
    """
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/json"
    body = answer.json
    assert isinstance(body, dict)
    if code is not None:
        assert body["error"] == code
    elif "error" in body:
        assert CODE.fullmatch(body["error"])
        assert body["error"] not in RESERVED
    if description is not None:
        assert body["description"] == description
    if "description" in body:
        assert isinstance(body["description"], str)
        assert body["description"]


def assert_answered(answer: Answer, status: int, body: Any) -> None:
    """Check the whole answer of a request that succeeded."""
    assert (answer.status, answer.json) == (status, body), answer.body
    assert answer.headers["content-type"] == "application/json"


def reached(broker: RecordingBroker) -> list[str]:
    """Name the methods that were called, in order."""
    return [name for name, _ in broker.calls]
