"""The reference page of the test kit says what the code does."""

import pytest
from tests.testing import reference_page

from openbrokerapi import testing
from openbrokerapi.testing import plugin
from openbrokerapi.testing.scenarios.scenario import ALL


def test_the_page_is_made_from_the_docstrings():
    assert reference_page.PAGE.read_text(encoding="utf-8") == reference_page.page(), f"run: {reference_page.COMMAND}"


def test_every_name_every_fixture_and_every_scenario_is_on_it():
    page = reference_page.page()
    fixtures = {name for name, value in vars(plugin).items() if isinstance(value, type(plugin.broker))}
    named = {name for names in reference_page.FIXTURES.values() for name in names}

    assert [name for name in testing.__all__ if f"### `{name}`\n" not in page] == []
    assert [name for name in testing.SCENARIOS if f"| `{name}` | " not in page] == []
    assert named == fixtures


def test_every_scenario_says_what_the_platform_does():
    assert len(ALL) == len(testing.SCENARIOS)
    for each in ALL.values():
        assert len(each.sentence) > 40, each.name
        assert each.sentence.endswith("."), each.name


def test_a_name_that_is_in_no_group_is_missed(monkeypatch):
    monkeypatch.setattr(testing, "__all__", [*testing.__all__, "NewName"])
    with pytest.raises(LookupError, match="NewName"):
        reference_page.page()
