"""Orphan mitigation: after which answers the platform deletes what may be left, and how it goes about it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from tests.platform.odd import BACKOFF, IDS, LARGE, OFFERING, PLAN, Odd, answer, state

from openbrokerapi.platform import (
    Backoff,
    Client,
    Endpoint,
    Mitigation,
    NoAnswer,
    OperationFailed,
    Orphan,
    OrphanLeft,
    PlatformError,
    ServiceInstance,
    mitigation_after,
)

INSTANCE, BINDING = "instance-1", "binding-1"

# The table of the specification, section "Orphan Mitigation", without its links; "Polling" is short for the names of
# the two endpoints.
SPECIFIED = """
| _All_ | 200 | Success (only returned in synchronous mode) | No | No |
| _All_ | 200 with malformed response | Failure | No | No |
| Polling for Provisioning/Deprovisioning | 200 with `"state": "failed"` | Failure | Yes | No |
| Polling for Binding/Unbinding | 200 with `"state": "failed"` | Failure | No | Yes |
| _All_ | 201 | Success | No | No |
| Provisioning | 201 with malformed response | Failure | Yes | No |
| Binding | 201 with malformed response | Failure | No | Yes |
| _All_ | 202 | Success | No | No |
| Provisioning | 202 with malformed response | Failure | Yes | No |
| Binding | 202 with malformed response | Failure | No | Yes |
| Provisioning/Deprovisioning | All other 2xx | Failure | Yes | No |
| Binding/Unbinding | All other 2xx | Failure | No | Yes |
| Updating a Service Instance | All other 2xx | Failure | No | No |
| _All_ | 408 | Client timeout failure (request not received at the server) | No | No |
| _All_ | All other 4xx | Request rejected | No | No |
| Provisioning/Deprovisioning | 5xx | Service Broker error | Yes | No |
| Binding/Unbinding | 5xx | Service Broker error | No | Yes |
| Updating a Service Instance | 5xx | Service Broker error | No | No |
| Provisioning | Timeout | Failure | Yes | No |
| Binding | Timeout | Failure | No | Yes |
| _All_ (except Provisioning and Binding) | Timeout | Failure | No | No |
"""

#: What the table calls the requests that change something, and how each is sent.
REQUESTS: dict[str, tuple[str, Callable[[ServiceInstance], Any]]] = {
    "Provisioning": ("PUT instance", lambda instance: instance.platform.create(OFFERING, PLAN, instance_id="new")),
    "Deprovisioning": ("DELETE instance", lambda instance: instance.delete()),
    "Updating a Service Instance": ("PATCH instance", lambda instance: instance.update(plan=LARGE)),
    "Binding": ("PUT binding", lambda instance: instance.bind(binding_id="new")),
    "Unbinding": ("DELETE binding", lambda instance: instance.known_binding("new").delete()),
}
#: The same, without a platform.
CALLS: dict[str, tuple[str, Endpoint, Callable[[Client], Any]]] = {
    "Provisioning": ("PUT instance", Endpoint.PROVISION, lambda client: client.provision("new", OFFERING, PLAN)),
    "Deprovisioning": (
        "DELETE instance",
        Endpoint.DEPROVISION,
        lambda client: client.deprovision("known", OFFERING, PLAN),
    ),
    "Updating a Service Instance": ("PATCH instance", Endpoint.UPDATE, lambda client: client.update("known", OFFERING)),
    "Binding": ("PUT binding", Endpoint.BIND, lambda client: client.bind("known", "new", OFFERING, PLAN)),
    "Unbinding": ("DELETE binding", Endpoint.UNBIND, lambda client: client.unbind("known", "new", OFFERING, PLAN)),
}
MALFORMED = b"<html>not json</html>"
#: What the table calls the answers, and examples of each.
ANSWERS: dict[str, list[Any]] = {
    "200": [answer(200)],
    "200 with malformed response": [answer(200, MALFORMED), answer(200, {"operation": 7})],
    '200 with `"state": "failed"`': [answer(202, {"operation": "task"})],
    "201": [answer(201)],
    "201 with malformed response": [answer(201, MALFORMED), answer(201, b"")],
    "202": [answer(202)],
    "202 with malformed response": [answer(202, MALFORMED), answer(202, {"operation": 7})],
    "All other 2xx": [answer(204, b""), answer(203), answer(206), answer(226)],
    "408": [answer(408)],
    "All other 4xx": [
        *(answer(status) for status in (400, 401, 403, 404, 409, 412, 415, 422, 429)),
        answer(422, {"error": "ConcurrencyError"}),
        answer(422, {"error": "AsyncRequired"}),
    ],
    "5xx": [answer(status) for status in (500, 501, 502, 503, 504, 599)],
    "Timeout": [httpx2.ReadTimeout("late"), httpx2.WriteTimeout("late"), httpx2.ReadError("cut")],
}


@dataclass(frozen=True)
class Case:
    """A row of the table, for one of its requests."""

    request: str
    answer: str
    failure: bool
    instance: bool
    binding: bool

    def __str__(self) -> str:
        return f"{self.request}: {self.answer}"


def cases() -> list[Case]:
    found = []
    for line in SPECIFIED.strip().splitlines():
        requests, given, meaning, instance, binding = (part.strip() for part in line.strip("|").split("|"))
        names = re.sub(r"^Polling for ", "", requests).split("/")
        if requests.startswith("_All_"):
            names = [name for name in REQUESTS if "except" not in requests or name not in {"Provisioning", "Binding"}]
        failure = not meaning.startswith("Success")
        found += [Case(name, given, failure, instance == "Yes", binding == "Yes") for name in names]
    return found


def test_the_table_has_all_its_rows() -> None:
    assert len(SPECIFIED.strip().splitlines()) == 21
    assert {case.answer for case in cases()} == set(ANSWERS)
    assert {case.request for case in cases()} == set(REQUESTS)


@pytest.mark.rule("ORPH-05", "ORPH-06", "ORPH-07", "BLK-04", "LOI-26")
@pytest.mark.parametrize("case", cases(), ids=str)
def test_the_platform_mitigates_as_the_table_says(case: Case) -> None:
    what, send = REQUESTS[case.request]
    for given in ANSWERS[case.answer]:
        odd = Odd()
        polled = "failed" if "state" in case.answer else "succeeded"
        odd.answers("GET instance poll", state(polled), state("succeeded"))
        odd.answers("GET binding poll", state(polled), state("succeeded"))
        odd.answers("GET binding", answer(200, {"credentials": {}}))
        for kind in ("instance", "binding"):
            odd.answers(f"DELETE {kind}", answer(200))
        odd.answers(what, given, answer(200))
        instance = odd.platform().known(OFFERING, PLAN, instance_id="known")

        found = outcome(send, instance)
        error = found if isinstance(found, PlatformError) else None

        deletions = {kind: len(odd.requests(f"DELETE {kind}")) for kind in ("instance", "binding")}
        own = {what.partition(" ")[2]: 1} if what.startswith("DELETE") else {}
        wanted = {"instance": int(case.instance), "binding": int(case.binding)}
        assert deletions == {kind: own.get(kind, 0) + wanted[kind] for kind in wanted}, given
        # To the endpoint's own table, a 201 is a success only of a provision and of a bind.
        unexpected = status_of(given) == 201 and case.request not in {"Provisioning", "Binding"}
        # A deletion that was made good by another is none that failed.
        made_good = case.request in {"Deprovisioning", "Unbinding"} and (case.instance or case.binding)
        assert (error is not None) == ((case.failure or unexpected) and not made_good), (given, error)
        if error is not None:
            assert error.mitigated == (case.instance or case.binding)
        odd.client.close()


@pytest.mark.rule("ORPH-05", "ORPH-06", "ORPH-07")
@pytest.mark.parametrize("case", cases(), ids=str)
def test_what_to_delete_can_be_asked_for(odd: Odd, case: Case) -> None:
    what, endpoint, send = CALLS[case.request]
    wanted = {(True, False): Mitigation.INSTANCE, (False, True): Mitigation.BINDING}
    for given in ANSWERS[case.answer]:
        odd.answers(what, given)
        if "state" in case.answer:
            found: Any = OperationFailed("It failed.", last=None)
        else:
            found = outcome(send, odd.client)
        assert mitigation_after(endpoint, found) is wanted.get((case.instance, case.binding), Mitigation.NONE), given


def status_of(given: Any) -> int | None:
    return given.status_code if isinstance(given, httpx2.Response) else None


def outcome(send: Callable[[Any], Any], to: Any) -> Any:
    """Give what came of it, be it an error."""
    try:
        return send(to)
    except PlatformError as error:
        return error


@pytest.mark.rule("ORPH-05")
def test_what_was_never_sent_leaves_nothing(odd: Odd) -> None:
    odd.answers("PUT instance", httpx2.ConnectError("refused"))
    platform = odd.platform()
    with pytest.raises(NoAnswer):
        platform.create(OFFERING, PLAN)
    assert odd.requests("DELETE instance") == []
    assert platform.instances == {}


@pytest.mark.rule("ORPH-05", "POL-03")
def test_an_operation_that_takes_too_long_counts_as_failed(odd: Odd) -> None:
    odd.answers("PUT instance", answer(202))
    odd.answers("GET instance poll", state("in progress"))
    odd.answers("DELETE instance", answer(200))
    with pytest.raises(OperationFailed) as caught:
        odd.platform().create(OFFERING, PLAN)
    assert caught.value.mitigated


ORPHANS = {
    "instance": Orphan(instance_id=INSTANCE, service_id=OFFERING, plan_id=PLAN),
    "binding": Orphan(instance_id=INSTANCE, binding_id=BINDING, service_id=OFFERING, plan_id=PLAN),
}


@pytest.mark.rule("ORPH-01", "UNB-18", "DEP-21")
@pytest.mark.parametrize("kind", ORPHANS)
@pytest.mark.parametrize(
    ("end", "polls"), [(answer(200), []), (answer(410), []), (answer(202), ["succeeded"]), (answer(202), [410])]
)
def test_it_tries_until_the_broker_says_that_it_is_gone(odd: Odd, kind: str, end: Any, polls: list[Any]) -> None:
    troubles: list[tuple[int, PlatformError]] = []
    odd.answers(f"DELETE {kind}", answer(500), answer(422, {"error": "ConcurrencyError"}), answer(404), end)
    odd.answers(f"GET {kind} poll", *(answer(410) if poll == 410 else state(poll) for poll in polls))

    attempts = odd.client.mitigate(
        ORPHANS[kind], backoff=BACKOFF, on_attempt=lambda _, attempt, error: troubles.append((attempt, error))
    )

    assert attempts == 4
    assert [attempt for attempt, _ in troubles] == [1, 2, 3]
    deletions = odd.requests(f"DELETE {kind}")
    assert [sent.query for sent in deletions] == [{**IDS, "accepts_incomplete": "true"}] * 4
    assert deletions[0].path.endswith(INSTANCE if kind == "instance" else f"{INSTANCE}/service_bindings/{BINDING}")


@pytest.mark.rule("ORPH-01")
@pytest.mark.parametrize("kind", ORPHANS)
def test_a_deletion_that_fails_later_is_tried_again(odd: Odd, kind: str) -> None:
    odd.answers(f"DELETE {kind}", answer(202, {"operation": "one"}), answer(202, {"operation": "two"}))
    odd.answers(f"GET {kind} poll", state("failed"), state("in progress"), state("succeeded"))

    assert odd.client.mitigate(ORPHANS[kind], backoff=BACKOFF) == 2

    polls = odd.requests(f"GET {kind} poll")
    assert [sent.query["operation"] for sent in polls] == ["one", "two", "two"]
    assert polls[0].query == {**IDS, "operation": "one"}


@pytest.mark.rule("ORPH-01")
@pytest.mark.parametrize("given", [answer(200, MALFORMED), answer(204, b""), httpx2.ReadTimeout("late"), answer(401)])
def test_it_gives_up_after_the_last_attempt(odd: Odd, given: Any) -> None:
    odd.answers("DELETE binding", given)
    with pytest.raises(OrphanLeft, match="5 attempts") as caught:
        odd.client.mitigate(ORPHANS["binding"], backoff=BACKOFF)
    assert (caught.value.instance_id, caught.value.binding_id, caught.value.attempts) == (INSTANCE, BINDING, 5)
    assert len(odd.sent) == 5
    assert odd.time.slept == [1.0] * 4


def test_the_pauses_grow_with_chance_and_the_broker_may_ask_for_longer_ones() -> None:
    odd = Odd(chance=lambda: 0.5)
    odd.answers("DELETE instance", *[answer(500)] * 5, answer(503, headers={"Retry-After": "60"}), answer(200))
    with odd.client as client:
        client.mitigate(ORPHANS["instance"], backoff=Backoff(first=1, growth=2, longest=10, jitter=0.5))
    # Half of the jitter of a half is a quarter.
    assert odd.time.slept == [0.75, 1.5, 3.0, 6.0, 7.5, 60.0]


def test_it_can_go_on_for_ever() -> None:
    backoff = Backoff(attempts=None, jitter=0.0)
    assert backoff.pause(10_000_000, 0.9) == 300.0


@pytest.mark.parametrize(
    "values", [{"first": -1}, {"growth": 0.5}, {"longest": 0.5}, {"jitter": 2}, {"attempts": 0}, {"jitter": -1}]
)
def test_a_back_off_that_makes_no_sense_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="Backoff"):
        Backoff(**values)


@pytest.mark.rule("OID-02")
@pytest.mark.parametrize("kind", ORPHANS)
def test_no_user_is_named_for_it(kind: str) -> None:
    odd = Odd(originating_identity={"platform": "cloudfoundry", "value": {"user_id": "one"}})
    odd.answers(f"DELETE {kind}", answer(202))
    odd.answers(f"GET {kind} poll", state("succeeded"))
    with odd.client as client:
        client.mitigate(ORPHANS[kind])
    assert len(odd.sent) == 2
    assert all("x-broker-api-originating-identity" not in sent.headers for sent in odd.sent)


@pytest.mark.rule("ORPH-03", "LOI-26")
def test_a_platform_may_leave_it_to_the_user(odd: Odd) -> None:
    odd.answers("PUT instance", answer(500), answer(400))
    odd.answers("DELETE instance", answer(410))
    platform = odd.platform(mitigates=False)
    for name in ("broken", "rejected"):
        with pytest.raises(PlatformError) as caught:
            platform.create(OFFERING, PLAN, instance_id=name)
        assert not caught.value.mitigated

    assert list(platform.instances) == ["broken"]
    assert platform.clean_up() == []
    assert [sent.path.rpartition("/")[2] for sent in odd.requests("DELETE instance")] == ["broken"]


def test_an_orphan_that_stays_is_remembered(odd: Odd) -> None:
    odd.answers("PUT instance", answer(500))
    odd.answers("DELETE instance", answer(500))
    platform = odd.platform()
    with pytest.raises(OrphanLeft) as caught:
        platform.create(OFFERING, PLAN, instance_id="left")
    assert "500" in str(caught.value)
    assert list(platform.instances) == ["left"]
    (error,) = platform.clean_up()
    assert isinstance(error, OrphanLeft)
