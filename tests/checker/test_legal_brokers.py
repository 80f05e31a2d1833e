"""The checker finds nothing in brokers that do, each in its own way, what the specification lets them do."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from tests.checker.legal import PASSWORD, USERNAME, Habits, LegalBroker

from openbrokerapi.conformance import Checker, Credentials, Options, Report, Verdict
from openbrokerapi.conformance.asgi_sender import AsgiSender
from openbrokerapi.conformance.clocks import MovedClock

_Application = Callable[..., Awaitable[None]]

AT_ONCE = Habits()
LATE = Habits(asynchronous=True)
NOT_UPDATED = Habits(updates=False, plan_updateable=False, has_maintenance=False)

HABITS = {
    "does everything at once": AT_ONCE,
    "does everything asynchronously": LATE,
    "is asynchronous where it is allowed": replace(LATE, only_if_allowed=True),
    "names no operations": replace(LATE, names_operations=False),
    "names null as operation": replace(LATE, names_operations=False, null_operation=True),
    "says succeeded at the end of a deletion": replace(LATE, gone_after_delete=False),
    "answers 412 to a request without version": replace(AT_ONCE, missing_version=412),
    "takes requests without version": replace(AT_ONCE, missing_version=200),
    "looks at the major version only": replace(AT_ONCE, prefix_of_version=True),
    "has no bodies in 401, 404 and 410": replace(AT_ONCE, bare_refusals=True),
    "does not look at the originating identity": replace(AT_ONCE, checks_identity=False),
    "shows nothing, and answers 405": replace(AT_ONCE, shows=False, not_shown=405),
    "shows no parameters": replace(AT_ONCE, shows_parameters=False),
    "shows nothing during updates": replace(LATE, shows_while_updating=False),
    "updates nothing, and answers 405": replace(NOT_UPDATED, refused_update=405),
    "replaces all parameters in an update": replace(AT_ONCE, merges_parameters=False),
    "refuses changes of plan": replace(AT_ONCE, plan_updateable=False),
    "refuses to be told of the plan in an update": replace(AT_ONCE, plan_updateable=False, refuses_same_plan=True),
    "has nothing to bind": replace(AT_ONCE, bindable=False),
    "finishes a creation before it deletes": replace(LATE, halts_creation=False),
    "says conflict to what is being deleted": replace(LATE, put_while_deleting=409),
    "deletes whatever the ids": replace(AT_ONCE, checks_delete_ids=False),
    "deletes no instance with bindings": replace(LATE, deletes_with_bindings=False),
    "takes no id twice": replace(AT_ONCE, reuses_ids=False),
    "hands out credentials once": replace(LATE, credentials_once=True),
    "has neither schemas nor maintenance": replace(AT_ONCE, has_schema=False, has_maintenance=False),
    "does one thing at a time with an instance": replace(LATE, refuses_concurrency=True),
    "only binds asynchronously": replace(AT_ONCE, late_bindings_only=True, refuses_concurrency=True),
    "answers 422 to bad parameters": replace(LATE, refused_parameters=422),
    "has no endpoint for polls": replace(AT_ONCE, has_polls=False),
    "routes before it authenticates": replace(NOT_UPDATED, ignores_unasked_routes=True, shows=False, has_polls=False),
    "has room for one instance": replace(AT_ONCE, room=1),
    "has room for two instances": replace(LATE, room=2),
}


def check(
    habits: Habits, around: Callable[[_Application], _Application] = lambda application: application
) -> tuple[Report, list[str]]:
    """Check a broker by all rules; return what was found, and the instances that it still has."""
    clock, ids = MovedClock(), count(1)
    broker = LegalBroker(habits, clock.now)
    checker = Checker(
        AsgiSender(around(broker), clock, names_as_sent=True),
        Credentials(USERNAME, PASSWORD),
        options=Options(strict=True),
        clock=clock,
        new_id=lambda: f"00000000-0000-4000-8000-{next(ids):012x}",
    )
    report = asyncio.run(checker.check())
    return report, [each for each, instance in broker.instances.items() if instance.present]


def found(report: Report, *verdicts: Verdict) -> dict[str, str]:
    """List the rules of some verdicts, each with what was expected, or with the reason."""
    results = [result for result in report.results if result.verdict in verdicts]
    return {each.rule.id: each.findings[0].expected if each.findings else each.reason for each in results}


@pytest.mark.parametrize("habits", HABITS.values(), ids=HABITS)
def test_nothing_is_found_in_a_broker_that(habits: Habits) -> None:
    report, left = check(habits)
    assert found(report, Verdict.FAILED, Verdict.UNDECIDED) == {}
    assert (report.troubles, report.left_behind, left) == ((), (), [])


def test_a_409_to_what_is_there_already_is_only_what_the_specification_advises_against() -> None:
    report, _ = check(replace(AT_ONCE, refused_repeat=True))
    assert set(found(report, Verdict.FAILED, Verdict.UNDECIDED)) == {"PROV-17", "BIND-29"}


def _often_too_many(application: _Application) -> _Application:
    """Answer 429 to every fifth request."""
    numbers = count(1)

    async def limited(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if next(numbers) % 5:
            await application(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 429, "headers": [(b"retry-after", b"1")]})
        await send({"type": "http.response.body", "body": b""})

    return limited


def test_a_request_that_is_one_too_many_is_sent_again() -> None:
    report, left = check(AT_ONCE, _often_too_many)
    assert found(report, Verdict.FAILED, Verdict.UNDECIDED) == {}
    assert left == []


def _require_a_key(catalog: dict[str, Any]) -> dict[str, Any]:
    catalog = copy.deepcopy(catalog)
    key = {"type": "string", "pattern": "^[0-9]{4}-K$"}
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {"key": key},
        "required": ["key"],
    }
    for plan in catalog["services"][0]["plans"]:
        plan["schemas"] = {"service_instance": {"create": {"parameters": schema}}}
    return catalog


def test_parameters_that_cannot_be_guessed_are_asked_for() -> None:
    report, _ = check(replace(AT_ONCE, catalog=_require_a_key))
    assert "give them in the file" in found(report, Verdict.NEEDS_HELP)["PROV-17"]
    assert found(report, Verdict.FAILED, Verdict.UNDECIDED) == {}


def test_a_catalog_without_offerings_is_not_a_breach() -> None:
    report, _ = check(replace(AT_ONCE, catalog=lambda _: {"services": []}))
    assert found(report, Verdict.FAILED, Verdict.UNDECIDED) == {}
