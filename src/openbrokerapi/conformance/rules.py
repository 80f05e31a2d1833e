"""The rules of the specification that a broker can be checked for, as ``rules.json`` holds them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

#: The versions of the specification that can be asked for, oldest first.
VERSIONS = ("2.11", "2.12", "2.13", "2.14", "2.15", "2.16", "2.17")


class Level(StrEnum):
    """How strongly the specification asks for something."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"

    def at_least(self, other: Level) -> bool:
        """Say whether it asks as strongly as another one, or more."""
        order = list(Level)
        return order.index(self) <= order.index(other)


#: What a MAY row says of the status is a suggestion; that the request fails is more than that.
_NOT_TO_SUCCEED = frozenset({"PROV-07", "PROV-08", "BIND-20", "UPD-09"})


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the matrix of rules.

    Attributes:
        id: Such as ``PROV-17``.
        level: How strongly the specification asks for it.
        since: The first version that has it at this level.
        cooperative: Whether it can only be seen with the broker's help (a plan that fails, say).
        group: The part of the specification, as a heading.
        ref: Lines of ``spec.md`` (``L``) or ``profile.md`` (``pL``) of version 2.17.
        text: What it asks, in one line.
    """

    id: str
    level: Level
    since: str
    cooperative: bool
    group: str
    ref: str
    text: str

    @property
    def interpretation(self) -> bool:
        """Say whether it follows from the text but is not written there as one sentence."""
        return "(interp" in self.text

    def weight(self, *, strict: bool = False) -> Level:
        """Say how much a breach weighs: an interpretation no more than SHOULD, unless `strict`."""
        if self.id in _NOT_TO_SUCCEED:
            return Level.SHOULD
        if self.interpretation and not strict and self.level is Level.MUST:
            return Level.SHOULD
        return self.level

    def applies_to(self, version: str) -> bool:
        """Say whether a broker of this `version` of the specification has to keep it."""
        return VERSIONS.index(self.since) <= VERSIONS.index(version)


@cache
def all_rules() -> dict[str, Rule]:
    """Read the rules of class B (any broker) and C (with the broker's help), by id, in the specification's order."""
    rows = json.loads(files(__package__).joinpath("rules.json").read_text("utf-8"))
    return {
        row["id"]: Rule(
            row["id"],
            Level(row["level"]),
            row["since"],
            row["class"] == "C",
            row["group"],
            row["ref"],
            row["text"],
        )
        for row in rows
    }
