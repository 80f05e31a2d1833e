"""Scenarios: polls that come when nobody needs them any more, and for longer than anybody waits."""

from __future__ import annotations

from openbrokerapi.conformance.wire import Answer

from .scenario import scenario
from .stage import Aside, Stage, Thing

_HOUR = 3600.0
_DAY = 24 * _HOUR


@scenario()
def polls_after_the_end(stage: Stage) -> None:
    """Poll operations again after their end: each end stays what it was, and none of them is in progress again."""
    instance = stage.instance()
    begun = stage.send(instance.request)
    stage.needed(begun.status in (200, 201, 202), "200, 201 or 202", begun)
    if begun.status == 202:
        _ended(stage, instance, begun, stage.end(instance, begun))
    deleted = stage.send(stage.deletion(instance))
    if deleted.status == 202:
        end = stage.end(instance, deleted, deleting=True)
        _ended(stage, instance, deleted, end)
    if begun.status != 202 and deleted.status != 202:
        raise Aside("all is done at once")


@scenario()
def polls_for_days(stage: Stage) -> None:
    """Poll a provision for three days, ever less often: it ends once, and the instance is what the end said."""
    if not stage.host.moves:
        raise Aside("a real broker would take days: play it in the same process")
    instance = stage.instance()
    begun = stage.creating(instance)
    pause, waited, ends = 60.0, 0.0, []
    while waited < 3 * _DAY:
        stage.host.sleep(pause)
        waited, pause = waited + pause, min(6 * _HOUR, 2 * pause)
        answer = stage.poll(instance, begun.operation)
        # LOI-25 lets a broker forget; what it says must be true all the same.
        if answer.status == 404:
            continue
        state = answer.fields.get("state")
        stage.needed(state in ("in progress", "succeeded", "failed"), "a poll gives a state", begun, answer)
        ends.append(str(state))
    stage.expect(ends[-1:] != ["in progress"], "an operation ends within three days", begun, stage.answers[-1])
    steady = ends == sorted(ends, key=lambda state: state != "in progress") and len(set(ends) - {"in progress"}) <= 1
    stage.expect(steady, f"an end stays the end; the states were {', '.join(dict.fromkeys(ends))}", begun)
    if ends[-1:] == ["succeeded"]:
        stage.is_there(instance)


@scenario()
def polls_what_never_was(stage: Stage) -> None:
    """Poll the last operation of an instance that there never was: 404."""
    # Who does all at once need not know of polls.
    stage.creating(stage.instance())
    answer = stage.poll(stage.instance())
    stage.expect(answer.status == 404, "a poll of an unknown instance gives 404", answer, rule="LOI-12")


def _ended(stage: Stage, thing: Thing, begun: Answer, end: str) -> None:
    for _ in range(2):
        again = stage.poll(thing, begun.operation)
        told = "gone" if again.status == 410 else str(again.fields.get("state", ""))
        same = told == end or {told, end} <= {"gone", "succeeded"} or (end == "gone" and again.status == 404)
        stage.expect(same, f"the end stays what it was: {end}", begun, again, rule="LOI-25")
