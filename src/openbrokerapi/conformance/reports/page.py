"""The report as one page of HTML that needs nothing else: no scripts from elsewhere, no fonts, no network."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from itertools import groupby

from openbrokerapi.conformance.ledger import Finding, Report, RuleResult, Verdict
from openbrokerapi.conformance.rules import Level
from openbrokerapi.version import __version__

from .evidence import Evidence, Message

_SPECIFICATION = "https://github.com/openservicebrokerapi/servicebroker/blob/v2.17/"


def as_page(report: Report, evidence: Evidence) -> str:
    """Write the report as a page."""
    resources = files(__package__)
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>Conformance of {escape(report.url)}</title>",
        f"<style>{resources.joinpath('page.css').read_text('utf-8')}</style></head><body>",
        _head(report),
        _left_behind(report),
        _breaches(report, evidence),
        _all_rules(report, evidence),
        _plans(report, evidence),
        f"<footer>openbrokerapi {escape(__version__)}</footer>",
        f"<script>{resources.joinpath('page.js').read_text('utf-8')}</script></body></html>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _head(report: Report) -> str:
    musts, shoulds, mays = (len(report.failed(level)) for level in Level)
    judged = report.count(Verdict.PASSED) + len(report.failed())
    tiles = [
        ("bad" if musts else "good", musts, "MUST broken"),
        ("warn" if shoulds else "good", shoulds, "SHOULD broken"),
        ("note" if mays else "good", mays, "notes"),
        ("good", report.count(Verdict.PASSED), "rules kept"),
        ("plain", len(report.results) - judged, "not judged"),
    ]
    shown = "".join(f'<li class="{kind}"><b>{number}</b> {label}</li>' for kind, number, label in tiles)
    early = "<p class=bad>The run was ended early.</p>" if report.interrupted else ""
    strict = ", strict" if report.strict else ""
    return (
        f"<header><h1>Open Service Broker API {escape(report.version)}</h1>"
        f"<p><code>{escape(report.url)}</code>, {report.requests} requests in {report.seconds:.1f} s{strict}</p>"
        f"{early}<ul class=tiles>{shown}</ul></header>"
    )


def _left_behind(report: Report) -> str:
    if not report.left_behind:
        return ""
    lines = "".join(
        f"<li>{escape(each.kind)} <code>{escape(each.id)}</code>: {escape(each.reason)}</li>"
        for each in report.left_behind
    )
    return f"<section><h2>Left behind</h2><p class=bad>Remove these by hand:</p><ul>{lines}</ul></section>"


def _breaches(report: Report, evidence: Evidence) -> str:
    found = [each for level in Level for each in report.failed(level)]
    if not found:
        return "<section><h2>What is wrong</h2><p class=good>Nothing was found.</p></section>"
    return "<section><h2>What is wrong</h2>" + "".join(_breach(each, report, evidence) for each in found) + "</section>"


def _breach(result: RuleResult, report: Report, evidence: Evidence) -> str:
    rule = result.rule
    weight = rule.weight(strict=report.strict)
    findings = "".join(_finding(each, evidence) for each in result.findings)
    return (
        f'<article id="{rule.id}" class="{weight.lower()}"><h3>{rule.id} '
        f"<small>{weight}, {_marked(rule.group)}, since {rule.since}</small></h3>"
        f"<p>{_marked(rule.text)} {_link(rule.ref)}</p>{findings}</article>"
    )


def _finding(finding: Finding, evidence: Evidence) -> str:
    exchanges = "".join(
        f"<div class=exchange>{_message('sent', evidence.request(answer.request))}"
        f"{_message('answered', evidence.answer(answer))}</div>"
        for answer in finding.answers
    )
    return (
        f"<p><b>Expected:</b> {escape(evidence.text(finding.expected))} <small>({escape(finding.check)})</small></p>"
        f"<details><summary>{_line(finding, evidence)}</summary>{exchanges}</details>"
    )


def _line(finding: Finding, evidence: Evidence) -> str:
    """Write the exchange that it is about in one line, and how many were before it."""
    last = finding.answers[-1]
    line = f"<code>{escape(evidence.request(last.request).line)}</code> &rarr; {escape(evidence.answer(last).line)}"
    return line + (f" and {len(finding.answers) - 1} before it" if len(finding.answers) > 1 else "")


def _message(what: str, message: Message) -> str:
    note = f" <small>({escape(message.note)})</small>" if message.note else ""
    text = "\n".join([*message.headers, "", message.body]).rstrip()
    return f"<div><b>{what}: <code>{escape(message.line)}</code></b>{note}<pre>{escape(text)}</pre></div>"


def _all_rules(report: Report, evidence: Evidence) -> str:
    parts = [
        '<section><h2>All rules</h2><p><input id=filter type=search placeholder="filter: PROV, failed, MUST ..."></p>'
    ]
    for group, results in groupby(report.results, key=lambda result: result.rule.group):
        rows = "".join(_row(each, report, evidence) for each in results)
        parts.append(f"<h3>{_marked(group)}</h3><table><tbody>{rows}</tbody></table>")
    return "".join(parts) + "</section>"


def _row(result: RuleResult, report: Report, evidence: Evidence) -> str:
    rule = result.rule
    verdict = result.verdict.value
    reason = f"<br><small>{escape(evidence.text(result.reason))}</small>" if result.reason else ""
    shown = f'<a href="#{rule.id}">{verdict}</a>' if result.verdict is Verdict.FAILED else escape(verdict)
    weight = rule.weight(strict=report.strict)
    return (
        f'<tr class="v-{result.verdict.name.lower()} w-{weight.lower()}"><td>{rule.id}</td><td>{weight}</td>'
        f"<td>{_marked(rule.text)}{reason}</td><td>{shown}</td></tr>"
    )


def _plans(report: Report, evidence: Evidence) -> str:
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(evidence.text(seen))}</td></tr>" for name, seen in report.plans
    )
    return f"<section><h2>Plans that were used</h2><table><tbody>{rows}</tbody></table></section>"


def _marked(text: str) -> str:
    """Write a rule's text, with what stands between backticks as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts))


def _link(ref: str) -> str:
    first = ref.split(",", 1)[0].strip()
    file = "profile.md" if first.startswith("pL") else "spec.md"
    lines = first.removeprefix("p").replace("-", "-L")
    return f'<a href="{_SPECIFICATION}{file}?plain=1#{escape(lines)}">{escape(ref)}</a>'
