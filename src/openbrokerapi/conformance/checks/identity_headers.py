"""The two headers that say who asks, and which request it is."""

from __future__ import annotations

import base64
import json

from openbrokerapi.conformance.check import check
from openbrokerapi.conformance.conversation import Conversation
from openbrokerapi.conformance.wire import Request

ORIGINATING = "X-Broker-API-Originating-Identity"
REQUEST = "X-Broker-API-Request-Identity"

#: As the specification prints it: there are line ends of two characters in the JSON.
_SAMPLE = "cloudfoundry eyANCiAgInVzZXJfaWQiOiAiNjgzZWE3NDgtMzA5Mi00ZmY0LWI2NTYtMzljYWNjNGQ1MzYwIg0KfQ=="

_LOG_TRIES = 5
_LOG_PAUSE = 0.2  # seconds; a log may be written a little later than the answer


def _encoded(value: object) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


#: What is wrong, and the value of the header.
_BAD_IDENTITIES = (
    ("it has no value beside the platform", "cloudfoundry"),
    ("the value is not Base64", "cloudfoundry {not-base64}"),
    ("the value is not JSON", "cloudfoundry " + base64.b64encode(b"{user_id").decode()),
    ("the value is not a JSON object", "cloudfoundry " + _encoded(["683ea748-3092-4ff4-b656-39cacc4d5360"])),
)


@check("OID-03")
async def an_instance_lives_without_the_originating_identity(talk: Conversation) -> None:
    await _live_without(talk, ORIGINATING, "OID-03")


@check("RID-07")
async def an_instance_lives_without_the_request_identity(talk: Conversation) -> None:
    await _live_without(talk, REQUEST, "RID-07")


async def _live_without(talk: Conversation, header: str, rule: str) -> None:
    """Let an instance live from its provision to its end, with a header left out of every request."""

    def bare(request: Request) -> Request:
        return request.without_header(header).noted(f"{header} is left out")

    expected = f"to be served: {header} is optional"
    catalog = await talk.send(bare(talk.ask.catalog()))
    talk.expect(rule, catalog.ok, expected, catalog)
    request = bare(talk.ask.provision(talk.subject()))
    made = await talk.send(request)
    if not talk.expect(rule, made.ok, expected, made):
        return
    instance = talk.named_instance(request, talk.subject(), made)
    poll = talk.poll_of(made, instance)
    polled, usual = await talk.send(bare(poll)), await talk.send(poll)
    # There need not be anything to poll: what counts is that the header makes no difference.
    talk.expect(rule, polled.status == usual.status, f"{expected}; with it: {usual.status}", usual, polled)
    if made.status == 202:
        await talk.finish(made, instance)
    removed = await talk.send(bare(talk.ask.deprovision(instance)))
    talk.expect(rule, removed.ok, expected, removed)
    if removed.status == 202:
        await talk.finish(removed, instance)


@check("OID-09")
async def an_originating_identity_that_cannot_be_read_is_refused_or_not_looked_at(talk: Conversation) -> None:
    subject = talk.subject()
    for wrong, value in _BAD_IDENTITIES:
        request = talk.ask.provision(subject).with_header(ORIGINATING, value).noted(f"the identity is wrong: {wrong}")
        answer = await talk.send(request)
        text = f"status 400, or to be served by a broker that does not look at it: the identity is wrong, {wrong}"
        # The specification names no status, and nobody has to look at this header.
        talk.expect("OID-09", answer.ok or answer.refused, text, answer)
        if answer.refused:
            gone = await talk.send(talk.ask.deprovision(talk.named_instance(request, subject, answer)))
            talk.expect("OID-09", not gone.ok, "nothing to be there after a 400", answer, gone)


@check("OID-10")
async def the_originating_identity_of_the_specification_is_read(talk: Conversation) -> None:
    subject = talk.subject()
    request = talk.ask.provision(subject).with_header(ORIGINATING, _SAMPLE)
    answer = await talk.send(request.noted("the identity is the specification's own sample"))
    text = "to be served: it is the specification's own sample, with line ends in the JSON"
    if not talk.expect("OID-10", answer.ok, text, answer):
        return
    instance = talk.named_instance(request, subject, answer)
    if answer.status == 202:
        await talk.finish(answer, instance)
    identity = talk.ask.identity({"user_id": "683ea748-3092-4ff4-b656-39cacc4d5360", "x-acme": {"groups": ["a"]}})
    removal = talk.ask.deprovision(instance).with_header(ORIGINATING, identity)
    removed = await talk.send(removal.noted("the identity has a property that the specification does not know"))
    talk.expect("OID-10", removed.ok, "to be served: an identity may have further properties", removed)
    if removed.status == 202:
        await talk.finish(removed, instance)


@check("RID-02")
async def the_request_identity_is_in_the_log(talk: Conversation) -> None:
    before = await talk.switch("request_log")
    identity = talk.ask.new_id()
    answer = await talk.send(talk.ask.catalog().with_header(REQUEST, identity))
    for _ in range(_LOG_TRIES):
        log = await talk.switch("request_log")
        if identity in log:
            break
        await talk.clock.sleep(_LOG_PAUSE)
    talk.expect("RID-02", identity in log and identity not in before, "the value of the header to be logged", answer)
