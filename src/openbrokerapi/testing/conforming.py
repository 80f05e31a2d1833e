"""The checker's rules in a test."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from openbrokerapi.conformance import Checker, Cooperation, Level, Options, Report
from openbrokerapi.conformance.clocks import RealClock
from openbrokerapi.conformance.exceptions import read_exceptions
from openbrokerapi.conformance.reports.evidence import Evidence
from openbrokerapi.conformance.reports.plain import describe

from .clock import Clock
from .hosting import hosted
from .hosts import Host
from .in_process import InProcess
from .over_http import Remote


def check(
    broker: Any,
    *,
    file: Path | str | None = None,
    only: Collection[str] = (),
    skip: Collection[str] = (),
    exceptions: Mapping[str, str] | Path | str | None = None,
    strict: bool = False,
    version: str = "2.17",
    **options: Any,
) -> Report:
    """Run the checker against a broker; in the same process, waiting costs no time.

    Args:
        broker: A broker, an offering, an application, a factory, the URL of a broker, or a host.
        file: The file with the broker's help, such as ``openbroker check --template`` writes.
        only: Rules, or groups such as ``PROV``; empty for all.
        skip: Rules, or groups, that are not asked for.
        exceptions: Known breaches by rule, each with the reason; or the file of them.
        strict: Whether interpretations weigh like the rest.
        version: The version of the specification; younger rules are not asked for.
        options: Those of `InProcess`, or of `Remote`.

    Returns:
        What was found.

    Raises:
        CannotCheck: No catalog can be had.
        BadFile: The file, or that of the exceptions, cannot be used.
    """
    told = Cooperation.read(Path(file)) if file is not None else Cooperation()
    known = read_exceptions(Path(exceptions)) if isinstance(exceptions, Path | str) else dict(exceptions or {})
    asked = Options(version=version, strict=strict, only=list(only), skip=list(skip), exceptions=known)
    with hosted(broker, **options) as host:
        return _checked(host, asked, told)


def assert_conforms(broker: Any, *, fail_on: str = "must", file: Path | str | None = None, **options: Any) -> None:
    """Run the checker against a broker, and fail with what it found.

    Args:
        broker: As for `check`.
        fail_on: The least weight of a rule whose breach fails the test: ``must``, ``should`` or ``may``.
        file: The file with the broker's help.
        options: Those of `check`.

    Raises:
        AssertionError: A rule is broken, or something could not be removed; the text says what, with the exchanges.
    """
    report = check(broker, file=file, **options)
    told = Cooperation.read(Path(file)) if file is not None else Cooperation()
    evidence = Evidence(told.secrets())
    breaches = report.breaches(Level(fail_on.upper()))
    texts = [describe(each, report, evidence) for each in breaches]
    texts += [f"left behind: {each.kind} {each.id}: {each.reason}" for each in report.left_behind]
    assert not texts, f"{len(texts)} rules are broken\n\n" + "\n\n".join(texts)  # noqa: S101 - it is for tests


def _checked(host: Host, asked: Options, told: Cooperation) -> Report:
    assert isinstance(host, InProcess | Remote)  # noqa: S101 - there are no others
    clock = _MovedClock(host.clock) if host.moves else RealClock()
    # Where a sleep moves the time, it would move under the requests of the other checks.
    options = replace(asked, parallel=1) if host.moves else asked
    checker = Checker(host.senders[0], host.credentials, url=host.url, options=options, cooperation=told, clock=clock)
    report: Report = host.loop.run(checker.check())
    return report


class _MovedClock:
    """Lets time pass where the checker waits."""

    def __init__(self, clock: Clock) -> None:
        self.now = clock.monotonic
        self._advance = clock.advance

    async def sleep(self, seconds: float) -> None:
        await asyncio.to_thread(self._advance, seconds)
