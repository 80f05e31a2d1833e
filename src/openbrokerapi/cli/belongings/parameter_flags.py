"""Parameters from the command line: `-p name=value` and `-P JSON|@file|-`, merged."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import click

# A dot that no backslash stands before.
_DOT = re.compile(r"(?<!\\)\.")


def parameters_of(assignments: Iterable[str], documents: Iterable[str]) -> dict[str, Any] | None:
    """Put parameters together; what comes later goes before what came earlier, assignments before documents.

    Args:
        assignments: Each ``name=value``; dots in the name lead into objects (``\\.`` is a dot), and the value is JSON,
            or else a string.
        documents: Each a JSON object, ``@file`` of JSON or YAML, or ``-`` for standard input.

    Returns:
        The parameters; None where nothing was given.

    Raises:
        click.BadParameter: One of them is not usable; the message shows no value.
    """
    found: dict[str, Any] | None = None
    for document in documents:
        found = _merged(found or {}, read_object(document, "-P"))
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not name or not equals:
            raise click.BadParameter("write name=value", param_hint="-p")
        found = _merged(found or {}, _nested(name, _value(value)))
    return found


def read_object(text: str, option: str) -> dict[str, Any]:
    """Read a JSON object that is given in place, as ``@file`` of JSON or YAML, or as ``-`` for standard input.

    Args:
        text: What was given.
        option: The option, for messages.

    Raises:
        click.BadParameter: It is none; the message shows nothing of it.
    """
    where, content = _content(text, option)
    try:
        found = _loaded(content)
    except RecursionError:
        raise click.BadParameter(f"{where} is nested too deep", param_hint=option) from None
    except ValueError as error:
        if where == "the argument":
            raise click.BadParameter(f"{where} is no JSON: {_place(error)}", param_hint=option) from None
        found = _yaml(content, where, option)
    if not isinstance(found, dict):
        raise click.BadParameter(f"{where} is no object; parameters have names", param_hint=option)
    return found


def _content(text: str, option: str) -> tuple[str, str]:
    if text == "-":
        return "standard input", _standard_input(option)
    if not text.startswith("@"):
        return "the argument", text
    path = Path(text[1:])
    try:
        return str(path), path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise click.BadParameter(f"{path} is not UTF-8", param_hint=option) from None
    except OSError as error:
        raise click.BadParameter(f"{path} cannot be read: {error.strerror}", param_hint=option) from None


def _standard_input(option: str) -> str:
    try:
        return sys.stdin.read()
    except UnicodeDecodeError:
        raise click.BadParameter("standard input is not UTF-8", param_hint=option) from None


def _yaml(content: str, where: str, option: str) -> Any:
    import yaml

    try:
        found = yaml.safe_load(content)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" (line {mark.line + 1})" if mark else ""
        raise click.BadParameter(f"{where} is neither JSON nor YAML{line}", param_hint=option) from None
    except (RecursionError, ValueError):
        raise click.BadParameter(f"{where} is nested too deep, or has a number too long", param_hint=option) from None
    _check_json(found, where, option)
    return found


def _check_json(value: Any, where: str, option: str) -> None:
    """Refuse what YAML has and JSON has not: dates, keys that are no strings, numbers that are none."""
    try:
        if json.loads(json.dumps(value, allow_nan=False)) == value:
            return
    except (TypeError, ValueError, RecursionError):
        pass
    raise click.BadParameter(
        f"{where} holds what JSON does not have, such as a date or a number for a name; put it in quotes",
        param_hint=option,
    )


def _place(error: ValueError) -> str:
    # Only this one's text is about the place alone.
    return f"{error.msg} (character {error.pos + 1})" if isinstance(error, json.JSONDecodeError) else "a wrong number"


def _no_number(_constant: str) -> NoReturn:
    raise ValueError


def _value(text: str) -> Any:
    try:
        return _loaded(text)
    except (ValueError, RecursionError):
        return text


def _loaded(text: str) -> Any:
    return json.loads(text, parse_constant=_no_number, parse_float=_number)


def _number(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def _nested(name: str, value: Any) -> dict[str, Any]:
    steps = [step.replace(r"\.", ".") for step in _DOT.split(name)]
    if not all(steps):
        raise click.BadParameter(f"{name} has an empty part between its dots", param_hint="-p")
    for step in reversed(steps):
        value = {step: value}
    return dict(value)


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for name, value in above.items():
        both = isinstance(value, dict) and isinstance(merged.get(name), dict)
        merged[name] = _merged(merged[name], value) if both else value
    return merged
