"""The conformance table of the documentation, made of the rules, who has to keep each, and the tests that show it.

`python -m tests.conformance.table` writes docs/reference/conformance.md anew.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PAGE = ROOT / "docs" / "reference" / "conformance.md"
MANAGED = "tests/managed/"
CLIENT = "tests/platform/"

_HEAD = """# Conformance

Every rule of the Open Service Broker API 2.17, and who keeps it in a broker that is written on `ServiceBroker`, or of
offerings of `openbrokerapi.managed`. On `ServiceBroker`:

* **library**: the package keeps it by itself; the test that is named fails when the rule is broken. Where a note
  stands, something remains for the author.
* **author**: only the broker can know; the note says how the package helps.
* **platform**: a rule for platforms. It is listed because it tells what may arrive. Where a test is named, the
  [client](platform.md) of this package keeps it.

In the column *Managed* stands **package** where a managed broker keeps by itself what is the author's, or partly the
author's, on `ServiceBroker`; again the test fails when the rule is broken. Where the column is empty, the rule is kept
for managed brokers as for any other.

This page is generated from `tests/conformance/`; do not edit it. `python -m tests.conformance.table` writes it anew.

"""


def requirements() -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads((HERE / "requirements.json").read_text(encoding="utf-8"))
    return found


def duties() -> dict[str, dict[str, Any]]:
    return tomllib.loads((HERE / "duties.toml").read_text(encoding="utf-8"))


def marked_tests() -> dict[str, list[str]]:
    """Give the tests of each rule, as pytest collects them."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "rules.json"
        options = ["--collect-only", "-qq", "-p", "no:cacheprovider", "-p", "tests.conformance.marks"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, "--rules-to", str(target), "tests"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if not target.exists():
            raise RuntimeError(f"the tests cannot be collected:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        found: dict[str, list[str]] = json.loads(target.read_text(encoding="utf-8"))
        return found


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _test_link(test: str) -> str:
    file, _, name = test.partition("::")
    return f"[{name.rpartition('::')[2]}](../../{file})"


def of_managed(tests: list[str]) -> list[str]:
    """Give those of the tests that are of managed brokers."""
    return [test for test in tests if test.startswith(MANAGED)]


def of_all(tests: list[str]) -> list[str]:
    """Give those of the tests that are of every broker."""
    return [test for test in tests if not test.startswith((MANAGED, CLIENT))]


def of_client(tests: list[str]) -> list[str]:
    """Give those of the tests that are of the client, which is a platform's part."""
    return [test for test in tests if test.startswith(CLIENT)]


def _said(word: str, tests: list[str], note: str) -> str:
    shown = ", ".join(_test_link(test) for test in sorted(tests)[:2])
    return ". ".join(part for part in (f"{word}{shown}" if shown else "", _cell(note)) if part)


def _row(rule: dict[str, str], duty: dict[str, Any], tests: list[str]) -> str:
    shown = {"library": ("", of_all(tests)), "platform": ("client: ", of_client(tests))}
    said = _said(*shown.get(duty["duty"], ("", [])), duty.get("note", ""))
    managed = _said("package: ", of_managed(tests) if duty.get("managed") else [], duty.get("managed_note", ""))
    return f"| {rule['id']} | {rule['lev']} | {_cell(rule['txt'])} | {duty['duty']} | {said} | {managed} |"


def page(tests: dict[str, list[str]]) -> str:
    """Give the whole page."""
    found, rules = duties(), requirements()
    counts = Counter(found[rule["id"]]["duty"] for rule in rules)
    managed = sum(1 for duty in found.values() if duty.get("managed"))
    counted = ", ".join(f"{counts[kind]} {kind}" for kind in _KINDS)
    parts = [
        _HEAD,
        f"{len(rules)} rules: {counted}. For managed brokers the package keeps {managed} with tests of their own.\n",
    ]
    group = None
    for rule in rules:
        if rule["grp"] != group:
            group = rule["grp"]
            parts.append(f"\n## {group}\n\n{_COLUMNS}")
        parts.append(_row(rule, found[rule["id"]], tests.get(rule["id"], [])) + "\n")
    return "".join(parts)


_KINDS = ("library", "author", "platform")
_COLUMNS = "| Rule | Level | What it asks | Kept by | How | Managed |\n|---|---|---|---|---|---|\n"


def main(arguments: list[str]) -> Any:
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(marked_tests()), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
