"""What the user sees: a line a step in the terminal, plain text in a pipe, JSON for programs."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from .exchange import API_VERSION
from .play import BINDING, INSTANCE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

    from .play import Step

TARGET_WIDTH = len(f"DELETE {BINDING}")
ONE_LINE_WIDTH = 130


class Screen:
    """Show the play as it goes on, or collect it and show it as JSON at the end.

    Args:
        as_json: Print one JSON object at the end and nothing before it.
        file: Where to, the standard output unless given.
    """

    def __init__(self, *, as_json: bool = False, file: TextIO | None = None) -> None:
        self._console = Console(file=file, highlight=False, soft_wrap=True)
        self._as_json = as_json
        self._steps: list[Step] = []

    @property
    def ok(self) -> bool:
        """Whether there were steps, and each came out as it should."""
        return bool(self._steps) and all(step.ok for step in self._steps)

    @property
    def _in_one_line(self) -> bool:
        return not self._console.is_terminal or self._console.width >= ONE_LINE_WIDTH

    def note(self, text: str) -> None:
        """Say something that is no step."""
        if not self._as_json:
            self._console.print(Text(text))

    def heading(self) -> None:
        """Name the columns."""
        expected = "  expected" if self._in_one_line else ""
        self.note(f"  {'done':<{TARGET_WIDTH - 3}} status       time{expected}")

    def step(self, step: Step) -> None:
        """Show a step that was just done."""
        self._steps.append(step)
        if not self._as_json:
            self._console.print(self._line(step))

    def end(self) -> None:
        """Say how the play came out."""
        if self._as_json:
            outcome = {"ok": self.ok, "steps": [step.as_json() for step in self._steps]}
            self._console.file.write(json.dumps(outcome, indent=2) + "\n")
        elif self.ok:
            self.note(f"All {len(self._steps)} steps came out as they should.")
        else:
            self.note("The last step did not come out as it should.")

    def _line(self, step: Step) -> Text:
        good, bad = ("✓", "✗") if self._console.encoding.lower().startswith("utf") else ("ok", "FAILED")
        line = Text()
        line.append(good if step.ok else bad, style="bold green" if step.ok else "bold red")
        line.append(f" {step.target:<{TARGET_WIDTH}}")
        line.append(f" {step.status or '':>3}", style="bold")
        line.append(f" {step.milliseconds:7.1f} ms")
        line.append("  " if self._in_one_line else "\n    ")
        line.append(step.expected, style="dim")
        if step.answer:
            line.append(f"\n    {step.answer}", style="red")
        return line


def curl_lines(url: str, username: str, password: str, plan: Mapping[str, str]) -> list[str]:
    """Write the requests of the play as curl lines, ready to be pasted into a shell.

    They carry the demonstration's password: it is random, and works only on this machine while the demonstration runs.
    """
    order = {**plan, "organization_guid": "my-organization", "space_guid": "my-space"}
    query = f"?service_id={plan['service_id']}&plan_id={plan['plan_id']}"
    requests = (
        ("GET", "/v2/catalog", None),
        ("PUT", INSTANCE, order),
        ("GET", INSTANCE, None),
        ("PUT", BINDING, dict(plan)),
        ("DELETE", BINDING + query, None),
        ("DELETE", INSTANCE + query, None),
    )
    common = ["curl", "-i", "-u", f"{username}:{password}", "-H", f"X-Broker-API-Version: {API_VERSION}"]
    lines = []
    for method, path, body in requests:
        sent = ["-H", "Content-Type: application/json", "-d", json.dumps(body)] if body else []
        lines.append(shlex.join([*common, "-X", method, url + path, *sent]))
    return lines
