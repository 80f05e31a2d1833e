"""The version header: which versions are refused, and how."""

from __future__ import annotations

import re

from openbrokerapi.conformance.check import check
from openbrokerapi.conformance.conversation import Conversation
from openbrokerapi.conformance.wire import Answer, Request

VERSION = "X-Broker-API-Version"

#: Text and decimal fractions put 2.2 and 2.9 behind 2.10 and 2.13.
_MINORS = (0, 2, 9, 10, 12)
_NAMED = re.compile(r"[0-9]+\.[0-9]+")
_WRITTEN = re.compile(r"2\.([0-9]+)\Z")


def _minor(version: str) -> int:
    return int(version.split(".")[1])


def _catalog(talk: Conversation, version: str) -> Request:
    return talk.ask.catalog().with_header(VERSION, version).noted(f"the version is {version}")


def _least(talk: Conversation) -> int | None:
    """Return the least minor version that the broker serves, where the file says it."""
    told = talk.help.minimum_version
    if told is None:
        return None
    written = _WRITTEN.match(told)
    if written is None:
        talk.needs_help('broker.minimum_version in the file has to be a version such as "2.10"')
    return int(written[1])


@check("VER-02")
async def versions_are_compared_as_numbers(talk: Conversation) -> None:
    least = _least(talk)
    minors = [*(minor for minor in _MINORS if minor < _minor(talk.version)), _minor(talk.version)]
    answers = [(minor, await talk.send(_catalog(talk, f"2.{minor}"))) for minor in minors]
    if least is not None:
        for minor, answer in answers:
            wanted = "served" if minor >= least else "refused"
            text = f"2.{minor} to be {wanted}: the least version is 2.{least}, and versions are compared as numbers"
            talk.expect("VER-02", answer.ok if minor >= least else answer.refused, text, answer)
        return
    if not any(answer.refused for _, answer in answers):
        talk.not_applicable("the broker serves every version from 2.0 on")
    _judge_order(talk, answers)


def _judge_order(talk: Conversation, answers: list[tuple[int, Answer]]) -> None:
    """Judge that nothing is refused that is later than what is served."""
    earlier: tuple[int, Answer] | None = None
    for minor, answer in answers:
        if earlier is not None:
            text = f"2.{minor} to be served, as the earlier 2.{earlier[0]} is: versions are compared as numbers"
            talk.expect("VER-02", answer.ok, text, earlier[1], answer)
        elif answer.ok:
            talk.expect("VER-02", True, f"2.{minor} to be served", answer)
            earlier = (minor, answer)


@check("ERR-01")
async def a_version_that_is_none_is_no_error_of_the_broker(talk: Conversation) -> None:
    # To refuse it is not asked of anybody: some brokers look at the major version only, or not at all.
    for text in ("banana", "2.x"):
        answer = await talk.send(_catalog(talk, text))
        talk.expect("ERR-01", answer.ok or answer.refused, "success, or status 4xx: the version is wrong", answer)


@check("VER-03")
async def a_version_that_is_too_old_is_refused_with_412_and_the_version_to_use(talk: Conversation) -> None:
    answer = await talk.send(_catalog(talk, "2.0"))
    if answer.ok:
        talk.not_applicable("the broker serves every version from 2.0 on")
    talk.expect_status(answer, 412, "VER-03")
    said = answer.fields.get("description")
    named = isinstance(said, str) and bool(_NAMED.search(said))
    talk.expect("VER-03", named, "a description that names the version to use", answer)


@check("VER-04")
async def a_later_minor_version_is_served(talk: Conversation) -> None:
    talk.expect_status(await talk.send(_catalog(talk, "2.99")), 200, "VER-04")


@check("VER-05")
async def a_request_without_version_is_served_or_refused_with_400(talk: Conversation) -> None:
    answer = await talk.send(talk.ask.catalog().without_header(VERSION).noted("the version header is left out"))
    # 412 is what many brokers answer; the specification only allows 400, and does not require it.
    talk.expect_status(answer, (200, 400, 412), "VER-05")
    if answer.refused:
        said = answer.fields.get("description")
        text = "a description that says that the header is required"
        talk.expect("VER-05", isinstance(said, str) and bool(said), text, answer)


@check("VER-06")
async def the_name_of_the_version_header_may_be_written_in_any_case(talk: Conversation) -> None:
    for name in ("x-broker-api-version", "X-Broker-Api-Version"):
        request = talk.ask.catalog().with_header(name, talk.version).noted(f"the header is written {name}")
        talk.expect_status(await talk.send(request), 200, "VER-06")
