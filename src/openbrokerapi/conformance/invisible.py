"""Rules that no checker can see from outside, each with the reason."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files


@cache
def invisible_rules() -> dict[str, str]:
    """Read the reasons from the files in ``reasons``, by rule."""
    found: dict[str, str] = {}
    for page in sorted(files(__package__).joinpath("reasons").iterdir(), key=lambda each: each.name):
        if page.name.endswith(".toml"):
            found |= tomllib.loads(page.read_text("utf-8"))
    return found
