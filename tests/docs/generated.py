"""What the reference has from the code: the tables of errors, and the public names. Write them anew with

.venv/bin/python -m tests.docs.generated
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from enum import Enum
from typing import Any

from tests.docs.pages import DOCS

import openbrokerapi
from openbrokerapi import errors
from openbrokerapi.protocol import problems
from openbrokerapi.protocol.endpoints import ENDPOINTS
from openbrokerapi.protocol.problems import Problem

ERRORS_PAGE = DOCS / "reference" / "errors.md"
API_PAGE = DOCS / "reference" / "api.md"
COMMAND = ".venv/bin/python -m tests.docs.generated"

# Aliases of names that are on the page, and the base, which has lines of its own there.
_NOT_RAISED = {"ServiceExeption"}


def error_classes() -> list[type[errors.ServiceException]]:
    found = [
        value
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, errors.ServiceException) and name not in _NOT_RAISED
    ]
    return sorted(found, key=lambda kind: kind.__name__)


def errors_table() -> str:
    """Give the status of each error class at each of the ten endpoints."""
    lines = ["| error | " + " | ".join(f"`{each.name}`" for each in ENDPOINTS) + " | `error` |"]
    lines.append("|---" * (len(ENDPOINTS) + 2) + "|")
    for kind in error_classes():
        statuses = " | ".join(str(kind.problem.status_at(endpoint)) for endpoint in ENDPOINTS)
        code = f"`{kind.problem.code}`" if kind.problem.code else ""
        lines.append(f"| [`{kind.__name__}`](#{kind.__name__.lower()}) | {statuses} | {code} |")
    return "\n".join(lines)


def errors_meanings() -> str:
    """Give what each error class says, with the description that the platform reads unless the author gives one."""
    parts = []
    for kind in error_classes():
        default = kind.problem.description
        said = f"Description unless you give one: “{default}”" if default else "No description unless you give one."
        doc = inspect.cleandoc(kind.__doc__ or "").split("\n\n")[0].replace("\n", " ")
        parts.append(f"### `{kind.__name__}`\n\n{_code(doc)}\n\n{said}")
    return "\n\n".join(parts)


def refusals_table() -> str:
    """Give what is refused before a method of the broker is called, and what goes wrong behind it."""
    raised = {kind.problem for kind in error_classes()} - {problems.UNEXPECTED, problems.BAD_REQUEST}
    found = [value for value in vars(problems).values() if isinstance(value, Problem) and value not in raised]
    lines = ["| what is wrong | status | description |", "|---|---|---|"]
    lines += [f"| {each.name} | {each.status} | {each.description or ''} |" for each in found]
    return "\n".join(lines)


# --- the public names ---

_GROUPS = {
    "The broker": ["ServiceBroker", "Router", "nonblocking"],
    "The catalog": [
        "Service", "ServicePlan", "Schemas", "MaintenanceInfo", "ServiceMetadata", "ServicePlanMetadata",
        "ServicePlanCost", "ServiceDashboardClient", "load_catalog",
    ],
    "What a method is given": [
        "ProvisionDetails", "UpdateDetails", "PreviousValues", "DeprovisionDetails", "BindDetails", "BindResource",
        "UnbindDetails",
    ],
    "What a method returns": [
        "ProvisionedServiceSpec", "ProvisionState", "UpdateServiceSpec", "DeprovisionServiceSpec", "Binding",
        "BindState", "UnbindSpec", "LastOperation", "OperationState", "GetInstanceDetailsSpec", "GetBindingSpec",
        "InstanceMetadata", "BindingMetadata", "Endpoint", "VolumeMount", "SharedDevice",
    ],
    "Serving": [
        "asgi_app", "wsgi_app", "get_blueprint", "serve", "serve_multiple", "Settings", "BrokerCredentials",
        "BrokerAuthenticator", "BasicBrokerAuthenticator", "BearerAuthenticator",
    ],
}  # fmt: skip


def api_page() -> str:
    """Give the page of the public names.

    Raises:
        LookupError: A public name is in no group.
    """
    grouped = [name for names in _GROUPS.values() for name in names]
    public = {name for name in openbrokerapi.__all__ if not name.startswith("_")}
    if public != set(grouped):
        raise LookupError(f"put into _GROUPS, or take out of it: {sorted(public ^ set(grouped))}")
    parts = [_API_HEAD]
    for title, names in _GROUPS.items():
        parts.append(f"## {title}")
        parts += [_described(name) for name in names]
    return "\n\n".join(parts) + "\n"


_API_HEAD = f"""\
# Public names

What `from openbrokerapi import ...` gives. The names of 4.7.3 can be imported from where they were, too:
`openbrokerapi.service_broker`, `.catalog`, `.errors`, `.api`, `.auth`, `.settings`, `.log_util`. The errors have a
[page of their own](errors.md), and so have the [settings](settings.md). Sections are those of the
[specification](https://github.com/openservicebrokerapi/servicebroker/blob/v2.17/spec.md).

This page is made from the docstrings: `{COMMAND}`."""


def _described(name: str) -> str:
    value = getattr(openbrokerapi, name)
    text = inspect.cleandoc(value.__doc__ or "")
    body, sections = _sections(text)
    parts = [f"### `{name}`", f"In `{value.__module__}`. {_code(body)}" if body else f"In `{value.__module__}`."]
    if inspect.isclass(value) and issubclass(value, Enum):
        parts.append("\n".join(f"- `{each.name}`: {each.value}" for each in value))
    elif name == "ServiceBroker":
        parts += list(_methods(value))
    else:
        parts += _arguments(value, sections.pop("Args", {}))
    return "\n\n".join([*parts, *_listed(sections)])


def _methods(kind: type) -> Iterator[str]:
    for name, method in vars(kind).items():
        if name.startswith("_") or not inspect.isfunction(method):
            continue
        body, sections = _sections(inspect.cleandoc(method.__doc__ or ""))
        yield "\n\n".join([f"#### `{name}({', '.join(_shown(method))})`", _code(body), *_listed(sections)])


def _listed(sections: dict[str, dict[str, str]]) -> Iterator[str]:
    for title, entries in sections.items():
        yield f"{title}:\n\n" + "\n".join(f"- {_names(names)}: {_code(text)}" for names, text in entries.items())


def _shown(method: Any) -> list[str]:
    parameters = [each for each in inspect.signature(method).parameters.values() if each.name != "self"]
    return [f"**{each.name}" if each.kind is each.VAR_KEYWORD else each.name for each in parameters]


def _arguments(value: Any, described: dict[str, str]) -> list[str]:
    signature = inspect.signature(value)
    rows = []
    texts = {name.strip(): text for names, text in described.items() for name in names.split(",")}
    for parameter in signature.parameters.values():
        if parameter.name == "self":
            continue
        stars = "**" if parameter.kind is parameter.VAR_KEYWORD else ""
        stars = "*" if parameter.kind is parameter.VAR_POSITIONAL else stars
        default = "" if parameter.default is parameter.empty else f"`{_default(parameter.default)}`"
        text = _code(texts.pop(parameter.name, ""))
        rows.append(f"| `{stars}{parameter.name}` | {default} | {text} |")
    rows += [f"| `{name}` | | {_code(text)} |" for name, text in texts.items()]
    return ["\n".join(["| argument | default | |", "|---|---|---|", *rows])] if rows else []


def _default(value: Any) -> str:
    return str(value) if isinstance(value, Enum) else repr(value)


_SECTION = re.compile(r"^(Args|Attributes|Raises|Returns):$", re.MULTILINE)


def _sections(text: str) -> tuple[str, dict[str, dict[str, str]]]:
    """Split a docstring into its text and its sections, each entry by its name."""
    body, *rest = _SECTION.split(text)
    sections = {}
    for title, content in zip(rest[::2], rest[1::2], strict=True):
        own, _, after = content.strip("\n").partition("\n\n")
        body += f"\n\n{after}" if after else ""
        sections[title] = _entries(own) if title != "Returns" else {"": " ".join(own.split())}
    return " ".join(body.split()), sections


def _entries(text: str) -> dict[str, str]:
    entries: dict[str, str] = {}
    name = ""
    for line in inspect.cleandoc(text).splitlines():
        if line.startswith(" "):
            entries[name] += f" {line.strip()}"
        else:
            name, _, first = line.partition(":")
            entries[name] = first.strip()
    return entries


def _names(names: str) -> str:
    return ", ".join(f"`{name.strip()}`" for name in names.split(",")) if names else "It gives"


_ROLE = re.compile(r":\w+:`~?(?:[\w.]+\.)?\.?([\w]+)`")


def _code(text: str) -> str:
    # Sphinx's marks as Markdown's; a pipe would end a cell.
    return _ROLE.sub(r"`\1`", text).replace("``", "`").replace("|", "\\|")


# --- writing ---

TABLES = {"errors": errors_table, "meanings": errors_meanings, "refusals": refusals_table}


def with_tables(page: str) -> str:
    """Give a page with its tables as they should be: between `<!-- table: name -->` and `<!-- end -->`."""
    for name, table in TABLES.items():
        mark = f"<!-- table: {name} -->"
        before, found, rest = page.partition(mark)
        if not found:
            raise LookupError(f"the page has no {mark}")
        _old, _end, after = rest.partition("<!-- end -->")
        page = f"{before}{mark}\n\n{table()}\n\n<!-- end -->{after}"
    return page


def write() -> None:
    ERRORS_PAGE.write_text(with_tables(ERRORS_PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    API_PAGE.write_text(api_page(), encoding="utf-8")


if __name__ == "__main__":
    write()
