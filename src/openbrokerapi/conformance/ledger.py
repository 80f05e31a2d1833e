"""What was found about each rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from .rules import Level, Rule, all_rules
from .wire import Answer


class Verdict(StrEnum):
    """What is known of one rule after a run."""

    PASSED = "passed"
    FAILED = "failed"
    EXCEPTED = "known exception"
    NOT_APPLICABLE = "not applicable"
    NEEDS_HELP = "needs the broker's help"
    UNDECIDED = "could not be decided"
    NOT_VISIBLE = "cannot be seen from outside"
    NOT_ASKED = "not asked"


@dataclass(frozen=True)
class Finding:
    """One breach of one rule.

    Attributes:
        rule: Which.
        check: The sentence of the check that found it.
        expected: What the answer should have been, in a few words.
        answers: What was sent and answered, the last one is what it is about.
    """

    rule: Rule
    check: str
    expected: str
    answers: tuple[Answer, ...] = field(repr=False)


@dataclass(frozen=True)
class RuleResult:
    """What a run says of one rule.

    Attributes:
        rule: Which.
        verdict: What is known.
        reason: Why there is no better verdict; empty for those passed and failed.
        findings: The breaches, where it failed.
        checks: The sentences of the checks that judged it.
        times: How often it was judged.
    """

    rule: Rule
    verdict: Verdict
    reason: str = ""
    findings: tuple[Finding, ...] = ()
    checks: tuple[str, ...] = ()
    times: int = 0


@dataclass
class _Page:
    findings: list[Finding] = field(default_factory=list)
    checks: dict[str, int] = field(default_factory=dict)
    aside: list[tuple[Verdict, str, str]] = field(default_factory=list)


#: Breaches of one rule that one check finds beyond these add nothing.
_ENOUGH = 3

#: Which word counts where several checks set the same rule aside.
_STRONGEST = (Verdict.UNDECIDED, Verdict.NEEDS_HELP, Verdict.NOT_APPLICABLE)


class Ledger:
    """Collects judgements while a run goes on.

    Args:
        asked: The ids of the rules that are asked for, with the reasons of those that are not left to the report.
    """

    def __init__(self, asked: Iterable[str]) -> None:
        self.asked = frozenset(asked)
        self._pages: dict[str, _Page] = {}

    def judge(self, rule: str, holds: bool, check: str, expected: str, answers: tuple[Answer, ...]) -> None:
        """Write down that a rule held, or did not."""
        if rule not in self.asked:
            return
        page = self._page(rule)
        page.checks[check] = page.checks.get(check, 0) + 1
        if not holds and sum(finding.check == check for finding in page.findings) < _ENOUGH:
            page.findings.append(Finding(all_rules()[rule], check, expected, answers))

    def set_aside(self, rule: str, verdict: Verdict, reason: str, check: str) -> None:
        """Write down why a check did not judge a rule."""
        if rule in self.asked:
            self._page(rule).aside.append((verdict, reason, check))

    def doubtful(self) -> set[str]:
        """List the checks that found something, or could not decide something."""
        found = {finding.check for page in self._pages.values() for finding in page.findings}
        open_ = {check for page in self._pages.values() for each, _, check in page.aside if each is Verdict.UNDECIDED}
        return found | open_

    def forget(self, check: str) -> None:
        """Drop all that a check has written down: it is to be made again."""
        for page in self._pages.values():
            page.checks.pop(check, None)
            page.findings = [finding for finding in page.findings if finding.check != check]
            page.aside = [each for each in page.aside if each[2] != check]

    def judged(self, rule: str, check: str) -> bool:
        """Say whether a check has judged a rule, or need not."""
        return rule not in self.asked or check in self._page(rule).checks

    def failed(self) -> list[str]:
        """List the rules broken so far."""
        return [rule for rule, page in self._pages.items() if page.findings]

    def result(
        self, rule: Rule, otherwise: Mapping[str, tuple[Verdict, str]], *, ended_early: bool = False
    ) -> RuleResult:
        """Sum up one rule; `otherwise` says why rules were not asked for."""
        if rule.id in otherwise:
            verdict, reason = otherwise[rule.id]
            return RuleResult(rule, verdict, reason)
        page = self._pages.get(rule.id, _Page())
        if page.checks:
            verdict = Verdict.FAILED if page.findings else Verdict.PASSED
            times = sum(page.checks.values())
            return RuleResult(rule, verdict, "", tuple(page.findings), tuple(page.checks), times)
        for verdict in _STRONGEST:
            reasons = [reason for found, reason, _ in page.aside if found is verdict]
            if reasons:
                return RuleResult(rule, verdict, reasons[0])
        if ended_early:
            return RuleResult(rule, Verdict.UNDECIDED, "the run was ended before it could be judged")
        return RuleResult(rule, Verdict.NOT_APPLICABLE, "nothing that the broker answered had to do with it")

    def _page(self, rule: str) -> _Page:
        return self._pages.setdefault(rule, _Page())


@dataclass(frozen=True)
class LeftBehind:
    """Something that the run made and could not remove.

    Attributes:
        kind: ``instance`` or ``binding``.
        id: Its id.
        instance_id: The instance's id, of a binding.
        service_id: For its removal.
        plan_id: For its removal.
        reason: What the broker answered.
    """

    kind: str
    id: str
    instance_id: str
    service_id: str
    plan_id: str
    reason: str


@dataclass(frozen=True)
class Report:
    """All that a run found.

    Attributes:
        url: The broker's address, without credentials.
        version: The version of the specification asked for.
        strict: Whether interpretations weigh like the rest.
        results: One for each rule of class B and C, in the specification's order.
        left_behind: What could not be removed.
        plans: The plans that were used, as ``offering/plan``, with what was seen of each.
        usable_plans: Of how many of them an instance could be made.
        requests: How many were sent.
        seconds: How long it took.
        interrupted: Whether somebody ended it early.
        troubles: Checks that broke on an answer, which they should not.
    """

    url: str
    version: str
    strict: bool
    results: tuple[RuleResult, ...]
    left_behind: tuple[LeftBehind, ...] = ()
    plans: tuple[tuple[str, str], ...] = ()
    usable_plans: int = 0
    requests: int = 0
    seconds: float = 0.0
    interrupted: bool = False
    troubles: tuple[str, ...] = ()

    def failed(self, level: Level | None = None) -> list[RuleResult]:
        """List the rules that failed; of one weight, where `level` is given."""
        found = [result for result in self.results if result.verdict is Verdict.FAILED]
        return [each for each in found if level is None or each.rule.weight(strict=self.strict) is level]

    @property
    def empty(self) -> bool:
        """Whether no instance could be made, so that what matters most could not be decided."""
        return not self.usable_plans and bool(self.count(Verdict.UNDECIDED))

    def breaches(self, fail_on: Level) -> list[RuleResult]:
        """List the failed rules that weigh so much or more."""
        return [each for each in self.failed() if each.rule.weight(strict=self.strict).at_least(fail_on)]

    def count(self, verdict: Verdict) -> int:
        """Count the rules of this verdict."""
        return sum(result.verdict is verdict for result in self.results)
