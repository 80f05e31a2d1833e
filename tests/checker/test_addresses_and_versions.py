"""What the checker says of a broker's address, and of versions where no file names the least one."""

import dataclasses

import pytest
from tests.checker.playing import COOPERATION, check, failed
from tests.checker.reference.door import SECOND_PASSWORD, SECOND_USERNAME
from tests.checker.reference.faults import all_faults
from tests.checker.test_check_command import serving

from openbrokerapi.conformance import BadFile, Cooperation
from openbrokerapi.conformance.cooperation import BrokerHelp, SecondPlatform

SILENT = dataclasses.replace(COOPERATION, broker=BrokerHelp())


@pytest.mark.parametrize(
    ("url", "broken"),
    [
        ("http://broker.example.com", {"AUTH-08"}),
        ("https://broker.example.com", set()),
        ("http://localhost:8080", set()),
        ("http://127.0.0.2:8080", set()),
        ("http://[::1]:8080", set()),
    ],
)
def test_a_broker_that_is_not_on_this_machine_needs_an_address_of_https(url: str, broken: set[str]):
    assert failed(check(only=["AUTH-08"], url=url)) == broken


@pytest.mark.parametrize("way", ["texts", "decimal fractions"])
def test_versions_that_are_compared_wrongly_are_found_without_knowing_the_least_version(way: str):
    (fault,) = [fault for fault in all_faults()["VER-02"] if fault.says.endswith(way)]
    assert failed(check(fault, only=["VER-02"], cooperation=SILENT)) == {"VER-02"}
    assert failed(check(only=["VER-02"], cooperation=SILENT)) == set()


def test_a_least_version_that_is_a_number_is_not_taken_from_the_file():
    with pytest.raises(BadFile, match="in quotes"):
        Cooperation.of({"broker": {"minimum_version": 2.1}})


def test_a_second_platform_may_have_an_address_of_its_own():
    with serving() as url:
        for path, broken in (("/second", set()), ("", {"AUTH-10"})):
            second = SecondPlatform(url + path, SECOND_USERNAME, SECOND_PASSWORD)
            cooperation = dataclasses.replace(COOPERATION, broker=BrokerHelp(second_platform=second))
            assert failed(check(only=["AUTH-10"], cooperation=cooperation)) == broken
