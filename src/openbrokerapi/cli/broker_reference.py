"""A broker by its reference on the command line: `package.module:attribute`."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from types import ModuleType


_PACKAGE = str(Path(__file__).parent.parent) + os.sep


class BrokerReferenceError(click.ClickException):
    """A reference does not lead to a broker; the message says what to change."""

    exit_code = 2


def load_broker(reference: str) -> Any:
    """Load the broker that a reference names.

    The current directory is put on Python's path first, so that a module in it is found.

    Args:
        reference: `package.module:attribute`. The attribute is a broker, or a class or function that returns one when
            it is called without arguments. It may be dotted (`app:state.broker`).

    Returns:
        The broker: an object with a method `catalog`. Nothing else is asked of it: brokers are duck-typed.

    Raises:
        BrokerReferenceError: There is no such module or attribute, the module or the call fails, or what comes out of
            it is no broker.
    """
    module_name, colon, attribute = reference.partition(":")
    if not colon or not module_name or not attribute:
        raise BrokerReferenceError(f'"{reference}" is no reference to a broker; write package.module:attribute')
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    target: Any = _imported(module_name)
    for name in attribute.split("."):
        target = _attribute(target, name, reference)
    broker = _called(target, reference) if _is_factory(target) else target
    if not callable(getattr(broker, "catalog", None)):
        raise BrokerReferenceError(
            f"{reference} is {_kind(broker)} without a method catalog; name a broker, or what returns one"
        )
    return broker


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise BrokerReferenceError(
                f"there is no module {error.name}; run the command in the directory that holds it, "
                "or install the package"
            ) from None
        raise BrokerReferenceError(f"importing {name} fails{_origin(error)}: {error}; install it") from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - an author's module may raise anything
        raise BrokerReferenceError(f"importing {name} fails{_origin(error)}: {_sentence(error)}") from None


def _attribute(holder: Any, name: str, reference: str) -> Any:
    try:
        return getattr(holder, name)
    except AttributeError:
        holding = f"the module {holder.__name__}" if inspect.ismodule(holder) else _kind(holder)
        raise BrokerReferenceError(f"{reference}: {holding} has no {name}{_candidates(holder)}") from None


def _candidates(holder: Any) -> str:
    found = [name for name, value in vars(holder).items() if _looks_like_broker(value)] if _has_vars(holder) else []
    return f"; it has {', '.join(sorted(found))}" if found else "; name what holds the broker"


def _has_vars(holder: Any) -> bool:
    return hasattr(holder, "__dict__")


def _looks_like_broker(value: Any) -> bool:
    return not inspect.isclass(value) and not inspect.ismodule(value) and callable(getattr(value, "catalog", None))


def _is_factory(target: Any) -> bool:
    # A broker that can be called is still a broker (a mock, for one).
    return inspect.isclass(target) or (callable(target) and not callable(getattr(target, "catalog", None)))


def _called(factory: Any, reference: str) -> Any:
    if inspect.iscoroutinefunction(factory):
        raise BrokerReferenceError(f"{reference} is an async function; write a plain one that returns the broker")
    _refuse_arguments(factory, reference)
    try:
        return factory()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
        raise BrokerReferenceError(f"calling {reference} fails{_origin(error)}: {_sentence(error)}") from None


def _refuse_arguments(factory: Any, reference: str) -> None:
    try:
        signature = inspect.signature(factory)
    except ValueError:  # not known for everything that is written in C
        return
    try:
        signature.bind()
    except TypeError as error:
        raise BrokerReferenceError(
            f"{reference} cannot be called without arguments ({error}); "
            "write a function without arguments that returns the broker"
        ) from None


def _origin(error: BaseException) -> str:
    """Return the last line of the author's code that the error passed, as far as there is one."""
    frames = traceback.extract_tb(error.__traceback__)
    passed = [frame for frame in frames if frame.filename != __file__ and "importlib" not in frame.filename]
    # What this package refuses is to be changed where the author calls it.
    own = [frame for frame in passed if not frame.filename.startswith((_PACKAGE, "<string>"))] or passed
    return f" at {own[-1].filename}, line {own[-1].lineno}" if own else ""


def _sentence(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _kind(value: Any) -> str:
    return f"an object of the type {type(value).__name__}"
