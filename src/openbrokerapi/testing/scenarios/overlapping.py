"""Scenarios: something is asked while something else goes on."""

from __future__ import annotations

from openbrokerapi.conformance.asking import Instance
from openbrokerapi.conformance.wire import Answer, Request

from .scenario import scenario
from .stage import Aside, Stage, is_concurrency_error


@scenario("updates")
def updates_while_updating(stage: Stage) -> None:
    """Send another update while one runs: it is refused with ConcurrencyError, or done; the first ends well."""
    instance, begun = _updating(stage)
    other = stage.send(_other_update(stage, instance))
    allowed = other.status in (200, 202) or other.status == 400 or is_concurrency_error(other)
    stage.expect(allowed, "another update gives a ConcurrencyError, or is done", begun, other, rule="BLK-02")
    _ends_well(stage, instance, begun, other)


@scenario("updates")
def deletes_while_updating(stage: Stage) -> None:
    """Delete an instance whose update runs: it is refused with ConcurrencyError, or done; then it is deleted."""
    instance, begun = _updating(stage)
    deleted = stage.send(stage.deletion(instance))
    allowed = deleted.status in (200, 202) or is_concurrency_error(deleted)
    stage.expect(allowed, "a deletion gives a ConcurrencyError, or is done", begun, deleted, rule="BLK-02")
    if is_concurrency_error(deleted):
        _ends_well(stage, instance, begun, deleted)
        stage.is_known(instance, begun, deleted)


@scenario("bindings", "updates")
def binds_while_updating(stage: Stage) -> None:
    """Bind an instance whose update runs: it is refused with ConcurrencyError, or done; the update ends well."""
    instance, begun = _updating(stage)
    binding = stage.binding(instance)
    bound = stage.send(binding.request)
    allowed = bound.ok or is_concurrency_error(bound)
    stage.expect(allowed, "a bind gives a ConcurrencyError, or is done", begun, bound, rule="BLK-02")
    if bound.ok:
        stage.end(binding, bound)
    _ends_well(stage, instance, begun, bound)


@scenario("bindings")
def binds_while_provisioning(stage: Stage) -> None:
    """Bind an instance whose provision runs: it is refused, or the binding is there; the provision ends well."""
    instance = stage.instance()
    begun = stage.creating(instance)
    binding = stage.binding(instance)
    bound = stage.send(binding.request)
    stage.expect(bound.ok or bound.refused, "a bind is done, or refused", begun, bound)
    _ends_well(stage, instance, begun, bound)
    if bound.ok and stage.end(binding, bound) == "succeeded":
        stage.is_there(binding, begun, bound)


@scenario("bindings")
def binds_while_deleting(stage: Stage) -> None:
    """Bind an instance whose deletion runs: it is refused, or it is gone with the instance."""
    instance = stage.ready()
    begun = stage.deleting(instance)
    binding = stage.binding(instance)
    bound = stage.send(binding.request)
    stage.expect(bound.ok or bound.refused, "a bind is done, or refused", begun, bound)
    end = stage.end(instance, begun, deleting=True)
    stage.expect(end != "failed", "the deletion ends well", begun, bound, stage.answers[-1])
    if end != "failed":
        stage.is_gone(binding, begun, bound)


@scenario()
def provisions_again_while_deleting(stage: Stage) -> None:
    """Send the provision of an instance again whose deletion runs: nobody says that it is there, as it will be gone."""
    instance = stage.ready()
    begun = stage.deleting(instance)
    again = stage.send(instance.request)
    running = stage.is_running(instance, begun.operation)
    # Nothing says what is right: to refuse it, or to make it anew. That it is there is not so.
    known = again.refused or again.status == 202 or not running
    stage.expect(known, "a provision of what is being deleted is refused, or begun", begun, again)
    end = stage.end(instance, begun, deleting=True)
    stage.expect(end != "failed", "the deletion ends well", begun, again, stage.answers[-1])
    if again.refused:
        stage.is_gone(instance, begun, again)


@scenario()
def fetches_while_provisioning(stage: Stage) -> None:
    """Fetch an instance whose provision runs: there is none yet, 404."""
    if not stage.subject.offering.instances_retrievable:
        raise Aside("instances cannot be fetched")
    instance = stage.instance()
    begun = stage.creating(instance)
    found = stage.fetch(instance)
    if stage.is_running(instance, begun.operation):
        stage.expect(found.status == 404, "a fetch of what is not there yet gives 404", begun, found, rule="GETI-15")
    stage.end(instance, begun)
    stage.is_there(instance)


def _updating(stage: Stage) -> tuple[Instance, Answer]:
    """Begin an update that takes a while."""
    instance = stage.ready()
    request = stage.update(instance)
    begun = stage.send(request)
    stage.needed(begun.status in (200, 202), "200 or 202", begun)
    if begun.status != 202 or not stage.is_running(instance, begun.operation):
        raise Aside("an update is done at once")
    return instance, begun


def _other_update(stage: Stage, instance: Instance) -> Request:
    parameters = stage.subject.update_parameters
    if parameters and stage.subject.parameters is not None and parameters != stage.subject.parameters:
        return stage.ask.update(instance, parameters=stage.subject.parameters)
    if stage.subject.target is not None and parameters:
        return stage.ask.update(instance, plan_id=stage.subject.target.id)
    return stage.ask.update(instance, plan_id=instance.subject.plan.id, parameters={})


def _ends_well(stage: Stage, instance: Instance, begun: Answer, *between: Answer) -> None:
    end = stage.end(instance, begun)
    stage.expect(
        end == "succeeded",
        "what was under way ends as it would have",
        begun,
        *between,
        stage.answers[-1],
        rule="BLK-06",
    )
