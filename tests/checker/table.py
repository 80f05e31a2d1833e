"""The page of the rules that the checker looks at, each with the fault that shows it.

`python -m tests.checker.table` writes docs/reference/checked-rules.md anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from tests.checker.reference.faults import all_faults

from openbrokerapi.conformance.check import Check, Watch, all_checks, all_watches, checked_rules
from openbrokerapi.conformance.invisible import invisible_rules
from openbrokerapi.conformance.rules import Rule, all_rules

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "checked-rules.md"

_HEAD = """# What `openbroker check` looks at

Of the {rules} rules for brokers in the [table of conformance](conformance.md), {checked} are checked, by {checks}
checks and {watches} looks at every answer. For {invisible} the last table says why nobody can see them from outside.

Each check is proven: a reference broker in the repository (`tests/checker/reference`) keeps to every rule, and can be
told to break one. A test breaks one after the other, {faults} faults in all, and the checker finds exactly that fault;
in the unbroken broker it finds nothing. *Interpretations* follow from the text but are not written there as one
sentence: they weigh no more than SHOULD, unless `--strict`. *Help* says that the rule can only be seen with a plan that
does something special, mostly one that the [file](../how-to/check-a-broker.md#say-what-cannot-be-guessed) names.

This page is generated; do not edit it. `python -m tests.checker.table` writes it anew.
"""


def page() -> str:
    """Give the page."""
    head = _HEAD.format(
        rules=len(all_rules()),
        checked=len(checked_rules()),
        checks=len(all_checks()),
        watches=len(all_watches()),
        invisible=len(invisible_rules()),
        faults=sum(map(len, all_faults().values())),
    )
    return "\n".join([head, *_groups(), *_invisible()]) + "\n"


def _groups() -> Iterator[str]:
    for group, rules in groupby(all_rules().values(), key=lambda rule: rule.group):
        rows = [_row(rule) for rule in rules if rule.id in checked_rules()]
        if rows:
            yield f"## {group}\n\n| rule | weight | what it asks | check | the broker that is found out |"
            yield "|---|---|---|---|---|"
            yield "\n".join(rows) + "\n"


def _row(rule: Rule) -> str:
    listed: tuple[Check | Watch, ...] = (*all_checks(), *all_watches())
    sentences = [each.sentence for each in listed if rule.id in each.rules]
    faults = [fault.says for fault in all_faults().get(rule.id, [])]
    notes = [note for note, holds in (("interpretation", rule.interpretation), ("help", rule.cooperative)) if holds]
    weight = ", ".join([rule.weight(), *notes])
    cells = [rule.id, weight, rule.text, "; ".join(sentences), "; ".join(faults)]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _invisible() -> Iterator[str]:
    yield "## What cannot be seen from outside\n\n| rule | what it asks | why |\n|---|---|---|"
    for rule, reason in invisible_rules().items():
        cells = [rule, all_rules()[rule].text, reason]
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
