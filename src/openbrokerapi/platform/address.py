"""Where a broker is, and what every request to it carries."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from openbrokerapi.version import __version__

from .request import Request

VERSION = "X-Broker-API-Version"
ORIGINATING_IDENTITY = "X-Broker-API-Originating-Identity"
REQUEST_IDENTITY = "X-Broker-API-Request-Identity"


@dataclass(frozen=True)
class OriginatingIdentity:
    """The user whose action causes the requests (section "Originating Identity").

    Attributes:
        platform: The platform, such as ``cloudfoundry``: the same as ``context.platform`` (OID-06).
        value: What identifies the user; for ``cloudfoundry`` with ``user_id``, for ``kubernetes`` with ``username``,
            ``uid``, ``groups`` and ``extra``.

    Raises:
        ValueError: the platform is empty or no single word, or the value is no JSON object.
    """

    platform: str
    value: Mapping[str, Any] = field(repr=False)

    def __post_init__(self) -> None:
        # OID-04: a space ends the platform.
        if not self.platform.isascii() or not self.platform.isprintable() or len(self.platform.split()) != 1:
            raise ValueError("the platform of an originating identity must be one word of ASCII characters")
        try:
            json.dumps(dict(self.value), allow_nan=False)
        except (TypeError, ValueError):
            raise ValueError("the value of an originating identity must be a JSON object") from None

    @classmethod
    def of(cls, given: OriginatingIdentity | Mapping[str, Any] | None) -> OriginatingIdentity | None:
        """Take an identity as it is, or make one from ``{"platform": ..., "value": {...}}``.

        Args:
            given: One of both, or None.

        Raises:
            ValueError: the mapping has other fields, or fields that are no identity.
        """
        if given is None or isinstance(given, OriginatingIdentity):
            return given
        if set(given) != {"platform", "value"} or not isinstance(given["value"], Mapping):
            raise ValueError('an originating identity is {"platform": "...", "value": {...}}')
        return cls(str(given["platform"]).strip(), given["value"])

    def header(self) -> str:
        """Give the value of the header (OID-04, OID-07)."""
        value = base64.b64encode(json.dumps(dict(self.value)).encode()).decode()
        return f"{self.platform} {value}"


@dataclass(frozen=True)
class Address:
    """A broker's address without credentials, and the credentials.

    Attributes:
        origin: Scheme, host and port.
        prefix: The path in front of ``/v2``, without a slash at its end.
        authorization: The value of the header ``Authorization``, or None.
    """

    origin: str
    prefix: str
    authorization: str | None = field(repr=False)

    @property
    def shown(self) -> str:
        """Give the address to show to people."""
        return self.origin + self.prefix


def read_address(url: str, username: str | None, password: str | None, token: str | None) -> Address:
    """Take a broker's URL apart.

    Args:
        url: ``http://`` or ``https://``, a host, perhaps a port, a prefix, and ``user:password@``.
        username: The name for basic authentication; goes before what the URL says.
        password: The password, likewise.
        token: A bearer token, instead of both.

    Raises:
        ValueError: the URL is none of a broker, or there are both, a token and a user; the message shows no password.
    """
    parts = _split(url)
    if username is None and parts.username is not None and token is None:
        username, password = unquote(parts.username), unquote(parts.password or "")
    host = parts.netloc.rpartition("@")[2]
    prefix = parts.path.rstrip("/")
    return Address(urlunsplit((parts.scheme, host, "", "", "")), prefix, _authorization(username, password, token))


def _split(url: str) -> Any:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:  # no port number; the message would show what was taken for one, perhaps a password
        usable = False
    if not usable or parts.query or parts.fragment:
        raise ValueError("the address of a broker is http:// or https://, a host, and nothing behind the path")
    return parts


def _authorization(username: str | None, password: str | None, token: str | None) -> str | None:
    if token is not None:
        if username is not None:
            raise ValueError("give a token, or a user and a password, not both")
        if not token.isascii() or not token.isprintable() or not token.strip():
            raise ValueError("a token is one line of ASCII characters")
        return f"Bearer {token}"
    if username is None:
        if password is not None:
            raise ValueError("a password needs a user")
        return None
    if ":" in username:
        raise ValueError("a user name with a colon cannot be sent")
    return "Basic " + base64.b64encode(f"{username}:{password or ''}".encode()).decode()


def headers_of(
    request: Request,
    *,
    address: Address,
    api_version: str | None,
    identity: OriginatingIdentity | None,
    request_identity: str,
) -> dict[str, str]:
    """Give all headers of a request.

    Raises:
        ValueError: the context names another platform than the originating identity (OID-06).
    """
    headers = {"User-Agent": f"openbrokerapi/{__version__}", "Accept": "application/json"}
    if api_version is not None:
        headers[VERSION] = api_version  # VER-01
    if request_identity:
        headers[REQUEST_IDENTITY] = request_identity  # RID-01, RID-04
    if address.authorization is not None:
        headers["Authorization"] = address.authorization  # AUTH-01
    if request.body is not None:
        headers["Content-Type"] = "application/json"  # CT-02
    if identity is not None and request.caused_by_user:  # OID-01, OID-02
        _check_platform(request, identity)
        headers[ORIGINATING_IDENTITY] = identity.header()
    replaced = {name.lower() for name in request.headers}
    return {name: value for name, value in headers.items() if name.lower() not in replaced} | dict(request.headers)


def _check_platform(request: Request, identity: OriginatingIdentity) -> None:
    context = (request.body or {}).get("context")
    platform = context.get("platform") if isinstance(context, Mapping) else None
    # OID-06
    if platform is not None and platform != identity.platform:
        raise ValueError(f"context.platform is {platform!r}, the originating identity's platform {identity.platform!r}")
