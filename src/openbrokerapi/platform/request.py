"""What is sent to a broker and what comes back, before anything is made of it."""

from __future__ import annotations

import email.utils
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from urllib.parse import quote, urlencode

_EMPTY: Mapping[str, Any] = {}


class Endpoint(Enum):
    """The ten requests of the specification, and a second use of one of them: rotating is a bind."""

    CATALOG = "catalog"
    PROVISION = "provision"
    FETCH_INSTANCE = "fetch instance"
    UPDATE = "update"
    DEPROVISION = "deprovision"
    POLL_INSTANCE = "poll instance"
    BIND = "bind"
    FETCH_BINDING = "fetch binding"
    UNBIND = "unbind"
    POLL_BINDING = "poll binding"


METHODS = {
    Endpoint.CATALOG: "GET",
    Endpoint.PROVISION: "PUT",
    Endpoint.FETCH_INSTANCE: "GET",
    Endpoint.UPDATE: "PATCH",
    Endpoint.DEPROVISION: "DELETE",
    Endpoint.POLL_INSTANCE: "GET",
    Endpoint.BIND: "PUT",
    Endpoint.FETCH_BINDING: "GET",
    Endpoint.UNBIND: "DELETE",
    Endpoint.POLL_BINDING: "GET",
}


@dataclass(frozen=True)
class Request:
    """One request, without the address, the credentials and the headers that every request has.

    Attributes:
        endpoint: Which of the ten it is.
        path: From ``/v2`` on, percent-encoded.
        query: Names and values as they are meant; they are percent-encoded when they are sent.
        body: The JSON object to send, or None.
        headers: Further headers; they replace the client's of the same name.
        caused_by_user: False leaves out the originating identity (OID-02), as in orphan mitigation.
        method: The HTTP method; unless given, the endpoint's.
    """

    endpoint: Endpoint
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    caused_by_user: bool = True
    method: str = ""

    def __post_init__(self) -> None:
        if not self.method:
            object.__setattr__(self, "method", METHODS[self.endpoint])

    @property
    def target(self) -> str:
        """Give the path with the query, as it stands in the request line."""
        # LOI-05, LOB-03, PROV-32, UPD-39, BIND-44: a space is %20, for "+" is a space to some brokers only.
        query = urlencode(self.query, quote_via=quote, safe="")
        return f"{self.path}?{query}" if query else self.path


@dataclass(frozen=True)
class Response:
    """One answer, as it came.

    Attributes:
        status: The HTTP status.
        headers: The headers, their names in small letters.
        body: The bytes of the body; None if there were more than the client reads.
        request_identity: The ``X-Broker-API-Request-Identity`` that the request carried.
        received_at: When it came, in seconds since 1970 by the client's clock.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=b"", repr=False)
    request_identity: str = ""
    received_at: float = 0.0

    @property
    def retry_after(self) -> float | None:
        """Give the seconds that ``Retry-After`` asks to wait, never less than 0; None where it says nothing usable."""
        given = self.headers.get("retry-after", "").strip()
        if given.isascii() and given.isdigit():
            return float(given[:_MOST_DIGITS])
        until = _seconds_since_1970(given)
        if until is None:
            return None
        # The broker's own clock, where it tells it: the two clocks need not agree.
        now = _seconds_since_1970(self.headers.get("date", ""))
        return max(0.0, until - (self.received_at if now is None else now))


_MOST_DIGITS = 12


def _seconds_since_1970(date: str) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def instance_path(instance_id: str) -> str:
    """Give the path of an instance.

    Raises:
        ValueError: the id is empty (URL-04).
    """
    return f"/v2/service_instances/{_segment('instance_id', instance_id)}"


def binding_path(instance_id: str, binding_id: str) -> str:
    """Give the path of a binding.

    Raises:
        ValueError: one of the ids is empty (URL-04).
    """
    return f"{instance_path(instance_id)}/service_bindings/{_segment('binding_id', binding_id)}"


def _segment(name: str, value: str) -> str:
    if not value:
        raise ValueError(f"{name} must not be empty")
    # URL-03. A segment of dots alone would be taken for a step in the path, were its dots not encoded.
    return value.replace(".", "%2E") if value in {".", ".."} else quote(value, safe="")
