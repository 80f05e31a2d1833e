#!/usr/bin/env python3
"""Run the demonstration, the tests and the checks on a machine that has only Python and git.

    python3 dev.py demo  [arguments of `openbroker demo`]   a platform and a real broker, before your eyes
    python3 dev.py test  [arguments of pytest]              the tests
    python3 dev.py check                                    format, lint, types, import contracts
    python3 dev.py bench [managed] [--quick]                the benchmarks; of managed brokers
    python3 dev.py pin   [--upgrade]                        write requirements/*.txt anew from pyproject.toml

Each command makes the virtual environment that it needs, once. It belongs to the user and the Python that made it:
another user gets one of his own, another Python makes it anew.

Standard library only, and no syntax newer than Python 3.6: an old Python must get as far as the sentence that says
which one is needed.
"""

import argparse
import hashlib
import importlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple, NoReturn

ROOT = Path(__file__).resolve().parent
OLDEST = (3, 11)


def _run_with_a_newer_python() -> None:
    """Replace this process by a Python that is new enough, or say in one sentence that there is none."""
    for minor in range(30, OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        # A shim of a version manager may be on the path and still start nothing.
        if found and subprocess.call([found, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            os.execv(found, [found, str(ROOT / "dev.py"), *sys.argv[1:]])
    this = "{}.{}".format(*sys.version_info[:2])
    sys.exit(f"openbrokerapi needs Python 3.11 or later, and this is {this}: install python3.11, and run this again.")


# Before anything that an old Python cannot evaluate.
if sys.version_info < OLDEST:
    _run_with_a_newer_python()


# What pins need beside the extras: hatchling builds the package, editables is what it asks for in editable mode.
BUILD_REQUIREMENTS = "hatchling\neditables\n"

CHECKS = {
    "format": ["ruff", "format", "--check", "."],
    "lint": ["ruff", "check", "."],
    "types": ["mypy"],
    "import contracts": ["lint-imports", "--no-logo"],
}

# Programs that the documentation's commands use, by the system package that each is in.
PROGRAMS = {"curl": "curl", "openssl": "openssl"}

LONG_FILE = 400  # lines; an aim, not a limit


class Failed(Exception):  # noqa: N818 - it carries the sentence that ends the program
    """Say in one sentence what could not be done, and what to do about it."""


class Environment(NamedTuple):
    """A virtual environment, and the note in it about what was installed."""

    folder: Path

    @property
    def python(self) -> Path:
        """Name the environment's interpreter."""
        return self.folder / "bin" / "python"

    @property
    def note(self) -> Path:
        """Name the file that says how the environment was made, and from which requirements."""
        return self.folder / "made-by-dev.json"

    def program(self, name: str) -> Path:
        """Name an installed program."""
        return self.folder / "bin" / name

    def variables(self) -> dict[str, str]:
        """Give the variables with which the environment's programs find one another."""
        path = os.pathsep.join([str(self.folder / "bin"), os.environ.get("PATH", os.defpath)])
        # A pip that is set to install for the user, as some configurations are, refuses to in an environment.
        return {**os.environ, "VIRTUAL_ENV": str(self.folder), "PATH": path, "PIP_USER": "0"}


# --- which environment, and whether it will do ---


def choose_environment(root: Path, user: int) -> Environment:
    """Choose .venv, or where that belongs to another user, one with this user's number."""
    folder = root / ".venv"
    if folder.exists() and folder.stat().st_uid != user:
        folder = root / f".venv-{user}"
    return Environment(folder)


def identity(environment: Environment) -> str:
    """Say what an environment depends on: the place it stands at and the interpreter that made it."""
    return f"{environment.folder} {sys.base_prefix} {sys.version}"


def digest(root: Path, extra: str) -> str:
    """Sum up the files that decide what is installed for an extra."""
    decisive = [f"requirements/{extra}.txt", "pyproject.toml", "src/openbrokerapi/version.py"]
    return hashlib.sha256(b"\0".join((root / name).read_bytes() for name in decisive)).hexdigest()


def read_note(environment: Environment) -> dict[str, str]:
    """Read how the environment was made; nothing where it must be made anew."""
    try:
        note: dict[str, str] = json.loads(environment.note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    usable = environment.python.exists() and note.get("identity") == identity(environment)
    return note if usable else {}


def has_extra(note: dict[str, str], root: Path, extra: str) -> bool:
    """Tell whether an extra's present requirements are installed; the tests' include the demonstration's."""
    return any(note.get(name) == digest(root, name) for name in {extra, "test"})


def prepare(environment: Environment, extra: str) -> None:
    """Make the environment where it is missing or stale, and install what the extra needs."""
    note = read_note(environment)
    if not note:
        say(f"making {environment.folder.name} with Python {sys.version.split()[0]}")
        make(environment.folder)
        note = {"identity": identity(environment)}
    if not has_extra(note, ROOT, extra):
        started = time.monotonic()
        say(f"installing what `{extra}` needs (once)")
        install(environment, extra)
        environment.note.write_text(json.dumps({**note, extra: digest(ROOT, extra)}), encoding="utf-8")
        say(f"installed in {time.monotonic() - started:.0f} s")


# --- making one ---


def make(folder: Path) -> None:
    """Make an empty environment, by whichever way this machine offers.

    Debian and Ubuntu ship Python without ensurepip, hence without the usual way, until python3-venv is installed.
    """
    if not os.access(str(folder.parent), os.W_OK):
        raise Failed(f"{folder.parent} is not writable for you: make a clone of your own, and run this there.")
    python = base_python()
    if has_ensurepip() or (may_install_packages() and install_ensurepip()):
        run([python, "-m", "venv", "--clear", str(folder)])
    elif outside_pip(python):
        run([python, "-m", "venv", "--clear", "--without-pip", str(folder)])
    elif shutil.which("virtualenv"):
        run(["virtualenv", "--quiet", "--clear", "--python", python, str(folder)])
    else:
        raise Failed(f"This Python has no ensurepip: ask the administrator for `apt-get install {venv_package()}`.")


def base_python() -> str:
    """Name the interpreter itself, also where this one is an environment's."""
    return sys.executable if sys.prefix == sys.base_prefix else os.path.realpath(sys.executable)


def has_ensurepip() -> bool:
    """Tell whether this interpreter can put pip into an environment."""
    importlib.invalidate_caches()
    return importlib.util.find_spec("ensurepip") is not None


def venv_package() -> str:
    """Name the system's package with this interpreter's ensurepip."""
    return "python{}.{}-venv".format(*sys.version_info[:2])


def may_install_packages() -> bool:
    """Tell whether this user may add to the system."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install_packages(names: list[str]) -> None:
    """Install system packages; whether they are there afterwards, the caller sees."""
    variables = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120"]
    say(f"installing {' '.join(names)} with apt-get")
    # One unreachable source fails the update, and need not matter: the installation tells.
    subprocess.call([*apt, "update"], env=variables)
    subprocess.call([*apt, "install", "-y", "--no-install-recommends", *names], env=variables)


def install_ensurepip() -> bool:
    """Install the system's package with ensurepip, where the interpreter is the system's; tell whether it is there."""
    if sys.base_prefix == "/usr":
        install_packages([venv_package()])
    return has_ensurepip()


def install_programs() -> None:
    """Install the programs that the tests need; who may not, sees the tests that need them skipped."""
    missing = [package for program, package in PROGRAMS.items() if shutil.which(program) is None]
    if missing and may_install_packages():
        install_packages(missing)


def outside_pip(python: str) -> bool:
    """Tell whether this interpreter has a pip that can work on an environment without one (pip 22.3 or later)."""
    command = [python, "-m", "pip", "--python", python, "--version"]
    return subprocess.call(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0


def install(environment: Environment, extra: str) -> None:
    """Install an extra's pinned requirements, each checked against its hash, and this package as it stands here."""
    python = str(environment.python)
    within = subprocess.call([python, "-c", "import pip"], stderr=subprocess.DEVNULL) == 0
    pip = [python, "-m", "pip"] if within else [base_python(), "-m", "pip", "--python", python]
    pip += ["install", "--quiet", "--no-input", "--disable-pip-version-check"]
    run([*pip, "--require-hashes", "--requirement", f"requirements/{extra}.txt"], environment)
    run([*pip, "--no-deps", "--no-build-isolation", "--editable", "."], environment)


# --- the commands ---


def demo(environment: Environment, arguments: list[str]) -> int:
    """Run the demonstration."""
    prepare(environment, "demo")
    become(environment, [str(environment.program("openbroker")), "demo", *arguments])


def test(environment: Environment, arguments: list[str]) -> int:
    """Run the tests."""
    install_programs()
    prepare(environment, "test")
    become(environment, [str(environment.python), "-m", "pytest", *workers(arguments), *arguments])


def workers(arguments: list[str]) -> list[str]:
    """Choose two processes, each file's tests in one of them; a debugger needs the tests in its own process."""
    if {"--pdb", "--trace", "--collect-only", "--co"}.intersection(arguments):
        return []
    # By file: a file's fixtures (servers, databases) are made once, and its tests keep their order.
    return ["--numprocesses", "2", "--dist", "loadfile"]


def bench(environment: Environment, arguments: list[str]) -> int:
    """Run the benchmarks."""
    prepare(environment, "test")
    program = "bench/run.py"
    if arguments[:1] == ["managed"]:
        program, arguments = "bench/managed/run.py", arguments[1:]
    become(environment, [str(environment.python), program, *arguments])


def check(environment: Environment, arguments: list[str]) -> int:
    """Run every check, or those named; the last line names what failed."""
    unknown = set(arguments) - set(CHECKS)
    if unknown:
        raise Failed(f"No check is called {', '.join(sorted(unknown))}: there are {', '.join(CHECKS)}.")
    prepare(environment, "test")
    failed = [name for name in arguments or CHECKS if not passes(environment, name)]
    for line in long_files():
        say(f"over {LONG_FILE} lines, perhaps two nouns in one file: {line}")
    if failed:
        raise Failed(f"These checks failed: {', '.join(failed)}.")
    return 0


def passes(environment: Environment, name: str) -> bool:
    """Run one check, and print how long it took."""
    program, *arguments = CHECKS[name]
    started = time.monotonic()
    say(f"{name}: {' '.join(CHECKS[name])}")
    status = subprocess.call([str(environment.program(program)), *arguments], cwd=ROOT, env=environment.variables())
    say(f"{name}: {'passed' if status == 0 else 'FAILED'} in {time.monotonic() - started:.1f} s")
    return status == 0


def long_files() -> list[str]:
    """List the source files that are longer than a head holds."""
    lengths = {path: path.read_text(encoding="utf-8").count("\n") for path in sorted((ROOT / "src").rglob("*.py"))}
    return [f"{path.relative_to(ROOT)} ({lines})" for path, lines in lengths.items() if lines > LONG_FILE]


def pin(_environment: Environment, arguments: list[str]) -> int:
    """Write the pins anew, for every Python from 3.11 on and every platform, with uv in an environment of its own."""
    own = Environment(ROOT / ".venv-pin")
    make(own.folder)
    run([str(own.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv"], own)
    compile_ = [str(own.program("uv")), "pip", "compile", "pyproject.toml", "-", "--universal", "--python-version"]
    # No addresses: whoever installs says where from; the hashes say what it must be.
    compile_ += ["3.11", "--generate-hashes", "--no-header", "--no-annotate", "--no-config", "--quiet", *arguments]
    run([*compile_, "--extra", "test", "--output-file", "requirements/test.txt"], own, BUILD_REQUIREMENTS)
    run(
        [*compile_, "--extra", "demo", "--constraint", "requirements/test.txt", "-o", "requirements/demo.txt"],
        own,
        BUILD_REQUIREMENTS,
    )
    return 0


COMMANDS = {"demo": demo, "test": test, "check": check, "bench": bench, "pin": pin}


# --- starting programs ---


def run(command: list[str], environment: "Environment | None" = None, text: "str | None" = None) -> None:
    """Run a program to its end, in the checkout; its failure is ours."""
    variables = environment.variables() if environment else None
    status = subprocess.run(command, cwd=ROOT, env=variables, input=text, text=True, check=False).returncode
    if status:
        raise Failed(f"`{' '.join(command)}` ended with {status}: its reason stands above.")


def become(environment: Environment, command: list[str]) -> NoReturn:
    """Replace this process by a program of the environment, so that signals and the exit code are its own."""
    os.chdir(ROOT)
    sys.stdout.flush()
    os.execve(command[0], command, environment.variables())


def say(text: str) -> None:
    """Print one line, marked as ours."""
    print(f"dev.py: {text}", flush=True)


def main(arguments: list[str]) -> int:
    """Read the command line and run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--venv", metavar="FOLDER", help="the virtual environment to make and use instead of .venv")
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="handed on")
    given = parser.parse_args(arguments)
    chosen = Environment(Path(given.venv).resolve()) if given.venv else choose_environment(ROOT, os.getuid())
    try:
        return COMMANDS[given.command](chosen, given.arguments)
    except Failed as failure:
        print(f"dev.py: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # What was half done is done again next time: the note is written last.
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
