"""What a value of the catalog must be: the kinds of values that the specification's tables name."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeGuard

from .finding import shown

# https://semver.org/spec/v2.0.0.html, its own regular expression; [0-9] because \d also means other scripts' digits.
_SEMVER = re.compile(
    r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)"
    r"(-(0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*))*)?"
    r"(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?"
)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")
_IMAGE_URL = re.compile(r"(https?://[^\s/]|data:)\S*", re.IGNORECASE)

# The permissions of the specification's Service Offering object.
PERMISSIONS = ("syslog_drain", "route_forwarding", "volume_mount")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value: how it is called, how it is known, and what its elements must be if it is an array."""

    phrase: str
    holds: Callable[[object], bool]
    items: "Kind | None" = None


def is_array(value: object) -> bool:
    """Tell whether the value is a JSON array."""
    return isinstance(value, list | tuple)


def is_number(value: object) -> TypeGuard[int | float]:
    """Tell whether the value is a JSON number (in Python a bool is an int)."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def describe(value: object) -> str:
    """Say what the value is, in the words of JSON; only a string is quoted."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return f'the string "{shown(value)}"' if value else "an empty string"
    for name, holds in (("a boolean", _is_boolean), ("a number", is_number), ("an array", is_array)):
        if holds(value):
            return name if value not in ([], ()) else "an empty array"
    return "an object" if isinstance(value, Mapping) else f"not JSON ({type(value).__name__})"


def _is_boolean(value: object) -> bool:
    return isinstance(value, bool)


def _is_object(value: object) -> bool:
    return isinstance(value, Mapping)


def _is_string(value: object) -> bool:
    return isinstance(value, str)


def _is_seconds(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_amount(value: object) -> bool:
    return isinstance(value, Mapping) and all(map(is_number, value.values()))


def _matches(pattern: re.Pattern[str]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


STRING = Kind("a string", _is_string)
TEXT = Kind("a non-empty string", lambda value: isinstance(value, str) and value != "")
BOOLEAN = Kind("true or false (without quotes)", _is_boolean)
OBJECT = Kind("an object", _is_object)
SECONDS = Kind("a whole number of seconds, 0 or more", _is_seconds)
SEMVER = Kind('a string that is a semantic version 2.0, such as "1.0.0"', _matches(_SEMVER))
URI = Kind("a string that is a URI", _matches(_URI))
IMAGE_URL = Kind('a string that begins with "http://", "https://" or "data:"', _matches(_IMAGE_URL))
AMOUNT = Kind('an object of currency codes and numbers, such as {"usd": 99.0}', _is_amount)
PERMISSION = Kind(f"one of {', '.join(PERMISSIONS)}", lambda value: isinstance(value, str) and value in PERMISSIONS)
STRINGS = Kind("an array of strings", is_array, STRING)
OBJECTS = Kind("an array of objects", is_array, OBJECT)
PLANS = Kind("an array of at least one object", lambda value: is_array(value) and value not in ([], ()), OBJECT)
REQUIRED_PERMISSIONS = Kind("an array of strings", is_array, PERMISSION)
