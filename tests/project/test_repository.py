"""What is committed: nothing of this machine, of a registry, generated or binary; functions that fit in a head."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONGEST_FUNCTION = 50  # lines
LARGEST_FILE = 1024 * 1024  # bytes; what is larger was made by a program

# In pieces, lest this file name what no file may name.
REGISTRIES = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"), ("python" + "hosted", "org"), ("anaconda", "org"),
        ("npmjs", "org"), ("npmjs", "com"), ("yarnpkg", "com"),
        ("crates", "io"), ("proxy", "golang", "org"), ("rubygems", "org"), ("maven", "apache", "org"),
        ("docker", "io"), ("quay", "io"), ("ghcr", "io"), ("gcr", "io"),
        ("deb", "debian", "org"), ("archive", "ubuntu", "com"),
    )
]  # fmt: skip
OWN_FOLDERS = ["work", "root", "farm", "opt/pypi", "opt/pypi-more", "opt/wheels", "tmp/bash_jobs"]
GENERATED = re.compile(
    r"(\.pyc|\.pyo|\.so|\.o|\.a|\.whl|\.egg|\.zip|\.gz|\.tgz|\.bz2|\.xz|\.db|\.sqlite3?|\.log|\.coverage|\.orig|\.rej|~)$"
    r"|(^|/)([^/]+\.egg-info|__pycache__|node_modules|dist|build|site|\.venv[^/]*|\.[a-z_]+_cache)/"
    r"|(^|/)(uv|poetry|pdm|Pipfile|package-lock|yarn)\.(lock|json)$"
)


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> list[Path]:
    """All files that are committed, or would be: those that git does not ignore."""
    # git judges with an empty repository of our own, so that a copy without .git, or of another user, will do as well.
    empty = tmp_path_factory.mktemp("git")
    _git("init", "--quiet", str(empty))
    # ls-files lists what is unknown to the empty repository, hence everything but what .gitignore names.
    listed = _git("--git-dir", f"{empty}/.git", "--work-tree", str(ROOT), "ls-files", "-o", "--exclude-standard", "-z")
    # What was added although .gitignore names it. Nothing where there is no repository.
    added = _git("-c", "safe.directory=*", "ls-files", "-z", check=False)
    names = {name for name in (listed + added).split("\0") if name}
    return sorted(ROOT / name for name in names if (ROOT / name).is_file())


def _git(*arguments: str, check: bool = True) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=check, capture_output=True, text=True).stdout  # noqa: S607


def lines_with(files: list[Path], pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1)
        if pattern.search(line)
    ]


def test_the_repository_is_found(files):
    assert {ROOT / "dev.py", ROOT / ".ci/run", ROOT / "src/openbrokerapi/__init__.py", Path(__file__)} <= set(files)
    assert not [path for path in files if ".git" in path.parts or ".venv" in path.parts]


def test_no_file_names_a_package_registry(files):
    assert lines_with(files, re.compile("|".join(map(re.escape, REGISTRIES)), re.IGNORECASE)) == []


def test_no_file_names_a_path_of_the_machine_that_it_was_written_on(files):
    folders = [f"/{folder}/" for folder in OWN_FOLDERS]
    # Whoever works here next has other folders; a short path like /app is too likely to be meant.
    folders += [f"{path}/" for path in (ROOT, Path.home()) if len(path.parts) > 2]
    # A path, not the middle of one: "/v2" and such a folder in an example of a broker is none.
    pattern = re.compile(r"(?<![\w.~})])(" + "|".join(map(re.escape, folders)) + ")")

    assert lines_with(files, pattern) == []


def test_every_file_is_text(files):
    assert [str(path.relative_to(ROOT)) for path in files if not is_text(path)] == []


def is_text(path: Path) -> bool:
    content = path.read_bytes()
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return b"\0" not in content


def test_no_file_was_generated(files):
    names = [str(path.relative_to(ROOT)) for path in files]

    assert [name for name in names if GENERATED.search(name)] == []
    assert [str(path.relative_to(ROOT)) for path in files if path.stat().st_size > LARGEST_FILE] == []


def test_no_function_is_longer_than_fits_in_a_head(files):
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {length} lines"
        for path in files
        if path.suffix == ".py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > LONGEST_FUNCTION
    ]
    assert long == []


def test_ci_runs_the_command_of_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert re.search(r"python3 dev\.py demo\b", readme)
    assert re.search(r"python3 dev\.py test\b", readme)
    assert re.search(r"^step .* python3 dev\.py test$", (ROOT / ".ci/run").read_text(encoding="utf-8"), re.MULTILINE)
