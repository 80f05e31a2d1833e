"""For each rule that is checked there is a fault; `test_faults_of_...` see that the checker finds exactly it."""

from tests.checker.playing import MODULES, faults_of
from tests.checker.reference.faults import all_faults

from openbrokerapi.conformance.check import checked_rules
from openbrokerapi.conformance.rules import all_rules


def test_each_checked_rule_has_a_fault():
    assert checked_rules() - set(all_faults()) == set()


def test_no_fault_is_without_a_check():
    assert set(all_faults()) - checked_rules() == set()


def test_each_fault_is_run():
    assert {rule.partition("-")[0] for rule in all_rules()} == {
        group for groups in MODULES.values() for group in groups
    }
    assert sum(len(faults_of(module)) for module in MODULES) == sum(map(len, all_faults().values()))
