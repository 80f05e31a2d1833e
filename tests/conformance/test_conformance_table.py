"""No rule without a line, no line "library" without a test, and the page in the documentation is what these say."""

from __future__ import annotations

import pytest
from tests.conformance import table


@pytest.fixture(scope="module")
def tests_of() -> dict[str, list[str]]:
    return table.marked_tests()


def test_every_rule_has_a_line_and_no_line_is_of_an_unknown_rule() -> None:
    ids = [rule["id"] for rule in table.requirements()]
    assert len(ids) == len(set(ids)) == 466
    assert set(table.duties()) == set(ids)


def test_every_duty_is_of_a_known_kind_and_the_authors_say_how_the_package_helps() -> None:
    for rule, duty in table.duties().items():
        assert duty["duty"] in ("library", "author", "platform"), rule
        assert duty["duty"] != "author" or duty.get("note"), f"{rule}: say how the package helps"


def test_a_rule_for_platforms_is_the_only_kind_that_is_left_to_the_platform() -> None:
    classes = {rule["id"]: rule["cls"] for rule in table.requirements()}
    assert [rule for rule, duty in table.duties().items() if duty["duty"] == "platform" and classes[rule] != "P"] == []


def test_every_rule_that_the_library_keeps_has_a_test(tests_of: dict[str, list[str]]) -> None:
    kept = [rule for rule, duty in table.duties().items() if duty["duty"] == "library"]
    assert [rule for rule in kept if not tests_of.get(rule)] == []


def test_no_test_carries_a_rule_that_does_not_exist(tests_of: dict[str, list[str]]) -> None:
    assert set(tests_of) <= set(table.duties())


def test_the_page_is_what_the_rules_and_the_tests_say(tests_of: dict[str, list[str]]) -> None:
    assert table.PAGE.read_text(encoding="utf-8") == table.page(tests_of), "run: python -m tests.conformance.table"
