"""The report as JUnit XML, for continuous integration: a suite for each group, a case for each rule."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import groupby

from openbrokerapi.conformance.ledger import Report, RuleResult, Verdict
from openbrokerapi.conformance.rules import Level

from .evidence import Evidence
from .plain import describe

#: What XML 1.0 cannot hold, not even as a reference.
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_junit(report: Report, evidence: Evidence, fail_on: Level) -> str:
    """Write the report as JUnit XML.

    Breaches that weigh `fail_on` or more are failures; lighter ones pass, with what is wrong as output. What was not
    judged is skipped, with the reason.
    """
    root = ET.Element("testsuites", name="Open Service Broker API " + report.version)
    failures = 0
    for group, found in groupby(report.results, key=lambda result: result.rule.group):
        failures += _suite(root, group, list(found), report, evidence, fail_on)
    root.set("tests", str(len(report.results)))
    root.set("failures", str(failures))
    root.set("time", f"{report.seconds:.3f}")
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(
    root: ET.Element,
    group: str,
    results: list[RuleResult],
    report: Report,
    evidence: Evidence,
    fail_on: Level,
) -> int:
    suite = ET.SubElement(root, "testsuite", name=group, tests=str(len(results)))
    failures = 0
    for result in results:
        case = ET.SubElement(suite, "testcase", classname=group, name=f"{result.rule.id} {_clean(result.rule.text)}")
        if result.verdict is Verdict.FAILED:
            failures += _failure(case, result, report, evidence, fail_on)
        elif result.verdict is not Verdict.PASSED:
            message = f"{result.verdict}: {evidence.text(result.reason)}"
            ET.SubElement(case, "skipped", message=_clean(message))
    suite.set("failures", str(failures))
    return failures


def _failure(case: ET.Element, result: RuleResult, report: Report, evidence: Evidence, fail_on: Level) -> bool:
    weight = result.rule.weight(strict=report.strict)
    counts = weight.at_least(fail_on)
    if counts:
        expected = "; ".join(dict.fromkeys(evidence.text(each.expected) for each in result.findings))
        into = ET.SubElement(case, "failure", type=weight, message=_clean(f"expected {expected}"))
    else:
        into = ET.SubElement(case, "system-out")
    into.text = _clean(describe(result, report, evidence))
    return counts


def _clean(text: str) -> str:
    return _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)
