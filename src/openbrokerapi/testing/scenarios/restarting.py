"""Scenarios: the broker is restarted between any two calls."""

from __future__ import annotations

from openbrokerapi.conformance.wire import Answer

from .scenario import scenario
from .stage import Stage, Thing


@scenario()
def restarts_the_broker_between_any_two_calls(stage: Stage) -> None:
    """Restart the broker before each request of a life: nothing is forgotten, and each answer is as without."""
    stage.restart()
    instance = stage.instance()
    _made(stage, instance)
    things: list[Thing] = [instance]
    if stage.subject.plan.bindable:
        binding = stage.binding(instance)
        _made(stage, binding)
        things.append(binding)
    for thing in reversed(things):
        stage.restart()
        deleted = stage.send(stage.deletion(thing))
        stage.needed(deleted.status in (200, 202), "what was made is still known: 200 or 202", deleted)
        stage.restart()
        stage.end(thing, deleted, deleting=True)
        stage.restart()
        stage.is_gone(thing, deleted)


@scenario()
def restarts_the_broker_while_a_provision_runs(stage: Stage) -> None:
    """Restart the broker while a provision runs: the operation is still known, and comes to its end."""
    instance = stage.instance()
    begun = stage.creating(instance)
    stage.restart()
    _known(stage, instance, begun)
    stage.restart()
    if stage.end(instance, begun) == "succeeded":
        stage.is_there(instance, begun)


@scenario()
def restarts_the_broker_while_a_deletion_runs(stage: Stage) -> None:
    """Restart the broker while a deletion runs: it comes to its end all the same."""
    instance = stage.ready()
    begun = stage.deleting(instance)
    stage.restart()
    if stage.end(instance, begun, deleting=True) != "failed":
        stage.is_gone(instance, begun)


def _made(stage: Stage, thing: Thing) -> None:
    made = stage.send(thing.request)
    stage.needed(made.status in (200, 201, 202), "200, 201 or 202", made)
    stage.restart()
    stage.needed(stage.end(thing, made) == "succeeded", "it succeeds", made, stage.answers[-1])
    stage.restart()
    stage.is_there(thing, made)


def _known(stage: Stage, thing: Thing, begun: Answer) -> None:
    answer = stage.poll(thing, begun.operation)
    known = answer.status == 200 and answer.fields.get("state") in ("in progress", "succeeded", "failed")
    stage.needed(known, "the operation is still known after a restart", begun, answer)
