"""What came out, and whether what was asked for is reached."""

from __future__ import annotations

import datetime as dt
import os
import platform
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.contenders import ASGI, BARE, CONTENDERS, PUBLISHED, PUBLISHED_FLASK, Contender
from bench.load import CONNECTIONS
from bench.measuring import Figure, Figures, Plan
from bench.particular import Import, Serve, Sizes, Slowness

# Two costs are the same within this part of the smaller, or within so many microseconds.
_SAME_PART, _SAME_MICROSECONDS = 0.25, 10.0


@dataclass(frozen=True)
class Machine:
    """Where it was measured."""

    processor: str
    cores: int
    system: str
    python: str

    @classmethod
    def present(cls) -> Machine:
        """Describe this machine, without naming it."""
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        name = found[1] if found else platform.machine()
        system = f"{platform.system()} {platform.release().split('-')[0]}"
        return cls(name, len(os.sched_getaffinity(0)), system, platform.python_version())


@dataclass(frozen=True)
class Target:
    """One line of what was asked for."""

    what: str
    measured: str
    wanted: str
    reached: bool


def _same_cost(what: str, costs: tuple[float, float]) -> Target:
    small, large = costs
    slack = max(small * _SAME_PART, _SAME_MICROSECONDS)
    return Target(
        f"Catalog of 10 and of 1,000 plans, {what}",
        f"{small:.1f} and {large:.1f} µs",
        f"the same, within {slack:.0f} µs",
        abs(large - small) <= slack,
    )


@dataclass(frozen=True)
class Findings:
    """All that a run found.

    Attributes:
        versions: By environment: of this package's and of the published release's.
        elsewhere: The part of the processor time that other programs took meanwhile, 0 to 1.
    """

    date: dt.date
    machine: Machine
    versions: dict[str, dict[str, str]]
    generator: str
    plan: Plan
    elsewhere: float
    figures: Figures
    sizes: Sizes
    slowness: Slowness
    imported: Import
    serve: Serve

    def ratio(self, key: str, case: str, to: str) -> float:
        """Give how many times the requests a second of another server's one has."""
        return self.figures[key, case].rate / self.figures[to, case].rate

    def cpu_ratio(self, one: Contender, other: Contender, case: str) -> float:
        """Give the ratio of what two servers could do if none of their workers ever waited for a core."""
        able = [each.workers / self.figures[each.key, case].cpu for each in (one, other)]
        return able[0] / able[1]

    def targets(self) -> list[Target]:
        """Compare with what was asked for."""
        return [*self._rates(), *self._catalog_sizes(), *self._rest()]

    def _rates(self) -> list[Target]:
        wanted = (("provision", PUBLISHED_FLASK, 6.0), ("catalog", PUBLISHED_FLASK, 10.0), ("provision", BARE, 0.5))
        return [self._rate(case, other, bar) for case, other, bar in wanted]

    def _rate(self, case: str, other: Contender, bar: float) -> Target:
        found, by_cpu = self.ratio(ASGI.key, case, other.key), self.cpu_ratio(ASGI, other, case)
        who = "the bare application" if other.is_bare else f"{PUBLISHED} on gunicorn, 2 workers"
        measured = f"{found:.2f} times ({by_cpu:.2f} by processor time)"
        return Target(f"ASGI, 1 worker: {case} against {who}", measured, f">= {bar:g} times", found >= bar)

    def _catalog_sizes(self) -> list[Target]:
        return [
            _same_cost("answered with 304", self.sizes.unchanged),
            _same_cost("in full, less the bare application's", self.sizes.own),
        ]

    def _rest(self) -> list[Target]:
        imported, memory = self.imported, self.serve.memory / 1e6
        loaded = ", ".join(imported.loaded) or "nothing that it must not"
        fast = imported.median < 60 and not imported.loaded
        return [
            Target("import openbrokerapi", f"{imported.median:.1f} ms; loads {loaded}", "< 60 ms, no framework", fast),
            Target("openbroker serve is ready in", f"{self.serve.ready:.3f} s", "< 0.5 s", self.serve.ready < 0.5),
            Target("Its memory when idle", f"{memory:.1f} MB", "< 45 MB", memory < 45),
            Target(
                "Median catalog request beside 50 slow provisions",
                f"{self.slowness.median:.2f} ms",
                "<= 20 ms",
                self.slowness.median <= 20,
            ),
        ]

    def rows(self) -> list[tuple[tuple[str, ...], str, Figure, float, float]]:
        """Give the table: who, the case, the figure, and its ratios to the published release and to the bare one."""
        cases = list(dict.fromkeys(case for _, case in self.figures))
        return [
            (
                (each.library, each.host, str(each.workers), each.methods),
                case,
                self.figures[each.key, case],
                self.ratio(each.key, case, PUBLISHED_FLASK.key),
                self.ratio(each.key, case, BARE.key),
            )
            for case in cases
            for each in CONTENDERS
        ]

    def plain(self) -> dict[str, Any]:
        """Give all of it as JSON has it."""
        names = ("machine", "versions", "generator", "plan", "elsewhere", "sizes", "slowness", "imported", "serve")
        figures: dict[str, dict[str, Any]] = {}
        for (key, case), figure in self.figures.items():
            figures.setdefault(case, {})[key] = asdict(figure)
        given = asdict(self)
        return {
            "date": self.date.isoformat(),
            **{name: given[name] for name in names},
            "connections": CONNECTIONS,
            "figures": figures,
            "targets": [asdict(target) for target in self.targets()],
        }
