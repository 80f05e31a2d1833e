"""Catalog objects that can tell in no time whether anything in them has changed.

Brokers change their catalog objects in place, so a cache that goes by identity would show a stale catalog, and one that
compares contents costs more the larger the catalog is. Here every change in a catalog object moves one number on;
while it stands still and the broker returns the same objects, what was encoded before still holds.

Lists and dicts inside catalog objects are watched too: once a catalog has been encoded, those that nobody but the
catalog object holds are replaced by watched ones. What somebody else also holds stays as it is, and is compared.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from itertools import count
from typing import Any

_numbers = count(1)


class _Revision:
    __slots__ = ("now",)

    def __init__(self) -> None:
        self.now = 0

    def move(self) -> None:
        self.now = next(_numbers)


revision = _Revision()


class _Plain:
    """Only here for the descriptor of its instances' dict."""


_dict_of = vars(_Plain)["__dict__"].__get__


class Observed(_Plain):
    """An object whose attributes are JSON fields; setting or deleting one moves the revision on."""

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]  # the same dict, by way of the revision
        # Whoever asks for the dict may change it.
        revision.move()
        fields: dict[str, Any] = _dict_of(self)
        return fields

    def fields_to_send(self) -> dict[str, Any]:
        """Give the attributes to somebody who only reads them."""
        fields: dict[str, Any] = _dict_of(self)
        return fields

    def __setattr__(self, name: str, value: Any) -> None:
        # First the value, then the number: whoever reads the number before the values can only look once too often.
        object.__setattr__(self, name, value)
        revision.move()

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        revision.move()

    def __repr__(self) -> str:
        named = getattr(self, "name", None) or getattr(self, "id", None)
        return f"<{type(self).__name__} {named}>" if isinstance(named, str) else f"<{type(self).__name__}>"


def _moving(method: Callable[..., Any]) -> Callable[..., Any]:
    def changed(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        finally:
            revision.move()

    changed.__name__, changed.__doc__ = method.__name__, method.__doc__
    return changed


class WatchedList(list[Any]):
    """A list whose every change moves the revision on; it copies and pickles as a plain list."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        return list, (list(self),)


class WatchedDict(dict[Any, Any]):
    """A dict whose every change moves the revision on; it copies and pickles as a plain dict."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        return dict, (dict(self),)


_LIST_CHANGES = "__setitem__ __delitem__ __iadd__ __imul__ append extend insert pop remove clear sort reverse"
_DICT_CHANGES = "__setitem__ __delitem__ __ior__ pop popitem clear update setdefault"
for _name in _LIST_CHANGES.split():
    setattr(WatchedList, _name, _moving(getattr(list, _name)))
for _name in _DICT_CHANGES.split():
    setattr(WatchedDict, _name, _moving(getattr(dict, _name)))

_WATCHED: dict[type, type] = {list: WatchedList, dict: WatchedDict}
_SCALARS = frozenset((str, int, float, bool, type(None)))


def _references(holder: Any, key: Any) -> int:
    return sys.getrefcount(holder[key])


# What the function above counts for a container that nothing but its holder knows.
_SOLE = _references([[]], 0) if sys.implementation.name == "cpython" else 0


def _adopt(holder: Any) -> None:
    """Replace the lists and dicts in ``holder``, a list or a dict, that nobody else holds by watched ones."""
    is_list = isinstance(holder, list)
    # The plain assignment: to watch something is no change.
    put: Callable[[Any, Any, Any], None] = list.__setitem__ if is_list else dict.__setitem__
    for key in range(len(holder)) if is_list else list(holder):
        watched = _WATCHED.get(type(holder[key]))
        if watched is not None and _references(holder, key) == _SOLE:
            put(holder, key, watched(holder[key]))


def same(one: list[Any], other: list[Any]) -> bool:
    """Tell whether two lists hold the same objects, not only equal ones."""
    return len(one) == len(other) and all(map(operator.is_, one, other))


def _sets_attributes_plainly(kind: type) -> bool:
    return vars(Observed)["__setattr__"] is getattr(kind, "__setattr__", None)


class Watch:
    """Tells whether a catalog is still what it was when the watch began.

    Args:
        roots: What the broker's ``catalog()`` returned, as a list.
    """

    __slots__ = ("_compared", "_complete", "_revision", "_roots")

    def __init__(self, roots: list[Any]) -> None:
        self._revision = revision.now
        self._roots = list(roots)
        # By identity: a schema that many plans share is compared once.
        self._compared: dict[int, tuple[Any, Any]] = {}
        self._complete = all([self._watch(root) for root in roots])

    def holds(self, roots: list[Any]) -> bool:
        """Tell whether ``roots`` are the same objects with the same contents; False where that cannot be told."""
        return (
            self._complete
            and self._revision == revision.now
            and same(roots, self._roots)
            and all(held == copy for held, copy in self._compared.values())
        )

    def _watch(self, value: Any) -> bool:
        kind = type(value)
        if kind in _SCALARS:
            return True
        if isinstance(value, Observed):
            return _sets_attributes_plainly(kind) and self._watch_inside(value.fields_to_send())
        if kind is WatchedList or kind is WatchedDict:
            return self._watch_inside(value)
        if kind in _WATCHED:
            complete = id(value) in self._compared or self._watch_inside(value)
            self._compared[id(value)] = (value, value.copy())
            return complete
        return kind is tuple and all([self._watch(item) for item in value])

    def _watch_inside(self, holder: dict[Any, Any] | list[Any]) -> bool:
        _adopt(holder)
        values = holder.values() if isinstance(holder, dict) else holder
        return all([self._watch(value) for value in values])
