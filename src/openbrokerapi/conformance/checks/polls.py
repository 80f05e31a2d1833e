"""What holds for every answer to a poll, of an instance or of a binding."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

from openbrokerapi.conformance.check import Watched, watch
from openbrokerapi.conformance.conversation import Conversation
from openbrokerapi.conformance.wire import NO_SUCH_ENDPOINT, Answer, Endpoint

STATES = ("in progress", "succeeded", "failed")

_SECONDS = re.compile(r"[0-9]+\Z")


def expect_unknown(talk: Conversation, answer: Answer, rule: str) -> None:
    """Write down whether the poll of what never was is answered with 404.

    Raises:
        SetAside: The broker has no such endpoint, and needs none.
    """
    late = any(each.life.asynchronous(endpoint) for each in talk.usable() for endpoint in Endpoint)
    if not late and answer.status in NO_SUCH_ENDPOINT and answer.status != 404:
        talk.not_applicable("nothing is asynchronous, and there is no endpoint for polls")
    talk.expect_status(answer, 404, rule)


def _rule(answer: Answer, instance: str, binding: str) -> str | None:
    """Choose the rule that speaks of this answer: the two endpoints have a row each."""
    return {Endpoint.POLL_INSTANCE: instance, Endpoint.POLL_BINDING: binding}.get(answer.request.endpoint)


@watch("LOI-09", "LOB-07")
def a_poll_is_answered_with_200_and_one_of_three_states(answer: Answer, _: Watched) -> Iterator[tuple[str, bool, str]]:
    rule = _rule(answer, "LOI-09", "LOB-07")
    if rule and 200 <= answer.status < 300:
        holds = answer.status == 200 and answer.is_object and answer.fields.get("state") in STATES
        yield rule, holds, "status 200 and a JSON object whose state is 'in progress', 'succeeded' or 'failed'"


@watch("LOI-17", "LOB-15")
def the_description_of_a_poll_is_a_string(answer: Answer, _: Watched) -> Iterator[tuple[str, bool, str]]:
    description = answer.fields.get("description", "absent")
    if answer.status == 200 and answer.request.endpoint is Endpoint.POLL_INSTANCE:
        yield "LOI-17", isinstance(description, str) and description != "", "no description, or a non-empty string"
    if answer.status == 200 and answer.request.endpoint is Endpoint.POLL_BINDING:
        yield "LOB-15", isinstance(description, str), "no description, or a string"


@watch("LOI-22", "LOB-16")
def a_poll_says_how_long_to_wait_in_a_way_that_HTTP_knows(  # noqa: N802
    answer: Answer, _: Watched
) -> Iterator[tuple[str, bool, str]]:
    rule = _rule(answer, "LOI-22", "LOB-16")
    wait = answer.header("Retry-After")
    if rule and answer.status == 200 and wait is not None:
        yield rule, _is_seconds(wait) or _is_date(wait), "a number of seconds, or a date, in Retry-After"


@watch("LOI-23", "LOB-17")
def a_poll_says_how_long_to_wait_in_seconds(answer: Answer, _: Watched) -> Iterator[tuple[str, bool, str]]:
    rule = _rule(answer, "LOI-23", "LOB-17")
    wait = answer.header("Retry-After")
    if rule and answer.status == 200 and wait is not None:
        yield rule, _is_seconds(wait), "a whole number of seconds in Retry-After"


@watch("LOB-20")
def the_poll_of_a_binding_has_no_flags_of_an_instance(answer: Answer, _: Watched) -> Iterator[tuple[str, bool, str]]:
    if answer.request.endpoint is Endpoint.POLL_BINDING and answer.status == 200:
        holds = answer.fields.keys().isdisjoint(("instance_usable", "update_repeatable"))
        yield "LOB-20", holds, "neither instance_usable nor update_repeatable: they are about instances"


def _is_seconds(wait: str) -> bool:
    return bool(_SECONDS.match(wait.strip()))


def _is_date(wait: str) -> bool:
    try:
        parsedate_to_datetime(wait)
    except (ValueError, TypeError):
        return False
    return True
