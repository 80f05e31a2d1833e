"""The plugin of pytest, in suites of authors."""

from importlib.metadata import entry_points
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
#: Until the package is installed with its entry point, the plugin is named.
NAMED = () if "openbrokerapi" in entry_points(group="pytest11").names else ("-p", "openbrokerapi.testing.plugin")
BROKER = """
from tests.testing.careful import careful
from openbrokerapi.testing import Part

make = careful("", 0.0)
broken = careful("an absent one is deleted", 0.0)
"""


@pytest.fixture
def suite(pytester, monkeypatch):
    """A folder with a broker in it; runs pytest there."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makepyfile(our_broker=BROKER)

    def run(*arguments):
        return pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider", *NAMED, *arguments)

    return run


def test_a_suite_names_its_broker_and_gets_platforms(suite, pytester):
    pytester.makepyfile(
        test_ours="""
        import pytest

        @pytest.fixture(scope="session")
        def broker():
            from our_broker import make
            return make

        @pytest.fixture(scope="session")
        def broker_options():
            return {"update_to": "large"}

        def test_life(broker_platform):
            broker_platform.clock.advance(3600)
            broker_platform.life("cupboard", "small")

        def test_what_is_left_is_deleted(broker_platform):
            broker_platform.made("cupboard", "small")

        def test_served(served_broker_platform):
            assert served_broker_platform.host.url.startswith("http://127.0.0.1:")
            served_broker_platform.life("cupboard", "small")

        def test_survives(misbehaving_platform):
            misbehaving_platform.assert_survives("repeats-an-update", "deletes-what-is-gone")

        def test_each(misbehaving_platform, broker_scenario):
            assert not misbehaving_platform.play(broker_scenario).faults
        """
    )
    found = suite()

    outcomes = found.parseoutcomes()
    assert "failed" not in outcomes, found.stdout.str()
    assert "errors" not in outcomes
    assert outcomes["passed"] > 40


def test_a_broker_is_named_on_the_command_line_and_its_faults_fail(suite):
    arguments = ("--pyargs", "openbrokerapi.testing.suite", "-k", "DEP-16 or PROV-08 or what-is-gone or twice")
    kept = suite(*arguments, "--broker", "our_broker:make")
    broken = suite(*arguments, "--broker", "our_broker:broken")

    assert kept.parseoutcomes()["xfailed"] == 1  # it does not check ids, which weighs as SHOULD
    broken.stdout.fnmatch_lines(["DEP-16 (MUST*", "sent: DELETE /v2/service_instances/*"])
    broken.stdout.fnmatch_lines(["*expected (UNB-14): a deletion of what is gone gives 410"])
    assert broken.parseoutcomes()["failed"] == 3


def test_without_a_broker_it_is_said_what_to_write(suite, pytester):
    pytester.makepyfile("def test_nothing(broker_platform): pass")

    suite().stdout.fnmatch_lines(["*write a fixture named `broker`*--broker package.module:name*--broker-url URL*"])


def test_the_plugin_imports_nothing_before_it_is_asked(pytester):
    pytester.makepyfile(
        """
        import sys

        def test_others():
            loaded = {name for name in sys.modules if name.startswith("openbrokerapi.")}
            assert loaded <= {"openbrokerapi.version", "openbrokerapi.testing", "openbrokerapi.testing.plugin"}
        """
    )
    found = pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider", *NAMED)

    assert found.parseoutcomes() == {"passed": 1}, found.stdout.str()
