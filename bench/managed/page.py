"""The findings for people: on the terminal, and as docs/benchmarks-managed.md."""

from __future__ import annotations

from bench.managed.findings import Findings

_METHOD = """\
The broker does nothing, so that all of the cost is the package's. It is served by `openbroker serve` in one process on
one processor core; 16 clients on another core send one request after the other, each provision with an id of its own.
Every provision that is counted was answered with 201, and is durable: its row, its operation and two events of the
audit are in the database, sealed where they may hold secrets, in two transactions.

* **The bare loop** commits one row of 400 bytes a transaction, with the store's own settings (WAL, `synchronous=FULL`),
  on the same disk, without HTTP. Slow flushes are made by a file system of SQLite's that waits.
* **Bare Procrastinate jobs** do nothing; 16 clients defer them and one worker runs them, in one process, on the same
  server with the same settings (`fsync=on`), without HTTP.
* **Polls and fetches** are compared by the server's processor time for a request, with little and with much in the
  store, on SQLite, in rounds of a second one after the other: of each the least, for what disturbs a round only ever
  adds to it.
* All other figures are medians."""


def terminal(findings: Findings) -> str:
    """Write lines of text."""
    return "\n".join(
        f"{'reached    ' if each.reached else 'NOT REACHED'}  {each.what}: {each.measured}; wanted {each.wanted}"
        for each in findings.targets()
    )


def markdown(findings: Findings) -> str:
    """Write the page."""
    machine = findings.machine
    where = f"{machine.processor}, {machine.cores} cores; {machine.system}; Python {machine.python}"
    rows = [
        f"| {each.what} | {each.measured} | {each.wanted} | {'yes' if each.reached else '**no**'} |"
        for each in findings.targets()
    ]
    costs = [
        f"| {name} | {found.ours:,.0f} | {found.cpu:.0f} |"
        for name, found in (
            ("SQLite", findings.sqlite),
            ("SQLite, flushes of 5 ms", findings.slow),
            ("PostgreSQL", findings.postgresql),
        )
    ]
    parts = [
        "# Benchmarks of the managed runtime",
        f"Written by `python3 dev.py bench managed`; do not edit it, run that.\n\n* {findings.date}.\n* {where}.",
        "## What was asked for",
        "\n".join(["|  | measured | wanted | reached |", "| --- | --- | --- | --- |", *rows]),
        "## Durable provisions over HTTP",
        "\n".join(["| store | a second | CPU µs of the server for each |", "| --- | ---: | ---: |", *costs]),
        "## How it was measured",
        _METHOD,
    ]
    return "\n\n".join(parts) + "\n"
