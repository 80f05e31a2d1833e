"""What every test has."""

from pathlib import Path

import pytest

pytest_plugins = ["tests.project.skips", "tests.stores.postgresql"]

#: Folders whose tests start several processes each; together they take minutes.
_SLOW = ("docs", "examples", "operating")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave what starts process after process out of the quick part: pages, examples, operators' commands."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here) and item.path.relative_to(here).parts[0] in _SLOW:
            item.add_marker(pytest.mark.slow)
