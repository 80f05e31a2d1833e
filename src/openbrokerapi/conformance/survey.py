"""One whole life of an instance of each plan, before the checks begin: who answers 202, what can be bound."""

from __future__ import annotations

from .asking import Binding, Instance
from .check import Check
from .conversation import Conversation, SetAside
from .rules import all_rules
from .subjects import Subject, makeable
from .wire import Answer, Endpoint, NoAnswer, Request

SURVEY = Check("one whole life of an instance of each plan", (), lambda _: _nothing())


async def _nothing() -> None:
    """Stand in for a check: the survey judges no rule by itself, but its answers are watched."""


async def survey(talk: Conversation, subject: Subject) -> None:
    """Let an instance live from its provision to its end, and note what was seen in the subject's life."""
    if not makeable(subject):
        subject.life.trouble = "by the file, no instance of it can be made"
        return
    if subject.parameters is None:
        subject.life.trouble = "no parameters can be guessed from its schema: give them in the file"
        return
    try:
        await _Surveyor(talk, subject).live()
    except NoAnswer as error:
        subject.life.trouble = subject.life.trouble or str(error)


class _Surveyor:
    def __init__(self, talk: Conversation, subject: Subject) -> None:
        self._talk = talk
        self._subject = subject
        self._life = subject.life

    async def live(self) -> None:
        request = self._talk.ask.provision(self._subject)
        instance = self._talk.named_instance(request, self._subject)
        answer = await self._step(request, instance)
        if not self._life.worked(Endpoint.PROVISION):
            end = self._life.ends.get(Endpoint.PROVISION, "")
            self._life.trouble = f"its provision was answered with {answer.status}" + (f", and {end}" if end else "")
            return
        if self._subject.offering.instances_retrievable and all_rules()["GETI-01"].applies_to(self._talk.version):
            await self._step(self._talk.ask.fetch(instance), instance)
        if self._subject.plan.bindable:
            await self._bind(instance)
        if self._subject.update_parameters is not None:
            await self._step(self._talk.ask.update(instance, parameters=self._subject.update_parameters), instance)
        await self._step(self._talk.ask.deprovision(instance), instance)

    async def _bind(self, instance: Instance) -> None:
        if self._subject.bind_parameters is None:
            return
        request = self._talk.ask.bind(instance)
        binding = self._talk.named_binding(request, instance)
        await self._step(request, binding)
        if not self._life.worked(Endpoint.BIND):
            return
        if self._subject.offering.bindings_retrievable:
            self._life.answers[Endpoint.FETCH_BINDING] = await self._talk.send(self._talk.ask.fetch_binding(binding))
        await self._step(self._talk.ask.unbind(binding), binding)

    async def _step(self, request: Request, thing: Instance | Binding) -> Answer:
        answer = await self._talk.send(request)
        self._life.answers[request.endpoint] = answer
        if answer.status == 202:
            try:
                self._life.ends[request.endpoint] = (await self._talk.finish(answer, thing)).state
            except SetAside as trouble:
                self._life.ends[request.endpoint] = trouble.reason
        return answer
