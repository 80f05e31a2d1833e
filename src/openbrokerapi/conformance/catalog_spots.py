"""Places in the broker's catalog and what is there, for the checks that walk through it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .conversation import Conversation
from .wire import Answer

_NOTHING: Any = object()


@dataclass(frozen=True)
class Spot:
    """One place in the catalog.

    Attributes:
        path: From the top, such as ``services[0].plans[1].free``.
        owner: The names of the offering and of the plan that it belongs to.
        value: What is there.
    """

    path: str
    owner: str
    value: Any

    @property
    def is_there(self) -> bool:
        """Whether there is anything, if only null."""
        return self.value is not _NOTHING

    def at(self, name: str) -> Spot:
        """Go to a field of the object that is here."""
        found = self.value.get(name, _NOTHING) if isinstance(self.value, dict) else _NOTHING
        return Spot(f"{self.path}.{name}", self.owner, found)

    def items(self) -> list[Spot]:
        """Go through the array that is here."""
        items = self.value if isinstance(self.value, list) else []
        return [Spot(f"{self.path}[{index}]", self.owner, item) for index, item in enumerate(items)]

    def owned(self, above: str = "") -> Spot:
        """Name the offering or the plan that is here, as part of the one `above`, and make it the owner."""
        name = self.value.get("name") or self.value.get("id") or "without a name"
        return Spot(self.path, f"{above}/{name}" if above else str(name), self.value)


def first_catalog(talk: Conversation) -> Answer:
    """Return the answer with the catalog that the run began with.

    Raises:
        SetAside: There is none.
    """
    if talk.catalog_answer is None:
        talk.undecided("there is no catalog")
    return talk.catalog_answer


def all_offerings(catalog: Any) -> list[Spot]:
    """List the offerings of a catalog's JSON body that are objects."""
    services = Spot("services", "", catalog).at("services").value
    return [spot.owned() for spot in Spot("services", "", services).items() if isinstance(spot.value, dict)]


def all_plans(catalog: Any) -> list[Spot]:
    """List the plans of all offerings of a catalog's JSON body that are objects."""
    return [
        plan.owned(offering.owner)
        for offering in all_offerings(catalog)
        for plan in offering.at("plans").items()
        if isinstance(plan.value, dict)
    ]


def offerings(talk: Conversation) -> list[Spot]:
    """List the offerings.

    Raises:
        SetAside: There is none.
    """
    return some(talk, all_offerings(first_catalog(talk).json), "the catalog has no offerings")


def plans(talk: Conversation) -> list[Spot]:
    """List the plans of all offerings.

    Raises:
        SetAside: There is none.
    """
    return some(talk, all_plans(first_catalog(talk).json), "the catalog has no plans")


def offerings_with(talk: Conversation, name: str) -> list[Spot]:
    """List this field of all offerings that have it.

    Raises:
        SetAside: None has it.
    """
    return some(talk, inside(offerings(talk), name), f"no offering has {name}")


def plans_with(talk: Conversation, name: str) -> list[Spot]:
    """List this field of all plans that have it.

    Raises:
        SetAside: None has it.
    """
    return some(talk, inside(plans(talk), name), f"no plan has {name}")


def inside(spots: Iterable[Spot], *names: str) -> list[Spot]:
    """List the fields of these names, where they are there."""
    return [found for spot in spots for found in map(spot.at, names) if found.is_there]


def some(talk: Conversation, spots: list[Spot], reason: str) -> list[Spot]:
    """Return the places.

    Raises:
        SetAside: There are none: what the check is about does not occur.
    """
    if not spots:
        talk.not_applicable(reason)
    return spots


def judge(talk: Conversation, rule: str, spots: Iterable[Spot], holds: Callable[[Any], bool], expected: str) -> None:
    """Write down for each place whether what is there keeps to a rule."""
    for spot in spots:
        owner = f" ({spot.owner})" if spot.owner else ""
        talk.expect(rule, holds(spot.value), f"{expected} as {spot.path}{owner}", first_catalog(talk))


def judge_unique(
    talk: Conversation, rule: str, spots: Iterable[Spot], expected: str, taken: Iterable[str] = ()
) -> None:
    """Write down for each text whether no other place, and nothing that is `taken`, has the same."""
    texts = [spot for spot in spots if is_text(spot.value)]
    times = Counter([*(spot.value for spot in texts), *taken])
    judge(talk, rule, texts, lambda text: times[text] == 1, expected)


def is_boolean(value: Any) -> bool:
    """Say whether it is ``true`` or ``false``."""
    return isinstance(value, bool)


def is_object(value: Any) -> bool:
    """Say whether it is a JSON object."""
    return isinstance(value, dict)


def is_text(value: Any) -> bool:
    """Say whether it is a string that is not empty."""
    return isinstance(value, str) and value != ""


def are_texts(value: Any) -> bool:
    """Say whether it is an array of strings."""
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def every_text(spot: Spot) -> Iterator[Spot]:
    """Go through all strings at a place and below it, but those of parameters' schemas."""
    if isinstance(spot.value, str):
        yield spot
    elif isinstance(spot.value, list):
        for item in spot.items():
            yield from every_text(item)
    elif isinstance(spot.value, dict):
        for name in spot.value:
            if name != "schemas":
                yield from every_text(spot.at(name))
