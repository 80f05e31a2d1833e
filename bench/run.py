"""Measure this package beside its published release and beside an application that does nothing but answer.

    python bench/run.py            all of it, in under five minutes; writes docs/benchmarks.md
    python bench/run.py --quick    a rough look in under a minute; writes nothing

It exits with 0 whether or not what was asked for is reached, and with 1 where a server did not answer rightly.
Linux only: it counts processor time in /proc.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from pathlib import Path

# In place of this folder: modules are imported as bench.x, and none of them hides one of the standard library.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bench import page  # noqa: E402
from bench.contenders import CONTENDERS, prepare_published, running, versions  # noqa: E402
from bench.findings import Findings, Machine  # noqa: E402
from bench.load import generator_name  # noqa: E402
from bench.measuring import Elsewhere, Figures, Plan, measure, say, verify  # noqa: E402
from bench.particular import measure_import, measure_serve, measure_sizes, measure_slowness  # noqa: E402
from bench.processes import ROOT, NotStarted  # noqa: E402
from bench.wire import WrongAnswer  # noqa: E402

PAGE = ROOT / "docs" / "benchmarks.md"
FULL = Plan(rounds=3, seconds=2, warming=0.3)
QUICK = Plan(rounds=1, seconds=1, warming=0.05)


def find(*, quick: bool) -> Findings:
    """Measure everything.

    Raises:
        WrongAnswer: A server did not answer rightly.
        NotStarted: A server did not start.
    """
    plan = QUICK if quick else FULL
    environments = {"This package": versions(), "The published release": prepare_published()}
    figures, elsewhere = _throughput(plan)
    return Findings(
        date=dt.datetime.now(tz=dt.UTC).date(),
        machine=Machine.present(),
        versions=environments,
        generator=generator_name(),
        plan=plan,
        elsewhere=elsewhere,
        figures=figures,
        sizes=measure_sizes(Plan(plan.rounds, 1, plan.warming)),
        slowness=measure_slowness(),
        imported=measure_import(5 if quick else 25),
        serve=measure_serve(1 if quick else 5),
    )


def _throughput(plan: Plan) -> tuple[Figures, float]:
    say(f"starting {len(CONTENDERS)} servers")
    with running(CONTENDERS) as servers:
        verify(servers)
        elsewhere = Elsewhere(servers)
        return measure(servers, plan), elsewhere.share()


def main() -> int:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a rough look; the page is left as it is")
    parser.add_argument("--json", action="store_true", help="print JSON in place of tables")
    arguments = parser.parse_args()
    try:
        findings = find(quick=arguments.quick)
    except (WrongAnswer, NotStarted) as error:
        say(str(error))
        return 1
    print(json.dumps(findings.plain(), indent=2) if arguments.json else page.terminal(findings))
    if not arguments.quick:
        PAGE.write_text(page.markdown(findings), encoding="utf-8")
        say(f"{PAGE.relative_to(ROOT)} is written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
