"""The reference page of the platform's side says what the code does."""

import re

import pytest
from tests.platform import reference_page

from openbrokerapi import platform


def test_the_page_is_made_from_the_docstrings() -> None:
    found = reference_page.PAGE.read_text(encoding="utf-8")
    assert found == reference_page.page(), f"run: {reference_page.COMMAND}"


def test_every_public_name_and_every_request_is_on_it() -> None:
    page = reference_page.page()
    assert [name for name in platform.__all__ if f"### `{name}`\n" not in page] == []
    for method in (
        "catalog",
        "provision",
        "rotate",
        "poll_binding",
        "wait_for_instance",
        "mitigate",
        "create",
        "clean_up",
    ):
        assert f"#### `{method}(" in page


def test_every_argument_of_a_method_is_described() -> None:
    found = re.findall(r"#### `(\w+)\(([^)`]*)\)`\n(.*?)(?=\n#)", reference_page.page(), re.DOTALL)
    assert len(found) > 30
    for method, arguments, text in found:
        names = [argument.partition("=")[0] for argument in arguments.split(", ") if argument]
        missing = [name for name in names if f"- `{name}`:" not in text]
        assert method == "run" or missing == [], method


def test_a_name_that_is_in_no_group_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "__all__", [*platform.__all__, "NewName"])
    with pytest.raises(LookupError, match="NewName"):
        reference_page.page()
