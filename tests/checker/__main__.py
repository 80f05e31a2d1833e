"""Look at single rules by hand: `python -m tests.checker [PROV-25 ...]`; without a rule, all of the unbroken broker.

For each rule: what the checker says of the unbroken reference broker, and of one with each of the rule's faults.
"""

from __future__ import annotations

import sys
import time

from tests.checker.playing import check, failed
from tests.checker.reference.faults import all_faults

from openbrokerapi.conformance import Report, Verdict

_NOT_JUDGED = (Verdict.NOT_ASKED, Verdict.NOT_VISIBLE)


def _unbroken(wanted: list[str]) -> None:
    began = time.perf_counter()
    report = check(only=wanted)
    print(f"unbroken: {report.requests} requests, {time.perf_counter() - began:.2f} s")  # noqa: T201
    for result in report.results:
        dull = _NOT_JUDGED if wanted else (*_NOT_JUDGED, Verdict.PASSED)
        if result.verdict not in dull:
            print(f"  {result.rule.id:8} {result.verdict} {result.reason}")  # noqa: T201
    _details(report)


def _details(report: Report) -> None:
    for result in report.failed():
        for finding in result.findings:
            last = finding.answers[-1]
            print(f"    {result.rule.id}: {finding.check}: expected {finding.expected}")  # noqa: T201
            print(f"      {last.request.method} {last.request.target} {last.request.fields or last.request.raw!r}")  # noqa: T201
            print(f"      -> {last.status} {last.headers} {last.body[:300]!r}")  # noqa: T201
    for line in (*report.troubles, *map(str, report.left_behind)):
        print(f"    {line}")  # noqa: T201


def _faults(wanted: list[str]) -> None:
    for rule in wanted:
        for fault in all_faults().get(rule, []):
            report = check(fault)
            found, meant = failed(report), {fault.rule} | set(fault.also)
            right = "as meant" if found == meant else f"found {sorted(found)}, meant {sorted(meant)}"
            print(f"{rule} with: {fault.says}: {right}")  # noqa: T201
            if found != meant:
                _details(report)


if __name__ == "__main__":
    _unbroken(sys.argv[1:])
    _faults(sys.argv[1:])
