"""What bindings are for: credentials, logs, routes, volumes; and what the catalog has to say of it."""

from __future__ import annotations

from typing import Any

from openbrokerapi.conformance.asking import Instance
from openbrokerapi.conformance.binding_data import (
    DATA,
    HandedOut,
    attempt,
    fetchable,
    handed_out,
    seen_of,
    shown,
    time_to_renew,
)
from openbrokerapi.conformance.check import check
from openbrokerapi.conformance.conversation import Conversation
from openbrokerapi.conformance.cooperation import Trait
from openbrokerapi.conformance.subjects import Subject
from openbrokerapi.conformance.wire import NO_SUCH_ENDPOINT, Answer, Endpoint


@check("BIND-02")
async def an_instance_of_a_plan_that_is_not_bindable_cannot_be_bound(talk: Conversation) -> None:
    plain = [each for each in talk.usable() if not each.plan.bindable]
    if not plain:
        talk.not_applicable("the catalog says of every plan that it is bindable")
    for subject in plain:
        instance = await talk.standing_instance(subject)
        answer, made = await attempt(talk, talk.ask.bind(instance), instance)
        expected = f"a refusal, or bindable: true in the catalog for {subject.name}"
        talk.expect("BIND-02", not made, expected, answer)


@check("BIND-03")
async def a_broker_with_bindable_plans_has_the_endpoint_for_binds(talk: Conversation) -> None:
    asked = [each for each in talk.usable() if each.plan.bindable and Endpoint.BIND in each.life.answers]
    if not asked:
        talk.not_applicable("no plan that can be provisioned is bindable")
    for subject in asked:
        answer = subject.life.answers[Endpoint.BIND]
        expected = f"an endpoint for binds, as the catalog says that {subject.name} is bindable"
        talk.expect("BIND-03", answer.status not in NO_SUCH_ENDPOINT, expected, answer)


@check("BIND-04")
async def a_binding_can_be_fetched_again_whether_its_data_is_handed_out_once_or_more(talk: Conversation) -> None:
    subject = talk.bindable_subject(lambda each: fetchable(talk, each), "a plan whose bindings can be fetched")
    binding = await talk.binding(await talk.instance(subject))
    first = await talk.send(talk.ask.fetch_binding(binding))
    if first.status != 200:
        talk.undecided(f"the first fetch of a binding was answered with {first.status}")
    again = await talk.send(talk.ask.fetch_binding(binding))
    holds = again.status == 200 and again.is_object
    talk.expect("BIND-04", holds, "status 200 with a JSON object, with the data or without", first, again)


@check("BIND-05")
async def the_data_of_a_binding_is_handed_out_at_least_once(talk: Conversation) -> None:
    telling = [each for each in talk.usable() if each.bindable and _should_hold_data(each)]
    if not telling:
        talk.not_applicable("there is no plan whose bindings should hold data")
    for subject in telling:
        handed = seen_of(subject)
        expected = f"any of {', '.join(DATA)} at once or in a fetch, or the trait {Trait.NO_CREDENTIALS} in the file"
        talk.expect("BIND-05", handed.has_data, expected, *handed.answers)


def _should_hold_data(subject: Subject) -> bool:
    """Say whether an application needs something of a binding; a route may be wired up without (BIND-14)."""
    wired = "route_forwarding" in subject.offering.requires and not subject.has(Trait.ROUTE_SERVICE)
    return not wired and not subject.has(Trait.NO_CREDENTIALS)


@check("BIND-45")
async def every_plan_of_a_service_that_makes_credentials_hands_them_out(talk: Conversation) -> None:
    bound = {each: seen_of(each) for each in talk.usable() if each.bindable and not each.has(Trait.NO_CREDENTIALS)}
    makes = {each.offering.id for each, handed in bound.items() if "credentials" in handed.fields}
    if not makes:
        talk.not_applicable("no binding has credentials")
    for subject, handed in bound.items():
        # GETB-09 is about the others.
        if subject.offering.id in makes and not subject.life.asynchronous(Endpoint.BIND):
            expected = f"credentials, as with other plans of {subject.offering.name}"
            talk.expect("BIND-45", "credentials" in handed.fields, expected, *handed.answers)
    talk.not_applicable("no binding with credentials is made in the request")


@check("BIND-07")
async def two_bindings_have_credentials_of_their_own(talk: Conversation) -> None:
    subject = talk.bindable_subject(
        lambda each: "credentials" in seen_of(each).fields, "a plan whose bindings have credentials"
    )
    instance = await talk.instance(subject)
    one = await talk.binding(instance)
    first = await handed_out(talk, one, "credentials")
    guid = talk.ask.new_id()
    two = await talk.binding(instance, app_guid=guid, bind_resource={"app_guid": guid})
    second = await handed_out(talk, two, "credentials")
    differ = first.fields.get("credentials") != second.fields.get("credentials")
    talk.expect("BIND-07", differ, "other credentials than those of the first binding", *second.answers)
    await talk.remove(one)
    if fetchable(talk, subject):
        left = await talk.send(talk.ask.fetch_binding(two))
        talk.expect("BIND-07", left.status == 200, "the second binding, as only the first one was removed", left)


def _seen_with(talk: Conversation, trait: Trait) -> HandedOut:
    """Return what the survey saw of a binding of the plan with this trait."""
    subject = talk.subject_with(trait)
    if not subject.bindable:
        talk.undecided(f"{subject.name} could not be bound")
    return seen_of(subject)


def _expect_text(talk: Conversation, trait: Trait, rule: str, name: str) -> None:
    handed = _seen_with(talk, trait)
    value = handed.fields.get(name)
    talk.expect(rule, isinstance(value, str) and bool(value), f"{name}, a string", *handed.answers)


@check("BIND-08")
async def a_binding_of_a_log_drain_has_a_syslog_drain_url(talk: Conversation) -> None:
    _expect_text(talk, Trait.LOG_DRAIN, "BIND-08", "syslog_drain_url")


@check("BIND-10")
async def a_route_service_says_that_it_requires_route_forwarding(talk: Conversation) -> None:
    routes = [each for each in talk.subjects if each.has(Trait.ROUTE_SERVICE) or each.has(Trait.ROUTE_OUT_OF_BAND)]
    if not routes:
        talk.subject_with(Trait.ROUTE_SERVICE)
    told = [talk.catalog_answer] if talk.catalog_answer else []
    for subject in routes:
        expected = f"requires: [route_forwarding] in the catalog for {subject.offering.name}"
        talk.expect("BIND-10", "route_forwarding" in subject.offering.requires, expected, *told)


@check("BIND-13")
async def a_binding_of_a_route_service_that_is_proxied_has_a_route_service_url(talk: Conversation) -> None:
    _expect_text(talk, Trait.ROUTE_SERVICE, "BIND-13", "route_service_url")


@check("BIND-14")
async def a_binding_of_a_route_service_that_is_wired_up_elsewhere_has_no_route_service_url(talk: Conversation) -> None:
    for answer in _seen_with(talk, Trait.ROUTE_OUT_OF_BAND).answers:
        talk.expect("BIND-14", "route_service_url" not in shown(answer), "no route_service_url", answer)


@check("BIND-15")
async def a_binding_of_a_volume_service_has_volume_mounts(talk: Conversation) -> None:
    handed = _seen_with(talk, Trait.VOLUME)
    mounts = handed.fields.get("volume_mounts")
    talk.expect("BIND-15", isinstance(mounts, list) and bool(mounts), "volume_mounts, an array", *handed.answers)


@check("BIND-12")
async def parameters_of_a_route_are_taken_or_refused_and_stay_with_their_route(talk: Conversation) -> None:
    subject = talk.subject_with(Trait.ROUTE_SERVICE)
    if subject.other_bind_parameters is None:
        talk.needs_help("give the plan of the trait route-service other_bind_parameters in the file")
    instance = await talk.instance(subject)
    given = [subject.bind_parameters or {}, subject.other_bind_parameters]
    answers = [await _bind_route(talk, instance, f"{place}.example.com", each) for place, each in enumerate(given)]
    for answer in answers:
        expected = "status 201 or 202, or one of 4xx where routes cannot have parameters of their own"
        talk.expect("BIND-12", answer.ok or answer.refused, expected, answer)
    if fetchable(talk, subject) and all(answer.ok for answer in answers):
        await _expect_own_parameters(talk, instance, answers, given)


async def _bind_route(talk: Conversation, instance: Instance, host: str, parameters: dict[str, Any]) -> Answer:
    resource = {"app_guid": talk.ask.new_id(), "route": f"https://route-{host}"}
    request = talk.ask.bind(instance, app_guid=None, bind_resource=resource, parameters=parameters or None)
    answer = await talk.send(request)
    if answer.status == 202:
        await talk.finish(answer, talk.named_binding(request, instance, answer))
    return answer


async def _expect_own_parameters(
    talk: Conversation, instance: Instance, answers: list[Answer], given: list[dict[str, Any]]
) -> None:
    for answer, own, other in zip(answers, given, reversed(given), strict=True):
        fetched = await talk.send(talk.ask.fetch_binding(talk.named_binding(answer.request, instance)))
        found = fetched.fields.get("parameters")
        mixed = isinstance(found, dict) and any(
            name in found and found[name] == value and own.get(name) != value for name, value in other.items()
        )
        talk.expect("BIND-12", not mixed, "parameters of this route, not those of another", answer, fetched)


@check("BMD-06")
async def between_the_renewal_and_the_end_of_a_binding_there_is_time_for_a_new_one(talk: Conversation) -> None:
    subject = talk.bindable_subject(
        lambda each: any(time_to_renew(answer) is not None for answer in seen_of(each).answers),
        "a plan whose bindings have both renew_before and expires_at",
    )
    instance = await talk.instance(subject)
    began = talk.clock.now()
    binding = await talk.binding(instance)
    needed = talk.clock.now() - began
    for answer in (await handed_out(talk, binding, "metadata")).answers:
        seconds = time_to_renew(answer)
        expected = f"more than the {needed:.1f} s of a bind between renew_before and expires_at"
        # BMD-05 is about those in the wrong order.
        if seconds is not None and seconds >= 0:
            talk.expect("BMD-06", seconds > needed, expected, answer)
