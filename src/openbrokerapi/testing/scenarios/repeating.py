"""Scenarios: what was sent is sent again."""

from __future__ import annotations

from openbrokerapi.conformance.asking import Instance
from openbrokerapi.conformance.wire import Answer, Request

from .scenario import scenario
from .stage import Stage, Thing, is_concurrency_error

_WHILE_RUNNING = "while the operation goes on, the same request gives 202 with the same operation"


@scenario()
def repeats_a_provision_while_it_runs(stage: Stage) -> None:
    """Send a provision again while it runs: the operation is the same, and in the end there is one instance."""
    instance = stage.instance()
    _repeated_while_running(stage, instance, stage.creating(instance), instance.request, rule="PROV-22")
    stage.is_there(instance)


@scenario()
def repeats_a_provision_after_its_end(stage: Stage) -> None:
    """Send a provision twice more when the instance is there: it stays as it is, the answer is no 201 and no 202."""
    instance = stage.instance()
    first = stage.made(instance)
    for _ in range(2):
        again = stage.send(instance.request)
        stage.expect(again.status in (200, 409), "the same request gives 200", first, again, rule="PROV-17")


@scenario()
def sends_a_provision_several_times_at_once(stage: Stage) -> None:
    """Send one provision four times at the same moment: one instance is made, and nobody hears of a conflict."""
    instance = stage.instance()
    _once(stage, instance, stage.at_once(*[instance.request] * 4))
    stage.is_there(instance)


@scenario()
def changes_its_mind_while_a_provision_runs(stage: Stage) -> None:
    """Send a provision with other attributes while the first runs: 409, and the first one ends as it would have."""
    instance = stage.instance()
    begun = stage.creating(instance)
    other = stage.send(_other(stage, instance))
    stage.expect(other.status == 409, "another provision of the id gives 409", begun, other, rule="PROV-26")
    end = stage.end(instance, begun)
    stage.expect(end == "succeeded", "the first one ends as it would have", begun, other, stage.answers[-1])
    stage.is_there(instance, other)


@scenario()
def changes_its_mind_after_a_provision(stage: Stage) -> None:
    """Send a provision with other attributes when the instance is there: 409, and the instance stays as it is."""
    instance = stage.ready()
    other = stage.send(_other(stage, instance))
    stage.expect(other.status == 409, "another provision of the id gives 409", other, rule="PROV-25")
    stage.is_there(instance, other)


@scenario("bindings")
def repeats_a_bind(stage: Stage) -> None:
    """Send a bind while it runs, after its end, and four times at once: there is one binding, with one answer."""
    instance = stage.ready()
    binding = stage.binding(instance)
    first = stage.send(binding.request)
    stage.needed(first.status in (200, 201, 202), "200, 201 or 202", first)
    if first.status == 202:
        _repeated_while_running(stage, binding, first, binding.request, rule="BIND-33")
    again = stage.send(binding.request)
    stage.expect(again.status in (200, 409), "the same bind gives 200", first, again, rule="BIND-29")
    if first.status == 201 and again.status == 200:
        same = again.fields.get("credentials") == first.fields.get("credentials")
        stage.expect(same, "the same bind gives the same credentials", first, again, rule="BIND-29")
    at_once = stage.binding(instance)
    _once(stage, at_once, stage.at_once(*[at_once.request] * 4))


@scenario("updates")
def repeats_an_update(stage: Stage) -> None:
    """Send an update again while it runs, and after its end: it is the same update, and does no harm."""
    instance = stage.ready()
    request = stage.update(instance)
    first = stage.send(request)
    stage.needed(first.status in (200, 202), "200 or 202", first)
    if first.status == 202:
        _repeated_while_running(stage, instance, first, request, rule="UPD-25")
    again = stage.send(request)
    stage.expect(again.status in (200, 202), "the same update does no harm: 200 or 202", first, again)
    stage.end(instance, again)


@scenario()
def repeats_a_deprovision_while_it_runs(stage: Stage) -> None:
    """Send a deprovision again while it runs: the operation is the same; after its end the answer is 410."""
    instance = stage.ready()
    begun = stage.deleting(instance)
    _repeated_while_running(stage, instance, begun, stage.deletion(instance), rule="DEP-13", deleting=True)
    stage.is_gone(instance, begun)


@scenario()
def deletes_what_is_gone(stage: Stage) -> None:
    """Send each deletion again when all is gone: 410, as of an instance that there never was."""
    instance = stage.ready()
    things: list[Thing] = [stage.binding(instance)] if stage.subject.plan.bindable else []
    for thing in things:
        stage.made(thing)
    for thing in (*things, instance):
        stage.end(thing, stage.send(stage.deletion(thing)), deleting=True)
        stage.is_gone(thing)
    stage.is_gone(stage.instance())


@scenario()
def sends_everything_twice(stage: Stage) -> None:
    """Lead an instance through its life with each request sent twice: it is the life of one instance."""
    instance = stage.instance()
    _twice(stage, instance, instance.request)
    if stage.subject.plan.bindable:
        binding = stage.binding(instance)
        _twice(stage, binding, binding.request)
        _twice(stage, binding, stage.deletion(binding), deleting=True)
    _twice(stage, instance, stage.deletion(instance), deleting=True)


def _twice(stage: Stage, thing: Thing, request: Request, *, deleting: bool = False) -> None:
    first, second = stage.send(request), stage.send(request)
    stage.needed(first.status in (200, 201, 202), "200, 201 or 202", first)
    if first.status == 202 and second.status == 202:
        same = first.operation == second.operation
        stage.expect(same, _WHILE_RUNNING, first, second)
    elif deleting:
        stage.expect(second.status in (200, 410), "the second deletion gives 410", first, second)
        stage.expect(first.status == 202 or second.status == 410, "what is deleted is gone: 410", first, second)
    else:
        stage.expect(second.status in (200, 409), "the same request gives 200", first, second)
    end = stage.end(thing, first, deleting=deleting)
    stage.needed(end != "failed", "it succeeds", first, second, stage.answers[-1])
    if deleting:
        stage.is_gone(thing, first, second)
    else:
        stage.is_there(thing, first, second)


def _repeated_while_running(
    stage: Stage, thing: Thing, begun: Answer, request: Request, *, rule: str, deleting: bool = False
) -> None:
    again = stage.send(request)
    # It may have ended between the two; then other answers are right.
    if not stage.has_ended(thing, begun.operation):
        same = again.status == 202 and again.operation == begun.operation
        stage.expect(same, _WHILE_RUNNING, begun, again, rule=rule)
    end = stage.end(thing, begun, deleting=deleting)
    stage.expect(end != "failed", "it ends as if it had been sent once", begun, again, stage.answers[-1])


def _once(stage: Stage, thing: Thing, answers: list[Answer]) -> None:
    """BLK-07: of the same request several times at once, one begins the work."""
    for answer in answers:
        known = answer.status in (200, 201, 202, 409) or is_concurrency_error(answer)
        stage.expect(known, "200, 201, 202 or a ConcurrencyError", answer, rule="BLK-07")
        stage.expect(answer.status != 409, "the same request is no conflict", answer, rule="BLK-07")
    created = [answer for answer in answers if answer.status == 201]
    stage.expect(len(created) <= 1, "one of them gives 201", *created, rule="BLK-07")
    begun = [answer for answer in answers if answer.status == 202]
    stage.expect(len({answer.operation for answer in begun}) <= 1, "all have one operation", *begun, rule="PROV-22")
    done = [answer for answer in answers if answer.ok]
    stage.needed(bool(done), "one of them is done", *answers)
    for answer in begun[:1]:
        stage.needed(stage.end(thing, answer) == "succeeded", "it succeeds", answer, stage.answers[-1])


def _other(stage: Stage, instance: Instance) -> Request:
    """Write a provision of the same id with other attributes."""
    parameters, plan = stage.subject.other_parameters, stage.subject.another_plan
    if parameters:
        return instance.request.with_fields(parameters=parameters)
    if plan is not None:
        return instance.request.with_fields(plan_id=plan.id)
    return instance.request.with_fields(
        organization_guid="another-organization", space_guid="another-space"
    ).without_fields("context")
