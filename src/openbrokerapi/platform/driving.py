"""Methods that are written once, as conversations, and run by a blocking or an asynchronous driver."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, overload

from .conversation import Work

P = ParamSpec("P")
T = TypeVar("T")
H = TypeVar("H")
_T_run = TypeVar("_T_run")


class Blocks(Protocol):
    """What runs work and returns its result."""

    def run(self, work: Work[_T_run]) -> _T_run:
        """Run it."""


class Awaits(Protocol):
    """What runs work and awaits its result."""

    async def run(self, work: Work[_T_run]) -> _T_run:
        """Run it."""


class Blocking(Generic[P, T]):
    """A method that returns when the work is done."""

    def __init__(self, build: Callable[Concatenate[Any, P], Work[T]], shown: Callable[..., Any]) -> None:
        self._build = build
        self.__doc__ = shown.__doc__
        self.__wrapped__ = shown

    @overload
    def __get__(self, handle: None, owner: type) -> Blocking[P, T]: ...
    @overload
    def __get__(self, handle: Blocks, owner: type) -> Callable[P, T]: ...
    def __get__(self, handle: Blocks | None, owner: type) -> Blocking[P, T] | Callable[P, T]:
        if handle is None:
            return self

        @functools.wraps(self.__wrapped__)
        def method(*args: P.args, **kwargs: P.kwargs) -> T:
            return handle.run(self._build(handle, *args, **kwargs))

        return method


class Awaited(Generic[P, T]):
    """A method to be awaited."""

    def __init__(self, build: Callable[Concatenate[Any, P], Work[T]], shown: Callable[..., Any]) -> None:
        self._build = build
        self.__doc__ = shown.__doc__
        self.__wrapped__ = shown

    @overload
    def __get__(self, handle: None, owner: type) -> Awaited[P, T]: ...
    @overload
    def __get__(self, handle: Awaits, owner: type) -> Callable[P, Awaitable[T]]: ...
    def __get__(self, handle: Awaits | None, owner: type) -> Awaited[P, T] | Callable[P, Awaitable[T]]:
        if handle is None:
            return self

        @functools.wraps(self.__wrapped__)
        async def method(*args: P.args, **kwargs: P.kwargs) -> T:
            return await handle.run(self._build(handle, *args, **kwargs))

        return method


def blocking(build: Callable[P, Work[T]]) -> Blocking[P, T]:
    """Make a blocking method of a function that knows nothing of the object."""

    def built(_handle: object, /, *args: P.args, **kwargs: P.kwargs) -> Work[T]:
        return build(*args, **kwargs)

    return Blocking(built, build)


def blocking_method(build: Callable[Concatenate[H, P], Work[T]]) -> Blocking[P, T]:
    """Make a blocking method of one that returns a conversation."""
    return Blocking(build, build)


def awaited(build: Callable[P, Work[T]]) -> Awaited[P, T]:
    """Make a method to be awaited of a function that knows nothing of the object."""

    def built(_handle: object, /, *args: P.args, **kwargs: P.kwargs) -> Work[T]:
        return build(*args, **kwargs)

    return Awaited(built, build)


def awaited_method(build: Callable[Concatenate[H, P], Work[T]]) -> Awaited[P, T]:
    """Make a method to be awaited of one that returns a conversation."""
    return Awaited(build, build)
