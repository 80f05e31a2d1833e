"""The checker finds no fault in a broker that has none, and has judged every rule that it knows a check for."""

from tests.checker.playing import check, failed

from openbrokerapi.conformance import Verdict


def test_nothing_is_found_in_the_unbroken_reference_broker():
    report = check(strict=True)
    assert failed(report) == set()
    assert report.troubles == ()
    assert report.left_behind == ()


def test_each_checked_rule_is_really_judged():
    unjudged = {
        result.rule.id: (result.verdict, result.reason)
        for result in check().results
        if result.verdict not in (Verdict.PASSED, Verdict.NOT_VISIBLE)
    }
    assert unjudged == {}
