"""Scenarios: ids are used again, and things are deleted in the wrong order."""

from __future__ import annotations

from openbrokerapi.conformance.asking import Binding

from .scenario import scenario
from .stage import Stage


@scenario()
def reuses_an_instance_id_after_its_deletion(stage: Stage) -> None:
    """Make an instance under the id of a deleted one: it is refused, or it is a new instance from its provision on."""
    instance = stage.ready()
    stage.end(instance, stage.send(stage.deletion(instance)), deleting=True)
    again = stage.send(instance.request)
    # URL-05: a broker is free not to support this.
    allowed = again.refused or again.status in (201, 202)
    stage.expect(allowed, "it is refused, or made anew: 201 or 202", again)
    if not again.ok:
        return
    stage.needed(stage.end(instance, again) == "succeeded", "it succeeds", again, stage.answers[-1])
    stage.is_there(instance, again)


@scenario("bindings")
def reuses_a_binding_id_on_another_instance(stage: Stage) -> None:
    """Use the id of a binding for another instance: it is refused, or the two have nothing to do with each other."""
    first, second = stage.ready(), stage.ready()
    binding = stage.binding(first)
    stage.made(binding)
    other = stage.binding(second, binding.id)
    made = stage.send(other.request)
    stage.expect(made.refused or made.status in (201, 202), "it is refused, or made: 201 or 202", made)
    if made.ok:
        stage.end(other, made)
        stage.end(other, stage.send(stage.deletion(other)), deleting=True)
    # Whatever became of the second, the first one is as it was.
    stage.is_there(binding, made)


@scenario("bindings")
def reuses_a_binding_id_after_its_deletion(stage: Stage) -> None:
    """Make a binding under the id of a deleted one: it is refused, or it is a new binding."""
    instance = stage.ready()
    binding = stage.binding(instance)
    stage.made(binding)
    stage.end(binding, stage.send(stage.deletion(binding)), deleting=True)
    again = stage.send(binding.request)
    stage.expect(again.refused or again.status in (201, 202), "it is refused, or made anew: 201 or 202", again)
    if again.ok:
        stage.end(binding, again)


@scenario("bindings")
def deletes_an_instance_with_bindings_left(stage: Stage) -> None:
    """Delete an instance that still has a binding: it is refused and all stays, or the binding is gone, too."""
    instance = stage.ready()
    binding = stage.binding(instance)
    stage.made(binding)
    deleted = stage.send(stage.deletion(instance))
    # DEP-03: what a broker does is left open; to do half of it is not.
    stage.expect(deleted.ok or deleted.refused, "it is refused, or done", deleted, rule="DEP-03")
    if deleted.ok and stage.end(instance, deleted, deleting=True) != "failed":
        stage.is_gone(binding, deleted)
        stage.is_gone(instance, deleted)
    elif deleted.refused:
        stage.is_there(binding, deleted)
        stage.is_there(instance, deleted)


@scenario("bindings")
def unbinds_under_another_instance(stage: Stage) -> None:
    """Delete a binding under the id of another instance: there is none there, so it is refused; the binding stays."""
    first, second = stage.ready(), stage.ready()
    binding = stage.binding(first)
    stage.made(binding)
    deleted = stage.send(stage.ask.unbind(Binding(binding.id, second, binding.request)))
    stage.expect(deleted.refused, "what the instance does not have is not deleted: 410", deleted, rule="UNB-14")
    stage.is_there(binding, deleted)
