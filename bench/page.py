"""The findings for people: on the terminal, and as docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterable

from bench.cases import PROVISION
from bench.findings import Findings
from bench.load import CONNECTIONS
from bench.particular import LARGE, SLOW_PROVISIONS, SMALL

_BUSY = 0.05  # from this part of the machine on, other programs are worth a warning
_HEADINGS = ("what", "on", "workers", "methods", "requests/s", "± %", "CPU µs/request", "to 4.7.3", "to bare")
_TEXTS = 4  # of the columns


def terminal(findings: Findings) -> str:
    """Write tables and lines of text."""
    blocks = []
    for case, rows in _tables(findings).items():
        lines = [_HEADINGS, *rows]
        widths = [max(len(line[at]) for line in lines) for at in range(len(_HEADINGS))]
        blocks.append("\n".join([f"{case}:", *(_padded(line, widths) for line in lines)]))
    blocks.append("\n".join(_target_lines(findings)))
    return "\n\n".join([*blocks, *_warning(findings)])


def _padded(line: tuple[str, ...], widths: list[int]) -> str:
    texts = [cell.ljust(width) for cell, width in zip(line[:_TEXTS], widths[:_TEXTS], strict=True)]
    numbers = [cell.rjust(width) for cell, width in zip(line[_TEXTS:], widths[_TEXTS:], strict=True)]
    return "  " + "  ".join(texts + numbers)


def _tables(findings: Findings) -> dict[str, list[tuple[str, ...]]]:
    tables: dict[str, list[tuple[str, ...]]] = {}
    for who, case, figure, to_published, to_bare in findings.rows():
        numbers = f"{figure.rate:,.0f}", f"{figure.spread * 50:.0f}", f"{figure.cpu:.1f}"
        tables.setdefault(case, []).append((*who, *numbers, f"{to_published:.2f}", f"{to_bare:.2f}"))
    return tables


def _target_lines(findings: Findings) -> list[str]:
    return [
        f"{'reached    ' if each.reached else 'NOT REACHED'}  {each.what}: {each.measured}; wanted {each.wanted}"
        for each in findings.targets()
    ]


def _warning(findings: Findings) -> list[str]:
    if findings.elsewhere < _BUSY:
        return []
    taken = f"Other programs took {findings.elsewhere:.0%} of the processor time meanwhile"
    return [f"{taken}: requests per second are too low and their ratios unsteady; trust the processor time more."]


def markdown(findings: Findings) -> str:
    """Write the page."""
    parts = ["# Benchmarks", _introduction(findings), *_warning(findings), "## What was asked for", _targets(findings)]
    for case, rows in _tables(findings).items():
        parts += [f"## {case}", _table(_HEADINGS, rows, _TEXTS)]
    parts += [
        "## Catalogs of two sizes",
        _sizes(findings),
        "## Slow methods beside quick requests",
        _slowness(findings),
    ]
    parts += ["## How it was measured", _method(findings), "## What the numbers do not say", _limits()]
    return "\n\n".join(parts) + "\n"


def _introduction(findings: Findings) -> str:
    machine = findings.machine
    versions = [
        f"{where}: {', '.join(f'{name} {version}' for name, version in known.items())}."
        for where, known in findings.versions.items()
    ]
    return "\n".join(
        [
            "Written by `python3 dev.py bench`; do not edit it, run that.",
            "",
            f"* {findings.date.isoformat()}.",
            f"* {machine.processor}, {machine.cores} cores; {machine.system}; Python {machine.python}.",
            *(f"* {line}" for line in versions),
        ]
    )


def _targets(findings: Findings) -> str:
    rows = [(t.what, t.measured, t.wanted, "yes" if t.reached else "**no**") for t in findings.targets()]
    return _table(("", "measured", "wanted", "reached"), rows, 4)


def _table(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]], texts: int) -> str:
    rule = ["---" if at < texts else "---:" for at in range(len(headings))]
    return "\n".join(f"| {' | '.join(line)} |" for line in (headings, rule, *rows))


def _sizes(findings: Findings) -> str:
    sizes = findings.sizes
    rows = [
        ("answered with 304", f"{sizes.unchanged[0]:.1f}", f"{sizes.unchanged[1]:.1f}"),
        ("in full", f"{sizes.full[0]:.1f}", f"{sizes.full[1]:.1f}"),
        ("the same bytes from the bare application", f"{sizes.bare[0]:.1f}", f"{sizes.bare[1]:.1f}"),
        ("ours without the bare application's", f"{sizes.own[0]:.1f}", f"{sizes.own[1]:.1f}"),
        ("bytes of the full answer", f"{sizes.sent[0]:,}", f"{sizes.sent[1]:,}"),
    ]
    table = _table(("CPU µs per request, ASGI, 1 worker", f"10 plans ({SMALL})", f"1,000 plans ({LARGE})"), rows, 1)
    return (
        f"{table}\n\nThe catalog is encoded once; what is left beyond that is the kernel's work of sending the bytes."
    )


def _slowness(findings: Findings) -> str:
    found = findings.slowness
    return (
        f"A broker with plain methods sleeps for 1 s in `provision`. While {SLOW_PROVISIONS} provisions were under way"
        f" at once, {found.requests:,} catalog requests, one after the other, took {found.median:.2f} ms each (median;"
        f" the longest {found.longest:.1f} ms). All provisions were answered after {found.provisions:.2f} s."
    )


def _method(findings: Findings) -> str:
    plan = findings.plan
    body = len(PROVISION.requests[0].partition(b"\r\n\r\n")[2])
    return f"""\
* The load comes from {findings.generator}: {CONNECTIONS} connections from one thread, each with one request under way.
  {plan.rounds} rounds of {plan.seconds:g} s for each server and each kind of request, interleaved; shown are medians.
  `± %` is half the span between the quickest and the slowest round.
* A server of one worker is held to one core, and the generator to another, where there are two. Servers of two workers
  share their cores with the generator on a machine of fewer than four, which takes more from the quick ones.
* `CPU µs/request` is the processor time, user and system, of all of a server's processes, by the kernel's count.
  A ratio "by processor time" compares what the servers could do if none of their workers ever waited for a core.
* Before the load every server had to give the right answer to each request, and to refuse one without credentials,
  without version, with an unknown plan, and (this package) with parameters against the plan's schema. Under load a
  single error, or answers of another length in bytes, end the run with an error.
* catalog: 10 offerings of 5 plans with metadata and schemas. provision: a body of {body} bytes with context and
  parameters, for 64 instances in turn, on a broker without state. last_operation: with all its query parameters.
  Every request carries basic authentication and the version header.
* The published release has an environment of its own, with the same versions of gunicorn and Flask, and gunicorn's
  default (sync) workers; others were not tried. Its broker is the same source file. It does not check parameters
  against schemas.
* "ASGI, openbroker serve" is that command, which runs uvicorn with a protocol class of this package, without a log line
  for each request.
* "bare" is an ASGI application on uvicorn as it comes, with its quickest parser and loop: it looks at nothing, reads
  the body and sends constant bytes.
* `import openbrokerapi`: the median of many fresh interpreters, less that of as many that import nothing.
  `openbroker serve`: from the start of the process to the first 200 of `/readyz`, the median of several starts; memory
  is what is resident a second later, after one catalog request."""


def _limits() -> str:
    return """\
* Nothing about a broker's own work: these brokers keep no state and talk to nobody. A broker that creates a database
  spends its time there, not here.
* Nothing about TLS, a network, or a proxy in front: all of it went over the loopback interface.
* Nothing about latency under a given load: a closed loop at full speed shows throughput, not waiting times.
* Plain methods under ASGI go through a thread and back, which costs more than these methods themselves do; with methods
  that really wait, that cost does not show, and without the thread they would hold up every other request.
* Another machine has other numbers. Compare ratios, and those of one run only."""
