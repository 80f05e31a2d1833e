"""dev.py: when an environment is made anew, what is handed on, and that an old Python gets a sentence."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import dev
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path):
    """A checkout as far as dev.py looks at it."""
    (tmp_path / "requirements").mkdir()
    (tmp_path / "src/openbrokerapi").mkdir(parents=True)
    for name in ("requirements/demo.txt", "requirements/test.txt", "pyproject.toml", "src/openbrokerapi/version.py"):
        (tmp_path / name).write_text(f"# {name}\n")
    return tmp_path


@pytest.fixture
def environment(checkout):
    """An environment that is well, and says so."""
    made = dev.Environment(checkout / ".venv")
    made.python.parent.mkdir(parents=True)
    made.python.symlink_to(sys.executable)
    note(made, identity=dev.identity(made))
    return made


def note(environment, **content):
    environment.note.write_text(json.dumps(content))


def test_an_environment_that_is_well_is_kept(environment):
    assert dev.read_note(environment) == {"identity": dev.identity(environment)}


def test_an_environment_that_was_moved_is_made_anew(environment, checkout):
    moved = dev.Environment(environment.folder.rename(checkout / "elsewhere"))

    assert moved.python.exists()
    assert dev.read_note(moved) == {}


def test_an_environment_of_another_python_is_made_anew(environment, monkeypatch):
    monkeypatch.setattr(sys, "version", "3.99.0 (main)")

    assert dev.read_note(environment) == {}


def test_an_environment_whose_python_is_gone_is_made_anew(environment, checkout):
    environment.python.unlink()
    environment.python.symlink_to(checkout / "uninstalled")

    assert dev.read_note(environment) == {}


@pytest.mark.parametrize("content", ["", "{"], ids=["empty", "cut off"])
def test_an_environment_with_a_broken_note_is_made_anew(environment, content):
    environment.note.write_text(content)

    assert dev.read_note(environment) == {}


def test_an_environment_that_another_program_made_is_made_anew(environment):
    environment.note.unlink()

    assert dev.read_note(environment) == {}


def test_each_user_has_an_environment_of_his_own(environment, checkout):
    owner = environment.folder.stat().st_uid

    assert dev.choose_environment(checkout, owner).folder == checkout / ".venv"
    assert dev.choose_environment(checkout, owner + 1).folder == checkout / f".venv-{owner + 1}"


def test_nothing_is_installed_twice(checkout):
    assert dev.has_extra({"demo": dev.digest(checkout, "demo")}, checkout, "demo")
    assert dev.has_extra({"test": dev.digest(checkout, "test")}, checkout, "demo")


def test_what_is_not_installed_is_missed(checkout):
    assert not dev.has_extra({"demo": dev.digest(checkout, "demo")}, checkout, "test")
    assert not dev.has_extra({}, checkout, "demo")


@pytest.mark.parametrize("changed", ["requirements/test.txt", "pyproject.toml", "src/openbrokerapi/version.py"])
def test_a_changed_requirement_is_installed(checkout, changed):
    before = {"test": dev.digest(checkout, "test")}
    (checkout / changed).write_text("changed\n")

    assert not dev.has_extra(before, checkout, "test")


def test_the_tests_run_in_two_processes_unless_a_debugger_needs_one():
    assert dev.workers(["-k", "catalog"]) == ["--numprocesses", "2", "--dist", "loadfile"]
    assert dev.workers(["--pdb"]) == []


def test_the_interpreter_behind_an_environment_is_the_one_that_makes_environments():
    done = subprocess.run(
        [dev.base_python(), "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True, check=False
    )

    assert done.stdout.strip() == sys.base_prefix


def test_where_there_is_no_way_to_make_an_environment_one_sentence_says_what_to_ask_for(tmp_path, monkeypatch):
    monkeypatch.setattr(dev, "has_ensurepip", lambda: False)
    monkeypatch.setattr(dev, "may_install_packages", lambda: False)
    monkeypatch.setattr(dev, "outside_pip", lambda python: False)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(dev.Failed, match=r"ask the administrator for `apt-get install python3\.\d+-venv`"):
        dev.make(tmp_path / ".venv")


def test_an_unknown_check_is_named_before_anything_is_installed():
    done = run_dev("check", "spelling")

    assert done.returncode == 1
    assert "No check is called spelling: there are format, lint, types, import contracts." in done.stderr


def test_an_unknown_command_is_refused():
    done = run_dev("fly")

    assert done.returncode == 2
    assert "fly" in done.stderr


def run_dev(*arguments):
    return subprocess.run(
        [sys.executable, str(ROOT / "dev.py"), *arguments], capture_output=True, text=True, check=False
    )


def test_an_old_python_can_read_it():
    ast.parse((ROOT / "dev.py").read_text(encoding="utf-8"), feature_version=(3, 6))


# Under a real old Python sys.version_info is what it is; here it is set before the file runs.
OLD = """
import runpy, sys
sys.version_info = (3, 8, 1)
sys.argv = [sys.argv[1], "check", "spelling"]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def run_as_old_python(path: Path) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "PATH": str(path)}
    command = [sys.executable, "-c", OLD, str(ROOT / "dev.py")]
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)


def test_an_old_python_says_which_one_is_needed(tmp_path):
    done = run_as_old_python(tmp_path)

    assert done.returncode == 1
    assert done.stderr == (
        "openbrokerapi needs Python 3.11 or later, and this is 3.8: install python3.11, and run this again.\n"
    )


def test_an_old_python_hands_over_to_a_newer_one_that_starts(tmp_path):
    write_program(tmp_path / "python3.13", "exit 127\n")  # a version manager's shim that starts nothing
    write_program(tmp_path / "python3.12", f'exec "{sys.executable}" "$@"\n')

    done = run_as_old_python(tmp_path)

    assert "No check is called spelling" in done.stderr


def write_program(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}")
    path.chmod(0o755)
