"""Each scenario finds the fault that it is for, and none in the same broker without it."""

import pytest
from tests.testing.careful import careful
from tests.testing.planted import AT_ONCE, PLANTED, SLOW

from openbrokerapi.testing import SCENARIOS, InProcess, MisbehavingPlatform, Part, Served, play, play_all

PART = Part(update_to="large")
#: What is done at once cannot be disturbed while it goes on.
NOT_AT_ONCE = {
    "deletes-while-a-provision-runs",
    "deletes-while-a-bind-runs",
    "updates-while-updating",
    "deletes-while-updating",
    "binds-while-updating",
    "binds-while-provisioning",
    "binds-while-deleting",
    "provisions-again-while-deleting",
    "fetches-while-provisioning",
    "polls-after-the-end",
    "polls-for-days",
    "polls-what-never-was",
    "repeats-a-provision-while-it-runs",
    "changes-its-mind-while-a-provision-runs",
    "repeats-a-deprovision-while-it-runs",
    "restarts-the-broker-while-a-provision-runs",
    "restarts-the-broker-while-a-deletion-runs",
}


def played(scenario: str, fault: str, takes: float):
    with InProcess(careful(fault, takes), replicas=2 if scenario == "races-replicas" else 1) as host:
        return MisbehavingPlatform(host, PART, patience=600).play(scenario)


def test_every_scenario_is_proven():
    assert set(PLANTED) == set(SCENARIOS)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_scenario_finds_the_fault_that_it_is_for(scenario):
    fault, takes = PLANTED[scenario]

    without = played(scenario, "", takes)
    assert (without.text(), without.faults) == (scenario, ())
    found = played(scenario, fault, takes)

    assert found.faults, f"{fault} is not found"


@pytest.mark.parametrize("takes", [SLOW, AT_ONCE])
def test_a_broker_without_fault_survives_all(takes):
    with InProcess(careful("", takes), replicas=2) as host:
        report = MisbehavingPlatform(host, PART, patience=600).play_all()

    assert not report.faults, report.text()
    # What does not apply says so.
    assert set(report.aside) == (set() if takes else NOT_AT_ONCE)
    assert set(report.aside) | set(report.survived) == set(SCENARIOS)


def test_scenarios_are_played_over_http_too():
    names = ["repeats-a-provision-while-it-runs", "deletes-while-a-bind-runs", "races-two-deprovisions"]
    with Served(careful("", 0.2)) as host:
        elsewhere = play_all(host.url, [*names, "polls-for-days", "restarts-the-broker-between-any-two-calls"])
        restarted = MisbehavingPlatform(host).play("restarts-the-broker-between-any-two-calls")

    assert not elsewhere.faults, elsewhere.text()
    assert elsewhere.survived == tuple(names)
    assert "real broker would take days" in elsewhere.aside["polls-for-days"]
    assert "served(command=[...])" in elsewhere.aside["restarts-the-broker-between-any-two-calls"]
    assert (restarted.faults, restarted.aside) == ((), "")


def test_what_is_shown_of_a_fault_has_no_secret_in_it():
    secret, other = "what-only-i-know", "another-of-them"
    outcome = play(
        "changes-its-mind-after-a-provision",
        careful("attributes are not compared", AT_ONCE),
        parameters={"password": secret},
        other_parameters={"text": other},
    )

    text = outcome.text()
    assert "409" in text
    assert "(hidden)" in text
    assert secret not in text + repr(outcome)
    assert other not in text + repr(outcome)


def test_a_report_says_what_was_wrong_and_what_does_not_apply():
    names = ["changes-its-mind-after-a-provision", "polls-for-days"]
    report = play_all(careful("attributes are not compared", AT_ONCE), names)

    assert (report.failed, report.survived) == (("changes-its-mind-after-a-provision",), ())
    assert report.aside == {"polls-for-days": "a provision is done at once"}
    assert {fault.rule for fault in report.faults} == {"PROV-25"}
    assert report.text().startswith("changes-its-mind-after-a-provision\n  expected (PROV-25): ")


def test_what_is_left_behind_is_found_though_no_request_shows_it():
    outcome = play("polls-what-never-was", careful(), leftovers=lambda: ["a database"], parameters={})

    assert [fault.expected for fault in outcome.faults] == ["nothing is left behind; the test's own look finds 1 of it"]


def test_a_plan_that_is_not_there_and_a_scenario_that_is_not_are_told_of():
    with pytest.raises(LookupError, match="no plan cupboard/huge"):
        play("repeats-a-bind", careful(), offering="cupboard", plan="huge")
    with pytest.raises(LookupError, match="no scenario 'dances'; there are "):
        play("dances", careful())
