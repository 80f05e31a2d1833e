"""The cells of the state tables, as text, and whether an answer is what a cell says."""

from __future__ import annotations

from typing import Any

from tests.contract.expectations import assert_answered, assert_refused
from tests.contract.hosts import Answer
from tests.managed.stage import Managed, Script

from openbrokerapi.managed import Failed

#: What failed operations say.
SAID = "There is no more room in rack 7."
FLAGS = ("instance_usable", "update_repeatable")


def table(text: str) -> dict[tuple[str, str], str]:
    """Read a table: the cell of each state and request; a cell with a dash is not asked for."""
    head, *rows = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    cells = {(row[0], name): cell for row in rows for name, cell in zip(head[1:], row[1:], strict=True)}
    return {place: cell for place, cell in cells.items() if cell != "-"}


def check(cell: str, answer: Answer, running: str | None, flags: dict[str, bool]) -> None:
    """Check an answer against its cell.

    Args:
        running: The operation that was in progress.
        flags: What the last operation said when it failed.
    """
    status, _, more = cell.partition(" ")
    if status == "CE":
        assert_refused(answer, 422, "ConcurrencyError")
    elif status in ("404", "409", "422"):
        assert_refused(answer, int(status))
    elif status == "410":
        assert_answered(answer, 410, {})
    elif status == "202":
        _check_202(more, answer, running)
    elif more in ("in progress", "succeeded", "failed"):
        _check_poll(more, answer, flags)
    else:
        assert answer.status == int(status), answer.body
        assert isinstance(answer.json, dict)
        assert answer.json == {} if more == "{}" else answer.json


def _check_202(which: str, answer: Answer, running: str | None) -> None:
    assert answer.status == 202, answer.body
    operation = answer.json["operation"]
    assert isinstance(operation, str)
    assert 0 < len(operation) <= 10_000
    assert (operation == running) is (which == "same"), "another operation was named"
    assert "credentials" not in answer.json


def _check_poll(state: str, answer: Answer, flags: dict[str, bool]) -> None:
    assert answer.status == 200, answer.body
    assert answer.json["state"] == state
    given = {name: answer.json[name] for name in FLAGS if name in answer.json}
    assert given == (flags if state == "failed" else {})
    if state == "failed":
        assert answer.json["description"] == SAID
    assert ("retry-after" in answer.headers) is (state == "in progress")


def begins(cell: str) -> bool:
    """Tell whether a cell lets one of the author's methods be called."""
    return cell.startswith(("200 {}", "201", "202 new", "200 changed"))


def check_undisturbed(managed: Managed, script: Script, cell: str, calls: int, poll: Any) -> None:
    """Check that a refused request called nobody, and that what was running ends as it would have (BLK-06)."""
    if begins(cell):
        return
    assert len(script.calls) == calls
    if poll is None:
        return
    script.go_on()
    end = poll()
    assert (end.status, end.json.get("state")) in ((200, "succeeded"), (410, None))


def fails(script: Script, kind: str, **flags: bool) -> None:
    script.answers[kind] = Failed(SAID, **flags)
