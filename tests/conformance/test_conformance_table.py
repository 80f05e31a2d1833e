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
    assert [rule for rule in kept if not table.of_all(tests_of.get(rule, []))] == []


def test_every_rule_that_is_kept_for_managed_brokers_has_a_test_of_them(tests_of: dict[str, list[str]]) -> None:
    kept = [rule for rule, duty in table.duties().items() if duty.get("managed")]
    assert len(kept) > 100
    assert [rule for rule in kept if not table.of_managed(tests_of.get(rule, []))] == []


#: The groups of class C that are about what a managed broker does by itself.
_OF_THE_STATE = ("ASY", "BLK", "LOI", "LOB", "POL", "PROV", "GETI", "UPD", "SIM", "BIND", "BMD", "ROT", "GETB", "UNB",
                 "DEP", "ORPH")  # fmt: skip


def test_every_rule_about_the_state_is_kept_for_managed_brokers_or_it_is_said_why_not() -> None:
    duties = table.duties()
    about = [rule["id"] for rule in table.requirements() if rule["cls"] == "C"]
    of_the_state = [rule for rule in about if rule.partition("-")[0] in _OF_THE_STATE]
    assert [
        rule for rule in of_the_state if not (duties[rule].get("managed") or duties[rule].get("managed_note"))
    ] == []


def test_no_rule_is_both_kept_and_not_kept_for_managed_brokers() -> None:
    for rule, duty in table.duties().items():
        assert not (duty.get("managed") and duty.get("managed_note")), rule
        assert not (duty.get("managed") and duty["duty"] == "platform"), rule


def test_no_test_carries_a_rule_that_does_not_exist(tests_of: dict[str, list[str]]) -> None:
    assert set(tests_of) <= set(table.duties())


def test_the_page_is_what_the_rules_and_the_tests_say(tests_of: dict[str, list[str]]) -> None:
    assert table.PAGE.read_text(encoding="utf-8") == table.page(tests_of), "run: python -m tests.conformance.table"
