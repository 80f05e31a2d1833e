"""Scenarios: an answer is lost, or comes too late."""

from __future__ import annotations

from openbrokerapi.conformance.wire import Answer

from .scenario import scenario
from .stage import Stage, Thing

#: What a platform typically waits for an answer (section "Orphan Mitigation").
_TIMEOUT = 60.0


@scenario()
def loses_the_answer_of_a_provision_and_repeats_it(stage: Stage) -> None:
    """Lose the answer of a provision, and send it again: it comes to one instance, as if the answer had come."""
    instance = stage.instance()
    stage.unheard(instance.request)
    _taken_up(stage, instance, stage.send(instance.request))
    stage.is_there(instance)


@scenario()
def loses_the_answer_of_a_provision_and_deletes_the_orphan(stage: Stage) -> None:
    """Lose the answer of a provision, and delete at once what it may have made: nothing is left."""
    instance = stage.instance()
    (lost,) = stage.unheard(instance.request)
    _mitigated(stage, instance, lost)


@scenario()
def times_out_after_a_minute_and_deletes_the_orphan(stage: Stage) -> None:
    """Give a provision up after 60 seconds, and delete what it has made by then: nothing is left."""
    instance = stage.instance()
    (lost,) = stage.unheard(instance.request)
    if not stage.host.moves and lost.status != 202:
        # A real minute is worth waiting for only where something may happen in it.
        _mitigated(stage, instance, lost)
        return
    stage.host.sleep(_TIMEOUT if stage.host.moves else 1.0)
    _mitigated(stage, instance, lost)


@scenario()
def deletes_before_the_answer_comes(stage: Stage) -> None:
    """Send a provision and its deletion at the same moment: whatever comes first, nothing is left in the end."""
    instance = stage.instance()
    made, deleted = stage.at_once(instance.request, stage.deletion(instance))
    known = deleted.status in (200, 202, 410, 422)
    stage.expect(known, "the deletion gives 200, 202, 410, or a ConcurrencyError", made, deleted)
    _mitigated(stage, instance, made)


@scenario("bindings")
def loses_the_answer_of_a_bind_and_deletes_the_orphan(stage: Stage) -> None:
    """Lose the answer of a bind, and delete at once what it may have made; then the same with a repeated bind."""
    instance = stage.ready()
    orphan = stage.binding(instance)
    (lost,) = stage.unheard(orphan.request)
    _mitigated(stage, orphan, lost)
    wanted = stage.binding(instance)
    stage.unheard(wanted.request)
    _taken_up(stage, wanted, stage.send(wanted.request))


@scenario()
def loses_the_answer_of_a_deletion(stage: Stage) -> None:
    """Lose the answers of an unbind and of a deprovision, and send them again: all is gone."""
    instance = stage.ready()
    things: list[Thing] = [stage.binding(instance)] if stage.subject.plan.bindable else []
    for thing in things:
        stage.made(thing)
    for thing in (*things, instance):
        (lost,) = stage.unheard(stage.deletion(thing))
        again = stage.send(stage.deletion(thing))
        stage.expect(again.status in (200, 202, 410), "a repeated deletion gives 200, 202 or 410", lost, again)
        if again.ok:
            stage.end(thing, again, deleting=True)
        stage.is_gone(thing, lost, again)


@scenario()
def deletes_while_a_provision_runs(stage: Stage) -> None:
    """Delete an instance whose provision runs: it is stopped, or refused with ConcurrencyError; nothing is left."""
    instance = stage.instance()
    begun = stage.creating(instance)
    _mitigated(stage, instance, begun)
    late = stage.poll(instance, begun.operation)
    # A halted creation may be told of as failed, or not at all; that it succeeded is not so.
    ended = late.fields.get("state") != "in progress"
    stage.expect(ended, "what was deleted is not in progress any more", begun, late)


@scenario("bindings")
def deletes_while_a_bind_runs(stage: Stage) -> None:
    """Delete a binding whose bind runs: it is stopped, or refused with ConcurrencyError; nothing is left."""
    instance = stage.ready()
    binding = stage.binding(instance)
    begun = stage.creating(binding)
    _mitigated(stage, binding, begun)


def _taken_up(stage: Stage, thing: Thing, again: Answer) -> None:
    """Go on with the answer to a repeated request, as a platform does that has not seen the first one."""
    stage.needed(again.status in (200, 201, 202), "a repeated request is taken up: 200, 201 or 202", again)
    end = stage.end(thing, again)
    stage.expect(end == "succeeded", "it succeeds", again, stage.answers[-1])


def _mitigated(stage: Stage, thing: Thing, lost: Answer) -> None:
    """Delete what may be left, again and again as a platform does (ORPH-01), until it is gone."""
    begun = lost
    for _ in range(12):
        answer = stage.send(stage.deletion(thing))
        if answer.status == 410:
            break
        refused = answer.status == 422
        stage.needed(answer.status in (200, 202) or refused, "a deletion gives 200, 202 or 410", begun, answer)
        if answer.ok and stage.end(thing, answer, deleting=True) != "failed":
            break
        stage.host.sleep(5.0 if stage.host.moves else 0.2)
    stage.is_gone(thing, begun)
    # What goes on in spite of its deletion would be there only now.
    stage.host.sleep(_TIMEOUT if stage.host.moves else 0.3)
    stage.is_gone(thing, begun)
