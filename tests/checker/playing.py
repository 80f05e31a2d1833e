"""The checker against the reference broker, in one process and by a clock that is moved: no sockets, no waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from itertools import count
from pathlib import Path

from tests.checker.reference.app import Reference
from tests.checker.reference.door import PASSWORD, USERNAME
from tests.checker.reference.faults import Fault

from openbrokerapi.conformance import Checker, Cooperation, Credentials, Options, Report, Verdict
from openbrokerapi.conformance.asgi_sender import AsgiSender
from openbrokerapi.conformance.clocks import MovedClock

COOPERATION = Cooperation.read(Path(__file__).parent / "reference" / "cooperation.yaml")


def _ids() -> Iterator[str]:
    """Make the same ids in each run."""
    return (f"00000000-0000-4000-8000-{number:012x}" for number in count(1))


def check(
    fault: Fault | None = None,
    *,
    only: Collection[str] = (),
    cooperation: Cooperation = COOPERATION,
    url: str = "in process",
    **options: object,
) -> Report:
    """Check the reference broker, with a fault or without."""
    clock = MovedClock()
    sender = AsgiSender(Reference(now=clock.now, fault=fault, sleep=clock.sleep), clock, names_as_sent=True)
    ids = _ids()
    checker = Checker(
        sender,
        Credentials(USERNAME, PASSWORD),
        url=url,
        options=Options(only=only, parallel=1, **options),  # type: ignore[arg-type] # they are Options' own
        cooperation=cooperation,
        clock=clock,
        new_id=lambda: next(ids),
    )
    return asyncio.run(checker.check())


def failed(report: Report) -> set[str]:
    """List the ids of the rules that a report says are broken."""
    return {result.rule.id for result in report.results if result.verdict is Verdict.FAILED}
