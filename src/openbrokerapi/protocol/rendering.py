"""From the broker's answer, or its error, to a response."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from .answers import (
    ACCEPTED_FIELDS,
    DONE_FIELDS,
    FAILED_FLAGS,
    FAILURE_FLAGS,
    MAX_OPERATION,
    REQUIRES,
    STATES,
    Answer,
    InvalidAnswer,
    Outcome,
)
from .call import Call
from .documents import encode
from .endpoints import BIND, FETCH_BINDING, POLL_INSTANCE, Endpoint
from .offerings import Index
from .problems import ASYNC_REQUIRED, UNAUTHORIZED, Problem, Refusal
from .request import Response

# CT-01
JSON = (b"content-type", b"application/json")
JSON_ONLY = (JSON,)
_CHALLENGE = (b"www-authenticate", b'Basic realm="service broker"')
_ACCEPTED = 202
_BINDINGS = frozenset((BIND, FETCH_BINDING))
_PLAIN = (str, bytes, bool, int, float, list, tuple, set, frozenset)
# ORPH-09: what a field has to be. In place of metadata and maintenance_info any object with attributes will do.
_FORMS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    **dict.fromkeys(
        ("dashboard_url", "syslog_drain_url", "route_service_url", "service_id", "plan_id"),
        ("a string", lambda value: isinstance(value, str)),
    ),
    **dict.fromkeys(("credentials", "parameters"), ("a mapping", lambda value: isinstance(value, Mapping))),
    **dict.fromkeys(("volume_mounts", "endpoints"), ("a list", lambda value: isinstance(value, (list, tuple)))),
    **dict.fromkeys(("metadata", "maintenance_info"), ("an object", lambda value: not isinstance(value, _PLAIN))),
}


def render(call: Call, answer: Answer) -> Response:
    """Render the broker's answer.

    Raises:
        Refusal: 422 ``AsyncRequired``: the broker went asynchronous although the platform cannot (ASY-09, ASY-10).
        InvalidAnswer: The specification does not allow this answer.
    """
    endpoint = call.endpoint
    if answer.outcome is Outcome.ACCEPTED:
        return _accepted(call, answer)
    body = _body(DONE_FIELDS[endpoint], answer)
    headers = _polled(endpoint, answer, body) if "state" in body else JSON_ONLY
    status = endpoint.made if answer.outcome is Outcome.DONE else 200
    return Response(status, headers, _encoded(body))


def _accepted(call: Call, answer: Answer) -> Response:
    if not call.accepts_incomplete:
        raise Refusal(ASYNC_REQUIRED)
    body = _body(ACCEPTED_FIELDS[call.endpoint], answer)
    if answer.operation:
        body["operation"] = _operation(answer.operation)
    return Response(_ACCEPTED, JSON_ONLY, _encoded(body))


def _operation(operation: str) -> str:
    # PROV-31, BIND-43, UNB-17, DEP-20
    if len(operation) > MAX_OPERATION:
        raise InvalidAnswer(f"the operation has more than {MAX_OPERATION} characters")
    return operation


def _body(names: tuple[str, ...], answer: Answer) -> dict[str, Any]:
    fields = answer.fields
    body = {}
    for name in names:
        value = fields.get(name)
        if value is not None:
            _check_type(name, value)
            body[name] = value
    return {**answer.extensions, **body} if answer.extensions else body


def _check_type(name: str, value: Any) -> None:
    form = _FORMS.get(name)
    if form is not None and not form[1](value):
        raise InvalidAnswer(f"{name} must be {form[0]}, not {type(value).__name__}")


def _polled(endpoint: Endpoint, answer: Answer, body: dict[str, Any]) -> tuple[tuple[bytes, bytes], ...]:
    # LOI-09, LOB-07
    if body["state"] not in STATES:
        raise InvalidAnswer("the state of an operation must be one of: " + ", ".join(sorted(STATES)))
    if not body.get("description"):  # LOI-17
        body.pop("description", None)
    if endpoint is POLL_INSTANCE and body["state"] == "failed":
        body |= _flags(FAILED_FLAGS, answer.fields)
    if answer.retry_after is None or body["state"] != "in progress":
        return JSON_ONLY
    return (JSON, (b"retry-after", b"%d" % answer.retry_after))  # LOI-23, LOB-17: seconds


def _flags(names: tuple[str, ...], source: Mapping[str, Any]) -> dict[str, bool]:
    return {name: source[name] for name in names if isinstance(source.get(name), bool)}


def _encoded(body: dict[str, Any]) -> bytes:
    try:
        return encode(body) if body else b"{}"
    except (TypeError, ValueError, msgspec.EncodeError, RecursionError) as error:
        # The text of the error may quote a value.
        raise InvalidAnswer(f"the answer cannot be written as JSON ({type(error).__name__})") from None


def undeclared(call: Call, answer: Answer, catalog: Index | None) -> list[str]:
    """Name the fields of a binding that its offering may not return, and take them out (BIND-46 to 48, GETB-10).

    Args:
        catalog: The catalog last seen; None where there is none, and then nothing can be said.
    """
    if catalog is None or call.endpoint not in _BINDINGS:
        return []
    given = [name for name in REQUIRES if answer.fields.get(name)]
    if not given:
        return []
    offering = call.offering or (catalog.get(call.service_id) if call.service_id else None)
    if offering is not None:
        declared = offering.requires
    else:
        # A GET without a hint, or a rotation without ids: what no offering declares, that of the binding does not.
        declared = frozenset[str]().union(*(each.requires for each in catalog.values()))
    wrong = [name for name in given if REQUIRES[name] not in declared]
    for name in wrong:
        del answer.fields[name]
    return wrong


def render_problem(
    endpoint: Endpoint | None,
    problem: Problem,
    description: str | None = None,
    *,
    flags: Mapping[str, Any] | None = None,
    headers: tuple[tuple[bytes, bytes], ...] = (),
) -> Response:
    """Render what is wrong (section "Service Broker Errors").

    Args:
        endpoint: Where; None if the request reached none.
        description: What the author says; else the problem's own sentence.
        flags: ``instance_usable`` and ``update_repeatable``, where the author set them.
    """
    body: dict[str, Any] = {}
    if problem.code is not None:
        body["error"] = problem.code
    if text := description or problem.description:
        body["description"] = text
    if flags and endpoint is not None:
        body |= _flags(FAILURE_FLAGS.get(endpoint, ()), flags)
    if problem is UNAUTHORIZED and not headers:
        headers = (_CHALLENGE,)  # AUTH-11
    return Response(problem.status_at(endpoint), (JSON, *headers), encode(body))
