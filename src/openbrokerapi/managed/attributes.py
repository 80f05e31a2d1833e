"""What can be wrong with the attributes of an offering, said before it is served."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from .plans import Plan
from .states import Kind

if TYPE_CHECKING:
    from .offering import Offering

# A text is a sequence, too: of its letters.
_LISTS = ("tags", "requires", "secret_parameters")
_QUOTAS = ("quota", "quota_per_organization")
# So alike that a letter has been forgotten or changed. It may be a name of the author's own: it is only pointed out.
_ALIKE = 0.9


def check_attributes(offering: Offering) -> None:
    """Refuse attributes that would fail, or do nothing, when they are needed.

    Raises:
        TypeError: One cannot be; the message names it.
    """
    name = type(offering).__name__
    if not isinstance(offering.plans, (list, tuple)):
        raise TypeError(f"{name}.plans must be a list of plans, not {type(offering.plans).__name__}")
    for plan in offering.plans:
        if not isinstance(plan, Plan):
            raise TypeError(
                f"{name}.plans must be of Plan(id=..., name=..., description=...), not {type(plan).__name__}"
            )
    for field in _LISTS:
        if isinstance(getattr(offering, field), str):
            raise TypeError(f"{name}.{field} must be a list of texts: ({getattr(offering, field)!r},)")
    _check_quotas(name, offering)
    for plan in offering.plans:
        _check_quotas(f"{name}: the plan {plan.id}", plan)
    _check_estimate(name, offering.estimate)
    _check_update(name, offering)


def _check_quotas(name: str, holder: Any) -> None:
    for field in _QUOTAS:
        value = getattr(holder, field)
        if value is not None and (not isinstance(value, int) or value < 0):
            raise TypeError(f"{name}.{field} must be a whole number from 0 on, or None")


def _check_estimate(name: str, estimate: Any) -> None:
    kinds = [str(kind) for kind in Kind]
    by_kind = estimate if isinstance(estimate, Mapping) else {kinds[0]: estimate}
    if unknown := [kind for kind in by_kind if kind not in kinds]:
        raise TypeError(f"{name}.estimate has {unknown[0]!r}; the kinds are {', '.join(kinds)}")
    if any(not isinstance(seconds, (int, float)) for seconds in by_kind.values()):
        raise TypeError(f"{name}.estimate must be a number of seconds, or such numbers by kind")


def _check_update(name: str, offering: Offering) -> None:
    if offering.has("update"):
        return
    # UPD-01: the catalog would promise what every request for it is refused.
    if any(offering.is_updateable(plan) for plan in offering.plans):
        raise TypeError(f"{name} is plan_updateable and has no method update(self, instance, previous, work)")
    if offering.allow_context_updates:
        raise TypeError(f"{name} has allow_context_updates and no method update(self, instance, previous, work)")


def misspelt(offering: Offering, base: type[Offering]) -> Iterator[str]:
    """Say which of the author's names look like a name of an offering, and are none: they would do nothing."""
    known = [name for name in vars(base) if not name.startswith("_")]
    for holder in type(offering).__mro__:
        if holder is base:
            return
        for name in vars(holder):
            if meant := _meant(name, known):
                yield f"{type(offering).__name__}.{name} is nothing that an offering has; is {meant} meant?"


def _meant(name: str, known: list[str]) -> str | None:
    if name.startswith("_") or name in known:
        return None
    found = get_close_matches(name, known, 1, _ALIKE)
    # "updater" is a word of its own.
    return found[0] if found and not name.startswith(found[0]) else None
