"""From a request to a call: all that can be checked without the catalog."""

from __future__ import annotations

from dataclasses import dataclass

from .bodies import ProvisionBody, check_organization, read_body
from .call import Call
from .headers import check_content_type, check_version, originating_identity
from .problems import bad_request
from .request import Request
from .urls import Query, read_query, route


@dataclass(frozen=True)
class Policy:
    """The choices that the specification leaves open.

    Args:
        minimum_version: The oldest API version that is served; None serves any, and requests without the header.
        missing_version_status: The status of a request without the version header, 400 or 412.
        organization_required: Whether a provision from Cloud Foundry needs both of the deprecated guids.
    """

    minimum_version: tuple[int, ...] | None = (2, 13)
    missing_version_status: int = 400
    organization_required: bool = True


def read_head(request: Request, policy: Policy) -> Call:
    """Read path, headers and query; the call has no body yet.

    Raises:
        Refusal: 400, 404, 405 or 412, in this order of looking: path, version, identity, content type, query.
    """
    endpoint, instance_id, binding_id = route(request.method, request.path)
    if policy.minimum_version is not None:
        check_version(request.headers, policy.minimum_version, policy.missing_version_status)
    call = Call(endpoint, request, instance_id, binding_id)
    call.identity = originating_identity(request.headers)
    if endpoint.has_body:
        check_content_type(request.headers)
    query = read_query(request.query)
    if endpoint.needs_plan:
        _require_plan(query)
    if query.operation == "":  # LOI-10, LOB-08
        raise bad_request("The query parameter operation is empty.")
    call.accepts_incomplete, call.service_id, call.plan_id, call.operation = query
    return call


def _require_plan(query: Query) -> None:
    # DEP-07, DEP-08, UNB-06, UNB-07
    for name, value in (("service_id", query.service_id), ("plan_id", query.plan_id)):
        if not value:
            raise bad_request(f"The query parameter {name} is missing or empty.")


def add_body(call: Call, raw: bytes, policy: Policy) -> None:
    """Read the body into ``call``.

    Raises:
        Refusal: 400, with the field that is missing or of the wrong type.
    """
    body = read_body(call.endpoint, raw)
    if type(body) is ProvisionBody and policy.organization_required:
        check_organization(body)
    call.body = body
    call.service_id = body.service_id
    call.plan_id = body.plan_id
