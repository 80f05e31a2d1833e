"""The page docs/reference/testing.md, made from the docstrings of `openbrokerapi.testing`. Write it anew with

.venv/bin/python -m tests.testing.reference_page
"""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from tests.docs import generated
from tests.docs.pages import DOCS
from tests.platform.reference_page import fields, methods

from openbrokerapi import testing
from openbrokerapi.testing import plugin
from openbrokerapi.testing.scenarios.scenario import ALL

PAGE = DOCS / "reference" / "testing.md"
COMMAND = ".venv/bin/python -m tests.testing.reference_page"

HEAD = f"""\
# The test kit

The plugin of pytest, and what `from openbrokerapi.testing import ...` gives. How to use it:
[test a broker](../how-to/test-a-broker.md). Rules are those of the [list](conformance.md).

This page is made from the docstrings: `{COMMAND}`."""

FIXTURES = {
    "Yours to write": ("broker", "broker_options", "broker_leftovers"),
    "For your tests": ("broker_platform", "served_broker_platform", "misbehaving_platform", "broker_report"),
}
PARAMETERS = """\
A test that asks for `broker_scenario` is run for each scenario, with its name; one that asks for `broker_rule` for each
rule that the checker looks at, with its id. `openbrokerapi.testing.suite` has both, for
`pytest --pyargs openbrokerapi.testing.suite --broker-url URL`: a broken MUST fails, another broken rule is shown as an
expected failure, and what does not apply is skipped with the reason. `broker_report`, and so that suite, needs a
`broker` whose scope is the session."""
GROUPS = {
    "Assertions": ["assert_conforms", "check", "assert_survives", "play", "play_all", "misbehaving"],
    "Platforms": ["BrokerPlatform", "KeptInstance", "KeptBinding", "Life", "Clock"],
    "The misbehaving platform": ["SCENARIOS", "MisbehavingPlatform", "Part", "Report", "Outcome", "Fault"],
    "Where a broker runs": [
        *("hosted", "remote", "served", "InProcess", "Served", "Remote", "Commanded"),
        *("Host", "NotPossible"),
    ],
}
_OWN_WORDS = {"SCENARIOS": "The names of all scenarios, in the order in which they are played."}


def page() -> str:
    """Give the page.

    Raises:
        LookupError: a public name is in no group.
    """
    grouped = {name for names in GROUPS.values() for name in names}
    if grouped != set(testing.__all__):
        raise LookupError(f"put into a group, or take out of it: {sorted(grouped ^ set(testing.__all__))}")
    parts = [HEAD, *_fixtures(), *_options(), *_scenarios()]
    for title, names in GROUPS.items():
        parts.append(f"## {title}")
        for name in names:
            parts += _described(name)
    return "\n\n".join(parts) + "\n"


def _fixtures() -> list[str]:
    parts = ["## Fixtures"]
    for title, names in FIXTURES.items():
        parts.append(f"### {title}")
        rows = [f"| `{name}` | {_words(getattr(plugin, name).__doc__)} |" for name in names]
        parts.append("\n".join(["| fixture | |", "|---|---|", *rows]))
    return [*parts, PARAMETERS]


def _options() -> list[str]:
    parser = pytest.Parser(_ispytest=True)
    plugin.pytest_addoption(parser)
    (group,) = [each for each in parser._groups if each.name == "openbrokerapi"]
    rows = [f"| `{each.names()[0]} {each.attrs()['metavar']}` | {each.attrs()['help']} |" for each in group.options]
    return ["## Options", "\n".join(["| option | |", "|---|---|", *rows])]


def _scenarios() -> list[str]:
    listed = [ALL[name] for name in testing.SCENARIOS]
    rows = [f"| `{each.name}` | {each.sentence} | {', '.join(each.needs)} |" for each in listed]
    return ["## Scenarios", "\n".join(["| name | what the platform does | needs |", "|---|---|---|", *rows])]


def _words(text: str | None) -> str:
    return generated._code(" ".join((text or "").split()))


def _described(name: str) -> list[str]:
    value = getattr(testing, name)
    if name in _OWN_WORDS:
        return [f"### `{name}`", _OWN_WORDS[name]]
    body, sections = generated._sections(inspect.cleandoc(value.__doc__ or ""))
    parts = [f"### `{name}`", generated._code(body)]
    arguments, attributes = sections.pop("Args", {}), sections.pop("Attributes", {})
    if arguments:
        parts += generated._arguments(value, arguments)
    elif attributes and not getattr(value, "_is_protocol", False):
        parts += fields(value, attributes)
        attributes = {}
    parts += [*generated._listed({"It has": attributes} if attributes else {}), *generated._listed(sections)]
    return [*parts, *_members(value)] if inspect.isclass(value) else parts


def _members(kind: type) -> list[str]:
    found: dict[str, Any] = {}
    for each in reversed(kind.__mro__):
        if each.__module__.startswith("openbrokerapi.testing"):
            found |= vars(each)
    return [*generated._properties(kind), *methods(found)]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
