"""What a rule of the catalog found, and where."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

Level = Literal["MUST", "SHOULD", "MAY"]

# The level that the specification gives to each rule that `check` knows.
LEVELS: Mapping[str, Level] = {
    "CAT-02": "MUST",
    "CAT-08": "SHOULD",
    "CAT-13": "SHOULD",
    "CAT-14": "SHOULD",
    "SVC-01": "MUST",
    "SVC-02": "MUST",
    "SVC-03": "MUST",
    "SVC-04": "MUST",
    "SVC-05": "SHOULD",
    "SVC-06": "MUST",
    "SVC-07": "MUST",
    "SVC-08": "MUST",
    "SVC-09": "MUST",
    "SVC-10": "MUST",
    "SVC-11": "MUST",
    "SVC-12": "MUST",
    "SVC-13": "MUST",
    "SVC-14": "MUST",
    "SVC-15": "MUST",
    "SVC-16": "MUST",
    "PLAN-01": "MUST",
    "PLAN-02": "MUST",
    "PLAN-03": "SHOULD",
    "PLAN-04": "MUST",
    "PLAN-05": "MUST",
    "PLAN-06": "MUST",
    "PLAN-07": "MUST",
    "PLAN-08": "MUST",
    "PLAN-09": "MUST",
    "PLAN-10": "MUST",
    "PLAN-11": "MUST",
    "PLAN-12": "MUST",
    "PLAN-13": "MUST",
    "PLAN-14": "MUST",
    "SCH-01": "MUST",
    "SCH-02": "MUST",
    "SCH-03": "MUST",
    "SCH-04": "MUST",
    "SCH-05": "MUST",
    "SCH-06": "MUST",
    "MNT-01": "MUST",
    "MNT-02": "SHOULD",
    "META-01": "SHOULD",
    "META-02": "SHOULD",
    "META-03": "SHOULD",
    "META-04": "MUST",
    "META-05": "MUST",
    "META-07": "MAY",
    "DSH-01": "MUST",
    "DSH-02": "MUST",
    "DSH-03": "MAY",
    "URL-02": "SHOULD",
    "BIND-02": "MUST",
}

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_$-]+")
_SHOWN_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Finding:
    """One place of a catalog that does not keep to a rule.

    `level` is the rule's own level, or a lower one where the catalog only hints that the rule is broken.
    `where` is the path, followed by the names of the offering and the plan where they have one.
    """

    rule: str
    level: Level
    where: str
    message: str


@dataclass(frozen=True, slots=True)
class Place:
    """A path inside a catalog, with the names of the offering and the plan that it passes."""

    path: str = ""
    names: tuple[str, ...] = ()

    def key(self, name: object) -> "Place":
        """Return the place of a member of this object."""
        text = str(name)
        if not _PLAIN_KEY.fullmatch(text):
            return replace(self, path=f"{self.path}[{json.dumps(text)}]")
        return replace(self, path=f"{self.path}.{text}" if self.path else text)

    def index(self, position: int) -> "Place":
        """Return the place of an element of this array."""
        return replace(self, path=f"{self.path}[{position}]")

    def named(self, noun: str, record: object) -> "Place":
        """Return this place with the record's name, if it has one that can be shown."""
        name = record.get("name") if isinstance(record, Mapping) else None
        if not noun or not isinstance(name, str) or not name:
            return self
        return replace(self, names=(*self.names, f"{noun} {shown(name)}"))

    def __str__(self) -> str:
        path = self.path or "the document"
        return f"{path} ({', '.join(self.names)})" if self.names else path


def finding(rule: str, place: Place, message: str, level: Level | None = None) -> Finding:
    """Return a finding at the rule's own level, or at the one given."""
    return Finding(rule, level or LEVELS[rule], str(place), message)


def shown(text: str) -> str:
    """Return text from a catalog so that it is safe to print: no control characters, at most 80 characters."""
    if len(text) > _SHOWN_CHARACTERS:
        text = text[: _SHOWN_CHARACTERS - 1] + "…"
    # A catalog comes from elsewhere: an escape sequence in a name must not reach a terminal.
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
