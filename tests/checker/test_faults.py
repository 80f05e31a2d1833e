"""For each rule that is checked there is a fault, and the checker finds exactly it."""

import pytest
from tests.checker.playing import check, failed
from tests.checker.reference.faults import Fault, all_faults

from openbrokerapi.conformance.check import checked_rules

_FAULTS = [
    pytest.param(fault, id=f"{rule}-{index}")
    for rule, faults in all_faults().items()
    for index, fault in enumerate(faults)
]


@pytest.mark.slow
@pytest.mark.parametrize("fault", _FAULTS)
def test_the_checker_finds_exactly_the_fault(fault: Fault):
    assert failed(check(fault)) == {fault.rule, *fault.also}


def test_each_checked_rule_has_a_fault():
    assert checked_rules() - set(all_faults()) == set()


def test_no_fault_is_without_a_check():
    assert set(all_faults()) - checked_rules() == set()
