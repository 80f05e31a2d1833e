"""The checker's rules are the specification's, and for each there is a check or a reason; the page says which."""

import json
from pathlib import Path

from tests.checker import table

from openbrokerapi.conformance.check import checked_rules
from openbrokerapi.conformance.invisible import invisible_rules
from openbrokerapi.conformance.rules import all_rules

_REQUIREMENTS = json.loads((Path(__file__).parents[1] / "conformance" / "requirements.json").read_text("utf-8"))


def test_the_rules_are_those_of_class_b_and_c():
    wanted = {row["id"]: row for row in _REQUIREMENTS if row["cls"] in ("B", "C")}
    assert set(all_rules()) == set(wanted)
    for rule in all_rules().values():
        row = wanted[rule.id]
        assert (rule.level, rule.since, rule.text, rule.ref) == (row["lev"], row["ver"], row["txt"], row["ref"])
        assert rule.cooperative == (row["cls"] == "C")


def test_each_rule_is_checked_or_there_is_a_reason_why_it_is_not():
    assert set(all_rules()) - checked_rules() - set(invisible_rules()) == set()
    assert checked_rules() & set(invisible_rules()) == set()
    assert set(invisible_rules()) <= set(all_rules())


def test_at_least_250_rules_are_checked():
    assert len(checked_rules()) >= 250


def test_the_page_is_what_the_checks_and_faults_say():
    assert table.PAGE.read_text("utf-8") == table.page(), "run: python -m tests.checker.table"
