"""The reference says what the code does: errors, names, commands, settings."""

import dataclasses
import re
from pathlib import Path
from typing import ClassVar, get_origin, get_type_hints

import click
import pytest
from tests.docs import generated
from tests.docs.pages import DOCS, ROOT

import openbrokerapi
from openbrokerapi import errors, managed, settings
from openbrokerapi.cli.main import main
from openbrokerapi.managed.states import INSTANCE, Asked, Reaction, State

CLI = DOCS / "reference" / "cli.md"
SETTINGS = DOCS / "reference" / "settings.md"
WRITE = f"run: {generated.COMMAND}"


def test_the_tables_of_errors_are_those_of_the_code():
    page = generated.ERRORS_PAGE.read_text(encoding="utf-8")

    assert page == generated.with_tables(page), WRITE


def test_the_page_of_the_public_names_is_that_of_the_code():
    assert generated.API_PAGE.read_text(encoding="utf-8") == generated.api_page(), WRITE


def test_every_public_name_has_a_heading():
    page = generated.API_PAGE.read_text(encoding="utf-8")

    assert [name for name in openbrokerapi.__all__ if f"### `{name}`\n" not in page] == ["__version__"]


def test_a_name_that_is_in_no_group_is_missed(monkeypatch):
    monkeypatch.setattr(openbrokerapi, "__all__", [*openbrokerapi.__all__, "NewName"])

    with pytest.raises(LookupError, match="NewName"):
        generated.api_page()


def test_the_table_of_errors_says_what_the_specification_says():
    # From the specification, not from the code: DEP-16, UNB-14, LOI-12, PROV-25, ASY-10, BIND-39, BLK-02.
    rows = {
        cells[0]: cells[1:]
        for line in generated.errors_table().splitlines()
        if (cells := [cell.strip() for cell in line.strip("|").split("|")])
    }
    columns = [cell.strip("`") for cell in rows["error"]]

    def cell(error, column):
        return rows[f"[`{error}`](#{error.lower()})"][columns.index(column)].strip("`")

    assert cell("ErrInstanceDoesNotExist", "deprovision") == "410"
    assert cell("ErrBindingDoesNotExist", "unbind") == "410"
    assert cell("ErrInstanceDoesNotExist", "last_operation") == "404"
    assert cell("ErrInstanceAlreadyExists", "provision") == "409"
    assert cell("ErrAsyncRequired", "error") == "AsyncRequired"
    assert cell("ErrAppGuidNotProvided", "error") == "RequiresApp"
    assert cell("ErrConcurrentInstanceAccess", "error") == "ConcurrencyError"
    assert len(columns) == 11


def test_every_error_is_in_the_table():
    table = generated.errors_table()
    raised = [name for name in vars(errors) if name.startswith("Err")]

    assert len(raised) > 15
    assert [name for name in raised if f"`{name}`" not in table] == []


# --- managed brokers ---


def test_the_page_of_managed_brokers_is_that_of_the_code():
    assert generated.MANAGED_PAGE.read_text(encoding="utf-8") == generated.managed_page(), WRITE


def test_every_name_of_managed_brokers_has_a_heading_and_every_field_a_row():
    page = generated.MANAGED_PAGE.read_text(encoding="utf-8")
    fields = {name for name, kind in get_type_hints(managed.Offering).items() if get_origin(kind) is ClassVar}
    for kind in (managed.Plan, managed.ManagedSettings, managed.Provisioned, managed.Bound, managed.Instance):
        fields |= {each.name for each in dataclasses.fields(kind)}

    assert len(fields) > 50
    assert [name for name in managed.__all__ if f"### `{name}`\n" not in page] == []
    assert [name for name in fields if f"| `{name}` |" not in page] == []


def test_a_name_of_managed_brokers_that_is_in_no_group_is_missed(monkeypatch):
    monkeypatch.setattr(managed, "__all__", [*managed.__all__, "NewName"])

    with pytest.raises(LookupError, match="NewName"):
        generated.managed_page()


def test_the_states_and_their_pictures_are_those_of_the_code():
    page = generated.STATES_PAGE.read_text(encoding="utf-8")

    assert page == generated.with_tables(page, generated.STATES), WRITE


def test_a_state_that_is_changed_in_the_code_makes_the_page_old(monkeypatch):
    page = generated.STATES_PAGE.read_text(encoding="utf-8")
    monkeypatch.setitem(INSTANCE[State.UPDATE_FAILED], Asked.DELETE, Reaction.BUSY)

    fresh = generated.with_tables(page, generated.STATES)

    assert [line for line in page.splitlines() if line not in fresh.splitlines()] == [
        "| update failed | 200 | 409 | 200 | begin | begin | 200 | begin |",
        "    update_failed --> deleting : DELETE",
    ]


# --- commands ---


def commands(command=main, path=("openbroker",)):
    yield " ".join(path), command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from commands(found, (*path, name))


ALL = dict(commands())


@pytest.mark.parametrize("name", ALL)
def test_every_option_of_a_command_is_on_the_page_of_the_commands(name):
    page = CLI.read_text(encoding="utf-8")
    shown = page.partition(f"$ {name} --help\n")[2].partition("```")[0]
    options = [
        option
        for parameter in ALL[name].params
        if isinstance(parameter, click.Option)
        for option in [*parameter.opts, *parameter.secondary_opts]
    ]

    assert shown
    assert [option for option in options if option not in shown] == []


def test_all_commands_were_found():
    assert set(ALL) >= {"openbroker serve", "openbroker catalog diff", "openbroker demo"}


# --- settings ---


def table_rows(page: Path) -> dict[str, str]:
    return {
        name: line
        for line in page.read_text(encoding="utf-8").splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`(\w+)`", line.split("|")[1])
    }


def test_every_setting_is_in_a_table_with_its_default():
    rows = table_rows(SETTINGS)

    for each in dataclasses.fields(settings.Settings):
        assert f"| `{each.default}` |" in rows[each.name], each.name
    module = {name: value for name, value in vars(settings).items() if re.match(r"(DISABLE|MIN)_", name)}
    assert module.keys() <= rows.keys()


def test_every_variable_of_the_environment_that_is_read_is_in_a_table():
    read = {
        name
        for path in (ROOT / "src").rglob("*.py")
        for name in re.findall(r'"((?:OPENBROKER|DISABLE)_\w+|PORT)"', path.read_text(encoding="utf-8"))
    }
    # How the first process of `serve --workers` tells the others what to serve: nobody sets it.
    assert read - {"OPENBROKER_SERVING"} - table_rows(SETTINGS).keys() == set()
    assert len(read) > 5
