"""What comes in and goes out: a request as the broker reads it, an answer as it is sent."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote_to_bytes

MALFORMED: Any = object()
"""Stands for a body that is not JSON, and for an id or a query that is not percent-encoded as it should be."""

SECOND = "second"
"""The first part of every path of the second platform."""

# What stands behind `/v2` (with ids left out) and the method -> the endpoint's name.
ENDPOINTS = {
    ("catalog", "GET"): "catalog",
    ("service_instances/I", "PUT"): "provision",
    ("service_instances/I", "GET"): "fetch_instance",
    ("service_instances/I", "PATCH"): "update",
    ("service_instances/I", "DELETE"): "deprovision",
    ("service_instances/I/last_operation", "GET"): "poll_instance",
    ("service_instances/I/service_bindings/B", "PUT"): "bind",
    ("service_instances/I/service_bindings/B", "GET"): "fetch_binding",
    ("service_instances/I/service_bindings/B", "DELETE"): "unbind",
    ("service_instances/I/service_bindings/B/last_operation", "GET"): "poll_binding",
}
BAD_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
encode_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    `path` is decoded once, part by part; `endpoint` is "" where the path is none of the ten, and the method's name is
    not asked for there. `json` is MALFORMED when the body is not JSON, and None without a body.
    """

    method: str
    raw_path: str
    path: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    json: Any
    endpoint: str
    instance_id: str
    binding_id: str
    platform: str
    malformed: str
    header_names: tuple[str, ...]

    def having(self, **changes: Any) -> Call:
        """Return this call with other fields."""
        return replace(self, **changes)

    def asking(self, **query: str | None) -> Call:
        """Return this call with other query parameters; None takes one out."""
        changed = {**self.query, **query}
        return replace(self, query={name: value for name, value in changed.items() if value is not None})

    def saying(self, **fields: Any) -> Call:
        """Return this call with other fields in its JSON body; the body must be an object, else nothing changes."""
        return replace(self, json={**self.json, **fields}) if isinstance(self.json, dict) else self

    def leaving_out(self, *fields: str) -> Call:
        """Return this call without these fields in its JSON body."""
        if not isinstance(self.json, dict):
            return self
        return replace(self, json={name: value for name, value in self.json.items() if name not in fields})

    @property
    def flag(self) -> bool:
        """Whether `accepts_incomplete` is exactly `true`."""
        return self.query.get("accepts_incomplete") == "true"


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: `body` is a JSON value, or bytes that are sent as they are, or None for no body."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def having(self, **changes: Any) -> Reply:
        """Return this reply with another status, body or headers."""
        return replace(self, **changes)

    def with_fields(self, **fields: Any) -> Reply:
        """Return this reply with these fields in its JSON body, added or replaced."""
        return replace(self, body={**(self.body if isinstance(self.body, dict) else {}), **fields})

    def without_fields(self, *fields: str) -> Reply:
        """Return this reply without these fields in its JSON body."""
        return replace(self, body={name: value for name, value in (self.body or {}).items() if name not in fields})

    def with_header(self, name: str, value: str) -> Reply:
        """Return this reply with one header set; names are written in lower case here."""
        return replace(self, headers={**self.headers, name.lower(): value})

    def without_header(self, name: str) -> Reply:
        """Return this reply without one header."""
        return replace(self, headers={key: value for key, value in self.headers.items() if key != name.lower()})

    def encode(self) -> bytes:
        """Return the bytes of the body."""
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else encode_json(self.body).encode()


class RefusalError(Exception):
    """Ends a call with an error's reply."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def refuse(status: int, description: str, error: str | None = None, **fields: Any) -> RefusalError:
    """Return the error to raise: a status, a sentence, the specification's code if it has one, and further fields."""
    body = {"description": description, **fields}
    return RefusalError(Reply(status, {"error": error, **body} if error else body))


def read_call(scope: Mapping[str, Any], body: bytes) -> Call:
    """Return the call that an ASGI scope and its whole body make."""
    raw = scope.get("raw_path") or scope["path"].encode()
    raw_path = raw.decode("latin-1")
    parts, path_is_good = decode_path(raw_path)
    platform = SECOND if parts[:1] == (SECOND,) else ""
    shape, instance_id, binding_id = find_shape(parts[1:] if platform else parts)
    query, query_is_good = decode_query(scope.get("query_string", b"").decode("latin-1"))
    good = path_is_good and query_is_good
    names = tuple(name.decode("latin-1") for name, _ in scope["headers"])
    values = (value.decode("latin-1") for _, value in scope["headers"])
    return Call(
        method=scope["method"],
        raw_path=raw_path,
        path=parts,
        query=query,
        headers=dict(zip(map(str.lower, names), values, strict=True)),
        body=body,
        json=decode_json(body),
        endpoint=ENDPOINTS.get((shape, scope["method"]), ""),
        instance_id=instance_id,
        binding_id=binding_id,
        platform=platform,
        malformed="" if good else "The address holds a percent sign that begins no byte of UTF-8.",
        header_names=names,
    )


def find_shape(parts: tuple[str, ...]) -> tuple[str, str, str]:
    """Return a path with its ids left out, the instance's id, and the binding's id ("" where there is none)."""
    if len(parts) < 2 or parts[0] != "v2" or "" in parts:
        return "", "", ""
    rest = list(parts[1:])
    ids = ["", ""]
    for place, letter in enumerate("IB"):
        at = 1 + 2 * place
        if rest[0] == "service_instances" and len(rest) > at and (place == 0 or rest[2] == "service_bindings"):
            ids[place], rest[at] = rest[at], letter
    return "/".join(rest), ids[0], ids[1]


def decode_path(raw_path: str) -> tuple[tuple[str, ...], bool]:
    """Return the parts of a path, each decoded once, and whether all could be."""
    parts = raw_path.strip().split("/")[1:]
    if "%" not in raw_path:
        return tuple(parts), True
    decoded = [decode(part) for part in parts]
    return tuple(decoded), MALFORMED not in decoded


def decode_query(text: str) -> tuple[dict[str, str], bool]:
    """Return the query's parameters (of several with one name the first), and whether all could be decoded."""
    if not text:
        return {}, True
    query: dict[str, Any] = {}
    for pair in text.split("&"):
        name, _, value = pair.partition("=")
        query.setdefault(decode(name.replace("+", " ")), decode(value.replace("+", " ")))
    return query, MALFORMED not in query and MALFORMED not in query.values()


def decode(text: str) -> Any:
    """Return a text with its percent-encoding taken off once, or MALFORMED."""
    if "%" not in text:
        return text
    if BAD_ESCAPE.search(text):
        return MALFORMED
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        return MALFORMED


def decode_json(body: bytes) -> Any:
    """Return what a body says, None for no body, or MALFORMED."""
    if not body:
        return None
    try:
        return json.loads(body, parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        return MALFORMED


def refuse_constant(text: str) -> Any:
    """Refuse NaN and Infinity, which are not JSON."""
    raise ValueError(text)
