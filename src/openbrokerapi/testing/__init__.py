"""The test kit: platforms for the tests of a broker, one that misbehaves among them, and the checker in a test.

pytest finds the fixtures `broker_platform`, `served_broker_platform` and `misbehaving_platform` by itself. Nothing is
imported before it is asked for: pytest imports this package in every suite.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .clock import Clock
    from .conforming import assert_conforms, check
    from .hosting import hosted, remote, served
    from .hosts import Host, NotPossible
    from .in_process import InProcess
    from .over_http import Commanded, Remote, Served
    from .platforms import BrokerPlatform, KeptBinding, KeptInstance, Life
    from .scenarios.outcome import Fault, Outcome, Report
    from .scenarios.playing import SCENARIOS, MisbehavingPlatform, Part, assert_survives, misbehaving, play, play_all

__all__ = [
    "SCENARIOS",
    "BrokerPlatform",
    "Clock",
    "Commanded",
    "Fault",
    "Host",
    "InProcess",
    "KeptBinding",
    "KeptInstance",
    "Life",
    "MisbehavingPlatform",
    "NotPossible",
    "Outcome",
    "Part",
    "Remote",
    "Report",
    "Served",
    "assert_conforms",
    "assert_survives",
    "check",
    "hosted",
    "misbehaving",
    "play",
    "play_all",
    "remote",
    "served",
]

_FROM = {
    "clock": ("Clock",),
    "conforming": (
        "assert_conforms",
        "check",
    ),
    "hosting": (
        "hosted",
        "remote",
        "served",
    ),
    "hosts": (
        "Host",
        "NotPossible",
    ),
    "in_process": ("InProcess",),
    "over_http": (
        "Commanded",
        "Remote",
        "Served",
    ),
    "scenarios.outcome": (
        "Fault",
        "Outcome",
        "Report",
    ),
    "scenarios.playing": (
        "SCENARIOS",
        "MisbehavingPlatform",
        "Part",
        "assert_survives",
        "misbehaving",
        "play",
        "play_all",
    ),
    "platforms": (
        "BrokerPlatform",
        "KeptBinding",
        "KeptInstance",
        "Life",
    ),
}
_MODULES = {name: module for module, names in _FROM.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(f".{_MODULES[name]}", __name__), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
