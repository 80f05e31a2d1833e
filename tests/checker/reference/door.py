"""What is asked of every request before anything else: credentials, version, identity."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING

from tests.checker.reference.wire import MALFORMED, SECOND, Call, RefusalError, Reply, refuse

if TYPE_CHECKING:
    from tests.checker.reference.app import Reference

USERNAME, PASSWORD = "platform", "s3cret-of-the-first"
SECOND_USERNAME, SECOND_PASSWORD = "second-platform", "s3cret-of-the-second"
TOKEN = "token-of-the-first"

VERSION = re.compile(r"([0-9]+)\.([0-9]+)", re.ASCII)


def write_basic(username: str, password: str) -> str:
    """Return the Authorization header of a username and a password."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


BASIC = {"": write_basic(USERNAME, PASSWORD), SECOND: write_basic(SECOND_USERNAME, SECOND_PASSWORD)}


def check_credentials(broker: Reference, call: Call) -> None:
    """Refuse a request that bears no credentials of its platform (AUTH-02 to AUTH-11)."""
    conduct = broker.conduct
    scheme, _, value = call.headers.get("authorization", "").partition(" ")
    known = is_known(call.platform, scheme.lower(), value.strip(), conduct.accept_token)
    if call.platform == SECOND and not conduct.serve_second_platform:
        known = False
    if known or not conduct.authenticate:
        return
    error = refuse(401, "The request bears no credentials that are known here.")
    if conduct.challenge:
        error.reply = error.reply.with_header("www-authenticate", 'Basic realm="reference", charset="UTF-8"')
    raise error


def is_known(platform: str, scheme: str, value: str, accept_token: bool) -> bool:
    """Tell whether credentials are those of the platform; the scheme's name is in lower case."""
    if scheme == "bearer":
        return accept_token and platform == "" and value == TOKEN
    return scheme == "basic" and value == BASIC[platform].removeprefix("Basic ")


def check_version(broker: Reference, call: Call) -> None:
    """Refuse a request of no version, or of one that is not served (VER-02 to VER-05)."""
    conduct = broker.conduct
    text = call.headers.get("x-broker-api-version")
    if not text:
        if conduct.require_version:
            raise refuse(400, "The header X-Broker-API-Version is missing.")
        return
    match = VERSION.fullmatch(text.strip())
    if match is None:
        if conduct.check_version_form:
            raise refuse(400, "The header X-Broker-API-Version is not two numbers with a dot between.")
        return
    major, minor = int(match[1]), int(match[2])
    late = minor > 17 and not conduct.accept_later_minors
    if major != 2 or late or is_too_old(match[2], conduct.minimum_minor, conduct.compare_versions):
        raise refuse(412, f"The version must be 2.{conduct.minimum_minor} or a later 2.x, such as 2.17.")


def is_too_old(minor: str, minimum: int, way: str) -> bool:
    """Tell whether a minor version is below the minimum; only "numbers" is the right way to compare."""
    if way == "text":
        return minor < str(minimum)
    if way == "decimal":
        return float(f"2.{minor}") < float(f"2.{minimum}")
    return int(minor) < minimum


def check_identity(broker: Reference, call: Call) -> None:
    """Refuse an originating identity that is not a platform and a JSON object in Base64 (OID-09, OID-10)."""
    conduct = broker.conduct
    if conduct.require_request_identity and "x-broker-api-request-identity" not in call.headers:
        raise refuse(400, "The header X-Broker-API-Request-Identity is missing.")
    text = call.headers.get("x-broker-api-originating-identity")
    if text is None and conduct.require_originating_identity:
        raise refuse(400, "The header X-Broker-API-Originating-Identity is missing.")
    if text is not None and conduct.check_originating_identity and not is_identity(text):
        raise refuse(400, "X-Broker-API-Originating-Identity is not a platform and a JSON object in Base64.")


def is_identity(text: str) -> bool:
    """Tell whether a header's value is an originating identity."""
    platform, _, value = text.strip().partition(" ")
    value = value.strip()
    if not platform or not value:
        return False
    try:
        decoded = json.loads(base64.b64decode(value + "=" * (-len(value) % 4), validate=True))
    except (ValueError, RecursionError):
        return False
    return isinstance(decoded, dict)


def check_address(broker: Reference, call: Call) -> None:
    """Refuse an address that cannot be decoded, or is none of the ten."""
    if call.malformed or MALFORMED in call.path:
        raise refuse(400, call.malformed)
    if not call.endpoint:
        raise RefusalError(Reply(404, {"description": "There is nothing at this address for this method."}))


def enter(broker: Reference, call: Call) -> None:
    """Refuse what must not come in: the credentials are looked at first (AUTH-06)."""
    if broker.conduct.authenticate_first:
        check_credentials(broker, call)
    check_version(broker, call)
    check_address(broker, call)
    check_identity(broker, call)
    if not broker.conduct.authenticate_first:
        if call.endpoint in ("provision", "update", "bind") and not isinstance(call.json, dict):
            raise refuse(400, "The body is not a JSON object.")
        check_credentials(broker, call)
