"""Fetching a binding (``GET B``)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from openbrokerapi.conformance.check import Watched, check, watch
from openbrokerapi.conformance.conversation import Conversation
from openbrokerapi.conformance.cooperation import Trait
from openbrokerapi.conformance.subjects import Subject
from openbrokerapi.conformance.wire import Answer, Endpoint

from .binding_polling import begin_bind

#: What a binding may only hand out with a permission in ``requires``.
PERMISSIONS = {
    "syslog_drain_url": "syslog_drain",
    "route_service_url": "route_forwarding",
    "volume_mounts": "volume_mount",
}

#: What each endpoint has at the least (EPT-01, EPT-02).
_PARTS = {"host", "ports"}


def retrievable(subject: Subject) -> bool:
    """Say whether the bindings of a plan can be fetched, by its offering's own word."""
    return subject.offering.bindings_retrievable


def _fetchable(talk: Conversation) -> Subject:
    return talk.bindable_subject(retrievable, "a plan whose bindings can be fetched")


def _fetched(answer: Answer) -> bool:
    return answer.request.endpoint is Endpoint.FETCH_BINDING and answer.status == 200


@check("GETB-01")
async def the_bindings_of_every_plan_can_be_fetched_where_the_offering_says_so(talk: Conversation) -> None:
    bound = [each for each in talk.usable() if each.bindable and retrievable(each)]
    fetched = [answer for each in bound if (answer := each.life.answers.get(Endpoint.FETCH_BINDING))]
    if not fetched:
        talk.not_applicable("no offering that can be bound says bindings_retrievable")
    for answer in fetched:
        talk.expect("GETB-01", answer.status == 200, "status 200: the offering says bindings_retrievable", answer)


@check("GETB-04", "GETB-06")
async def a_binding_can_be_fetched_with_and_without_a_query_until_it_is_unbound(talk: Conversation) -> None:
    binding = await talk.binding(await talk.instance(_fetchable(talk)))
    fetch = talk.ask.fetch_binding(binding)
    for request in (fetch, fetch.without_query(), fetch.without_query("service_id"), fetch.without_query("plan_id")):
        answer = await talk.send(request)
        talk.expect("GETB-04", answer.status == 200, "status 200 with and without the query: it is a hint", answer)
    await talk.remove(binding)
    talk.expect_status(await talk.send(fetch), 404, "GETB-06")


@check("GETB-06")
async def the_fetch_of_a_binding_that_does_not_exist_is_answered_with_404(talk: Conversation) -> None:
    instance = await talk.standing_instance(_fetchable(talk))
    for owner in (instance, talk.ask.unknown_instance(instance.subject)):
        unknown = talk.ask.unknown_binding(owner)
        talk.expect_status(await talk.send(talk.ask.fetch_binding(unknown)), 404, "GETB-06")


@check("GETB-06")
async def a_binding_of_one_instance_is_none_of_another(talk: Conversation) -> None:
    subject = _fetchable(talk)
    binding = await talk.binding(await talk.instance(subject))
    elsewhere = replace(binding, instance=await talk.standing_instance(subject))
    answer = await talk.send(talk.ask.fetch_binding(elsewhere).noted("the binding is of another instance"))
    talk.expect_status(answer, 404, "GETB-06")


@check("GETB-02", "GETB-07", "GETB-09", "LOB-19")
async def a_binding_that_is_made_asynchronously_can_be_fetched_as_soon_as_it_is_there(talk: Conversation) -> None:
    subject = _with_late_bindings(talk)
    binding, answer = await begin_bind(talk, subject)
    early = await talk.send(talk.ask.fetch_binding(binding))
    running = await talk.send(talk.poll_of(answer, binding))
    if running.fields.get("state") == "in progress":
        talk.expect("GETB-07", early.status == 404, "status 404: the binding is still being made", early)
    end = await talk.finish(answer, binding)
    if end.state != "succeeded":
        talk.undecided(f"the bind ended {end.state}")
    fetched = await talk.send(talk.ask.fetch_binding(binding))
    talk.expect("LOB-19", fetched.status == 200, "status 200 at once after 'succeeded'", end.last, fetched)
    if retrievable(subject):
        talk.expect("GETB-02", fetched.status == 200, "status 200 at once after 'succeeded'", end.last, fetched)
    await _expect_credentials(talk, await talk.send(binding.request), fetched)
    talk.needs_help(
        f"give the trait {Trait.SLOW} in the file to a plan whose asynchronous binds take two seconds or more, "
        f"and {Trait.NO_CREDENTIALS} to plans whose bindings have none"
    )


def _with_late_bindings(talk: Conversation) -> Subject:
    """Find a plan with asynchronous bindings: one that can be fetched, and has credentials, where there is one."""
    late = [each for each in talk.usable() if each.bindable and each.life.asynchronous(Endpoint.BIND)]
    best = [each for each in late if retrievable(each) and not each.has(Trait.NO_CREDENTIALS)]
    return talk.bindable_subject(lambda each: each in (best or late), asynchronous=Endpoint.BIND)


async def _expect_credentials(talk: Conversation, repeated: Answer, fetched: Answer) -> None:
    """Judge whether the credentials are there, where the service is known to make any."""
    if fetched.status != 200:
        return
    shown = isinstance(fetched.fields.get("credentials"), dict)
    made = isinstance(repeated.fields.get("credentials"), dict)
    if shown or made:
        talk.expect("GETB-09", shown, "the credentials, which an asynchronous bind did not answer", repeated, fetched)


@check("GETB-13")
async def a_fetched_binding_has_all_endpoints_that_the_bind_answered(talk: Conversation) -> None:
    subject = talk.bindable_subject(
        lambda each: retrievable(each) and _endpoints(each.life.answers.get(Endpoint.BIND)) is not None,
        "a plan whose bindings have endpoints when they are made, and can be fetched",
    )
    binding = await talk.binding(await talk.instance(subject))
    fetched = await talk.send(talk.ask.fetch_binding(binding))
    made, shown = _endpoints(binding.answer), _endpoints(fetched)
    if made is not None and shown is not None:
        complete = all(endpoint in shown for endpoint in made)
        talk.expect(
            "GETB-13", complete, "all endpoints, if any: those that the bind answered are not all there", fetched
        )
    talk.not_applicable("fetched bindings have no endpoints")


def _endpoints(answer: Answer | None) -> list[Any] | None:
    """Return the endpoints of an answer, each with the protocol that it has when none is said (EPT-03)."""
    found = None if answer is None else answer.fields.get("endpoints")
    if not isinstance(found, list):
        return None
    return [{"protocol": "tcp", **each} if isinstance(each, dict) else each for each in found]


@watch("GETB-05")
def a_fetched_binding_is_a_JSON_object_with_status_200(  # noqa: N802
    answer: Answer, _: Watched
) -> Iterator[tuple[str, bool, str]]:
    if answer.request.endpoint is Endpoint.FETCH_BINDING and 200 <= answer.status < 300:
        yield "GETB-05", answer.status == 200 and answer.is_object, "status 200 and a JSON object"


@watch("GETB-10")
def a_fetched_binding_hands_out_only_what_the_offering_has_the_permission_for(
    answer: Answer, watched: Watched
) -> Iterator[tuple[str, bool, str]]:
    if not _fetched(answer) or watched.requires is None:
        return
    for name, permission in PERMISSIONS.items():
        if answer.fields.get(name) is not None:
            yield "GETB-10", permission in watched.requires, f"no {name}: the offering does not require {permission}"


@watch("GETB-11")
def the_parameters_of_a_fetched_binding_are_an_object(answer: Answer, _: Watched) -> Iterator[tuple[str, bool, str]]:
    if _fetched(answer) and "parameters" in answer.fields:
        yield "GETB-11", isinstance(answer.fields["parameters"], dict), "a JSON object as parameters, or none"


@watch("GETB-13")
def the_endpoints_of_a_fetched_binding_are_objects_with_hosts_and_ports(
    answer: Answer, _: Watched
) -> Iterator[tuple[str, bool, str]]:
    if _fetched(answer) and "endpoints" in answer.fields:
        found = answer.fields["endpoints"]
        shaped = isinstance(found, list) and all(isinstance(each, dict) and each.keys() >= _PARTS for each in found)
        yield "GETB-13", shaped, "an array of objects with host and ports as endpoints, or none"


@watch("GETB-14")
def the_metadata_of_a_fetched_binding_are_an_object(answer: Answer, _: Watched) -> Iterator[tuple[str, bool, str]]:
    if _fetched(answer) and "metadata" in answer.fields:
        yield "GETB-14", isinstance(answer.fields["metadata"], dict), "a JSON object as metadata, or none"
