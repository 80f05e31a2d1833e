"""A report in the terminal: what is wrong, first what weighs most, and how much was looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.text import Text

from openbrokerapi.conformance.ledger import Finding, Report, RuleResult, Verdict
from openbrokerapi.conformance.rules import Level

if TYPE_CHECKING:
    from rich.console import Console

    from openbrokerapi.conformance.reports.evidence import Evidence, Message

_STYLES = {Level.MUST: "bold red", Level.SHOULD: "bold yellow", Level.MAY: "bold blue"}
_LONGEST_BODY = 400  # characters, unless all is to be printed


class Printed:
    """Prints reports.

    Args:
        console: Where to.
        evidence: Writes exchanges without secrets.
        verbose: Whether headers, whole bodies, and what was not judged are printed.
    """

    def __init__(self, console: Console, evidence: Evidence, *, verbose: bool) -> None:
        self._console = console
        self._evidence = evidence
        self._verbose = verbose

    def print(self, report: Report) -> None:
        """Print one."""
        for level in Level:
            for result in report.failed(level):
                self._breach(result, level)
        self._exceptions(report)
        if self._verbose:
            self._unjudged(report)
        self._left_behind(report)
        self._summary(report)

    def _breach(self, result: RuleResult, level: Level) -> None:
        rule = result.rule
        self._line(Text.assemble((f"{level:6}", _STYLES[level]), " ", (rule.id, "bold"), "  ", rule.text))
        findings = result.findings if self._verbose else result.findings[:1]
        for finding in findings:
            self._finding(finding)
        if len(findings) < len(result.findings):
            self._line(Text(f"and {len(result.findings) - 1} more: --verbose", style="dim"), indent=7)
        self._console.print()

    def _finding(self, finding: Finding) -> None:
        self._line(Text.assemble(("check     ", "dim"), finding.check), indent=7)
        self._line(Text.assemble(("expected  ", "dim"), self._evidence.text(finding.expected)), indent=7)
        for answer in finding.answers if self._verbose else finding.answers[-1:]:
            self._message("sent      ", self._evidence.request(answer.request))
            self._message("answered  ", self._evidence.answer(answer))

    def _message(self, what: str, message: Message) -> None:
        note = f"  ({message.note})" if message.note else ""
        self._line(Text.assemble((what, "dim"), message.line, (note, "italic")), indent=7)
        lines = [*message.headers, *message.body.splitlines()] if self._verbose else [_short(message.body)]
        for line in filter(None, lines):
            self._line(Text(line, style="dim"), indent=17)

    def _exceptions(self, report: Report) -> None:
        for result in report.results:
            if result.verdict is Verdict.EXCEPTED:
                self._line(Text(f"known  {result.rule.id}  {result.reason}", style="dim"))

    def _unjudged(self, report: Report) -> None:
        for result in report.results:
            if result.reason and result.verdict is not Verdict.EXCEPTED:
                reason = self._evidence.text(result.reason)
                self._line(Text(f"{result.rule.id:8} {result.verdict}: {reason}", style="dim"))
        for name, seen in report.plans:
            self._line(Text(f"plan {name}: {self._evidence.text(seen)}", style="dim"))
        self._console.print()

    def _left_behind(self, report: Report) -> None:
        for each in report.left_behind:
            what = f"left behind: {each.kind} {each.id}"
            what += f" of instance {each.instance_id}" if each.kind == "binding" else ""
            ids = f"service_id {each.service_id}, plan_id {each.plan_id}"
            self._line(Text(f"{what} ({ids}): {each.reason}", style="bold red"))
        for trouble in report.troubles:
            self._line(Text(f"a check broke, which is a fault of the checker: {trouble}", style="red"))

    def _summary(self, report: Report) -> None:
        counts = [f"{report.count(Verdict.PASSED)} rules kept"]
        counts += [f"{len(report.failed(level))} {level} broken" for level in Level if report.failed(level)]
        for verdict in (Verdict.EXCEPTED, Verdict.UNDECIDED, Verdict.NEEDS_HELP, Verdict.NOT_APPLICABLE):
            if report.count(verdict):
                counts.append(f"{report.count(verdict)} {verdict}")
        early = "Ended early. " if report.interrupted else ""
        told = f"{report.requests} requests in {report.seconds:.1f} s"
        self._line(Text(f"{early}{', '.join(counts)}. {told}."))
        if not report.plans:
            self._line(Text("The catalog has no plans: little could be checked."))
        elif report.empty:
            self._line(Text("No instance could be made of any plan, so little could be checked:", style="bold red"))
            for name, seen in report.plans:
                self._line(Text(f"{name}: {self._evidence.text(seen)}"), indent=2)

    def _line(self, text: Text, indent: int = 0) -> None:
        if self._console.is_terminal:
            self._console.print(Padding(text, (0, 0, 0, indent), expand=False))
        else:
            self._console.print(Text(" " * indent).append_text(text), soft_wrap=True)


def _short(body: str) -> str:
    """Write a body in one line, and not all of a long one."""
    line = " ".join(part.strip() for part in body.splitlines())
    return line if len(line) <= _LONGEST_BODY else line[:_LONGEST_BODY] + " ..."
