"""Creating a binding (``PUT B``): what a request must hold, and what it need not."""

from __future__ import annotations

from collections.abc import Iterator

from openbrokerapi.conformance.asking import Instance
from openbrokerapi.conformance.binding_data import attempt
from openbrokerapi.conformance.check import check
from openbrokerapi.conformance.conversation import Conversation
from openbrokerapi.conformance.cooperation import Trait
from openbrokerapi.conformance.wire import Endpoint, Request


@check("BIND-17")
async def a_bind_that_can_only_be_asynchronous_is_refused_where_the_platform_does_not_allow_it(
    talk: Conversation,
) -> None:
    late = [each for each in talk.usable() if each.bindable and each.life.asynchronous(Endpoint.BIND)]
    for subject in late:
        instance = await talk.standing_instance(subject)
        absent, _ = await attempt(talk, talk.ask.bind(instance).without_query("accepts_incomplete"), instance)
        if absent.status in (200, 201):
            continue
        denied = talk.ask.bind(instance).with_query(accepts_incomplete="false")
        for answer in (absent, (await attempt(talk, denied, instance))[0]):
            holds = answer.status == 422 and answer.error == "AsyncRequired"
            talk.expect("BIND-17", holds, "status 422 with the error AsyncRequired", answer)
        return
    talk.not_applicable("there is no plan whose bindings can only be made asynchronously")


@check("BIND-18", "BIND-19")
async def a_bind_without_service_id_or_plan_id_is_answered_with_400(talk: Conversation) -> None:
    instance = await talk.standing_instance(talk.bindable_subject())
    for rule, name in (("BIND-18", "service_id"), ("BIND-19", "plan_id")):
        for request in (
            talk.ask.bind(instance).without_fields(name),
            talk.ask.bind(instance).with_fields(**{name: ""}),
        ):
            answer, _ = await attempt(talk, request, instance)
            talk.expect_status(answer, 400, rule)


def _with_other_ids(talk: Conversation, instance: Instance) -> Iterator[Request]:
    ask, subject = talk.ask, instance.subject
    yield ask.bind(instance, service_id=ask.new_id()).noted("a service_id that is not in the catalog")
    yield ask.bind(instance, plan_id=ask.new_id()).noted("a plan_id that is not in the catalog")
    if subject.another_plan is not None:
        yield ask.bind(instance, plan_id=subject.another_plan.id).noted("another plan than the instance's")
    if subject.foreign_plan is not None:
        other = subject.foreign_plan
        named = ask.bind(instance, service_id=other.offering.id, plan_id=other.id)
        yield named.noted("another offering than the instance's")


@check("BIND-20")
async def a_bind_with_a_service_id_or_plan_id_that_is_not_that_of_the_instance_does_not_succeed(
    talk: Conversation,
) -> None:
    instance = await talk.standing_instance(talk.bindable_subject())
    for request in _with_other_ids(talk, instance):
        answer, made = await attempt(talk, request, instance)
        talk.expect("BIND-20", not made, "a refusal, best with status 400", answer)


@check("BIND-21")
async def a_bind_may_lack_the_context_but_not_have_one_that_is_no_object(talk: Conversation) -> None:
    instance = await talk.instance(talk.bindable_subject())
    without, made = await attempt(talk, talk.ask.bind(instance, context=None), instance)
    talk.expect("BIND-21", made, "status 201 or 202: context is optional", without)
    wrong, made = await attempt(talk, talk.ask.bind(instance, context="cloudfoundry"), instance)
    talk.expect("BIND-21", not made, "a refusal, best with status 400: context is an object", wrong)


@check("BIND-22")
async def the_application_is_read_from_bind_resource_and_from_the_deprecated_field_beside_it(
    talk: Conversation,
) -> None:
    instance = await talk.instance(talk.subject_with(Trait.REQUIRES_APP))
    for name, request in (
        ("bind_resource.app_guid", talk.ask.bind(instance, app_guid=None)),
        ("app_guid", talk.ask.bind(instance, bind_resource=None)),
    ):
        answer, made = await attempt(talk, request, instance)
        talk.expect("BIND-22", made, f"status 201 or 202, as {name} names the application", answer)


@check("BIND-24")
async def a_bind_without_bind_resource_works_unless_an_application_is_required(talk: Conversation) -> None:
    subject = talk.bindable_subject(
        lambda each: not each.has(Trait.REQUIRES_APP) and not each.offering.requires,
        "a plan that can be bound without an application, a route or the like",
    )
    instance = await talk.instance(subject)
    resources: tuple[dict[str, str] | None, ...] = (None, {})
    for resource in resources:
        request = talk.ask.bind(instance, app_guid=None, bind_resource=resource)
        answer, made = await attempt(talk, request, instance)
        holds = made or (answer.status == 422 and answer.error == "RequiresApp")
        talk.expect("BIND-24", holds, "status 201 or 202, or 422 with the error RequiresApp", answer)


@check("BIND-28", "BIND-36")
async def a_bind_with_parameters_that_the_plan_does_not_allow_is_refused(talk: Conversation) -> None:
    talk.bindable_subject()
    if not any(each.bindable and each.bad_bind_parameters is not None for each in talk.usable()):
        talk.needs_help("give a plan that can be bound bad_bind_parameters in the file")
    subject = talk.bindable_subject(lambda each: each.bad_bind_parameters is not None)
    instance = await talk.standing_instance(subject)
    request = talk.ask.bind(instance, parameters=subject.bad_bind_parameters)
    answer, made = await attempt(talk, request, instance)
    talk.expect("BIND-28", not made, "a refusal, best with status 400", answer)
    if answer.ok:
        talk.not_applicable("no request with parameters that are not allowed was refused at once")
    talk.expect("BIND-36", answer.refused, "status 400, or another one of 4xx: it is the request that is wrong", answer)


@check("BIND-35")
async def a_bind_with_a_body_that_is_no_JSON_object_is_answered_with_400(talk: Conversation) -> None:  # noqa: N802
    instance = await talk.standing_instance(talk.bindable_subject())
    for body in (b'{"service_id": ', b"[]"):
        answer, _ = await attempt(talk, talk.ask.bind(instance).with_body(body), instance)
        talk.expect_status(answer, 400, "BIND-35")
