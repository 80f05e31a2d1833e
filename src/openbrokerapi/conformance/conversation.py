"""What a check has in its hands: the broker, plans to check with, and a place to write down what it found."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import unquote

from .asking import Asking, Binding, Instance
from .catalog_view import CatalogView
from .check import Check
from .cooperation import HOW_TO_GET, BrokerHelp, Trait
from .exclusions import excluded
from .ledger import Verdict
from .subjects import Subject, makeable
from .wire import Answer, Clock, Endpoint, NoAnswer, Request

if TYPE_CHECKING:
    from .run import Run


SLOW_PLAN = f"give the trait {Trait.SLOW} in the file to {HOW_TO_GET[Trait.SLOW]}"


_PAUSE = 0.2  # seconds between two looks whether the broker is back


class SetAside(Exception):  # noqa: N818 - it says why a check ends here
    """A check cannot judge its remaining rules; the text says why."""

    def __init__(self, verdict: Verdict, reason: str) -> None:
        super().__init__(reason)
        self.verdict = verdict
        self.reason = reason


@dataclass(frozen=True)
class End:
    """How an asynchronous operation ended.

    Attributes:
        state: ``succeeded``, ``failed``, or ``gone`` for 410.
        polls: All answers of the polling, the last one says the state.
    """

    state: str
    polls: tuple[Answer, ...]

    @property
    def last(self) -> Answer:
        """The answer that says the state."""
        return self.polls[-1]


class Conversation:
    """One check's conversation with the broker.

    Attributes:
        check: Which check.
        ask: Writes well-formed requests; change them as the check needs.
        catalog: The broker's catalog.
        subjects: All plans of the run, whether usable or not.
        help: What the file says of the broker as a whole.
        clock: Time.
        version: The version of the specification asked for.
        url: Where the broker is; empty where that is not known.
    """

    def __init__(self, run: Run, check: Check) -> None:
        self._run = run
        self.check = check
        # In an organization of its own: quotas of organizations are not used up by other checks.
        self.ask: Asking = replace(run.ask, organization=run.ask.new_id(), space=run.ask.new_id())
        self.catalog: CatalogView = run.catalog
        self.catalog_answer: Answer | None = run.catalog_answer
        self.subjects: list[Subject] = run.subjects
        self.help: BrokerHelp = run.cooperation.broker
        self.clock: Clock = run.clock
        self.version: str = run.version
        self.url: str = run.url

    # -- sending

    async def send(self, request: Request) -> Answer:
        """Send one request.

        Raises:
            NoAnswer: The broker did not answer. The check ends there; `ASY-01` is judged by it.
        """
        return await self._run.send(request, self.check.sentence)

    async def race(self, *requests: Request) -> list[Answer]:
        """Send requests at the same time; the answers are in the order of the requests."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.send(request)) for request in requests]
        return [task.result() for task in tasks]

    async def switch(self, name: str) -> str:
        """Do to the broker what the file says under `name` of `broker`, such as ``restart``; return what it printed.

        Raises:
            SetAside: The file does not say how.
        """
        done = await self._run.switches.do(name)
        if name == "restart":
            await self._is_back()
        return done

    async def _is_back(self) -> None:
        """Wait until the broker answers again."""
        until = self.clock.now() + self._run.patience
        while self.clock.now() < until:
            try:
                await self._run.sender.send(self.ask.catalog())
            except NoAnswer:
                await self.clock.sleep(_PAUSE)
            else:
                return
        self.undecided(f"the broker did not answer within {self._run.patience:g} s after its restart")

    # -- judging

    def expect(self, rule: str, holds: bool, expected: str, *answers: Answer) -> bool:
        """Write down whether `rule` holds; `expected` says what the last answer should have been, in a few words."""
        self._run.ledger.judge(rule, holds, self.check.sentence, expected, answers)
        return holds

    def expect_status(self, answer: Answer, statuses: int | tuple[int, ...], *rules: str) -> bool:
        """Write down for each rule whether the status is one of these."""
        wanted = (statuses,) if isinstance(statuses, int) else statuses
        holds = answer.status in wanted
        for rule in rules:
            self.expect(rule, holds, "status " + " or ".join(map(str, wanted)), answer)
        return holds

    def not_applicable(self, reason: str) -> NoReturn:
        """End the check: what its remaining rules are about does not occur with this broker."""
        raise SetAside(Verdict.NOT_APPLICABLE, reason)

    def undecided(self, reason: str) -> NoReturn:
        """End the check: its remaining rules could not be decided, because something else went wrong."""
        raise SetAside(Verdict.UNDECIDED, reason)

    def needs_help(self, what: str) -> NoReturn:
        """End the check: the file has to say something first."""
        raise SetAside(Verdict.NEEDS_HELP, what)

    # -- plans to check with

    def subject(
        self,
        where: Callable[[Subject], bool] = lambda _: True,
        wanted: str = "a plan that can be provisioned",
        *,
        asynchronous: Endpoint | None = None,
    ) -> Subject:
        """Find a plan of which instances can be made; the plainest and quickest one where there are several.

        Args:
            where: What is asked of it.
            wanted: The same in words, for the reason why a rule is not applicable.
            asynchronous: The endpoint that has to answer 202.

        Raises:
            SetAside: There is none.
        """
        found = [each for each in self.usable() if where(each)]
        if asynchronous is not None:
            wanted += f" and answers 202 to {asynchronous}"
            found = [each for each in found if each.life.asynchronous(asynchronous)]
        if not found:
            self._nothing_to_check_with()
            self.not_applicable(f"there is no such plan: {wanted}")
        return min(found, key=lambda each: _plainness(each, asynchronous))

    def _nothing_to_check_with(self) -> None:
        """End the check if there are plans, and an instance of none could be made.

        Raises:
            SetAside: So it is.
        """
        if self.usable() or not self.subjects:
            return
        if any(makeable(each) and each.parameters is None for each in self.subjects):
            self.needs_help("no parameters can be guessed from the schemas of the plans: give them in the file")
        self.undecided(f"no plan could be provisioned; of {self.subjects[0].name}: {self.subjects[0].life.trouble}")

    def usable(self) -> list[Subject]:
        """List the plans of which instances can be made."""
        return [each for each in self.subjects if each.usable]

    def bindable_subject(
        self,
        where: Callable[[Subject], bool] = lambda _: True,
        wanted: str = "a plan that can be bound",
        *,
        asynchronous: Endpoint | None = None,
    ) -> Subject:
        """Find a plan whose instances can be bound; else as `subject`."""
        return self.subject(lambda each: each.bindable and where(each), wanted, asynchronous=asynchronous)

    def subject_with(self, trait: Trait, where: Callable[[Subject], bool] = lambda _: True) -> Subject:
        """Find the plan to which the file gives a trait.

        Raises:
            SetAside: The file names none, or by the catalog there can be none.
        """
        found = [each for each in self.subjects if each.has(trait) and where(each)]
        if not found:
            if reason := excluded(trait, self.catalog):
                self.not_applicable(reason)
            self.needs_help(f"give the trait {trait} in the file to {HOW_TO_GET[trait]}")
        return found[0]

    # -- making and removing

    async def instance(self, subject: Subject | None = None, **fields: Any) -> Instance:
        """Provision an instance and wait until it is there. It is removed when the check is over.

        Raises:
            SetAside: It could not be made.
        """
        return await self.provisioned(self.ask.provision(subject or self.subject(), **fields), subject)

    async def provisioned(self, request: Request, subject: Subject | None = None) -> Instance:
        """Send a provision and wait until the instance is there; else as `instance`."""
        instance = self.named_instance(request, subject or self.subject(), await self.send(request))
        await self.done(instance.answer, instance)
        return instance

    def named_instance(self, request: Request, subject: Subject, answer: Answer | None = None) -> Instance:
        """Name the instance that a provision is about."""
        return Instance(_last_segment(request), subject, request, answer)

    async def standing_instance(self, subject: Subject | None = None) -> Instance:
        """Return an instance that other checks have before and after; for those that change nothing of it.

        It is removed when the run is over.

        Raises:
            SetAside: It could not be made.
        """
        return await self._run.standing(subject or self.subject(), self)

    async def binding(self, instance: Instance, **fields: Any) -> Binding:
        """Bind an instance and wait until the binding is there. It is removed when the check is over.

        Raises:
            SetAside: It could not be made.
        """
        return await self.bound(self.ask.bind(instance, **fields), instance)

    async def bound(self, request: Request, instance: Instance) -> Binding:
        """Send a bind and wait until the binding is there; else as `binding`."""
        binding = self.named_binding(request, instance, await self.send(request))
        await self.done(binding.answer, binding)
        return binding

    def named_binding(self, request: Request, instance: Instance, answer: Answer | None = None) -> Binding:
        """Name the binding that a bind is about."""
        return Binding(_last_segment(request), instance, request, answer)

    async def finish(self, answer: Answer, thing: Instance | Binding) -> End:
        """Poll until the operation that a 202 began has ended.

        Raises:
            SetAside: It does not end in time, or a poll is answered with something else than a state.
        """
        polls = await self.polled(self.poll_of(answer, thing))
        last = polls[-1]
        state = "gone" if last.status == 410 else last.fields.get("state")
        if last.status not in (200, 410) or state not in ("succeeded", "failed", "gone"):
            self.undecided(f"a poll of the {answer.request.endpoint} was answered with {last.status} and no state")
        if state in ("succeeded", "gone") and answer.request.method == "DELETE":
            self._run.belongings.gone(answer.request.path)
        return End(str(state), polls)

    async def polled(self, poll: Request, *, seconds: float | None = None) -> tuple[Answer, ...]:
        """Send a poll again and again until it is answered with something else than ``in progress``, whatever that is.

        Args:
            poll: What is sent.
            seconds: End also when it is still in progress after so many.

        Raises:
            SetAside: It is in progress for longer than the run's patience.
        """
        polls: list[Answer] = []
        began, patience = self.clock.now(), self._run.patience
        while True:
            sent = self.clock.now() - began
            polls.append(await self.send(poll))
            if not _in_progress(polls[-1]) or (seconds is not None and sent > seconds):
                return tuple(polls)
            if sent > patience:
                self.undecided(f"{poll.endpoint}: in progress for more than {patience:g} s")
            await self.clock.sleep(self._run.pause(polls[-1], len(polls)))

    async def still_in_progress(self, answer: Answer, thing: Instance | Binding) -> None:
        """Make sure that what was sent since a 202 was sent while its operation ran.

        Raises:
            SetAside: The operation is over, or was when the broker was asked.
        """
        if not await self.runs(answer, thing):
            self.ended_early(answer)

    def poll_of(self, answer: Answer, thing: Instance | Binding) -> Request:
        """Write the poll of the operation that a 202 began."""
        if isinstance(thing, Binding):
            return self.ask.poll_binding(thing, answer.operation)
        return self.ask.poll(thing, answer.operation)

    async def remove(self, thing: Instance | Binding) -> Answer:
        """Delete an instance or a binding, and wait until it is gone.

        Raises:
            SetAside: It could not be removed.
        """
        request = self.ask.unbind(thing) if isinstance(thing, Binding) else self.ask.deprovision(thing)
        answer = await self.send(request)
        await self.done(answer, thing)
        return answer

    async def begin(self, request: Request) -> Answer:
        """Send what the broker does asynchronously, and do not wait for its end.

        Raises:
            SetAside: It was answered with something else than 202.
        """
        answer = await self.send(request)
        if answer.status != 202:
            self.undecided(f"the {request.endpoint} was answered with {answer.status}, and with 202 before")
        return answer

    async def runs(self, begun: Answer, thing: Instance | Binding) -> bool:
        """Say whether the operation that a 202 began is still in progress."""
        return _in_progress(await self.send(self.poll_of(begun, thing)))

    def ended_early(self, begun: Answer) -> NoReturn:
        """End the check: an operation was over before the requests that were to meet it had been sent."""
        self.needs_help(f"the {begun.request.endpoint} was over too soon; {SLOW_PLAN}")

    async def trace_of(self, instance: Instance) -> Answer | None:
        """Return the answer that shows that the broker has an instance, None where none does; it is deleted then."""
        if instance.subject.offering.instances_retrievable:
            fetched = await self.send(self.ask.fetch(instance))
            if fetched.status == 200:
                return fetched
        deleted = await self.send(self.ask.deprovision(instance))
        if not deleted.ok:
            return None
        # A broker that answers so to the DELETE of anything (DEP-16) says nothing with it.
        control = await self.send(self.ask.deprovision(self.ask.unknown_instance(instance.subject)))
        return None if control.ok else deleted

    async def done(self, answer: Answer | None, thing: Instance | Binding) -> None:
        """Wait until what a request began with this answer is done.

        Raises:
            SetAside: It was refused, or it failed.
        """
        if answer is None or not answer.ok:
            status = answer.status if answer else "nothing"
            what = answer.request.endpoint if answer else "the request"
            if answer is not None and answer.refused and answer.request.endpoint is Endpoint.PROVISION:
                self._run.cramped = True
            self.undecided(f"the {what} that this check begins with was answered with {status}")
        if answer.status == 202:
            end = await self.finish(answer, thing)
            if end.state == "failed" or (end.state == "gone" and answer.request.method != "DELETE"):
                self.undecided(f"the {answer.request.endpoint} that this check begins with ended {end.state}")


def _plainness(subject: Subject, asynchronous: Endpoint | None) -> tuple[int, int]:
    """Order plans: fewer oddities first, then those that are as quick as can be."""
    traits = subject.help.traits
    odd = len(traits - {Trait.SLOW})
    slow = subject.has(Trait.SLOW) or subject.life.asynchronous(Endpoint.PROVISION)
    return odd, slow if asynchronous is None else not subject.has(Trait.SLOW)


def _in_progress(poll: Answer) -> bool:
    return poll.status == 200 and poll.fields.get("state") == "in progress"


def _last_segment(request: Request) -> str:
    return unquote(request.path.rsplit("/", 1)[-1])
