"""What the pages have from the code: the tables of errors, the public names, the states and their pictures. Write them
anew with

.venv/bin/python -m tests.docs.generated
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import textwrap
import time
from collections.abc import Callable, Collection, Iterator
from enum import Enum
from types import ModuleType
from typing import Any

from tests.docs import drawn
from tests.docs.pages import DOCS

import openbrokerapi
from openbrokerapi import errors, managed
from openbrokerapi.protocol import problems
from openbrokerapi.protocol.endpoints import ENDPOINTS
from openbrokerapi.protocol.problems import Problem

ERRORS_PAGE = DOCS / "reference" / "errors.md"
API_PAGE = DOCS / "reference" / "api.md"
MANAGED_PAGE = DOCS / "reference" / "managed.md"
STATES_PAGE = DOCS / "explanation" / "managed-runtime.md"
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
    return _page(openbrokerapi, _API_HEAD, _GROUPS)


_MANAGED_GROUPS = {
    "The broker": ["Broker", "ManagedSettings"],
    "The offering": ["Offering", "Plan"],
    "What a method is given": ["Instance", "Binding", "Who", "Work", "AsyncWork"],
    "What a method returns, and raises": ["Provisioned", "Bound", "Failed"],
    "Keys": ["KeyRing", "Unsealed", "KeysError"],
    "A mark": ["nonblocking"],
}


def managed_page() -> str:
    """Give the page of the names of managed brokers.

    Raises:
        LookupError: A public name is in no group.
    """
    return _page(managed, _MANAGED_HEAD, _MANAGED_GROUPS)


def _page(module: ModuleType, head: str, groups: dict[str, list[str]]) -> str:
    grouped = [name for names in groups.values() for name in names]
    public = {name for name in module.__all__ if not name.startswith("_")}
    if public != set(grouped):
        raise LookupError(f"put into a group, or take out of it: {sorted(public ^ set(grouped))}")
    parts = [head]
    for title, names in groups.items():
        parts.append(f"## {title}")
        parts += [_described(module, name) for name in names]
    return "\n\n".join(parts) + "\n"


_API_HEAD = f"""\
# Public names

What `from openbrokerapi import ...` gives. The names of 4.7.3 can be imported from where they were, too:
`openbrokerapi.service_broker`, `.catalog`, `.errors`, `.api`, `.auth`, `.settings`, `.log_util`. The errors have a
[page of their own](errors.md), and so have the [settings](settings.md). Sections are those of the
[specification](https://github.com/openservicebrokerapi/servicebroker/blob/v2.17/spec.md).

This page is made from the docstrings: `{COMMAND}`."""


_MANAGED_HEAD = f"""\
# Managed brokers

What `from openbrokerapi.managed import ...` gives. How to use it: the [tutorial](../tutorial/managed-broker.md) and the
[recipes](../how-to/write-a-managed-broker.md). What it does: [the managed runtime](../explanation/managed-runtime.md).
Sections and rules are those of the
[specification](https://github.com/openservicebrokerapi/servicebroker/blob/v2.17/spec.md).

This page is made from the docstrings: `{COMMAND}`."""


def _described(module: ModuleType, name: str) -> str:
    value = getattr(module, name)
    text = inspect.cleandoc(value.__doc__ or "")
    body, sections = _sections(text)
    parts = [f"### `{name}`", f"In `{value.__module__}`. {_code(body)}" if body else f"In `{value.__module__}`."]
    if inspect.isclass(value) and issubclass(value, Enum):
        parts.append("\n".join(f"- `{each.name}`: {each.value}" for each in value))
    elif name == "ServiceBroker":
        parts += list(_methods(value))
    elif module is managed:
        parts += _members(value, sections)
    else:
        parts += _arguments(value, sections.pop("Args", {}))
    return "\n\n".join([*parts, *_listed(sections)])


# What an author writes; the other methods of an offering are the package's.
_VERBS = frozenset(("provision", "update", "deprovision", "bind", "unbind", "dashboard_url"))


def _members(value: Any, sections: dict[str, dict[str, str]]) -> list[str]:
    """Give what a name of managed brokers has: arguments or attributes with their defaults, and its own methods."""
    attributes = sections.pop("Attributes", {})
    if value is managed.Offering:
        return [_attributes(value, attributes), *_methods(value, only=_VERBS)]
    if dataclasses.is_dataclass(value):
        return [*_arguments(value, attributes), *_properties(value)]
    if not inspect.isclass(value):
        return []
    arguments = [] if value in (managed.Work, managed.AsyncWork) else _arguments(value, sections.pop("Args", {}))
    own = value not in (managed.Broker, managed.Failed, managed.KeysError)  # the methods of a broker are the package's
    return [*arguments, *_properties(value), *(_methods(value, defaults=True) if own else ())]


def _attributes(kind: type, described: dict[str, str]) -> str:
    rows = ["| attribute | default | |", "|---|---|---|"]
    for names, text in described.items():
        for name in names.split(","):
            default = getattr(kind, name.strip(), inspect.Parameter.empty)
            shown = "" if default is inspect.Parameter.empty else f"`{_default(default)}`"
            rows.append(f"| `{name.strip()}` | {shown} | {_code(text)} |")
    return "\n".join(rows)


def _properties(kind: Any) -> list[str]:
    found = {
        name: value
        for each in reversed(kind.__mro__)
        for name, value in vars(each).items()
        if isinstance(value, property) and not name.startswith("_") and value.__doc__
    }
    rows = [f"- `{name}`: {_code(' '.join(str(each.__doc__).split()))}" for name, each in found.items()]
    return ["It has, to be read:\n\n" + "\n".join(rows)] if rows else []


def _methods(kind: type, *, only: Collection[str] = (), defaults: bool = False) -> Iterator[str]:
    for name, found in vars(kind).items():
        method = found.__func__ if isinstance(found, classmethod) else found
        if name.startswith("_") or not inspect.isfunction(method) or (only and name not in only):
            continue
        body, sections = _sections(inspect.cleandoc(method.__doc__ or ""))
        yield "\n\n".join(
            [f"#### `{name}({', '.join(_shown(method, defaults=defaults))})`", _code(body), *_listed(sections)]
        )


def _listed(sections: dict[str, dict[str, str]]) -> Iterator[str]:
    for title, entries in sections.items():
        yield f"{title}:\n\n" + "\n".join(f"- {_names(names)}: {_code(text)}" for names, text in entries.items())


def _shown(method: Any, *, defaults: bool) -> list[str]:
    parameters = [each for each in inspect.signature(method).parameters.values() if each.name not in ("self", "cls")]
    return [
        f"{_STARS.get(each.kind, '')}{each.name}"
        + (f"={_default(each.default)}" if defaults and each.default is not each.empty else "")
        for each in parameters
    ]


_STARS: dict[Any, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}


def _arguments(value: Any, described: dict[str, str]) -> list[str]:
    signature = inspect.signature(value)
    rows = []
    texts = {name.strip(): text for names, text in described.items() for name in names.split(",")}
    for parameter in signature.parameters.values():
        if parameter.name == "self":
            continue
        stars = _STARS.get(parameter.kind, "")
        default = "" if parameter.default is parameter.empty else f"`{_default(parameter.default)}`"
        text = _code(texts.pop(parameter.name, ""))
        rows.append(f"| `{stars}{parameter.name}` | {default} | {text} |")
    rows += [f"| `{name}` | | {_code(text)} |" for name, text in texts.items()]
    return ["\n".join(["| argument | default | |", "|---|---|---|", *rows])] if rows else []


def _default(value: Any) -> str:
    if inspect.isroutine(value):
        return "time.time" if value is time.time else "..."
    if isinstance(value, managed.Who) or repr(value) == "<factory>":
        return "Who()" if isinstance(value, managed.Who) else "{}"
    return value.__name__ if inspect.isclass(value) else str(value) if isinstance(value, Enum) else repr(value)


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
    for line in textwrap.dedent(text).splitlines():
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
STATES = {
    "instance states": drawn.instance_table,
    "instance picture": drawn.instance_picture,
    "binding states": drawn.binding_table,
    "binding picture": drawn.binding_picture,
    "courses": drawn.courses_table,
}


def with_tables(page: str, tables: dict[str, Callable[[], str]] = TABLES) -> str:
    """Give a page with its tables as they should be: between `<!-- table: name -->` and `<!-- end -->`."""
    for name, table in tables.items():
        mark = f"<!-- table: {name} -->"
        before, found, rest = page.partition(mark)
        if not found:
            raise LookupError(f"the page has no {mark}")
        _old, _end, after = rest.partition("<!-- end -->")
        page = f"{before}{mark}\n\n{table()}\n\n<!-- end -->{after}"
    return page


def write() -> None:
    ERRORS_PAGE.write_text(with_tables(ERRORS_PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    STATES_PAGE.write_text(with_tables(STATES_PAGE.read_text(encoding="utf-8"), STATES), encoding="utf-8")
    API_PAGE.write_text(api_page(), encoding="utf-8")
    MANAGED_PAGE.write_text(managed_page(), encoding="utf-8")


if __name__ == "__main__":
    write()
