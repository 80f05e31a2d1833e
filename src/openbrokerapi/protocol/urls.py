"""Paths and query strings: routed, and percent-decoded exactly once."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

from .endpoints import BINDING_ID_PART, INSTANCE_ID_PART, ROUTES, Endpoint
from .problems import METHOD_NOT_ALLOWED, NOT_FOUND, Refusal, bad_request

_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile("[\x00-\x1f\x7f]")


class Query(NamedTuple):
    """The query parameters that the specification knows; None is "not there", the empty string is kept as such."""

    accepts_incomplete: bool = False
    service_id: str | None = None
    plan_id: str | None = None
    operation: str | None = None


_NO_QUERY = Query()
_ONLY_INCOMPLETE = Query(accepts_incomplete=True)
_NAMES = frozenset(Query._fields)


def encoded(path: str | bytes) -> bytes:
    """Percent-encode a path that the server has decoded; an encoded slash is lost by then."""
    return quote(path, safe="/:@!$&'()*+,;=~-._").encode()


def below(path: bytes, mount: bytes) -> bytes | None:
    """Take a decoded mount point off a percent-encoded path; None where the path does not begin with it."""
    mount = mount.rstrip(b"/")
    if not mount:
        return path
    parts = path.split(b"/")
    # An encoded slash in the mount point makes it of fewer parts than it looks.
    for count in range(2, min(mount.count(b"/") + 1, len(parts)) + 1):
        if unquote_to_bytes(b"/".join(parts[:count])) == mount:
            return b"/" + b"/".join(parts[count:])
    return None


def route(method: str, path: bytes) -> tuple[Endpoint, str | None, str | None]:
    """Find the endpoint of ``method`` and the percent-encoded ``path``, and the ids of instance and binding."""
    parts = path.split(b"/")
    found = ROUTES.get(len(parts))
    if found is None or not found.fits(parts):
        raise Refusal(NOT_FOUND)
    endpoint = found.methods.get(method)
    if endpoint is None:
        allow = found.allow
        raise Refusal(
            METHOD_NOT_ALLOWED, f"This path knows the methods {allow.decode()} only.", headers=((b"allow", allow),)
        )
    count = len(parts)
    instance_id = _id(parts[INSTANCE_ID_PART], "The instance_id in the path") if count > INSTANCE_ID_PART else None
    binding_id = _id(parts[BINDING_ID_PART], "The binding_id in the path") if count > BINDING_ID_PART else None
    return endpoint, instance_id, binding_id


def _id(part: bytes, what: str) -> str:
    text = decoded(part, what)
    # URL-01 sets no limit to the characters, but an id must be there, and a control character is an injection.
    if not text:
        raise bad_request(f"{what} is empty.")
    return text


def decoded(part: bytes, what: str) -> str:
    """Percent-decode ``part`` once (URL-03); ``what`` begins the sentence of the refusal."""
    if b"%" in part:
        if _BAD_ESCAPE.search(part):
            raise bad_request(f"{what} has a percent sign that two hexadecimal digits must follow.")
        part = unquote_to_bytes(part)
    try:
        text = part.decode()
    except UnicodeDecodeError:
        raise bad_request(f"{what} must be UTF-8, percent-encoded.") from None
    if not text.isprintable() and _CONTROL.search(text):
        raise bad_request(f"{what} must not contain control characters.")
    return text


def read_query(query: bytes) -> Query:
    """Read the query string; the first value of a name counts, unknown names are ignored."""
    if not query:
        return _NO_QUERY
    if query == b"accepts_incomplete=true":
        return _ONLY_INCOMPLETE
    values = _plain_values(query) or _decoded_values(query)
    # ASY-09: literally "true", nothing else switches it on.
    accepts = values.pop("accepts_incomplete", None) == "true"
    return Query(accepts, values.get("service_id"), values.get("plan_id"), values.get("operation"))


def _plain_values(query: bytes) -> dict[str, str] | None:
    """Read a query in which nothing is encoded and nothing can be wrong, as that of a poll is; None for any other."""
    if b"%" in query or b"+" in query or not query.isascii():
        return None
    text = query.decode("ascii")
    if not text.isprintable():
        return None
    values: dict[str, str] = {}
    for pair in text.split("&"):
        name, _, value = pair.partition("=")
        if name in _NAMES:
            values.setdefault(name, value)
    return values


def _decoded_values(query: bytes) -> dict[str, str]:
    values: dict[str, str] = {}
    for pair in query.split(b"&"):
        raw_name, _, raw_value = pair.partition(b"=")
        name = raw_name.decode("latin-1")
        if name in _NAMES and name not in values:
            values[name] = decoded(raw_value.replace(b"+", b" "), f"The query parameter {name}")
    return values
