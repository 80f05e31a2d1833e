"""The type of a body, and bodies that cannot be read."""

from __future__ import annotations

from openbrokerapi.conformance.check import check
from openbrokerapi.conformance.conversation import Conversation
from openbrokerapi.conformance.wire import Request

CONTENT_TYPE = "Content-Type"

#: What is wrong, and the body.
_UNPROCESSABLE = (
    ("it is broken off", b'{"service_id": '),
    ("it is an array", b"[]"),
    ("it is empty", b""),
    ("it is a text", b'"service_id"'),
    ("it is not UTF-8", b'{"service_id": "\xff"}'),
)


@check("CT-03", "CT-04", "CT-06")
async def a_body_may_be_of_no_type_or_of_one_with_a_character_set(talk: Conversation) -> None:
    instance = await talk.instance()
    again = await talk.send(instance.request)

    def write() -> Request:
        # The same again makes nothing; a broker that does not serve it is asked for something new.
        return instance.request if again.ok else talk.ask.provision(instance.subject)

    answer = await talk.send(write().without_header(CONTENT_TYPE).noted("no type is given"))
    text = "to be served, or status 400: a body of no type may be taken for JSON"
    talk.expect("CT-03", answer.ok or answer.status == 400, text, answer)

    answer = await talk.send(write().with_header(CONTENT_TYPE, "text/plain"))
    # To read it all the same is not forbidden.
    talk.expect("CT-04", answer.ok or answer.status == 400, "status 400 where another type is refused", answer)

    for value in ("application/json; charset=utf-8", "application/json;charset=UTF-8", "Application/JSON"):
        answer = await talk.send(write().with_header(CONTENT_TYPE, value))
        talk.expect("CT-06", answer.ok, f"to be served: {value} is JSON", answer)


@check("CT-05")
async def a_body_that_cannot_be_read_is_refused_with_400(talk: Conversation) -> None:
    for wrong, body in _UNPROCESSABLE:
        request = talk.ask.provision(talk.subject()).with_body(body).noted(f"the body is wrong: {wrong}")
        answer = await talk.send(request)
        talk.expect("CT-05", answer.status == 400, f"status 400: the body is wrong, {wrong}", answer)
