"""What came of playing scenarios."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from openbrokerapi.conformance.reports.evidence import Evidence, Message
from openbrokerapi.conformance.wire import Answer

#: Exchanges that are shown of a fault, the last ones.
_SHOWN = 4


@dataclass(frozen=True)
class Fault:
    """Something that a broker did wrong.

    Attributes:
        expected: What should have been, in a few words.
        answers: What was sent and answered, the last one is what it is about.
        rule: The rule of the specification, such as ``PROV-21``; empty where no single one says it.
    """

    expected: str
    answers: tuple[Answer, ...] = field(default=(), repr=False)
    rule: str = ""


@dataclass(frozen=True)
class Outcome:
    """What came of one scenario.

    Attributes:
        scenario: Its name.
        faults: What the broker did wrong; empty if nothing.
        aside: Why the scenario does not apply to the broker; empty if it does.
        answers: All that was sent and answered, in its order; of what got no answer, the status is 0.
        secrets: Texts that :meth:`text` does not show: the values of the parameters that were given.
    """

    scenario: str
    faults: tuple[Fault, ...] = ()
    aside: str = ""
    answers: tuple[Answer, ...] = field(default=(), repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def text(self) -> str:
        """Write what went wrong, for people and without secrets."""
        lines, evidence = [self.scenario], Evidence(self.secrets)
        if self.aside:
            lines[0] += f": does not apply, {self.aside}"
        for fault in self.faults:
            lines.append(f"  expected{f' ({fault.rule})' if fault.rule else ''}: {fault.expected}")
            for answer in fault.answers[-_SHOWN:]:
                lines += _exchange(answer, evidence)
        return "\n".join(lines)


def _exchange(answer: Answer, evidence: Evidence) -> list[str]:
    sent, came = evidence.request(answer.request), evidence.answer(answer)
    return [f"    {sent.line}{_body(sent)}", f"      {came.line}{_body(came)}"]


def _body(message: Message) -> str:
    return " " + " ".join(message.body.split()) if message.body else ""


@dataclass(frozen=True)
class Report:
    """What came of several scenarios.

    Attributes:
        outcomes: One for each, in the order played.
    """

    outcomes: tuple[Outcome, ...]

    @property
    def faults(self) -> tuple[Fault, ...]:
        """All that the broker did wrong."""
        return tuple(fault for outcome in self.outcomes for fault in outcome.faults)

    @property
    def failed(self) -> tuple[str, ...]:
        """The names of the scenarios in which it did something wrong."""
        return tuple(outcome.scenario for outcome in self.outcomes if outcome.faults)

    @property
    def survived(self) -> tuple[str, ...]:
        """The names of the scenarios that apply, and in which it did nothing wrong."""
        return tuple(outcome.scenario for outcome in self.outcomes if not outcome.faults and not outcome.aside)

    @property
    def aside(self) -> dict[str, str]:
        """The names of the scenarios that do not apply, each with the reason."""
        return {outcome.scenario: outcome.aside for outcome in self.outcomes if outcome.aside}

    def text(self, only: Collection[str] | None = None) -> str:
        """Write what went wrong, for people and without secrets.

        Args:
            only: The names of the scenarios to write of; those that failed unless given.
        """
        chosen = self.failed if only is None else only
        return "\n\n".join(outcome.text() for outcome in self.outcomes if outcome.scenario in chosen)
