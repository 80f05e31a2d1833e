"""CI fails where a test is skipped because a service is missing (skips.py)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

MISSING_SERVICE = """
    import pytest

    def test_of_a_service():
        pytest.skip("needs a Valkey server: apt-get install valkey")
"""
MISSING_SERVICE_OF_A_FIXTURE = """
    import pytest

    @pytest.fixture
    def server():
        pytest.skip("needs a Valkey server")

    def test_of_a_service(server):
        pass
"""
MISSING_MARK = """
    import pytest

    @pytest.mark.skipif(True, reason="needs a Valkey server")
    def test_of_a_service():
        pass
"""
MISSING_SERVICE_OF_A_FILE = """
    import pytest

    pytest.skip("needs a Valkey server", allow_module_level=True)
"""
MISSING_MODULE = """
    import pytest

    pytest.importorskip("there_is_no_such_driver")
"""
OTHER_REASON = """
    import pytest

    def test_of_another_system():
        pytest.skip("Windows has no signals")

    def test_that_runs():
        pass
"""


def run_tests(folder: Path, source: str, *options: str, ci: str | None = "true") -> subprocess.CompletedProcess[str]:
    body = "\n".join(line.removeprefix("    ") for line in source.splitlines())
    # One that passes, lest pytest answer that it found nothing.
    (folder / "test_it.py").write_text(body)
    (folder / "test_other.py").write_text("def test_that_passes():\n    pass\n")
    variables = {name: value for name, value in os.environ.items() if name != "CI" and not name.startswith("PYTEST")}
    # Only the plugins that matter here: loading all takes seconds.
    variables |= {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"} | ({} if ci is None else {"CI": ci})
    plugins = ["-p", "tests.project.skips", "-p", "xdist"]
    command = [sys.executable, "-m", "pytest", *plugins, "-rs", "--rootdir", str(folder), *options]
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)


MISSING = {
    "in the test": MISSING_SERVICE,
    "in a fixture": MISSING_SERVICE_OF_A_FIXTURE,
    "in a mark": MISSING_MARK,
    "in the file": MISSING_SERVICE_OF_A_FILE,
    "an import": MISSING_MODULE,
}


@pytest.mark.parametrize("source", MISSING.values(), ids=MISSING.keys())
def test_a_skip_for_a_missing_service_fails_in_ci(tmp_path, source):
    done = run_tests(tmp_path, source)

    assert done.returncode != 0, done.stdout
    assert "CI must have what this was skipped for" in done.stdout


@pytest.mark.parametrize("source", [MISSING_SERVICE, MISSING_SERVICE_OF_A_FILE], ids=["in the test", "in the file"])
def test_it_fails_also_where_the_tests_run_in_several_processes(tmp_path, source):
    done = run_tests(tmp_path, source, "--numprocesses", "1")

    assert done.returncode != 0, done.stdout
    assert "CI must have what this was skipped for" in done.stdout


@pytest.mark.parametrize("source", MISSING.values(), ids=MISSING.keys())
def test_outside_of_ci_it_stays_a_skip(tmp_path, source):
    done = run_tests(tmp_path, source, ci=None)

    assert done.returncode == 0, done.stdout
    assert "1 skipped" in done.stdout


def test_a_skip_for_another_reason_stays_a_skip_in_ci(tmp_path):
    done = run_tests(tmp_path, OTHER_REASON)

    assert done.returncode == 0, done.stdout
    assert "1 skipped" in done.stdout
