"""The context that a platform sends (profile: context object)."""

from __future__ import annotations

from typing import Any

from openbrokerapi.conformance.check import check
from openbrokerapi.conformance.conversation import Conversation
from openbrokerapi.conformance.rules import VERSIONS
from openbrokerapi.conformance.wire import Answer, Request


@check("CTX-03")
async def a_context_of_an_old_version_need_not_have_what_came_later(talk: Conversation) -> None:
    subject = talk.subject()
    answer = await _send_as_of_old(talk, talk.ask.provision(subject, context=_guids_only(talk)))
    _expect_complete(talk, answer)
    if not subject.bindable or not answer.ok:
        return
    instance = talk.named_instance(answer.request, subject, answer)
    if answer.status == 202 and (await talk.finish(answer, instance)).state != "succeeded":
        return
    _expect_complete(talk, await _send_as_of_old(talk, talk.ask.bind(instance, context=_guids_only(talk))))


def _guids_only(talk: Conversation) -> dict[str, str]:
    """Write the context as a Cloud Foundry of version 2.13 or 2.14 does: names came with 2.15."""
    return {
        "platform": "cloudfoundry",
        "organization_guid": talk.ask.organization,
        "space_guid": talk.ask.space,
    }


async def _send_as_of_old(talk: Conversation, request: Request) -> Answer:
    """Send a request by version 2.13, or by 2.14 where the broker serves nothing older."""
    plain = request.without_fields("maintenance_info").without_header("X-Broker-API-Request-Identity")
    answer = await talk.send(plain.with_header("X-Broker-API-Version", "2.13"))
    if answer.status == 412:
        answer = await talk.send(plain.with_header("X-Broker-API-Version", "2.14"))
    if answer.status == 412:
        talk.not_applicable("the broker serves no version before 2.15: it answered 412")
    return answer


def _expect_complete(talk: Conversation, answer: Answer) -> None:
    version = answer.request.header("X-Broker-API-Version")
    talk.expect("CTX-03", answer.ok, f"success: a context of version {version} need not have names", answer)


@check("CTX-13")
async def a_repeated_provision_with_other_names_in_its_context_is_no_conflict(talk: Conversation) -> None:
    instance = await talk.standing_instance()
    await _expect_no_conflict(talk, instance.request, _names(talk, "organization", "space", "instance"))


@check("CTX-13")
async def a_repeated_bind_with_other_names_in_its_context_is_no_conflict(talk: Conversation) -> None:
    binding = await talk.binding(await talk.standing_instance(talk.bindable_subject()))
    await _expect_no_conflict(talk, binding.request, _names(talk, "organization", "space"))


def _names(talk: Conversation, *of: str) -> dict[str, Any]:
    """Write what may change while an instance or a binding stays the same."""
    names: dict[str, Any] = {f"{each}_name": "renamed" for each in of}
    if VERSIONS.index(talk.version) >= VERSIONS.index("2.16"):
        names |= {f"{each}_annotations": {"example.com/owner": "somebody"} for each in of}
    return names


async def _expect_no_conflict(talk: Conversation, request: Request, names: dict[str, Any]) -> None:
    control = await talk.send(request)
    if control.status == 409:
        talk.not_applicable("the broker answers 409 to any repeated PUT, whatever its context is")
    if not control.ok:
        talk.undecided(f"the same request, repeated, was answered with {control.status}")
    context = {**(request.fields or {}).get("context", {}), **names}
    answer = await talk.send(request.with_fields(context=context).noted("with other names in its context"))
    expected = f"status {control.status}, as without the new names: they make no different instance or binding"
    talk.expect("CTX-13", answer.status == control.status, expected, control, answer)
