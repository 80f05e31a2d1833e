"""The checker finds each fault of a broker that has to do with headers, and exactly it."""

import pytest
from tests.checker.playing import expect_found, faults_of
from tests.checker.reference.faults import Fault


@pytest.mark.slow
@pytest.mark.parametrize("fault", faults_of("headers"))
def test_the_checker_finds_exactly_the_fault(fault: Fault):
    expect_found(fault)
