"""Dependencies: each pinned by name, version and hashes, and each with its reason in the documentation."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
OWN = "openbrokerapi"
# Where the pins must do: the markers of requirements are true on some of these.
VERSIONS = ["3.11", "3.12", "3.13"]

PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]


def required(extra: str) -> list[Requirement]:
    """What an extra asks for, those of the package itself and of the extras within it included."""
    found = [Requirement(line) for line in PROJECT["dependencies"]]
    for line in PROJECT["optional-dependencies"][extra]:
        requirement = Requirement(line)
        within = requirement.extras if requirement.name == OWN else set()
        found += [inner for name in sorted(within) for inner in required(name)] or [requirement]
    return found


def pinned(extra: str) -> dict[str, tuple[Requirement, int]]:
    """The pins of an extra by name, each with the number of its hashes."""
    text = (ROOT / "requirements" / f"{extra}.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    pins: dict[str, tuple[Requirement, int]] = {}
    for line in text.splitlines():
        specification, *hashes = line.split("--hash=")
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each.strip()) for each in hashes), line[:80]
        requirement = Requirement(specification.strip())
        pins[canonicalize_name(requirement.name)] = (requirement, len(hashes))
    return pins


def version_of(pin: Requirement) -> str:
    (specifier,) = pin.specifier
    assert specifier.operator == "==", str(pin)
    return specifier.version


@pytest.mark.parametrize("extra", ["demo", "test"])
def test_every_pin_has_one_version_and_its_hashes_and_no_address(extra):
    pins = pinned(extra)

    assert pins
    for pin, hashes in pins.values():
        assert version_of(pin)
        assert hashes > 0, f"{pin} has no hash"
        assert pin.url is None
    assert "://" not in (ROOT / "requirements" / f"{extra}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("extra", ["demo", "test"])
def test_everything_that_an_extra_asks_for_is_pinned_within_its_range(extra, version):
    pins = pinned(extra)
    here = {**default_environment(), "python_version": version, "python_full_version": f"{version}.0", "extra": ""}

    for requirement in [*required(extra), *map(Requirement, PYPROJECT["build-system"]["requires"])]:
        if requirement.marker and not requirement.marker.evaluate(here):
            continue
        pin, _hashes = pins[canonicalize_name(requirement.name)]
        assert version_of(pin) in requirement.specifier, f"{requirement} is pinned to {pin}: run `dev.py pin`"
        assert pin.marker is None or pin.marker.evaluate(here), f"{pin} leaves out Python {version}"


def test_the_tests_run_with_the_versions_of_the_demonstration():
    tests = {name: version_of(pin) for name, (pin, _hashes) in pinned("test").items()}
    demo = {name: version_of(pin) for name, (pin, _hashes) in pinned("demo").items()}

    assert demo.items() <= tests.items()


def test_every_dependency_has_its_reason_in_the_documentation():
    page = (ROOT / "docs/explanation/dependencies.md").read_text(encoding="utf-8")
    lines = [*PROJECT["dependencies"], *(line for extra in PROJECT["optional-dependencies"].values() for line in extra)]
    names = {Requirement(line).name for line in lines} - {OWN}

    assert [name for name in sorted(names) if f"`{name}`" not in page] == []
