"""Measure the managed runtime: durable provisions, polls, fetches, and doing nothing.

    python bench/managed/run.py            all of it, in about five minutes; writes docs/benchmarks-managed.md
    python bench/managed/run.py --quick    a rough look in under a minute; writes nothing

It exits with 0 whether or not what was asked for is reached. Linux only: it counts processor time in /proc.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

# In place of this folder: modules are imported as bench.x, and none of them hides one of the standard library.
sys.path[0] = str(Path(__file__).resolve().parent.parent.parent)

from bench.managed import page  # noqa: E402
from bench.managed.findings import find  # noqa: E402
from bench.measuring import say  # noqa: E402
from bench.processes import ROOT  # noqa: E402

PAGE = ROOT / "docs" / "benchmarks-managed.md"


def main() -> int:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a rough look; the page is left as it is")
    arguments = parser.parse_args()
    findings = find(quick=arguments.quick)
    print(page.terminal(findings))
    if not arguments.quick:
        PAGE.write_text(page.markdown(findings), encoding="utf-8")
        say(f"{PAGE.relative_to(ROOT)} is written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
