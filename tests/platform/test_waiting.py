"""Waiting for the end of an operation: which answers end it, how long it may take, how long to pause."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest
from tests.platform.odd import IDS, Odd, answer, state

from openbrokerapi.platform import (
    AsyncClient,
    Client,
    Failed,
    Gone,
    LastOperation,
    NoAnswer,
    NotFound,
    OperationFailed,
    PlatformError,
    Polling,
    PollingTimedOut,
)

INSTANCE, BINDING = "instance-1", "binding-1"
STEADY = Polling(interval=1.0, growth=1.0, longest=1.0, limit=100.0)
KINDS = ["instance", "binding"]


def wait(odd: Odd, kind: str = "instance", client: Any = None, **options: Any) -> Any:
    client, options = client or odd.client, {"polling": STEADY, "operation": "task", **options}
    if kind == "instance":
        return client.wait_for_instance(INSTANCE, **options)
    return client.wait_for_binding(INSTANCE, BINDING, **options)


@pytest.mark.rule("LOI-16", "LOB-14", "LOI-05", "LOB-03", "LOI-07", "LOB-05")
@pytest.mark.parametrize("kind", KINDS)
def test_polling_stops_when_the_operation_has_succeeded(odd: Odd, kind: str) -> None:
    poll = f"GET {kind} poll"
    odd.answers(poll, state("in progress", description="10 %"), state("in progress"), state("succeeded"))
    seen: list[LastOperation] = []

    last = wait(odd, kind, **IDS, on_poll=seen.append)

    assert last.succeeded
    assert [each.state for each in seen] == ["in progress", "in progress", "succeeded"]
    assert seen[0].description == "10 %"
    assert [sent.query for sent in odd.requests(poll)] == [{**IDS, "operation": "task"}] * 3


@pytest.mark.rule("LOI-16", "LOB-14")
@pytest.mark.parametrize("kind", KINDS)
def test_polling_stops_when_the_operation_has_failed(odd: Odd, kind: str) -> None:
    odd.answers(f"GET {kind} poll", state("failed", description="No room.", instance_usable=False))

    with pytest.raises(OperationFailed, match="No room") as caught:
        wait(odd, kind)

    assert len(odd.sent) == 1
    assert (caught.value.instance_usable, caught.value.update_repeatable) == (False, True)
    assert not isinstance(caught.value, PollingTimedOut)


@pytest.mark.rule("LOI-14", "LOB-12")
@pytest.mark.parametrize("kind", KINDS)
def test_a_410_ends_a_deletion_well(odd: Odd, kind: str) -> None:
    odd.answers(f"GET {kind} poll", state("in progress"), answer(410))
    last = wait(odd, kind, deleting=True)
    assert (last.succeeded, last.status, len(odd.sent)) == (True, 410, 2)


@pytest.mark.rule("LOI-15", "LOB-13")
@pytest.mark.parametrize("kind", KINDS)
def test_polling_goes_on_after_everything_else(odd: Odd, kind: str) -> None:
    odd.answers(
        f"GET {kind} poll",
        answer(410),
        answer(404),
        answer(400),
        answer(401),
        answer(500, b"<html>"),
        answer(200, b"no json"),
        answer(200, {"state": "done"}),
        answer(204, b""),
        answer(302),
        httpx2.ReadTimeout("late"),
        httpx2.ConnectError("refused"),
        state("succeeded"),
    )
    troubles: list[PlatformError] = []

    assert wait(odd, kind, on_trouble=troubles.append).succeeded

    assert len(odd.sent) == 12
    assert [type(troubles[0]), type(troubles[1]), type(troubles[4])] == [Gone, NotFound, Failed]
    assert isinstance(troubles[10], NoAnswer)


@pytest.mark.rule("LOI-15", "LOB-13")
def test_other_statuses_do_not_end_a_deletion(odd: Odd) -> None:
    odd.answers("GET instance poll", answer(404), answer(500), state("succeeded"))
    assert wait(odd, deleting=True).status == 200


@pytest.mark.rule("LOI-24", "LOB-21")
@pytest.mark.parametrize("kind", KINDS)
def test_the_broker_says_how_long_to_pause(odd: Odd, kind: str) -> None:
    later = "Thu, 01 Jan 1970 00:17:40 GMT"
    odd.answers(
        f"GET {kind} poll",
        answer(200, {"state": "in progress"}, {"Retry-After": "7"}),
        answer(503, headers={"Retry-After": "9"}),
        # The clock stands at 1000 + 3 + 7 + 9 seconds: 41 seconds before.
        answer(200, {"state": "in progress"}, {"Retry-After": later}),
        answer(200, {"state": "in progress"}, {"Retry-After": "soon"}),
        answer(200, {"state": "in progress"}, {"Retry-After": "0"}),
        state("succeeded"),
    )
    wait(odd, kind, retry_after=3.0)
    assert odd.time.slept == [3.0, 7.0, 9.0, 41.0, 1.0, 1.0]


@pytest.mark.rule("POL-01")
def test_pauses_grow_to_a_limit(odd: Odd) -> None:
    odd.answers("GET instance poll", *[state("in progress")] * 5, state("succeeded"))
    wait(odd, polling=Polling(interval=1.0, growth=2.0, longest=5.0))
    assert odd.time.slept == [1.0, 2.0, 4.0, 5.0, 5.0, 5.0]


@pytest.mark.rule("POL-02", "POL-03")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("of_the_plan", "seconds"), [(None, 100.0), (3, 3.0), (3600, 100.0), (0, 100.0), (-5, 100.0), (2.5, 2.5)]
)
def test_the_shorter_limit_ends_the_polling(odd: Odd, kind: str, of_the_plan: float | None, seconds: float) -> None:
    odd.answers(f"GET {kind} poll", state("in progress", description="half"))

    with pytest.raises(PollingTimedOut, match=f"within {seconds:g} s") as caught:
        wait(odd, kind, maximum_polling_duration=of_the_plan)

    assert sum(odd.time.slept) == seconds
    assert caught.value.last is not None
    assert (caught.value.last.description, caught.value.trouble) == ("half", None)


@pytest.mark.rule("POL-03")
def test_a_limit_shorter_than_the_interval_leaves_one_poll(odd: Odd) -> None:
    odd.answers("GET instance poll", state("succeeded"))
    assert wait(odd, maximum_polling_duration=0.5).succeeded
    assert odd.time.slept == [0.5]


@pytest.mark.rule("LOI-24", "POL-03")
def test_no_poll_is_sent_earlier_than_the_broker_wants(odd: Odd) -> None:
    odd.answers("GET instance poll", answer(200, {"state": "in progress"}, {"Retry-After": "99999"}))
    with pytest.raises(PollingTimedOut):
        wait(odd, maximum_polling_duration=10)
    assert len(odd.sent) == 1
    assert sum(odd.time.slept) == 10.0


def test_what_stood_in_the_way_is_told_at_the_end(odd: Odd) -> None:
    odd.answers("GET instance poll", answer(401))
    with pytest.raises(PollingTimedOut, match="401") as caught:
        wait(odd, maximum_polling_duration=2)
    assert caught.value.trouble is not None
    assert caught.value.last is None
    assert (caught.value.instance_usable, caught.value.update_repeatable) == (True, True)


@pytest.mark.parametrize("kind", KINDS)
def test_an_asynchronous_client_waits_alike(odd: Odd, kind: str) -> None:
    odd.answers(f"GET {kind} poll", answer(200, {"state": "in progress"}, {"Retry-After": "7"}), answer(410))
    transport = httpx2.MockTransport(odd.handle)

    async def waited() -> LastOperation:
        clock, sleep = odd.time, odd.time.asleep
        async with AsyncClient("http://broker.example", transport=transport, clock=clock, sleep=sleep) as client:
            last: LastOperation = await wait(odd, kind, client, deleting=True)
            return last

    assert asyncio.run(waited()).status == 410
    assert odd.time.slept == [1.0, 7.0]


def test_the_clock_and_the_sleep_of_the_machine_do_as_well(odd: Odd) -> None:
    odd.answers("GET instance poll", state("in progress"), state("succeeded"))
    with Client("http://broker.example", transport=httpx2.MockTransport(odd.handle)) as client:
        polling = Polling(interval=0.01, longest=0.01)
        assert client.wait_for_instance(INSTANCE, polling=polling).succeeded


@pytest.mark.parametrize(
    "values", [{"interval": 0}, {"interval": 5, "longest": 1}, {"growth": 0.5}, {"limit": 0}, {"interval": -1}]
)
def test_polling_that_makes_no_sense_is_refused(values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="Polling"):
        Polling(**values)
