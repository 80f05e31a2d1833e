"""Settings: the seed's module-level switches, read at each request, and those of one application.

The two environment variables of 4.7.3 are read at import; the attributes may be assigned at any time.
"""

from __future__ import annotations

from dataclasses import dataclass
from os import getenv

from .protocol.reading import Policy


def version_tuple(v: str) -> tuple[int, ...]:
    """Give the numbers of a version: ``version_tuple("2.13") == (2, 13)``."""
    return tuple(map(int, v.split(".")))


#: Serve requests of any API version, and without the version header.
DISABLE_VERSION_CHECK = getenv("DISABLE_VERSION_CHECK", "").lower() == "true"
#: Accept a provision without ``organization_guid`` and ``space_guid`` from any platform.
DISABLE_SPACE_ORG_GUID_CHECK = getenv("DISABLE_SPACE_ORG_GUID_CHECK", "").lower() == "true"
MIN_VERSION_STR = "2.13"
#: The oldest API version that is served.
MIN_VERSION: tuple[int, ...] = version_tuple(MIN_VERSION_STR)

MEBIBYTE = 1024 * 1024
_STATUSES = (400, 412)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one application; what is None follows the module's attribute of the same meaning.

    Args:
        minimum_version: The oldest API version that is served, such as ``(2, 10)``; None: ``MIN_VERSION``.
        check_version: Whether the version header is looked at; None: not ``DISABLE_VERSION_CHECK``.
        check_organization: Whether Cloud Foundry's provision needs organisation and space; None: not
            ``DISABLE_SPACE_ORG_GUID_CHECK``.
        missing_version_status: The status of a request without the version header: 400, or 412 as other brokers do.
        body_limit: The largest request body in bytes; a larger one is refused with 413.
        threads: How many plain methods an ASGI host runs at once, for reading requests and for changing ones each.
    """

    minimum_version: tuple[int, ...] | None = None
    check_version: bool | None = None
    check_organization: bool | None = None
    missing_version_status: int = 400
    body_limit: int = MEBIBYTE
    threads: int = 100

    def __post_init__(self) -> None:
        if self.missing_version_status not in _STATUSES:
            raise ValueError(f"missing_version_status must be 400 or 412, not {self.missing_version_status}")
        for name in ("body_limit", "threads"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, not {getattr(self, name)}")

    def policy(self) -> Policy:
        """Give the protocol's policy as it is now; equal settings give the same object."""
        checked = not DISABLE_VERSION_CHECK if self.check_version is None else self.check_version
        required = not DISABLE_SPACE_ORG_GUID_CHECK if self.check_organization is None else self.check_organization
        minimum = MIN_VERSION if self.minimum_version is None else self.minimum_version
        return _policy(minimum if checked else None, self.missing_version_status, required)


_policies: dict[tuple[tuple[int, ...] | None, int, bool], Policy] = {}


def _policy(minimum: tuple[int, ...] | None, missing: int, required: bool) -> Policy:
    key = (minimum, missing, required)
    found = _policies.get(key)
    if found is None:
        found = _policies[key] = Policy(minimum, missing, required)
    return found
