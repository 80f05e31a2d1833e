"""The ten requests of the specification, each as a platform sends it when all is well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from tests.contract.brokers import BIND, BINDING, IDS, INSTANCE, PROVISION, SERVICE
from tests.contract.hosts import Answer, Platform


@dataclass(frozen=True, eq=False)
class Sent:
    """One request; `made` is the status with which the recording broker's answer goes out."""

    name: str
    method: str
    target: str
    made: int = 200
    body: Any = None
    query: dict[str, str] | None = None

    def by(self, platform: Platform, headers: dict[str, str | None] | None = None, /, **query: str) -> Answer:
        return platform.send(self.method, self.target, self.body, headers, {**(self.query or {}), **query})


CATALOG = Sent("catalog", "GET", "/v2/catalog")
PROVISIONING = Sent("provision", "PUT", INSTANCE, 201, PROVISION)
FETCHING = Sent("get_instance", "GET", INSTANCE)
UPDATING = Sent("update", "PATCH", INSTANCE, 200, {"service_id": SERVICE})
DEPROVISIONING = Sent("deprovision", "DELETE", INSTANCE, query=IDS)
POLLING = Sent("last_operation", "GET", f"{INSTANCE}/last_operation")
BINDING_UP = Sent("bind", "PUT", BINDING, 201, BIND)
FETCHING_BINDING = Sent("get_binding", "GET", BINDING)
UNBINDING = Sent("unbind", "DELETE", BINDING, query=IDS)
POLLING_BINDING = Sent("last_binding_operation", "GET", f"{BINDING}/last_operation")

TEN = (
    CATALOG,
    PROVISIONING,
    FETCHING,
    UPDATING,
    DEPROVISIONING,
    POLLING,
    BINDING_UP,
    FETCHING_BINDING,
    UNBINDING,
    POLLING_BINDING,
)
#: Those that reach a method other than `catalog`.
NINE = TEN[1:]
#: Those that carry a body.
WITH_BODY = (PROVISIONING, UPDATING, BINDING_UP)
#: Those that may go asynchronous.
WORKING = (PROVISIONING, UPDATING, DEPROVISIONING, BINDING_UP, UNBINDING)


def of(requests: tuple[Sent, ...]) -> pytest.MarkDecorator:
    """Run a test with each of the requests, as `sent`."""
    return pytest.mark.parametrize("sent", requests, ids=lambda each: each.name)
