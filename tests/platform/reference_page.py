"""The page docs/reference/platform.md, made from the docstrings of `openbrokerapi.platform`. Write it anew with

.venv/bin/python -m tests.platform.reference_page
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator
from enum import Enum
from typing import Any

from tests.docs import generated
from tests.docs.pages import DOCS

from openbrokerapi import platform
from openbrokerapi.platform import calls
from openbrokerapi.platform.driving import Awaited, Blocking

PAGE = DOCS / "reference" / "platform.md"
COMMAND = ".venv/bin/python -m tests.platform.reference_page"

HEAD = f"""\
# The platform's side

What `from openbrokerapi.platform import ...` gives. How to use it: [call a broker](../how-to/call-a-broker.md).
Sections and rules are those of the
[specification](https://github.com/openservicebrokerapi/servicebroker/blob/v2.17/spec.md).

This page is made from the docstrings: `{COMMAND}`."""

GROUPS = {
    "Clients": ["Client", "AsyncClient", "OriginatingIdentity"],
    "The simulated platform": [
        *("Platform", "ServiceInstance", "ServiceBinding"),
        *("AsyncPlatform", "AsyncServiceInstance", "AsyncServiceBinding"),
        *("Habits", "Context", "cloud_foundry", "kubernetes"),
    ],
    "The catalog": ["Catalog", "Offering", "Plan", "MaintenanceInfo"],
    "Answers": [
        *("Answer", "Begun", "Provisioned", "Updated", "Deprovisioned", "Bound", "Unbound", "LastOperation"),
        *("Instance", "Binding", "InstanceMetadata", "BindingMetadata", "NetworkEndpoint"),
    ],
    "Errors": [
        *("PlatformError", "NoAnswer", "BrokerError", "BadRequest", "Unauthorized", "NotFound", "Conflict", "Gone"),
        *("VersionRefused", "AsyncRequired", "ConcurrencyError", "RequiresApp", "MaintenanceInfoConflict", "Refused"),
        *("Failed", "UnexpectedStatus", "MalformedAnswer", "OperationFailed", "PollingTimedOut", "OrphanLeft"),
        "NotAllowed",
    ],
    "Polling and orphan mitigation": ["Polling", "Backoff", "Orphan", "Mitigation", "mitigation_after"],
    "Below the methods": ["calls", "Call", "Endpoint", "Request", "Response", "Conversation", "Ask", "Pause"],
}
#: Said here, since they have no docstring of their own.
_OWN_WORDS = {
    "calls": "The ten requests as functions that return a `Call`: what to send, and how the answer is read. Without "
    "sockets; `client.run(call)` sends one.",
    "Conversation": "A generator that yields a `Request`, a `Pause` or an `Ask`, and is sent what came of it. Longer "
    "work is written so; `client.run(conversation)` runs it, blocking or not.",
}
#: They have the methods of their blocking twins.
_TWINS = {name: name.removeprefix("Async") for name in GROUPS["Clients"] + GROUPS["The simulated platform"]}


def page() -> str:
    """Give the page.

    Raises:
        LookupError: a public name is in no group.
    """
    grouped = {name for names in GROUPS.values() for name in names}
    if grouped != set(platform.__all__):
        raise LookupError(f"put into a group, or take out of it: {sorted(grouped ^ set(platform.__all__))}")
    parts = [HEAD]
    for title, names in GROUPS.items():
        parts.append(f"## {title}")
        for name in names:
            parts += described(name)
    return "\n\n".join(parts) + "\n"


def described(name: str) -> list[str]:
    """Give what the page says of a name."""
    value = getattr(platform, name)
    if name in _OWN_WORDS:
        return [f"### `{name}`", _OWN_WORDS[name], *(own_functions(calls) if value is calls else ())]
    body, sections = generated._sections(inspect.cleandoc(value.__doc__ or ""))
    parts = [f"### `{name}`", generated._code(body)]
    if name != _TWINS.get(name, name):
        return [*parts, f"Its methods are those of [`{_TWINS[name]}`](#{_TWINS[name].lower()}), to be awaited."]
    if inspect.isclass(value) and issubclass(value, Enum):
        return [*parts, "\n".join(f"- `{each.name}`: {each.value}" for each in value)]
    words = {**inherited(value), **sections.pop("Args", {}), **sections.pop("Attributes", {})}
    parts += [*table(name, value, words), *generated._listed(sections)]
    return [*parts, *generated._properties(value), *methods(members(value))] if inspect.isclass(value) else parts


def table(name: str, value: Any, words: dict[str, str]) -> list[str]:
    """Give what a name takes, or has, with the words of its docstring."""
    if dataclasses.is_dataclass(value):
        return fields(value, words)
    if inspect.isfunction(value):
        return generated._arguments(value, words)
    if name not in {"Client", "Platform"}:
        return list(generated._listed({"It has": words} if words else {}))
    arguments = inspect.signature(value).parameters
    rest = {key: text for key, text in words.items() if key not in arguments}
    taken = {key: text for key, text in words.items() if key in arguments}
    return [*generated._arguments(value, taken), *generated._listed({"It has": rest} if rest else {})]


def fields(kind: Any, described: dict[str, str]) -> list[str]:
    """Give a table of the fields with words of their own, and the names of those that the specification explains."""
    rows, others = ["| field | default | |", "|---|---|---|"], []
    for name, each in inspect.signature(kind).parameters.items():
        text = next((text for names, text in described.items() if name in names.split(", ")), "")
        default = "" if each.default is each.empty else f"`{generated._default(each.default)}`"
        if text:
            rows.append(f"| `{name}` | {default} | {generated._code(text)} |")
        else:
            others.append(f"`{name}`")
    said = [f"Named and meant as in the specification: {', '.join(others)}."] if others else []
    return ["\n".join(rows), *said] if len(rows) > 2 else said


def inherited(value: Any) -> dict[str, str]:
    """Give the attributes that a class has from those that it is made of; an error's base is on the page itself."""
    found: dict[str, str] = {}
    for each in reversed(getattr(value, "__mro__", ())[1:]):
        hidden = each.__name__ not in platform.__all__ or dataclasses.is_dataclass(value)
        if each.__module__.startswith("openbrokerapi") and hidden and each.__doc__:
            found |= generated._sections(inspect.cleandoc(each.__doc__))[1].get("Attributes", {})
    return found


def members(kind: type) -> dict[str, Any]:
    """Give what a class has, and what it has from the classes of the package that are not public."""
    found: dict[str, Any] = {}
    for each in reversed(kind.__mro__):
        if each is kind or (each.__module__.startswith("openbrokerapi") and each.__name__ not in platform.__all__):
            found |= vars(each)
    # Conversations are what the methods run; they are no part of the page.
    return {name: value for name, value in found.items() if not _is_conversation(value)}


def _is_conversation(value: Any) -> bool:
    return str(getattr(value, "__annotations__", {}).get("return", "")).startswith("Conversation[")


def own_functions(module: Any) -> Iterator[str]:
    """Give the functions that a module does not have from elsewhere."""
    functions = inspect.getmembers(module, inspect.isfunction)
    return methods({name: each for name, each in functions if each.__module__ == module.__name__})


def methods(found: dict[str, Any]) -> Iterator[str]:
    """Give the methods among some values, with what they take, give and raise."""
    for name, value in found.items():
        method = value.__wrapped__ if isinstance(value, Blocking | Awaited) else value
        method = method.__func__ if isinstance(method, classmethod) else method
        if name.startswith("_") or not inspect.isfunction(method) or not method.__doc__:
            continue
        body, sections = generated._sections(inspect.cleandoc(method.__doc__))
        shown = ", ".join(generated._shown(method, defaults=True))
        yield "\n\n".join([f"#### `{name}({shown})`", generated._code(body), *generated._listed(sections)])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
