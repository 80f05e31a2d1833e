"""The fields of a JSON object that a broker sent: absent and null are the same, a wrong type is named."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

_Kind = TypeVar("_Kind")
_NAMES: dict[Any, str] = {
    str: "a string",
    bool: "true or false",
    int: "an integer",
    dict: "an object",
    list: "an array",
}


class WrongFieldError(ValueError):
    """A field is not what the specification says; the message names it, and never shows its value."""


class Fields:
    """Read the fields of one object.

    Args:
        given: The object.
        where: The path to it, for messages; empty for the whole body.
    """

    def __init__(self, given: Mapping[str, Any], where: str = "") -> None:
        self.given = given
        self._where = where

    def text(self, name: str) -> str | None:
        """Give a string, or None."""
        return self._of(str, name)

    def sendable_text(self, name: str) -> str | None:
        """Give a string that can be sent back, or None: JSON can hold half a surrogate pair, a URL cannot."""
        found = self.text(name)
        try:
            (found or "").encode()
        except UnicodeEncodeError:
            self._wrong(name, "a string of whole characters")
        return found

    def needed_text(self, name: str) -> str:
        """Give a string that is not empty, and can be sent back."""
        return self.sendable_text(name) or self._wrong(name, "a string that is not empty")

    def flag(self, name: str, *, default: bool) -> bool:
        """Give a boolean, or the default."""
        found = self._of(bool, name)
        return default if found is None else found

    def integer(self, name: str) -> int | None:
        """Give an integer, or None."""
        return self._of(int, name)

    def mapping(self, name: str) -> dict[str, Any] | None:
        """Give an object as it is, or None."""
        return self._of(dict, name)

    def inner(self, name: str) -> Fields | None:
        """Give an object to be read in its turn, or None."""
        found = self.mapping(name)
        return None if found is None else Fields(found, f"{self._where}{name}.")

    def texts(self, name: str) -> Sequence[str]:
        """Give an array of strings, empty if there is none."""
        found = self._of(list, name) or []
        if not all(isinstance(each, str) for each in found):
            self._wrong(name, "an array of strings")
        return tuple(found)

    def objects(self, name: str) -> Sequence[Fields] | None:
        """Give an array of objects, or None."""
        found = self._of(list, name)
        if found is None:
            return None
        if not all(isinstance(each, dict) for each in found):
            self._wrong(name, "an array of objects")
        return tuple(Fields(each, f"{self._where}{name}[{index}].") for index, each in enumerate(found))

    def needed_objects(self, name: str) -> Sequence[Fields]:
        """Give an array of objects, which must be there."""
        found = self.objects(name)
        return self._wrong(name, "an array of objects") if found is None else found

    def ports(self, name: str) -> Iterator[str]:
        """Give ports and ranges of ports as strings, though a broker sends numbers (EPT-02)."""
        for each in self._of(list, name) or []:
            yield each if isinstance(each, str) else str(each)

    def _of(self, kind: type[_Kind], name: str) -> _Kind | None:
        found = self.given.get(name)
        # True is an int to Python, and none to JSON.
        if found is None or (isinstance(found, kind) and not (kind is int and isinstance(found, bool))):
            return found
        return self._wrong(name, _NAMES[kind])

    def _wrong(self, name: str, expected: str) -> NoReturn:
        raise WrongFieldError(f"{self._where}{name} is not {expected}")


def read_object(body: bytes | None) -> dict[str, Any]:
    """Read the JSON object that a body is.

    Raises:
        WrongFieldError: it is none.
    """
    if body is None:
        raise WrongFieldError("the body is too large")
    try:
        found = json.loads(body, parse_constant=_no_number)
    # RecursionError: thousands of brackets. ValueError: no JSON, no text, a number of thousands of digits.
    except (ValueError, RecursionError):
        raise WrongFieldError("the body is not JSON" if body else "the body is empty") from None
    if not isinstance(found, dict):
        raise WrongFieldError("the body is not a JSON object")
    return found


def _no_number(_constant: str) -> NoReturn:
    raise ValueError
