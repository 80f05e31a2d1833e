"""What can be wrong, and which status says so at which endpoint: one table."""

from __future__ import annotations

from dataclasses import dataclass, field

from .endpoints import BIND, DEPROVISION, UNBIND, UPDATE, Endpoint


@dataclass(frozen=True, eq=False)
class Problem:
    """One kind of failure.

    Args:
        status: The HTTP status, unless ``at`` names another for the endpoint.
        at: The endpoints with a status of their own.
        code: The error code of the body's ``error`` field (ERR-10 to ERR-13), if there is one.
        description: What the body's ``description`` says when the author says nothing.
    """

    name: str
    status: int
    at: dict[Endpoint, int] = field(default_factory=dict)
    code: str | None = None
    description: str | None = None

    def status_at(self, endpoint: Endpoint | None) -> int:
        """Give the status of this problem at ``endpoint``; None is a request that reached none."""
        return self.at.get(endpoint, self.status) if endpoint is not None else self.status

    def __repr__(self) -> str:
        return f"<Problem {self.name}>"


# AUTH-02, AUTH-03, AUTH-04
UNAUTHORIZED = Problem("unauthorized", 401, description="The request carries no valid credentials for this broker.")
NOT_FOUND = Problem("not found", 404, description="This path is not one of the Open Service Broker API.")
METHOD_NOT_ALLOWED = Problem("method not allowed", 405, description="This path does not know the method.")
TOO_LARGE = Problem("too large", 413, description="The request body is larger than this broker accepts.")
BAD_REQUEST = Problem("bad request", 400, description="Malformed or missing data")
# VER-02, VER-03
VERSION_REFUSED = Problem("version refused", 412)

# DEP-16, UNB-14: a DELETE of what does not exist is 410. LOI-12, GETI-14: everywhere else it is 404.
INSTANCE_MISSING = Problem("instance does not exist", 404, {DEPROVISION: 410, UNBIND: 410})
# UNB-14, LOB-10, GETB-06. ROT-06: on a bind it is the predecessor that is missing, which is invalid data.
BINDING_MISSING = Problem("binding does not exist", 404, {UNBIND: 410, DEPROVISION: 410, BIND: 400})
# LOI-13, LOB-11: the end of an asynchronous delete.
GONE = Problem("gone", 410)
# PROV-25, PROV-26, BIND-37, BIND-38
INSTANCE_EXISTS = Problem("instance exists with other attributes", 409)
BINDING_EXISTS = Problem("binding exists with other attributes", 409)

# ASY-10
ASYNC_REQUIRED = Problem(
    "asynchronous only",
    422,
    code="AsyncRequired",
    description="This service plan requires client support for asynchronous service operations.",
)
# BLK-02
CONCURRENCY = Problem(
    "another operation is in progress",
    422,
    code="ConcurrencyError",
    description="Another operation for this service instance or binding is in progress; try again later.",
)
# BIND-39
REQUIRES_APP = Problem(
    "needs an application",
    422,
    code="RequiresApp",
    description="This service supports generation of credentials through binding an application only.",
)
# PROV-14, UPD-19
MAINTENANCE_CONFLICT = Problem(
    "other maintenance version",
    422,
    code="MaintenanceInfoConflict",
    description="The maintenance_info.version of the request is not that of the catalog; fetch the catalog again.",
)
# PROV-12, UPD-12, BIND-28
INVALID_PARAMETERS = Problem(
    "invalid parameters", 400, code="InvalidParameters", description="The parameters are not valid."
)
# UPD-28
PLAN_CHANGE_UNSUPPORTED = Problem(
    "plan change not supported", 422, description="This service instance cannot be changed to the requested plan."
)
# UPD-29
UPDATE_IMPOSSIBLE = Problem(
    "update impossible now", 422, description="The update is not possible in the present state of the service instance."
)
# A 5xx on provision or bind makes the platform delete what it believes half-made (ORPH-05), so a limit is a 4xx.
INSTANCE_LIMIT = Problem(
    "instance limit met",
    422,
    code="InstanceLimitMet",
    description="The limit of service instances of this broker is met.",
)
PLAN_QUOTA = Problem(
    "plan quota exceeded",
    422,
    code="PlanQuotaExceeded",
    description="The quota of service instances of this plan is used up.",
)
SERVICE_QUOTA = Problem(
    "service quota exceeded",
    422,
    code="ServiceQuotaExceeded",
    description="The quota of service instances of this service offering is used up.",
)
NOT_BINDABLE = Problem("not bindable", 400, {UPDATE: 422}, description="This service plan is not bindable.")
INSTANCE_UNUSABLE = Problem("instance unusable", 422, description="The service instance cannot be used at present.")
# DEP-03: what to do with bindings is the broker's choice.
INSTANCE_HAS_BINDINGS = Problem(
    "instance has bindings", 422, description="The service instance still has service bindings: delete them first."
)
OPERATION_FAILED = Problem("operation failed", 500, description="The operation has failed.")
STOPPING = Problem("stopping", 503, description="The broker stops before the request could be finished.")
UNAVAILABLE = Problem("unavailable", 503, description="The broker cannot work at present; try again later.")
# The texts of these two are the author's to set (openbrokerapi.constants), so they have none of their own.
NOT_IMPLEMENTED = Problem("not implemented", 501)
UNEXPECTED = Problem("unexpected", 500)


class Refusal(Exception):  # noqa: N818 - it refuses a request; it is not the broker's error
    """The request is refused before it reaches the broker.

    Args:
        problem: What is wrong.
        description: One sentence that says what to change; it never repeats a value of the request.
        headers: Headers that go with the answer.
    """

    def __init__(
        self, problem: Problem, description: str | None = None, headers: tuple[tuple[bytes, bytes], ...] = ()
    ) -> None:
        super().__init__(problem.name)
        self.problem = problem
        self.description = description
        self.headers = headers


def bad_request(description: str) -> Refusal:
    """Make the refusal of a malformed request: 400 with ``description``."""
    return Refusal(BAD_REQUEST, description)


def too_large(limit: int) -> Refusal:
    """Make the refusal of a body of more than ``limit`` bytes: 413."""
    return Refusal(TOO_LARGE, f"The request body is larger than the {limit} bytes that this broker accepts.")
