"""The faults: each breaks one rule, and is registered here by the module that holds it.

    @fault("DEP-16", "answers 404 to the DELETE of an instance that does not exist")
    def ...(call: Call, reply: Reply, broker: Reference) -> Reply: ...              # after the broker has answered

    @fault_before("PROV-03", "...")
    def ...(call: Call, broker: Reference) -> Reply | Call | None: ...              # an answer, a call, or nothing

    fault_setting("PROV-25", "...", compare_parameters=False)                       # switches of `Conduct`

    @fault_catalog("SVC-02", "...")
    def ...(catalog: dict[str, Any]) -> None: ...       # edits what is sent; spoil `find_spare(catalog)`, not the rest

`also` names further rules that the same fault cannot but break. Every kind takes switches of `Conduct` beside it.
`at` names the endpoints (one, or several) at which functions are called and switches are turned; without it all.
So the rules of instances and bindings are kept apart: `keep_terminal_states=False, at="poll_binding"` is LOB-18 alone.
What ends an operation (`operations_fail_as_planned`, `keep_failed_creation`, `apply_failed_update`) happens at the
request that comes first after its time: give those no `at`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar

from tests.checker.reference.conduct import Conduct
from tests.checker.reference.wire import ENDPOINTS, Call, Reply

if TYPE_CHECKING:
    from tests.checker.reference.app import Reference

    After = Callable[[Call, Reply, Reference], Reply]
    Before = Callable[[Call, Reference], Reply | Call | None]
    Edit = Callable[[dict[str, Any]], None]

Places = str | Iterable[str]
F = TypeVar("F", bound=Callable[..., Any])
SWITCHES = {switch.name for switch in fields(Conduct)}


@dataclass(frozen=True)
class Fault:
    """One thing that the broker does wrong."""

    rule: str
    says: str
    also: frozenset[str] = frozenset()
    at: frozenset[str] = frozenset()
    settings: Mapping[str, Any] = field(default_factory=dict)
    before: Before | None = None
    after: After | None = None
    catalog: Edit | None = None

    def is_at(self, endpoint: str) -> bool:
        """Tell whether it shows at an endpoint; one without places shows at all, also where there is none."""
        return not self.at or endpoint in self.at

    def __str__(self) -> str:
        return f"{self.rule}: {self.says}"


REGISTERED: dict[str, list[Fault]] = {}


def register(rule: str, says: str, also: Iterable[str], at: Places, settings: Mapping[str, Any], **parts: Any) -> Fault:
    """Keep a fault; one that names a switch or an endpoint that does not exist is a mistake of its author."""
    places = frozenset({at} if isinstance(at, str) else at)
    if unknown := (settings.keys() - SWITCHES) | (places - set(ENDPOINTS.values())):
        raise TypeError(f"{rule}: there is no switch or endpoint {', '.join(sorted(unknown))}")
    made = Fault(rule, says, frozenset(also), places, dict(settings), **parts)
    REGISTERED.setdefault(rule, []).append(made)
    return made


def fault(rule: str, says: str, *, also: Iterable[str] = (), at: Places = (), **settings: Any) -> Callable[[F], F]:
    """Register a function that changes the broker's answer."""

    def keep(after: F) -> F:
        register(rule, says, also, at, settings, after=after)
        return after

    return keep


def fault_before(
    rule: str, says: str, *, also: Iterable[str] = (), at: Places = (), **settings: Any
) -> Callable[[F], F]:
    """Register a function that answers instead of the broker, or changes the call."""

    def keep(before: F) -> F:
        register(rule, says, also, at, settings, before=before)
        return before

    return keep


def fault_setting(rule: str, says: str, *, also: Iterable[str] = (), at: Places = (), **settings: Any) -> Fault:
    """Register switches of the broker's conduct."""
    return register(rule, says, also, at, settings)


def fault_catalog(rule: str, says: str, *, also: Iterable[str] = (), **settings: Any) -> Callable[[F], F]:
    """Register a function that edits the catalog that is sent; the broker's behaviour stays."""

    def keep(edit: F) -> F:
        register(rule, says, also, (), settings, catalog=edit)
        return edit

    return keep


def find_spare(catalog: dict[str, Any]) -> dict[str, Any]:
    """Return the offering of a catalog that nothing else depends on, for a fault to spoil; it says all it can."""
    spare: dict[str, Any] = next(service for service in catalog["services"] if service["name"] == "spare")
    return spare


def all_faults() -> dict[str, list[Fault]]:
    """Return every fault by its rule, variants in the order of their modules and lines."""
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda found: found.name):
        importlib.import_module(f"{__name__}.{module.name}")
    return REGISTERED
