"""Scenarios: several requests at the same moment, of one broker or of its replicas."""

from __future__ import annotations

from openbrokerapi.conformance.wire import Answer

from .scenario import scenario
from .stage import Aside, Stage, Thing, is_concurrency_error

_ROUNDS = 3


@scenario()
def races_two_provisions_of_one_id(stage: Stage) -> None:
    """Send two different provisions of one id at the same moment: one of them wins, the other is refused."""
    for _ in range(_ROUNDS):
        _two_provisions(stage, (0, 0))


@scenario("bindings")
def races_a_bind_with_its_unbind(stage: Stage) -> None:
    """Send a bind and its unbind at the same moment: what the unbind has deleted is gone, and stays so."""
    instance = stage.ready()
    for _ in range(_ROUNDS):
        binding = stage.binding(instance)
        made, deleted = stage.at_once(binding.request, stage.deletion(binding))
        allowed = deleted.status in (200, 202, 410) or is_concurrency_error(deleted)
        stage.expect(allowed, "the unbind gives 200, 202, 410, or a ConcurrencyError", made, deleted)
        _settled(stage, binding, made, deleted)
        if deleted.ok:
            # Only what there was can have been deleted: so the bind came first.
            stage.is_gone(binding, made, deleted)


@scenario()
def races_two_deprovisions(stage: Stage) -> None:
    """Send a deprovision three times at the same moment: it is deleted once, and then it is gone."""
    instance = stage.ready()
    answers = stage.at_once(*[stage.deletion(instance)] * 3)
    _deleted_once(stage, instance, answers)


@scenario("bindings")
def races_a_bind_with_the_deprovision(stage: Stage) -> None:
    """Bind an instance at the moment of its deprovision: nothing is left that belongs to no instance."""
    instance = stage.ready()
    binding = stage.binding(instance)
    bound, deleted = stage.at_once(binding.request, stage.deletion(instance))
    stage.expect(bound.ok or bound.refused, "the bind is done, or refused", bound, deleted)
    _settled(stage, binding, bound)
    stage.end(instance, deleted, deleting=True)
    if deleted.status == 200:
        # Of what is gone no binding can be left (DEP-03).
        stage.is_gone(binding, bound, deleted)


@scenario()
def races_replicas(stage: Stage) -> None:
    """Send everything to two replicas at the same moment: they behave as one broker."""
    if stage.host.replicas == 1:
        raise Aside(f"there is one replica: {stage.host.no_replicas}")
    for _ in range(_ROUNDS):
        _two_provisions(stage, (0, 1))
    instance = stage.instance()
    answers = stage.at_once(*[instance.request] * 4, via=(0, 1, 0, 1))
    created = [answer for answer in answers if answer.status == 201]
    begun = {answer.operation for answer in answers if answer.status == 202}
    stage.expect(len(created) + len(begun) <= 1, "one of the replicas makes it", *answers, rule="BLK-07")
    _settled(stage, instance, *answers)
    for replica in (0, 1):
        again = stage.send(instance.request, via=replica)
        stage.expect(again.status in (200, 409), "each replica knows it: 200", again, rule="PROV-17")
    answers = stage.at_once(*[stage.deletion(instance)] * 2, via=(0, 1))
    _deleted_once(stage, instance, answers)


def _two_provisions(stage: Stage, via: tuple[int, int]) -> None:
    parameters = stage.subject.other_parameters
    instance = stage.instance()
    change = {"parameters": parameters} if parameters else {"organization_guid": "another", "context": {}}
    other = instance.request.with_fields(**change)
    answers = stage.at_once(instance.request, other, via=via)
    won = [answer for answer in answers if answer.ok]
    stage.expect(len(won) == 1, "one of two different provisions is done", *answers, rule="PROV-25")
    for answer in answers:
        allowed = answer.ok or answer.status == 409 or is_concurrency_error(answer)
        stage.expect(allowed, "the other one gives 409, or a ConcurrencyError", *answers, rule="PROV-25")
    _settled(stage, instance, *answers)
    # A quota may be small.
    stage.remove(instance)


def _settled(stage: Stage, thing: Thing, *answers: Answer) -> None:
    """Wait until nothing goes on, if something does."""
    for answer in answers:
        if answer.status == 202:
            _settle(stage, thing, answer)


def _settle(stage: Stage, thing: Thing, answer: Answer) -> None:
    first = stage.poll(thing, answer.operation)
    # The other request may have undone it, so that nobody knows of it any more.
    if first.status == 200:
        stage.end(thing, answer, deleting=True)
    else:
        stage.expect(first.status in (404, 410), "a poll gives 200, 404 or 410", answer, first)


def _deleted_once(stage: Stage, thing: Thing, answers: list[Answer]) -> None:
    for answer in answers:
        allowed = answer.status in (200, 202, 410) or is_concurrency_error(answer)
        stage.expect(allowed, "a deletion gives 200, 202, 410, or a ConcurrencyError", *answers)
    begun = [answer for answer in answers if answer.status == 202]
    stage.expect(len({answer.operation for answer in begun}) <= 1, "all have one operation", *begun, rule="DEP-13")
    for answer in begun[:1]:
        stage.end(thing, answer, deleting=True)
    stage.is_gone(thing, *answers)
