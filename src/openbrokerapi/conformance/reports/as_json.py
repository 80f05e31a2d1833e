"""The report for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from openbrokerapi.conformance.ledger import Finding, Report, RuleResult, Verdict
from openbrokerapi.version import __version__

from .evidence import Evidence


def as_json(report: Report, evidence: Evidence) -> str:
    """Write the report as one JSON object.

    Returns:
        ``checker``, ``broker``, ``api_version``, ``strict``, ``interrupted``, ``requests``, ``seconds``, ``summary``
        (verdicts and their numbers), ``plans``, ``left_behind`` and ``rules``: one object for each rule.
    """
    found = {
        "checker": f"openbrokerapi {__version__}",
        "broker": report.url,
        "api_version": report.version,
        "strict": report.strict,
        "interrupted": report.interrupted,
        "requests": report.requests,
        "seconds": round(report.seconds, 3),
        "summary": {verdict.value: report.count(verdict) for verdict in Verdict},
        "plans": [{"plan": name, "seen": evidence.text(seen)} for name, seen in report.plans],
        "left_behind": [asdict(each) for each in report.left_behind],
        "troubles": [evidence.text(each) for each in report.troubles],
        "rules": [_rule(result, report, evidence) for result in report.results],
    }
    return json.dumps(found, indent=2, ensure_ascii=False)


def _rule(result: RuleResult, report: Report, evidence: Evidence) -> dict[str, Any]:
    rule = result.rule
    return {
        "id": rule.id,
        "level": rule.level.value,
        "weight": rule.weight(strict=report.strict).value,
        "interpretation": rule.interpretation,
        "since": rule.since,
        "group": rule.group,
        "specification": rule.text,
        "lines": rule.ref,
        "verdict": result.verdict.value,
        "reason": evidence.text(result.reason),
        "times": result.times,
        "checks": list(result.checks),
        "findings": [_finding(each, evidence) for each in result.findings],
    }


def _finding(finding: Finding, evidence: Evidence) -> dict[str, Any]:
    exchanges = []
    for answer in finding.answers:
        sent, answered = evidence.request(answer.request), evidence.answer(answer)
        exchanges.append({"request": asdict(sent), "answer": asdict(answered), "seconds": round(answer.seconds, 4)})
    return {"check": finding.check, "expected": evidence.text(finding.expected), "exchanges": exchanges}
