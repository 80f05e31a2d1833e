"""Creating a binding (``PUT B``): what is answered."""

from __future__ import annotations

from collections.abc import Iterator

from openbrokerapi.conformance.binding_data import DATA, shown
from openbrokerapi.conformance.check import Watched, check, watch
from openbrokerapi.conformance.conversation import Conversation
from openbrokerapi.conformance.cooperation import Trait
from openbrokerapi.conformance.subjects import Subject
from openbrokerapi.conformance.wire import LONGEST_OPERATION, Answer, Endpoint

_STATES = ("in progress", "succeeded", "failed")
_OTHER_PARAMETERS = "give a plan that can be bound other_bind_parameters in the file"


def _at_once(subject: Subject) -> bool:
    return subject.bindable and not subject.life.asynchronous(Endpoint.BIND)


def _late(subject: Subject) -> bool:
    return subject.bindable and subject.life.asynchronous(Endpoint.BIND)


@check("BIND-29")
async def a_bind_repeated_when_the_binding_is_there_is_answered_with_200_and_its_data(talk: Conversation) -> None:
    subject = talk.subject(_at_once, "a plan whose bindings are made in the request")
    binding = await talk.binding(await talk.instance(subject))
    again = await talk.send(binding.request)
    first = shown(binding.answer).keys() & {*DATA} if binding.answer else set()
    second = shown(again).keys() & {*DATA}
    # BIND-04: the data may be handed out only once, but not a part of it.
    holds = again.status == 200 and again.is_object and (not second or first <= second)
    talk.expect("BIND-29", holds, "status 200 with the body of the first answer", again)


@check("BIND-31")
async def a_binding_that_is_made_in_the_request_is_answered_with_201_and_an_object(talk: Conversation) -> None:
    seen = [each.life.answers.get(Endpoint.BIND) for each in talk.usable()]
    made = [answer for answer in seen if answer is not None and answer.status in (200, 201)]
    if not made:
        talk.not_applicable("no plan's bindings are made in the request")
    for answer in made:
        holds = answer.status == 201 and answer.is_object
        talk.expect("BIND-31", holds, "status 201 with a JSON object, as the binding is new", answer)


@check("BIND-32")
async def a_binding_that_is_still_being_made_is_answered_with_202(talk: Conversation) -> None:
    late = [each for each in talk.usable() if _late(each)][:1]
    for subject in (*late, *(each for each in talk.usable() if _doubtful(each))):
        instance = await talk.instance(subject)
        request = talk.ask.bind(instance)
        binding = talk.named_binding(request, instance)
        answer = await talk.send(request)
        if not answer.ok:
            talk.undecided(f"the bind was answered with {answer.status}")
        running = await talk.runs(answer, binding)
        talk.expect("BIND-32", answer.status == 202 or not running, "status 202: it is in progress", answer)
        if running:
            await talk.finish(answer, binding)
    talk.not_applicable("no plan that can be bound does anything asynchronously")


def _doubtful(subject: Subject) -> bool:
    """Say whether a plan takes its time, but not for binding, as it says."""
    slow = subject.has(Trait.SLOW) or any(subject.life.asynchronous(each) for each in Endpoint)
    return slow and _at_once(subject)


@check("BIND-30", "BIND-33", "BIND-38")
async def a_bind_repeated_while_the_binding_is_being_made_is_answered_with_202_and_with_409_if_it_differs(
    talk: Conversation,
) -> None:
    talk.bindable_subject(asynchronous=Endpoint.BIND)
    subject = talk.subject_with(Trait.SLOW, _late)
    instance = await talk.instance(subject)
    request = talk.ask.bind(instance)
    first = await talk.begin(request)
    again = await talk.send(request)
    parameters = subject.other_bind_parameters
    other = await talk.send(request.with_fields(parameters=parameters)) if parameters is not None else None
    if not await talk.runs(first, talk.named_binding(request, instance, first)):
        talk.ended_early(first)
    talk.expect("BIND-30", again.status != 200, "not status 200 while the binding is being made", first, again)
    same = again.status == 202 and again.fields.get("operation") == first.fields.get("operation")
    talk.expect("BIND-33", same, "status 202 with the operation of the first answer", first, again)
    if other is None:
        talk.needs_help(_OTHER_PARAMETERS)
    talk.expect("BIND-38", other.status == 409, "status 409, as the parameters are not the first ones", first, other)


@check("BIND-37")
async def a_bind_with_the_id_of_a_binding_that_has_other_parameters_is_answered_with_409(talk: Conversation) -> None:
    talk.bindable_subject()
    if not any(each.bindable and each.other_bind_parameters is not None for each in talk.usable()):
        talk.needs_help(_OTHER_PARAMETERS)
    subject = talk.bindable_subject(lambda each: each.other_bind_parameters is not None)
    binding = await talk.binding(await talk.instance(subject))
    other = await talk.send(binding.request.with_fields(parameters=subject.other_bind_parameters))
    talk.expect_status(other, 409, "BIND-37")


@check("BIND-39")
async def a_bind_without_an_application_is_refused_where_one_is_required(talk: Conversation) -> None:
    instance = await talk.standing_instance(talk.subject_with(Trait.REQUIRES_APP))
    answer = await talk.send(talk.ask.bind(instance, app_guid=None, bind_resource=None))
    holds = answer.status == 422 and answer.error == "RequiresApp"
    talk.expect("BIND-39", holds, "status 422 with the error RequiresApp", answer)


@check("BIND-40")
async def a_bind_that_is_refused_because_of_another_one_is_answered_with_422_and_ConcurrencyError(  # noqa: N802
    talk: Conversation,
) -> None:
    instance = await talk.instance(talk.subject_with(Trait.SERIAL_BINDS))
    answers = await talk.race(*(talk.ask.bind(instance) for _ in range(3)))
    refused = [answer for answer in answers if not answer.ok]
    if not refused:
        talk.undecided("of three binds at the same time, none was refused")
    for answer in refused:
        holds = answer.status == 422 and answer.error == "ConcurrencyError"
        talk.expect("BIND-40", holds, "status 422 with the error ConcurrencyError", answer)


@check("BIND-42")
async def an_operation_that_a_bind_names_can_be_polled(talk: Conversation) -> None:
    plain = [each for each in talk.usable() if _late(each)][:1]
    unpolled = [each for each in talk.usable() if each.life.asynchronous(Endpoint.BIND) and not _polled(each)]
    if not plain and not unpolled:
        talk.not_applicable("no plan's bindings are made asynchronously")
    for subject in (*plain, *unpolled):
        instance = await talk.instance(subject)
        request = talk.ask.bind(instance)
        answer = await talk.begin(request)
        binding = talk.named_binding(request, instance, answer)
        polled = await talk.send(talk.poll_of(answer, binding))
        known = polled.status == 200 and polled.fields.get("state") in _STATES
        talk.expect("BIND-42", known, "status 200 with a state, as the operation is the bind's own", answer, polled)
        if known and _polled(subject):
            await talk.finish(answer, binding)


def _polled(subject: Subject) -> bool:
    """Say whether the survey could poll the bind of a plan to its end."""
    return subject.life.ends.get(Endpoint.BIND) in ("succeeded", "failed", "gone")


@watch("BIND-34", "BIND-43")
def a_bind_that_is_accepted_says_no_more_than_its_operation(
    answer: Answer, _: Watched
) -> Iterator[tuple[str, bool, str]]:
    if answer.request.endpoint is not Endpoint.BIND or answer.status != 202:
        return
    told = shown(answer).keys() & {*DATA, "metadata"}
    yield "BIND-34", not told, "no data of the binding in a 202: " + ", ".join(DATA)
    if "operation" in answer.fields:
        operation = answer.fields["operation"]
        holds = isinstance(operation, str) and len(operation) <= LONGEST_OPERATION
        yield "BIND-43", holds, f"a string of at most {LONGEST_OPERATION:,} characters as operation, or none"
