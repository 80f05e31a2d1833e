"""What is asked: the requests, and how it is told that an answer is the right one."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from bench.offerings import plan_id, service_id
from bench.wire import Answer, WrongAnswer, raw_request, send

# As many different instances, so that nothing is quick merely because the same path came before.
INSTANCES = [str(uuid.UUID(int=number, version=4)) for number in range(64)]
_QUERY = f"service_id={service_id(3)}&plan_id={plan_id(3, 2)}"
_GUIDS = {
    "organization_guid": "a1b7f0de-5d5d-4f4e-9f3c-0d8b8f2f4b11",
    "space_guid": "c25e8f0a-3c55-4b0e-8a61-6b7d4c7a9e22",
}
PROVISION_BODY = {
    "service_id": service_id(3),
    "plan_id": plan_id(3, 2),
    **_GUIDS,
    "context": {"platform": "cloudfoundry", **_GUIDS, "instance_name": "orders-db"},
    "parameters": {"storage_gb": 20, "region": "eu-central", "backup": True},
}


@dataclass(frozen=True)
class Case:
    """One kind of request.

    Args:
        name: As the table calls it.
        requests: The bytes of the requests, sent in turn.
        status: Of the right answer.
        wrong: Says what is wrong with an answer of that status; empty where nothing is.
    """

    name: str
    requests: tuple[bytes, ...]
    status: int
    wrong: Callable[[Answer], str]

    def verify(self, port: int, who: str) -> Answer:
        """Send the first request, and give its answer.

        Raises:
            WrongAnswer: It is not the right one.
        """
        answer = send(port, self.requests[0])
        fault = f"status {answer.status}" if answer.status != self.status else self.wrong(answer)
        if fault:
            raise WrongAnswer(f"{who}: {self.name}: {fault}: {answer.body[:300].decode(errors='replace')}")
        return answer


def provision_request(instance_id: str, headers: dict[str, str | None] | None = None, **changed: object) -> bytes:
    """Write a provision; ``changed`` are fields of the body in place of the usual ones."""
    target = f"/v2/service_instances/{instance_id}?accepts_incomplete=true"
    return raw_request("PUT", target, {**PROVISION_BODY, **changed}, headers)


def catalog_case(shape: str, tag: str | None = None) -> Case:
    """Ask for a catalog of this shape; with a tag, for whether it is still the one with that tag."""
    raw = raw_request("GET", "/v2/catalog", headers={"If-None-Match": tag} if tag else None)
    if tag:
        return Case(f"catalog {shape}, 304", (raw,), 304, lambda answer: "a body" if answer.body else "")
    wanted = list(map(int, shape.split("x")))

    def wrong(answer: Answer) -> str:
        services = answer.json["services"]
        sizes = {len(service["plans"]) for service in services}
        known = services[0]["id"] == service_id(0) and services[0]["plans"][0]["schemas"]["service_instance"]["create"]
        return "" if [len(services), *sizes] == wanted and known else "not the catalog"

    return Case("catalog", (raw,), 200, wrong)


def _wrong_provision(answer: Answer) -> str:
    return (
        "" if list(answer.json) == ["dashboard_url"] and answer.json["dashboard_url"].startswith("https:") else "body"
    )


def _wrong_poll(answer: Answer) -> str:
    return "" if answer.json.get("state") == "in progress" and answer.json.get("description") else "body"


CATALOG = catalog_case("10x5")
PROVISION = Case("provision", tuple(map(provision_request, INSTANCES)), 201, _wrong_provision)
LAST_OPERATION = Case(
    "last_operation",
    tuple(
        raw_request("GET", f"/v2/service_instances/{each}/last_operation?{_QUERY}&operation=create")
        for each in INSTANCES
    ),
    200,
    _wrong_poll,
)
CASES = (CATALOG, PROVISION, LAST_OPERATION)


def verify_checks(port: int, who: str, *, schemas: bool) -> None:
    """See that a server looks at what it is sent: credentials, version, ids, and where it can, parameters.

    Raises:
        WrongAnswer: It lets something pass.
    """
    instance = INSTANCES[0]
    refused = {
        "no credentials": (provision_request(instance, {"Authorization": None}), (401,)),
        "no version": (provision_request(instance, {"X-Broker-API-Version": None}), (400, 412)),
        "an unknown plan": (provision_request(instance, plan_id=service_id(3)), (400,)),
    }
    if schemas:
        refused["parameters against the schema"] = (provision_request(instance, parameters={"region": "moon"}), (400,))
    for what, (raw, statuses) in refused.items():
        answer = send(port, raw)
        if answer.status not in statuses:
            raise WrongAnswer(f"{who}: {what} is answered with {answer.status}")
    answer = send(port, PROVISION.requests[1])
    if not answer.json["dashboard_url"].endswith(INSTANCES[1]):
        raise WrongAnswer(f"{who}: the answer is not about the instance that was asked for")
