"""Parameters from flags, JSON and files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from tests.platform_commands.operator import Operator
from tests.platform_commands.scripted import Scripted

from openbrokerapi.cli.belongings.parameter_flags import parameters_of

MARKER = "marker-of-a-secret"


@pytest.mark.parametrize(
    ("assignments", "documents", "expected"),
    [
        ([], [], None),
        ([], ["{}"], {}),
        (["size=3"], [], {"size": 3}),
        (["size=three"], [], {"size": "three"}),
        (['size="3"'], [], {"size": "3"}),
        (["on=true", "none=null", "list=[1, 2]"], [], {"on": True, "none": None, "list": [1, 2]}),
        (["text=a=b", "empty="], [], {"text": "a=b", "empty": ""}),
        (["not=NaN"], [], {"not": "NaN"}),
        (["a.b.c=1", "a.b.d=2", r"x\.y=3"], [], {"a": {"b": {"c": 1, "d": 2}}, "x.y": 3}),
        (["a=1", "a=2"], [], {"a": 2}),
        (["a.b=1"], ['{"a": {"c": 2, "b": 0}, "d": 3}'], {"a": {"b": 1, "c": 2}, "d": 3}),
        ([], ['{"a": {"b": 1}}', '{"a": {"c": 2}}'], {"a": {"b": 1, "c": 2}}),
        (["a=1"], ['{"a": {"b": 1}}'], {"a": 1}),
    ],
)
def test_parameters_are_put_together(assignments: list[str], documents: list[str], expected: Any) -> None:
    assert parameters_of(assignments, documents) == expected


@pytest.mark.parametrize(
    ("assignments", "documents", "message"),
    [
        ([MARKER], [], "write name=value"),
        ([f"={MARKER}"], [], "write name=value"),
        ([f"a..b={MARKER}"], [], "a..b has an empty part between its dots"),
        ([], [f"{{{MARKER}"], "the argument is no JSON: Expecting property name"),
        ([], [f'["{MARKER}"]'], "the argument is no object"),
        ([], [f'{{"{MARKER}": NaN}}'], "the argument is no JSON: a wrong number"),
        ([], ["[" * 100_000], "nested too deep"),
        ([], ["@none.json"], "none.json cannot be read: No such file"),
    ],
)
def test_parameters_that_cannot_be_used_are_refused_without_their_values(
    assignments: list[str], documents: list[str], message: str
) -> None:
    with pytest.raises(click.BadParameter) as refused:
        parameters_of(assignments, documents)
    assert message in refused.value.message
    assert MARKER not in refused.value.format_message()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"size": 3, "network": {"a": [1]}}', {"size": 3, "network": {"a": [1]}}),
        ("size: 3\nnetwork:\n  a: [1]\n", {"size": 3, "network": {"a": [1]}}),
        ("\ufeffsize: 3", {"size": 3}),
    ],
)
def test_a_file_is_json_or_yaml(tmp_path: Path, text: str, expected: Any) -> None:
    path = tmp_path / "parameters"
    path.write_text(text, encoding="utf-8")
    assert parameters_of([], [f"@{path}"]) == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"on: 2026-01-01 # {MARKER}".encode(), "holds what JSON does not have"),
        (f"1: {MARKER}".encode(), "holds what JSON does not have"),
        (f"{MARKER}: .nan".encode(), "holds what JSON does not have"),
        (f"a: [{MARKER}".encode(), "is neither JSON nor YAML (line 1)"),
        (f"- {MARKER}".encode(), "is no object"),
        (b"\xff", "is not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_without_its_values(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "parameters"
    path.write_bytes(content)
    with pytest.raises(click.BadParameter) as refused:
        parameters_of([], [f"@{path}"])
    assert message in refused.value.message
    assert MARKER not in refused.value.format_message()


def test_parameters_are_sent_from_standard_input_a_file_and_flags(broker: Scripted, at_broker: Operator) -> None:
    broker.answers("PUT instance", (201, {}))
    path = at_broker.home / "p.yaml"
    path.write_text("a: {b: 1}\nc: 2\n")
    make = ("provision", "my-db", "name-of-offering", "name-of-plan-1")
    at_broker.run(*make, "-P", "-", "-P", f"@{path}", "-p", "a.d=4", stdin=json.dumps({"c": 0, "e": 5}))
    (sent,) = broker.requests("PUT instance")
    assert sent.json["parameters"] == {"a": {"b": 1, "d": 4}, "c": 2, "e": 5}


def test_without_flags_no_parameters_are_sent(broker: Scripted, at_broker: Operator) -> None:
    broker.answers("PUT instance", (201, {}))
    at_broker.run("provision", "my-db", "name-of-offering", "name-of-plan-1")
    (sent,) = broker.requests("PUT instance")
    assert "parameters" not in sent.json
