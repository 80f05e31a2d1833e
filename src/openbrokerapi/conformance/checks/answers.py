"""What holds for every answer of a run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from openbrokerapi.conformance.check import Watched, watch
from openbrokerapi.conformance.wire import Answer, Endpoint

_ONE_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]*\Z")
_PREFIXED = re.compile(r"[^-_.:/]+[-_.:/]")
_POLLS = (Endpoint.POLL_INSTANCE, Endpoint.POLL_BINDING)
_MAKERS = (Endpoint.PROVISION, Endpoint.UPDATE, Endpoint.DEPROVISION, Endpoint.BIND, Endpoint.UNBIND)
_REQUEST_IDENTITY = "X-Broker-API-Request-Identity"

#: The names that the specification has in any of these objects.
_KNOWN = frozenset({
    "allow_context_updates", "binding_rotatable", "bindable", "bindings_retrievable", "context", "credentials",
    "dashboard_client", "dashboard_url", "description", "endpoints", "error", "free", "id", "instance_usable",
    "instances_retrievable", "maintenance_info", "maximum_polling_duration", "metadata", "name", "operation",
    "parameters", "plan_id", "plan_updateable", "plans", "requires", "route_service_url", "schemas", "service_id",
    "services", "state", "syslog_drain_url", "tags", "update_repeatable", "volume_mounts",
})  # fmt: skip

#: From version 2.14 on such an answer may have no body.
_MAY_BE_EMPTY = (401, 404, 410)

_Judgements = Iterator[tuple[str, bool, str]]


@watch("RID-03")
def the_request_identity_is_sent_back(answer: Answer, _: Watched) -> _Judgements:
    sent = answer.request.header(_REQUEST_IDENTITY)
    if sent:
        text = f"the header {_REQUEST_IDENTITY} with the value of the request"
        yield "RID-03", answer.header(_REQUEST_IDENTITY) == sent, text


@watch("EXT-02")
def fields_that_a_broker_adds_have_a_prefix(answer: Answer, _: Watched) -> _Judgements:
    for fields in _objects(answer):
        added = [name for name in fields if name not in _KNOWN]
        bare = [name for name in added if not _PREFIXED.match(name)]
        if added:
            yield "EXT-02", not bare, f"a unique prefix in the name of a field that is added, here {', '.join(bare)}"


def _objects(answer: Answer) -> Iterator[dict[str, Any]]:
    """Go through the objects of an answer of which the specification names the fields."""
    yield answer.fields
    if answer.request.endpoint is Endpoint.CATALOG:
        for offering in _listed(answer.fields.get("services")):
            yield offering
            yield from _listed(offering.get("plans"))


def _listed(found: Any) -> list[dict[str, Any]]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


@watch("AUTH-11")
def a_401_says_how_to_authenticate(answer: Answer, _: Watched) -> _Judgements:
    if answer.status == 401:
        yield "AUTH-11", bool(answer.header("WWW-Authenticate")), "a WWW-Authenticate header in the 401"


@watch("ERR-01")
def a_failure_has_a_status_of_failure(answer: Answer, _: Watched) -> _Judgements:
    if answer.status < 300 and answer.request.endpoint in _MAKERS:
        yield "ERR-01", not answer.error, "a status of 400 or more, as the body tells of an error"
    elif 300 <= answer.status < 400:
        known = answer.status == 304 and answer.request.endpoint is Endpoint.CATALOG
        yield "ERR-01", known, "a status of the specification, which knows no redirections"


@watch("ERR-02")
def a_success_is_200_201_or_202(answer: Answer, _: Watched) -> _Judgements:
    if answer.status < 300:
        yield "ERR-02", answer.ok, "status 200, 201 or 202: platforms take any other for a failure"


@watch("ERR-03")
def the_error_of_an_answer_is_one_word(answer: Answer, _: Watched) -> _Judgements:
    if answer.status >= 400 and "error" in answer.fields:
        code = answer.fields["error"]
        yield "ERR-03", isinstance(code, str) and bool(_ONE_WORD.match(code)), "one camel-case word as error"


@watch("ERR-04")
def the_description_of_an_error_is_a_text(answer: Answer, _: Watched) -> _Judgements:
    if answer.status >= 400 and "description" in answer.fields:
        said = answer.fields["description"]
        yield "ERR-04", isinstance(said, str) and bool(said), "a text that is not empty as description"


@watch("ERR-05", "ERR-06")
def only_errors_of_updates_and_deletions_say_whether_the_instance_is_usable(answer: Answer, _: Watched) -> _Judgements:
    endpoint = answer.request.endpoint
    if answer.status < 400 or endpoint in _POLLS:
        return
    if endpoint not in (Endpoint.UPDATE, Endpoint.DEPROVISION):
        yield "ERR-05", "instance_usable" not in answer.fields, f"no instance_usable in an error of {endpoint}"
    elif "instance_usable" in answer.fields:
        yield "ERR-06", isinstance(answer.fields["instance_usable"], bool), "true or false as instance_usable"


@watch("ERR-07", "ERR-08")
def only_errors_of_updates_say_whether_the_update_is_repeatable(answer: Answer, _: Watched) -> _Judgements:
    endpoint = answer.request.endpoint
    if answer.status < 400 or endpoint in _POLLS:
        return
    if endpoint is not Endpoint.UPDATE:
        yield "ERR-07", "update_repeatable" not in answer.fields, f"no update_repeatable in an error of {endpoint}"
    elif "update_repeatable" in answer.fields:
        yield "ERR-08", isinstance(answer.fields["update_repeatable"], bool), "true or false as update_repeatable"


@watch("ERR-18")
def the_body_of_an_error_is_a_JSON_object(answer: Answer, watched: Watched) -> _Judgements:  # noqa: N802
    if answer.status < 400:
        return
    may_be_empty = answer.status in _MAY_BE_EMPTY and watched.version not in ("2.11", "2.12", "2.13")
    empty = may_be_empty and not answer.body
    yield "ERR-18", empty or answer.is_object, "a JSON object as the body of the error"


@watch("CT-01")
def a_body_is_declared_as_JSON(answer: Answer, _: Watched) -> _Judgements:  # noqa: N802
    if answer.body:
        declared = (answer.header("Content-Type") or "").partition(";")[0].strip().lower()
        yield "CT-01", declared == "application/json", "the Content-Type application/json for a body"
