"""One finding as plain text: for JUnit, and wherever there are no colours."""

from __future__ import annotations

from openbrokerapi.conformance.ledger import Finding, Report, RuleResult

from .evidence import Evidence, Message


def describe(result: RuleResult, report: Report, evidence: Evidence) -> str:
    """Write what is wrong with one rule: what the specification says, what was sent, answered and expected."""
    rule = result.rule
    lines = [f"{rule.id} ({rule.weight(strict=report.strict)}, since {rule.since}): {rule.text}", f"  {rule.ref}"]
    for finding in result.findings:
        lines += ["", *_finding(finding, evidence)]
    return "\n".join(lines)


def _finding(finding: Finding, evidence: Evidence) -> list[str]:
    lines = [f"check: {finding.check}", f"expected: {evidence.text(finding.expected)}"]
    for answer in finding.answers:
        lines += _message("sent", evidence.request(answer.request))
        lines += _message("answered", evidence.answer(answer))
    return lines


def _message(what: str, message: Message) -> list[str]:
    lines = [f"{what}: {message.line}" + (f" ({message.note})" if message.note else "")]
    lines += [f"  {header}" for header in message.headers]
    lines += [f"  {line}" for line in message.body.splitlines()]
    return lines
