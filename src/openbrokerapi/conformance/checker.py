"""A whole run: survey, checks, cleaning up, report."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Protocol
from uuid import uuid4

from .asking import Asking
from .catalog_view import CatalogView
from .check import Check, all_checks, all_watches, checked_rules
from .clocks import RealClock
from .conversation import Conversation, SetAside
from .cooperation import Cooperation
from .invisible import invisible_rules
from .ledger import Ledger, LeftBehind, Report, RuleResult, Verdict
from .rules import all_rules
from .run import Run
from .subjects import Subject, choose
from .survey import SURVEY, survey
from .switches import CannotSwitch
from .wire import Answer, Clock, Credentials, Endpoint, NoAnswer, Request, Sender


class Listener(Protocol):
    """Hears what a run does, for a display."""

    def begins(self, checks: int) -> None:
        """So many checks are about to run."""
        ...

    def check_begins(self, check: Check) -> None:
        """A check begins."""
        ...

    def answered(self, answer: Answer) -> None:
        """The broker has answered a request."""
        ...

    def check_ended(self, check: Check) -> None:
        """A check has ended."""
        ...

    def cleaning_up(self) -> None:
        """What is left is being removed."""
        ...


class NoListener:
    """Hears nothing."""

    def begins(self, checks: int) -> None:
        """Do nothing."""

    def check_begins(self, check: Check) -> None:
        """Do nothing."""

    def answered(self, answer: Answer) -> None:
        """Do nothing."""

    def check_ended(self, check: Check) -> None:
        """Do nothing."""

    def cleaning_up(self) -> None:
        """Do nothing."""


class _Sends(Protocol):
    async def send(self, request: Request) -> Answer: ...


class CannotCheck(Exception):  # noqa: N818 - it carries the sentence for the user
    """There is nothing to check: no broker answers at the address, or it gives no catalog to these credentials."""


@dataclass(frozen=True)
class Options:
    """How to run.

    Attributes:
        version: The version of the specification; younger rules are not asked for.
        strict: Whether interpretations weigh like the rest.
        only: Rules, or groups such as ``PROV``; empty for all.
        skip: Rules, or groups, that are not asked for.
        parallel: How many checks run at the same time.
        patience: For how many seconds an operation is polled.
        exceptions: Known breaches by rule, with the reasons.
    """

    version: str = "2.17"
    strict: bool = False
    only: Collection[str] = ()
    skip: Collection[str] = ()
    parallel: int = 8
    patience: float = 120.0
    exceptions: dict[str, str] = field(default_factory=dict)

    def not_asked(self) -> dict[str, tuple[Verdict, str]]:
        """Say of each rule that is not asked for, why."""
        found: dict[str, tuple[Verdict, str]] = {}
        for rule in all_rules().values():
            reason = invisible_rules().get(rule.id)
            if not rule.applies_to(self.version):
                found[rule.id] = (Verdict.NOT_ASKED, f"it is younger than version {self.version}")
            elif reason is not None:
                found[rule.id] = (Verdict.NOT_VISIBLE, reason)
            elif (self.only and not _named(rule.id, self.only)) or _named(rule.id, self.skip):
                found[rule.id] = (Verdict.NOT_ASKED, "left out by the options")
            elif rule.id not in checked_rules():
                found[rule.id] = (Verdict.NOT_ASKED, "there is no check for it yet")
        return found


def _named(rule: str, names: Collection[str]) -> bool:
    return rule in names or rule.split("-", 1)[0] in names


async def catalog_answer(sender: _Sends, ask: Asking) -> Answer:
    """Fetch the catalog to check with.

    Raises:
        CannotCheck: None can be had; the text says why.
    """
    try:
        answer = await sender.send(ask.catalog())
    except NoAnswer as error:
        raise CannotCheck(f"no broker answers there: {error.reason}") from error
    if answer.status == 401:
        raise CannotCheck("the broker does not take these credentials: it answered GET /v2/catalog with 401")
    if answer.status != 200 or not answer.is_object:
        raise CannotCheck(f"there is no catalog to check with: GET /v2/catalog was answered with {answer.status}")
    return answer


class Checker:
    """Checks one broker once.

    Args:
        sender: Sends requests to it.
        credentials: What is shown to it.
        url: For the report.
        options: How to run.
        cooperation: The broker's help.
        clock: Time.
        new_id: Makes globally unique ids.
        listener: Hears what happens.
    """

    def __init__(
        self,
        sender: Sender,
        credentials: Credentials,
        *,
        url: str = "",
        options: Options | None = None,
        cooperation: Cooperation | None = None,
        clock: Clock | None = None,
        new_id: Callable[[], str] = lambda: str(uuid4()),
        listener: Listener | None = None,
    ) -> None:
        self._options = options or Options()
        self._not_asked = self._options.not_asked()
        self._clock = clock or RealClock()
        self._listener = listener or NoListener()
        self._ledger = Ledger(set(all_rules()) - set(self._not_asked))
        self._url = url
        self._left: list[LeftBehind] = []
        self._troubles: list[str] = []
        self._interrupted = False
        self.run = Run(
            sender,
            self._clock,
            Asking(self._options.version, credentials, new_id),
            self._ledger,
            all_watches(),
            cooperation=cooperation or Cooperation(),
            patience=self._options.patience,
            url=url,
        )

    async def check(self) -> Report:
        """Run all that is asked for, and clean up, also when cancelled.

        Raises:
            CannotCheck: No catalog can be had.
            BadFile: The file names a plan that the catalog does not have.
        """
        began = self._clock.now()
        self.run.listen = self._listener.answered
        await self._prepare()
        try:
            await self._survey()
            await self._hold(all_checks())
        except asyncio.CancelledError:
            self._interrupted = True
        finally:
            self._listener.cleaning_up()
            await self._remove(None)
        return self._report(self._clock.now() - began)

    async def _prepare(self) -> None:
        answer = await catalog_answer(self.run, self.run.ask)
        self.run.catalog_answer = answer
        self.run.catalog = CatalogView(answer.json)
        self.run.subjects = choose(self.run.catalog, self.run.cooperation)

    async def _survey(self) -> None:
        talk = Conversation(self.run, SURVEY)
        room = asyncio.Semaphore(self._options.parallel)

        async def one(index: int) -> None:
            async with room:
                await survey(talk, self.run.subjects[index])

        async with asyncio.TaskGroup() as group:
            for index in range(len(self.run.subjects)):
                group.create_task(one(index))
        await self._remove(SURVEY.sentence)
        await self._survey_again(talk)

    async def _survey_again(self, talk: Conversation) -> None:
        """Look alone at the plans of which not all was seen: others may have taken the room, or an answer was lost."""
        for subject in [each for each in self.run.subjects if each.life.answers and each.life.trouble]:
            subject.life.forget()
            await survey(talk, subject)
            await self._remove(SURVEY.sentence)

    async def _hold(self, checks: tuple[Check, ...]) -> None:
        asked = [each for each in checks if not self._ledger.asked.isdisjoint(each.rules)]
        if any(not self._ledger.asked.isdisjoint(each.rules) for each in all_watches()):
            # Watches need answers to look at, of every kind that this version has.
            asked = [each for each in checks if self._is_of_the_version(each)]
        self._listener.begins(len(asked))
        room = asyncio.Semaphore(self._options.parallel)

        async def one(check: Check) -> None:
            async with room:
                await self._one(check)

        async with asyncio.TaskGroup() as group:
            for check in asked:
                if not check.alone:
                    group.create_task(one(check))
        await self._hold_again([check for check in asked if not check.alone])
        for check in asked:
            if check.alone:
                await self._one(check)

    async def _hold_again(self, checks: list[Check]) -> None:
        """Where the broker had no room for all checks at once, hold those alone that came to no good end."""
        if not self.run.cramped:
            return
        doubtful = self._ledger.doubtful()
        for check in checks:
            if check.sentence in doubtful:
                await self._empty()
                self._ledger.forget(check.sentence)
                await self._one(check)

    async def _empty(self) -> None:
        """Remove also what checks share."""
        await self._remove(None)
        self.run.forget_standing()

    async def _one(self, check: Check) -> None:
        self._listener.check_begins(check)
        try:
            await self._act(check)
        finally:
            await self._remove(check.sentence)
            self.run.release(check.sentence)
            self._listener.check_ended(check)

    async def _remove(self, owner: str | None) -> None:
        """Remove what was made, also when cancelled meanwhile; the cancellation goes on afterwards."""
        removal = asyncio.ensure_future(self.run.remove(owner))
        cancelled = False
        while not removal.done():
            try:
                await asyncio.wait({removal})
            except asyncio.CancelledError:
                cancelled = True
        self._left += removal.result()
        if cancelled:
            self._interrupted = True
            if owner is not None:
                raise asyncio.CancelledError

    def _is_of_the_version(self, check: Check) -> bool:
        return any(all_rules()[rule].applies_to(self._options.version) for rule in check.rules)

    async def _act(self, check: Check) -> None:
        try:
            await check.act(Conversation(self.run, check))
        except (SetAside, CannotSwitch) as aside:
            self._set_aside(check, aside.verdict, str(aside))
        except NoAnswer as error:
            self._set_aside(check, Verdict.UNDECIDED, str(error))
        except BaseExceptionGroup as group:
            if group.split(NoAnswer)[1] is not None:
                raise
            self._set_aside(check, Verdict.UNDECIDED, str(group.exceptions[0]))
        except Exception as error:  # noqa: BLE001 - a strange answer must not end the run
            self._troubles.append(f"{check.sentence}: {type(error).__name__}: {error}")
            self._set_aside(check, Verdict.UNDECIDED, f"the check broke on an answer: {type(error).__name__}")

    def _set_aside(self, check: Check, verdict: Verdict, reason: str) -> None:
        for rule in check.rules:
            if not self._ledger.judged(rule, check.sentence):
                self._ledger.set_aside(rule, verdict, reason, check.sentence)

    def _report(self, seconds: float) -> Report:
        results = []
        for rule in all_rules().values():
            result = self._ledger.result(rule, self._not_asked, ended_early=self._interrupted)
            results.append(self._excepted(result))
        return Report(
            self._url,
            self._options.version,
            self._options.strict,
            tuple(results),
            tuple(self._left),
            tuple((each.name, _seen(each)) for each in self.run.subjects),
            sum(each.usable for each in self.run.subjects),
            self.run.requests,
            seconds,
            self._interrupted,
            tuple(self._troubles),
        )

    def _excepted(self, result: RuleResult) -> RuleResult:
        reason = self._options.exceptions.get(result.rule.id)
        if reason is None or result.verdict is not Verdict.FAILED:
            return result
        return replace(result, verdict=Verdict.EXCEPTED, reason=reason)


def _seen(subject: Subject) -> str:
    """Say in a few words what the survey saw of a plan."""
    if subject.life.trouble:
        return subject.life.trouble
    late = [endpoint.value for endpoint in Endpoint if subject.life.asynchronous(endpoint)]
    return "asynchronous: " + ", ".join(late) if late else "all at once"
