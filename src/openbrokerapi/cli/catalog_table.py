"""A catalog as a table for people."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from openbrokerapi.protocol.catalog_rules.finding import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

_COLUMNS = ("Offering", "Plan", "Plan id", "Free", "Bindable", "Updateable", "Schemas")
_WORDS = {True: "yes", False: "no"}
_UNKNOWN = "?"

# Wider than any table: in a pipe each row stays on its line.
_PIPE_COLUMNS = 10_000

_SCHEMAS = (
    ("service_instance", "create", "create"),
    ("service_instance", "update", "update"),
    ("service_binding", "create", "bind"),
)


def write_table(document: dict[str, Any]) -> None:
    """Write one row for each plan; to a pipe without colours, lines and line breaks."""
    terminal = sys.stdout.isatty()
    console = Console(file=sys.stdout, width=None if terminal else _PIPE_COLUMNS, highlight=False)
    table = Table(box=SIMPLE_HEAD if terminal else None, pad_edge=False)
    for column in _COLUMNS:
        table.add_column(column, overflow="fold", no_wrap=not terminal)
    for row in _rows(document["services"]):
        table.add_row(*map(Text, row))
    if terminal:
        console.print(table)
        return
    with console.capture() as captured:
        console.print(table)
    sys.stdout.writelines(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def _rows(offerings: list[Any]) -> Iterator[tuple[str, ...]]:
    for offering in offerings:
        record = offering if isinstance(offering, dict) else {}
        plans = record.get("plans")
        for plan in plans if isinstance(plans, list) and plans else [None]:
            yield _row(record, plan if isinstance(plan, dict) else {})


def _row(offering: dict[str, Any], plan: dict[str, Any]) -> tuple[str, ...]:
    return (
        _cell(offering.get("name")),
        _cell(plan.get("name")),
        _cell(plan.get("id")),
        _word(plan.get("free", True)),  # PLAN-08
        _word(plan.get("bindable", offering.get("bindable"))),  # PLAN-09
        _word(plan.get("plan_updateable", offering.get("plan_updateable", False))),  # PLAN-11, SVC-15
        ", ".join(_described(plan)) or "-",
    )


def _cell(value: Any) -> str:
    return shown(value) if isinstance(value, str) and value else _UNKNOWN


def _word(value: Any) -> str:
    return _WORDS[value] if isinstance(value, bool) else _UNKNOWN


def _described(plan: dict[str, Any]) -> Iterator[str]:
    for group, request, word in _SCHEMAS:
        value: Any = plan.get("schemas")
        for key in (group, request, "parameters"):
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            yield word
