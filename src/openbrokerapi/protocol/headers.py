"""The headers of the specification: version, originating identity, request identity, content type."""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache
from typing import Any

import msgspec

from .problems import VERSION_REFUSED, Refusal, bad_request
from .request import Headers

VERSION = b"x-broker-api-version"
ORIGINATING_IDENTITY = b"x-broker-api-originating-identity"
REQUEST_IDENTITY = b"x-broker-api-request-identity"

_JSON = b"application/json"
_MAX_VERSION_DIGITS = 9
_MAX_LENGTH_DIGITS = 18


@lru_cache(maxsize=64)
def version_of(text: bytes) -> tuple[int, int] | None:
    """Read ``<major>.<minor>`` as two integers; None if it is anything else (VER-02)."""
    major, dot, minor = text.strip().partition(b".")
    if not (dot and major.isdigit() and minor.isdigit() and len(text) <= 2 * _MAX_VERSION_DIGITS):
        return None
    return int(major), int(minor)


def check_version(headers: Headers, minimum: tuple[int, ...], missing_status: int) -> None:
    """Refuse a request whose API version this broker does not serve (section "API Version Header").

    Args:
        minimum: The oldest version that is served; another major is never served.
        missing_status: The status of a request without the header, 400 or 412 (VER-05).
    """
    given = headers.get(VERSION)
    if given is not None:
        version = version_of(given)
        # VER-02: numbers, not text. VER-04: a later minor of the same major is served.
        if version is not None and version >= minimum and version[0] == minimum[0]:
            return
        if version is None:
            raise bad_request("The header X-Broker-API-Version must be two numbers with a dot between, such as 2.17.")
    wanted = ".".join(map(str, minimum))
    if given is not None:
        raise Refusal(VERSION_REFUSED, f"This broker needs X-Broker-API-Version {wanted} or a later minor version.")
    sentence = f"The header X-Broker-API-Version is missing; this broker needs {wanted} or a later minor version."
    raise Refusal(VERSION_REFUSED, sentence) if missing_status == VERSION_REFUSED.status else bad_request(sentence)


def originating_identity(headers: Headers) -> dict[str, Any] | None:
    """Read who caused the request (section "Originating Identity").

    Returns:
        ``{"platform": str, "value": dict}``, or None where the header is absent (OID-03).
    """
    given = headers.get(ORIGINATING_IDENTITY)
    if given is None:
        return None
    platform, _, value = given.strip().partition(b" ")
    try:
        decoded = msgspec.json.decode(base64.b64decode(value.strip(), validate=True), type=dict[str, Any])
        # OID-09: a header that cannot be read is a malformed request. RecursionError: deep nesting.
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        decoded = None
    if not platform or decoded is None:
        raise bad_request(
            "The header X-Broker-API-Originating-Identity must be a platform, a space, and a JSON object in Base64."
        )
    return {"platform": platform.decode("latin-1"), "value": decoded}


def request_identity(headers: Headers) -> str | None:
    """Give the request's identity, or None (section "Request Identity")."""
    given = headers.get(REQUEST_IDENTITY)
    return given.decode("latin-1") if given else None


def content_length(given: bytes) -> int | None:
    """Read the header ``Content-Length``; None where it is absent or empty.

    Raises:
        Refusal: 400, it is not a number.
    """
    if not given:
        return None
    if not given.isdigit():
        raise bad_request("The header Content-Length must be a number.")
    digits = given.lstrip(b"0") or b"0"
    # Python reads no number of thousands of digits; whatever has more than these is larger than any limit.
    return int(digits[:_MAX_LENGTH_DIGITS])


def check_content_type(headers: Headers) -> None:
    """Refuse a body that says that it is not JSON (CT-04); no content type at all is taken for JSON (CT-03)."""
    given = headers.get(b"content-type")
    # CT-06: parameters such as charset do not matter.
    if given != _JSON and given and given.partition(b";")[0].strip().lower() != b"application/json":
        raise bad_request('Improper Content-Type header. Expecting "application/json"')
