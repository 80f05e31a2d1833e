"""A pytest plugin that writes down which test carries which rule: `-p tests.conformance.marks --rules-to FILE`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rules-to", help="write the rules of the collected tests to this file")


def pytest_collection_finish(session: pytest.Session) -> None:
    target: Any = session.config.getoption("--rules-to")
    if not target:
        return
    found: dict[str, list[str]] = {}
    for item in session.items:
        test = item.nodeid.partition("[")[0]
        for mark in item.iter_markers("rule"):
            for rule in mark.args:
                tests = found.setdefault(rule, [])
                if test not in tests:
                    tests.append(test)
    Path(target).write_text(json.dumps(found), encoding="utf-8")
