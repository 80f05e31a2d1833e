"""What the misbehaving platform finds in a broker as people write it."""

import pytest
from tests.testing.twenty_lines import DictBroker

from openbrokerapi.testing import InProcess, MisbehavingPlatform, assert_survives

#: Of the faults that such a broker has, those that cost somebody money or data.
FOUND = {
    "repeats-a-provision-while-it-runs": "PROV-22",
    "changes-its-mind-while-a-provision-runs": "PROV-26",
    "deletes-what-is-gone": "DEP-16",
    "polls-what-never-was": "LOI-12",
    "repeats-a-bind": "BIND-29",
}


@pytest.fixture
def made() -> list[str]:
    return []


@pytest.mark.parametrize(("scenario", "rule"), FOUND.items())
def test_a_dict_for_state_has_these_faults(made, scenario, rule):
    with InProcess(lambda: DictBroker(made), moves=False) as host:
        outcome = MisbehavingPlatform(host, patience=1.0).play(scenario)

    assert rule in {fault.rule for fault in outcome.faults}, outcome.text()


def test_what_a_repeated_provision_leaves_behind_is_found(made):
    with InProcess(lambda: DictBroker(made), moves=False) as host:
        platform = MisbehavingPlatform(host, leftovers=lambda: made, patience=1.0)
        outcome = platform.play("repeats-a-provision-while-it-runs")

    assert made
    assert any("nothing is left behind" in fault.expected for fault in outcome.faults), outcome.text()


def test_a_restart_loses_its_instances(made):
    with pytest.raises(AssertionError, match="restarts-the-broker-between-any-two-calls\n"):
        assert_survives(
            lambda: DictBroker(made), "restarts-the-broker-between-any-two-calls", moves=False, patience=1.0
        )
