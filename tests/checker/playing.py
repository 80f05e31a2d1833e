"""The checker against the reference broker, in one process and by a clock that is moved: no sockets, no waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from tests.checker.reference.app import Reference
from tests.checker.reference.door import PASSWORD, USERNAME
from tests.checker.reference.faults import Fault, all_faults

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


#: The groups of rules, by the module that runs their faults: each module in a process of its own.
MODULES = {
    "bindings": ("BIND", "BMD", "BR", "EPT", "GETB", "LOB", "ROT", "UNB", "VOL"),
    "catalogs": ("CAT", "CTX", "DSH", "META", "MNT", "PLAN", "SCH", "SVC"),
    "headers": ("ASY", "AUTH", "BLK", "CT", "ERR", "EXT", "OID", "RID", "URL", "VER"),
    "instances": ("DEP", "GETI", "LOI", "ORPH", "POL", "PROV", "SIM", "UPD"),
}


def faults_of(module: str) -> list[Any]:
    """Give the faults of a module's groups, as parameters of a test."""
    return [
        pytest.param(fault, id=f"{rule}-{index}")
        for rule, faults in all_faults().items()
        for index, fault in enumerate(faults)
        if rule.partition("-")[0] in MODULES[module]
    ]


def expect_found(fault: Fault) -> None:
    """Check a broker that has a fault: it is found, and nothing else is."""
    assert failed(check(fault)) == {fault.rule, *fault.also}
