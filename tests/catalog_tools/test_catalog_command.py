"""`openbroker catalog` as its users meet it: output, errors and exit codes."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.catalog_tools.command import SECRET, refused, run
from tests.catalog_tools.valid_catalog import changed, valid_catalog, with_value, without

from openbrokerapi.cli.main import main
from openbrokerapi.version import __version__

_numbers = itertools.count()
BROKER = """\
from openbrokerapi.catalog import Service, ServicePlan

print("the author's own line")

def offering(name):
    number = len(name)
    plan = ServicePlan(f"024f3452-67f8-40bc-a724-{number:012}", "small", "A small one.", free=False)
    return Service(f"766fa866-a950-4b12-adff-{number:012}", name, "Databases.", True, [plan])

class Plain:
    def catalog(self):
        return [offering("one"), offering("other")]

class Single:
    def catalog(self):
        return offering("one")

class Generator:
    def catalog(self):
        yield offering("one")

class Async:
    async def catalog(self):
        return offering("one")

class Failing:
    def catalog(self):
        raise RuntimeError("no database")

class Odd:
    def catalog(self):
        return [5j]
"""


def file(document: object, name: str = "catalog.json") -> str:
    Path(name).write_text(json.dumps(document), encoding="utf-8")
    return name


@pytest.fixture
def module() -> str:
    name = f"broker_of_a_command_{next(_numbers)}"
    Path(f"{name}.py").write_text(BROKER, encoding="utf-8")
    return name


def test_show_writes_a_row_for_each_plan_that_fits_a_pipe():
    result = run("show", file(valid_catalog()))
    lines = [line.split() for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert lines == [
        ["Offering", "Plan", "Plan", "id", "Free", "Bindable", "Updateable", "Schemas"],
        [
            *("fake-service", "fake-plan-1", "d3031751-1111-4111-8111-a42377d3320e", "no", "yes", "no"),
            *("create,", "update,", "bind"),
        ],
        ["fake-service", "fake-plan-2", "0f4008b5-1111-4111-8111-dace631cd648", "yes", "no", "yes", "-"],
        ["Fake.service", "fake-plan-1", "ee1a0f7b-1111-4111-8111-0f8e5f0a3d5b", "yes", "no", "no", "-"],
    ]
    assert all(line == line.rstrip() for line in result.stdout.splitlines())


def test_show_keeps_a_row_on_its_line_however_long_it_is():
    result = run("show", file(changed(*[with_value("n" * 80, "services", 0, key) for key in ("name", "id")])))
    assert len(result.stdout.splitlines()) == 4


def test_show_survives_a_catalog_that_breaks_every_rule():
    result = run(
        "show", file({"services": [5, {}, {"name": "\x1b[31m", "plans": [5, {"free": "x", "name": "[bold]"}]}]})
    )
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout
    assert "[bold]" in result.stdout
    assert "?" in result.stdout


def test_show_writes_the_document_as_json():
    assert json.loads(run("show", file(valid_catalog()), "--json").stdout) == valid_catalog()


def test_check_of_a_valid_catalog_ends_with_0():
    result = run("check", file(valid_catalog()))
    assert (result.exit_code, result.stdout) == (0, "The catalog keeps to every rule that it can show.\n")


@pytest.mark.parametrize(
    ("change", "plain", "strict"),
    [
        (without("services", 0, "name"), 1, 1),
        (with_value("a name", "services", 0, "name"), 0, 1),
        (with_value("yes", "services", 0, "metadata", "shareable"), 0, 0),
    ],
)
def test_check_ends_with_1_where_a_must_is_broken_and_if_strict_a_should(change, plain, strict):
    source = file(changed(change))
    assert run("check", source).exit_code == plain
    assert run("check", source, "--strict").exit_code == strict


def test_check_groups_its_findings_by_level_with_rule_place_and_message():
    changes = (with_value(1, "services", 0, "plans", 0, "free"), with_value("a b", "services", 1, "name"))
    assert run("check", file(changed(*changes))).stdout.splitlines() == [
        "MUST",
        (
            "  PLAN-08  services[0].plans[0].free (offering fake-service, plan fake-plan-1): "
            "is a number; write true or false (without quotes)"
        ),
        "",
        "SHOULD",
        (
            '  CAT-13  services[1].name (offering a b): the string "a b" is not CLI-friendly; '
            "use only letters, digits, periods and hyphens"
        ),
        "",
        "1 MUST, 1 SHOULD, 0 MAY",
    ]


def test_check_writes_its_findings_as_json():
    source = file(changed(without("services", 0, "plans", 0, "id")))
    assert json.loads(run("check", source, "--json").stdout) == {
        "source": source,
        "counts": {"MUST": 1, "SHOULD": 0, "MAY": 0},
        "findings": [
            {
                "rule": "PLAN-01",
                "level": "MUST",
                "where": "services[0].plans[0].id (offering fake-service, plan fake-plan-1)",
                "message": "is missing; add it: a non-empty string",
            }
        ],
    }


def test_diff_ends_with_0_where_nothing_breaks_and_with_1_where_something_does():
    old = file(valid_catalog(), "old.json")
    same = run("diff", old, old)
    note = run("diff", old, file(changed(with_value("New.", "services", 0, "description")), "new.json"))
    breaking = run("diff", old, file(changed(without("services", 1)), "new.json"))
    assert (same.exit_code, same.stdout) == (0, "Nothing changes for instances.\n")
    assert (note.exit_code, note.stdout.splitlines()[-1]) == (0, "0 breaking, 1 not")
    assert breaking.exit_code == 1
    assert breaking.stdout.splitlines() == [
        "BREAKING",
        (
            "  offering-removed  services[Fake.service]: "
            "the offering with id 0b6bd6a8-1111-4111-8111-0a2a07b5ac6a is gone; keep it as long as it has instances"
        ),
        "",
        "1 breaking, 0 not",
    ]


def test_diff_writes_its_changes_as_json():
    old, new = file(valid_catalog(), "old.json"), file(changed(with_value("b", "services", 0, "tags", 0)), "new.json")
    assert json.loads(run("diff", old, new, "--json").stdout) == {
        "old": old,
        "new": new,
        "breaking": False,
        "changes": [
            {
                "kind": "tags-changed",
                "breaking": False,
                "where": "services[fake-service].tags",
                "message": "is different",
            }
        ],
    }


@pytest.mark.parametrize("name", ["Single", "Generator", "Async"])
def test_a_broker_in_python_is_a_source_however_it_returns_its_catalog(module, name):
    result = run("show", f"{module}:{name}", "--json")
    assert [offering["name"] for offering in json.loads(result.stdout)["services"]] == ["one"]
    assert result.exit_code == 0


def test_a_broker_with_several_offerings_shows_them_all(module):
    offerings = json.loads(run("show", f"{module}:Plain", "--json").stdout)["services"]
    assert [(offering["name"], offering["plans"][0]["free"]) for offering in offerings] == [
        ("one", False),
        ("other", False),
    ]


def test_what_a_broker_prints_is_kept_out_of_the_catalog(module):
    result = run("show", f"{module}:Plain")
    assert "the author's own line" not in result.stdout
    assert "the author's own line" in result.stderr


@pytest.mark.parametrize("command", ["show", "check"])
@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("none.yaml", "none.yaml: cannot be read: No such file or directory"),
        (
            "catalog",
            (
                '"catalog" is no catalog; give a file (.json, .yaml or .yml), a broker (package.module:attribute), '
                "or the address of a broker (https://...)"
            ),
        ),
        (
            "none_of_these:broker",
            (
                "there is no module none_of_these; run the command in the directory that holds it, "
                "or install the package"
            ),
        ),
        ("ftp://example.com", '"ftp://example.com" is no address of a broker; write https://host:port/path'),
        ("http://[::1", "the address of the broker is not a URL; write https://host:port/path"),
        ("http://host:port", "the address of the broker is not a URL; write https://host:port/path"),
        ("http:///path", '"http:///path" is no address of a broker; write https://host:port/path'),
        (
            f"https://admin:{SECRET}@example.com",
            (
                "the address holds credentials, which others can read on the command line; "
                "set OPENBROKER_USERNAME and OPENBROKER_PASSWORD, or give --credentials-file"
            ),
        ),
    ],
)
def test_a_source_that_gives_no_catalog_ends_with_2_and_one_sentence(command, source, message):
    assert refused(command, source) == message


def test_a_broker_whose_catalog_fails_ends_with_2_and_no_traceback(module):
    result = run("check", f"{module}:Failing")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == f"Error: {module}:Failing: catalog() fails: RuntimeError: no database"


def test_a_catalog_that_is_no_json_ends_with_2(module):
    result = run("check", f"{module}:Odd")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith(f"Error: {module}:Odd: catalog() fails: TypeError: complex ")


def test_show_and_diff_refuse_what_is_no_catalog():
    source = file({"services": None})
    assert refused("show", source) == 'catalog.json is no catalog: it has no array "services"'
    assert refused("diff", source, source) == 'catalog.json is no catalog: it has no array "services"'


def test_the_help_lists_the_commands_without_importing_them():
    code = (
        "import sys\nfrom openbrokerapi.cli.main import main\nmain(['--help'], standalone_mode=False)\n"
        "bad = {'rich', 'yaml', 'uvicorn', 'flask', 'openbrokerapi.cli.catalog'} & set(sys.modules)\n"
        "assert not bad, bad\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    listed = result.stdout.split("Commands:\n")[1].splitlines()
    names = ["serve", "worker", "db", "operations", "keys", "catalog", "check"]
    names += [
        "provision",
        "update",
        "deprovision",
        "bind",
        "rotate",
        "unbind",
        "instances",
        "instance",
        "binding",
        "poll",
    ]
    names += ["register", "completion", "demo"]
    # A text that needs a second line begins with blanks.
    assert [line.split()[0] for line in listed if line[2:3] != " "] == names


def test_the_version_is_shown():
    assert CliRunner().invoke(main, ["--version"]).stdout == f"openbroker, version {__version__}\n"


def test_an_unknown_command_ends_with_2():
    result = CliRunner().invoke(main, ["catlog"])
    assert result.exit_code == 2
    assert "catlog" in result.stderr


def process(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "openbrokerapi.cli.main", "catalog", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **environment}, timeout=60
    )


def test_a_real_process_writes_to_a_pipe_without_colours_and_ends_with_its_code(module):
    broken: Any = changed(without("services", 0, "id"), with_value("名", "services", 1, "name"))
    checked = process("check", file(broken), PYTHONIOENCODING="latin-1", FORCE_COLOR="")
    assert (checked.returncode, checked.stderr) == (1, "")
    assert "\x1b" not in checked.stdout
    assert "SVC-03  services[0].id (offering fake-service): is missing; add it: a non-empty string" in checked.stdout
    assert "\\u540d" in checked.stdout
    shown = process("show", f"{module}:Plain")
    assert shown.returncode == 0
    assert shown.stdout.splitlines()[1].split()[:2] == ["one", "small"]
    assert process("check", "none.json").returncode == 2
