"""What the specification's table of orphan mitigation asks of brokers."""

from __future__ import annotations

from collections.abc import Iterator

from openbrokerapi.conformance.asking import Instance
from openbrokerapi.conformance.check import Watched, check, watch
from openbrokerapi.conformance.conversation import Conversation
from openbrokerapi.conformance.cooperation import Trait
from openbrokerapi.conformance.wire import Answer, Request

_IDENTITY = "X-Broker-API-Originating-Identity"


@watch("ORPH-09")
def the_body_of_every_success_is_a_JSON_object(answer: Answer, _: Watched) -> Iterator[tuple[str, bool, str]]:  # noqa: N802
    if answer.ok:
        yield "ORPH-09", answer.is_object, "a JSON object as the body: a platform takes anything else for a failure"


@check("ORPH-04")
async def a_DELETE_is_safe_whatever_became_of_the_PUT(talk: Conversation) -> None:  # noqa: N802
    for instance in await _uncertain(talk):
        request = talk.ask.deprovision(instance).without_header(_IDENTITY)
        for _ in ("once", "again"):
            answer = await talk.send(request)
            safe = answer.status in (200, 202, 410) or answer.error == "ConcurrencyError"
            talk.expect("ORPH-04", safe, "status 200, 202 or 410", answer)
            if answer.status == 202:
                await talk.finish(answer, instance)


async def _uncertain(talk: Conversation) -> list[Instance]:
    """Name instances that a platform cannot be sure of: one never asked for, and some whose PUT went wrong."""
    subject = talk.subject()
    made = [talk.ask.unknown_instance(subject)]
    refused = talk.ask.provision(subject).with_body(b"[]")
    await talk.send(refused)
    made.append(talk.named_instance(refused, subject))
    lost = talk.ask.provision(subject)
    await talk.send(lost)
    made.append(talk.named_instance(lost, subject))
    return made + await _failed(talk)


async def _failed(talk: Conversation) -> list[Instance]:
    """Provision what the file says will fail."""
    made = []
    for subject in talk.subjects:
        if subject.has(Trait.FAILS_PROVISION) or subject.has(Trait.BREAKS_PROVISION):
            request = talk.ask.provision(subject)
            answer = await talk.send(request)
            instance = talk.named_instance(request, subject, answer)
            if answer.status == 202:
                await talk.finish(answer, instance)
            made.append(instance)
    return made


@check("ORPH-08")
async def a_provision_that_is_refused_leaves_nothing_behind(talk: Conversation) -> None:
    judged = False
    for request, instance in _refusable(talk):
        answer = await talk.send(request)
        if not answer.refused:
            continue
        judged = True
        trace = await talk.trace_of(instance)
        shown = (answer,) if trace is None else (answer, trace)
        talk.expect("ORPH-08", trace is None, "no instance: a platform does not clean up after a 4xx", *shown)
    if not judged:
        talk.not_applicable("no provision is refused, whatever is asked for")


def _refusable(talk: Conversation) -> Iterator[tuple[Request, Instance]]:
    """Write provisions that a broker may refuse, late in its work if it can be."""
    plain = talk.subject()
    wanted = [(plain, talk.ask.provision(plain).without_fields("space_guid"))]
    wanted += [
        (each, talk.ask.provision(each, parameters=each.bad_parameters))
        for each in talk.usable()
        if each.bad_parameters is not None
    ][:2]
    wanted += [(each, talk.ask.provision(each)) for each in talk.subjects if each.has(Trait.OVER_QUOTA)]
    for subject, request in wanted:
        yield request, talk.named_instance(request, subject)
