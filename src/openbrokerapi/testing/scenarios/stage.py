"""Where a scenario is played: it sends requests, notes what is wrong, and cleans up behind itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import uuid4

from openbrokerapi.conformance.asking import Asking, Binding, Instance
from openbrokerapi.conformance.subjects import Subject
from openbrokerapi.conformance.wire import Answer, NoAnswer, Request
from openbrokerapi.testing.hosts import Host, NotPossible

from .outcome import Fault

Thing = Instance | Binding
#: What a test says is there in truth, of what the broker's service holds.
Leftovers = Callable[[], Collection[object]]

#: Seconds between two polls, real ones: the first, by how much the next is longer, and the longest.
_FIRST, _GROWTH, _LONGEST = 0.05, 1.4, 1.0
#: The same where time is moved.
_MOVED_FIRST, _MOVED_GROWTH, _MOVED_LONGEST = 0.5, 1.6, 600.0
#: How often a deletion is tried that is refused, as while something is under way.
_TRIES, _FEW = 12, 2
_GONE, _NOT_FOUND, _CONFLICT, _UNPROCESSABLE = 410, 404, 409, 422
_SERVER_ERROR = 500


class Aside(Exception):  # noqa: N818 - it carries the reason
    """The scenario does not apply to this broker; the text says why."""


class Over(Exception):  # noqa: N818 - it is no error of the platform's
    """The broker did something that leaves no sense in going on; the fault is noted."""


class Stage:
    """One scenario's.

    Args:
        host: Where the broker runs.
        subject: The plan to play with.
        version: Of the specification.
        patience: For how many seconds an operation is polled, on the broker's clock.
    """

    def __init__(self, host: Host, subject: Subject, *, version: str = "2.17", patience: float = 60.0) -> None:
        self.host = host
        self.subject = subject
        self.ask = Asking(version, host.credentials, lambda: str(uuid4()))
        self.answers: list[Answer] = []
        self.faults: list[Fault] = []
        self._patience = patience
        self._instances: dict[str, Instance] = {}
        self._bindings: dict[tuple[str, str], Binding] = {}

    # What is asked.

    def instance(self, **fields: Any) -> Instance:
        """Name a new instance, with a provision of these fields that is not sent yet."""
        instance_id = str(uuid4())
        return self.kept(Instance(instance_id, self.subject, self.ask.provision(self.subject, instance_id, **fields)))

    def kept(self, instance: Instance) -> Instance:
        """Remember an instance, to be deleted in the end."""
        self._instances[instance.id] = instance
        return instance

    def binding(self, instance: Instance, binding_id: str | None = None, **fields: Any) -> Binding:
        """Name a binding, with a bind of these fields that is not sent yet."""
        chosen = binding_id or str(uuid4())
        made = Binding(chosen, instance, self.ask.bind(instance, chosen, **fields))
        self._bindings[instance.id, chosen] = made
        return made

    def deletion(self, thing: Thing) -> Request:
        """Write the request that deletes it."""
        return self.ask.deprovision(thing) if isinstance(thing, Instance) else self.ask.unbind(thing)

    def send(self, request: Request, *, via: int = 0) -> Answer:
        """Send one request.

        Raises:
            Over: There was no answer.
        """
        return self.at_once(request, via=(via,))[0]

    def at_once(self, *requests: Request, via: Sequence[int] = ()) -> list[Answer]:
        """Send requests at the same moment, each to a replica; a 5xx is a fault in every scenario.

        Raises:
            Over: One had no answer.
        """
        answers = self.unheard(*requests, via=via)
        for answer in answers:
            if not answer.status:
                self.expect(False, "an answer", answer)
                raise Over
            self.expect(answer.status < _SERVER_ERROR, "no status of 5xx", answer)
        return answers

    def unheard(self, *requests: Request, via: Sequence[int] = ()) -> list[Answer]:
        """Send requests whose answers the platform does not get to see; they are for the report only."""
        found = self.host.send(*requests, via=via)
        answers = [_answer(request, each) for request, each in zip(requests, found, strict=True)]
        self.answers += answers
        return answers

    def expect(self, holds: bool, expected: str, *answers: Answer, rule: str = "") -> bool:
        """Note a fault where something does not hold; tell whether it does."""
        if not holds:
            self.faults.append(Fault(expected, answers, rule))
        return holds

    def needed(self, holds: bool, expected: str, *answers: Answer, rule: str = "") -> None:
        """Note a fault where something does not hold without which the scenario cannot go on.

        Raises:
            Over: It does not hold.
        """
        if not self.expect(holds, expected, *answers, rule=rule):
            raise Over

    # What takes longer.

    def poll(self, thing: Thing, operation: str | None = None) -> Answer:
        """Ask once how an operation goes."""
        if isinstance(thing, Instance):
            return self.send(self.ask.poll(thing, operation))
        return self.send(self.ask.poll_binding(thing, operation))

    def is_running(self, thing: Thing, operation: str | None = None) -> bool:
        """Ask once whether an operation is still in progress."""
        answer = self.poll(thing, operation)
        return answer.status == 200 and answer.fields.get("state") == "in progress"

    def has_ended(self, thing: Thing, operation: str | None = None) -> bool:
        """Ask once whether an operation has ended; one that is not known has not."""
        answer = self.poll(thing, operation)
        return answer.status == _GONE or answer.fields.get("state") in ("succeeded", "failed")

    def end(self, thing: Thing, begun: Answer, *, deleting: bool = False) -> str:
        """Wait for the end of what an answer began: ``succeeded``, ``failed`` or, of a deletion, ``gone``.

        Raises:
            Over: There is no end, or a poll has no valid answer.
        """
        if begun.status != 202:
            return "gone" if deleting else "succeeded"
        pause, waited = (_MOVED_FIRST if self.host.moves else _FIRST), 0.0
        while True:
            answer = self.poll(thing, begun.operation)
            if deleting and answer.status == _GONE:
                return "gone"
            state = answer.fields.get("state")
            valid = answer.status == 200 and state in ("in progress", "succeeded", "failed")
            self.needed(valid, "a poll gives 200 with a state, while the operation may go on", begun, answer)
            if state != "in progress":
                return str(state)
            self.needed(waited < self._patience, f"the operation ends within {self._patience:g} s", begun, answer)
            waited += pause
            self.host.sleep(pause)
            pause = self._longer(pause)

    def _longer(self, pause: float) -> float:
        growth, longest = (_MOVED_GROWTH, _MOVED_LONGEST) if self.host.moves else (_GROWTH, _LONGEST)
        return min(longest, pause * growth)

    def ready(self, **fields: Any) -> Instance:
        """Make an instance, and wait until it is there.

        Raises:
            Over: It cannot be made, which is a fault: the rest of the scenario needs it.
        """
        instance = self.instance(**fields)
        self.made(instance)
        return instance

    def made(self, thing: Thing) -> Answer:
        """Send the request that makes it, and wait until it is there."""
        answer = self.send(thing.request)
        self.needed(answer.status in (200, 201, 202), "200, 201 or 202", answer)
        end = self.end(thing, answer)
        self.needed(end == "succeeded", "it succeeds", answer, self.answers[-1])
        return answer

    def creating(self, thing: Thing) -> Answer:
        """Send the request that makes it; go on while that goes on.

        Raises:
            Aside: It is done at once.
        """
        answer = self.send(thing.request)
        self.needed(answer.status in (200, 201, 202), "200, 201 or 202", answer)
        what = "provision" if isinstance(thing, Instance) else "bind"
        if answer.status != 202 or not self.is_running(thing, answer.operation):
            raise Aside(f"a {what} is done at once")
        return answer

    def deleting(self, thing: Thing) -> Answer:
        """Send the deletion; go on while that goes on.

        Raises:
            Aside: It is done at once.
        """
        answer = self.send(self.deletion(thing))
        self.needed(answer.status in (200, 202), "200 or 202", answer)
        if answer.status != 202 or not self.is_running(thing, answer.operation):
            raise Aside("a deletion is done at once")
        return answer

    def update(self, instance: Instance) -> Request:
        """Write an update that changes something; for scenarios that need one."""
        parameters, target = self.subject.update_parameters, self.subject.target
        if parameters:
            return self.ask.update(instance, parameters=parameters)
        return self.ask.update(instance, plan_id=target.id if target is not None else None)

    def restart(self) -> None:
        """End the broker in order, and start it again.

        Raises:
            Aside: That cannot be done from here.
        """
        try:
            self.host.restart()
        except NotPossible as error:
            raise Aside(str(error)) from None

    # What it looks like afterwards.

    def is_gone(self, thing: Thing, *before: Answer) -> None:
        """Look whether the broker knows nothing of it any more, as after a deletion."""
        kind = "DEP-16" if isinstance(thing, Instance) else "UNB-14"
        answer = self.send(self.deletion(thing))
        self.expect(answer.status == _GONE, "a deletion of what is gone gives 410", *before, answer, rule=kind)
        if self._retrievable(thing):
            found = self.fetch(thing)
            self.expect(found.status == _NOT_FOUND, "a fetch of what is gone gives 404", *before, found)

    def is_there(self, thing: Thing, *before: Answer) -> None:
        """Look whether it is still there: the request that made it is answered with 200, and so is a fetch."""
        answer = self.send(thing.request)
        # PROV-17, BIND-29: SHOULD, with 409 as the text's own way of saying that nothing was done.
        self.expect(answer.status in (200, _CONFLICT), "it is still there: the same request gives 200", *before, answer)
        self.is_known(thing, *before)

    def is_known(self, thing: Thing, *before: Answer) -> None:
        """Look whether it is still there, whatever it was changed to meanwhile."""
        if self._retrievable(thing):
            found = self.fetch(thing)
            self.expect(found.status == 200, "it is still there: a fetch gives 200", *before, found)

    def fetch(self, thing: Thing) -> Answer:
        """Fetch it."""
        return self.send(self.ask.fetch(thing) if isinstance(thing, Instance) else self.ask.fetch_binding(thing))

    def _retrievable(self, thing: Thing) -> bool:
        offering = self.subject.offering
        return offering.instances_retrievable if isinstance(thing, Instance) else offering.bindings_retrievable

    def strike(self, leftovers: Leftovers | None = None) -> None:
        """Delete all that was asked for, and see that nothing is left of it."""
        things: list[Thing] = [*self._bindings.values(), *self._instances.values()]
        for thing in things:
            with suppress(Over):  # the fault is noted
                self.remove(thing)
        if leftovers is not None:
            self._look_at(leftovers)

    def remove(self, thing: Thing) -> None:
        """Delete something now, and see that nothing is left of it.

        Raises:
            Over: It cannot be deleted, which is a fault.
        """
        if isinstance(thing, Instance):
            self._instances.pop(thing.id, None)
        else:
            self._bindings.pop((thing.instance.id, thing.id), None)
        answer = self.send(self.deletion(thing))
        for tried in range(_TRIES):
            # Only what is under way, or has failed, is worth many tries.
            if answer.status == _GONE or (tried >= _FEW and answer.status not in (202, _UNPROCESSABLE)):
                break
            if answer.status == 202 and self.end(thing, answer, deleting=True) == "failed":
                self.host.sleep(_MOVED_FIRST if self.host.moves else _FIRST)
            elif answer.status not in (200, 202):
                self.host.sleep(5.0 if self.host.moves else _FIRST * 4)
            answer = self.send(self.deletion(thing))
        rule = "DEP-16" if isinstance(thing, Instance) else "UNB-14"
        self.needed(answer.status == _GONE, "it can be deleted, and then it is gone: 410", answer, rule=rule)
        if self._retrievable(thing):
            found = self.fetch(thing)
            self.expect(found.status == _NOT_FOUND, "nothing is left behind: a fetch gives 404", answer, found)

    def _look_at(self, leftovers: Leftovers) -> None:
        for _ in range(_TRIES):
            if not leftovers():
                return
            self.host.sleep(5.0 if self.host.moves else _FIRST * 4)
        left = len(leftovers())
        self.expect(False, f"nothing is left behind; the test's own look finds {left} of it")


def is_concurrency_error(answer: Answer) -> bool:
    """Say whether the broker refuses because of what is under way (BLK-02)."""
    return answer.status == _UNPROCESSABLE and answer.error == "ConcurrencyError"


def _answer(request: Request, found: Answer | BaseException) -> Answer:
    if isinstance(found, Answer):
        return found
    reason = found.reason if isinstance(found, NoAnswer) else type(found).__name__
    return Answer(replace(request), 0, (), reason.encode())
