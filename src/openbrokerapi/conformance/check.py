"""Checks and watches: what they are, and where they are listed."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from .rules import all_rules

if TYPE_CHECKING:
    from .conversation import Conversation
    from .wire import Answer

_Act: TypeAlias = "Callable[[Conversation], Awaitable[None]]"
#: Looks at one answer: yields nothing where it has nothing to do with the rule.
_Look: TypeAlias = "Callable[[Answer, Watched], Iterator[tuple[str, bool, str]]]"


@dataclass(frozen=True)
class Check:
    """A conversation with the broker that judges rules.

    Attributes:
        sentence: What is looked at, for people.
        rules: The rules that it judges.
        act: Holds the conversation.
        alone: Whether no other check may run meanwhile: it changes the broker as a whole.
    """

    sentence: str
    rules: tuple[str, ...]
    act: _Act
    alone: bool = False


@dataclass(frozen=True)
class Watch:
    """A look at every answer of a run."""

    sentence: str
    rules: tuple[str, ...]
    look: _Look


@dataclass(frozen=True)
class Watched:
    """What a watch knows beside the answer.

    Attributes:
        version: The version of the specification asked for.
        requires: The permissions asked for by the offering that the request is about; None where that is not known.
    """

    version: str
    requires: tuple[str, ...] | None


_checks: list[Check] = []
_watches: list[Watch] = []


def _sentence(function: Callable[..., object]) -> str:
    return function.__name__.replace("_", " ")


def _known(rules: tuple[str, ...]) -> tuple[str, ...]:
    unknown = [rule for rule in rules if rule not in all_rules()]
    if unknown:
        raise ValueError(f"{unknown[0]} is not a rule of class B or C")
    return rules


def check(*rules: str, alone: bool = False) -> Callable[[_Act], _Act]:
    """List a conversation as the check of these rules; its name is the sentence."""

    def listed(act: _Act) -> _Act:
        _checks.append(Check(_sentence(act), _known(rules), act, alone))
        return act

    return listed


def watch(*rules: str) -> Callable[[_Look], _Look]:
    """List a look at every answer as the watch of these rules; its name is the sentence.

    The function yields ``(rule, holds, expected)`` for each rule that the answer has to do with.
    """

    def listed(look: _Look) -> _Look:
        _watches.append(Watch(_sentence(look), _known(rules), look))
        return look

    return listed


@cache
def _load() -> None:
    from . import checks

    for module in pkgutil.iter_modules(checks.__path__):
        importlib.import_module(f"{checks.__name__}.{module.name}")


def all_checks() -> tuple[Check, ...]:
    """List all checks."""
    _load()
    return tuple(_checks)


def all_watches() -> tuple[Watch, ...]:
    """List all watches."""
    _load()
    return tuple(_watches)


@cache
def checked_rules() -> frozenset[str]:
    """List the rules that some check or watch judges."""
    listed: tuple[Check | Watch, ...] = (*all_checks(), *all_watches())
    return frozenset(rule for each in listed for rule in each.rules)
