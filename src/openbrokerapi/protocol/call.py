"""One request, read and understood."""

from __future__ import annotations

from typing import Any

from .bodies import Body
from .endpoints import Endpoint
from .offerings import Offering, Plan
from .request import Request


class Call:
    """What a request asks for.

    Args:
        endpoint: Which of the ten requests it is.
        request: The request as it came.
        instance_id: The instance's id, decoded; None for the catalog.
        binding_id: The binding's id, decoded; None where there is none.
    """

    __slots__ = (
        "accepts_incomplete",
        "binding_id",
        "body",
        "endpoint",
        "identity",
        "instance_id",
        "offering",
        "operation",
        "plan",
        "plan_id",
        "request",
        "service_id",
        "username",
    )

    def __init__(self, endpoint: Endpoint, request: Request, instance_id: str | None, binding_id: str | None) -> None:
        self.endpoint = endpoint
        self.request = request
        self.instance_id = instance_id
        self.binding_id = binding_id
        self.accepts_incomplete = False
        self.service_id: str | None = None
        self.plan_id: str | None = None
        self.operation: str | None = None
        self.body: Body | None = None
        #: Who caused it, as the originating identity header says.
        self.identity: dict[str, Any] | None = None
        #: Who sent it, as the authenticator found.
        self.username: str | None = None
        #: Where it names an offering and a plan of the catalog: those.
        self.offering: Offering | None = None
        self.plan: Plan | None = None

    def __repr__(self) -> str:
        return f"<Call {self.endpoint.name}>"
