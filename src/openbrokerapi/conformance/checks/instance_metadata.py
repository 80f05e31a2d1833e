"""The metadata of a service instance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openbrokerapi.conformance.check import Watched, check, watch
from openbrokerapi.conformance.checks.update_subjects import fetched, is_shown, takes_parameters, to_update, updated
from openbrokerapi.conformance.conversation import Conversation
from openbrokerapi.conformance.wire import Answer, Endpoint

_INSTANCE = (Endpoint.PROVISION, Endpoint.UPDATE, Endpoint.FETCH_INSTANCE)


@watch("SIM-01", "SIM-03")
def the_labels_and_the_attributes_of_an_instance_are_objects(
    answer: Answer, _: Watched
) -> Iterator[tuple[str, bool, str]]:
    metadata = answer.fields.get("metadata")
    if answer.request.endpoint not in _INSTANCE or not answer.ok or not isinstance(metadata, dict):
        return
    for rule, name in (("SIM-01", "labels"), ("SIM-03", "attributes")):
        if metadata.get(name) is not None:
            yield rule, isinstance(metadata[name], dict), f"an object as {name} of metadata"


@check("SIM-04")
async def a_fetch_shows_the_attributes_as_an_update_has_changed_them(talk: Conversation) -> None:
    subject = to_update(
        talk,
        lambda each: takes_parameters(each) and is_shown(each) and _has_attributes(each.life.answers[Endpoint.UPDATE]),
        "which can be fetched and has attributes",
    )
    instance = await talk.instance(subject)
    before = _attributes(await fetched(talk, instance))
    answer = await updated(talk, talk.ask.update(instance, parameters=subject.update_parameters), instance)
    changed = {name: value for name, value in _attributes(answer).items() if before.get(name) != value}
    if not changed:
        talk.not_applicable("the update that is known changes no attribute")
    after = await fetched(talk, instance)
    shown = _attributes(after)
    new = all(name in shown and (name not in before or shown[name] != before[name]) for name in changed)
    talk.expect("SIM-04", new, "the attributes that the answer to the update told of", answer, after)


def _has_attributes(answer: Answer) -> bool:
    return bool(_attributes(answer))


def _attributes(answer: Answer) -> dict[str, Any]:
    metadata = answer.fields.get("metadata")
    attributes = metadata.get("attributes") if isinstance(metadata, dict) else None
    return attributes if isinstance(attributes, dict) else {}
