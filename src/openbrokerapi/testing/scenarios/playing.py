"""Play scenarios against a broker."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from openbrokerapi.conformance.asking import Asking
from openbrokerapi.conformance.catalog_view import CatalogView
from openbrokerapi.conformance.cooperation import Cooperation, PlanHelp
from openbrokerapi.conformance.subjects import Subject, choose
from openbrokerapi.testing.hosting import hosted
from openbrokerapi.testing.hosts import Host

# Each module puts its scenarios on the list.
from . import losing, overlapping, polling, racing, repeating, restarting, reusing  # noqa: F401
from .outcome import Outcome, Report
from .scenario import ALL
from .stage import Aside, Leftovers, Over, Stage

#: The names of all scenarios.
SCENARIOS: tuple[str, ...] = tuple(ALL)


@dataclass(frozen=True, kw_only=True)
class Part:
    """What the misbehaving platform plays with.

    Attributes:
        offering: The name or the id of an offering; the first one unless given.
        plan: The name or the id of a plan of it; its first one unless given.
        parameters: Of a provision; guessed from the plan's schema unless given.
        other_parameters: Of another provision, with something different in them.
        update_parameters: Of an update that changes something.
        update_to: The plan that an update changes to.
        bind_parameters: Of a bind.
    """

    offering: str | None = None
    plan: str | None = None
    parameters: Mapping[str, Any] | None = None
    other_parameters: Mapping[str, Any] | None = None
    update_parameters: Mapping[str, Any] | None = None
    update_to: str | None = None
    bind_parameters: Mapping[str, Any] | None = None

    def subject(self, catalog: CatalogView) -> Subject:
        """Find the plan in a catalog.

        Raises:
            LookupError: It has no such plan.
            ValueError: No parameters can be guessed.
        """
        offerings = [each for each in catalog.offerings if self.offering in (None, each.id, each.name)]
        plans = [plan for each in offerings for plan in each.plans if self.plan in (None, plan.id, plan.name)]
        if not plans:
            raise LookupError(f"the catalog has no plan {self.offering or 'of any offering'}/{self.plan or 'at all'}")
        told = PlanHelp(
            plans[0].offering.id,
            plans[0].id,
            self.parameters,
            self.other_parameters,
            update_parameters=self.update_parameters,
            bind_parameters=self.bind_parameters,
            update_to=self.update_to,
        )
        (subject,) = choose(catalog, Cooperation((told,)))
        if subject.parameters is None:
            raise ValueError(f"no parameters of {subject.name} can be guessed from its schema: give parameters={{...}}")
        return subject


class MisbehavingPlatform:
    """Plays scenarios against the broker of a host.

    Args:
        host: Where the broker runs.
        part: What is played with.
        leftovers: Gives what the broker's service really holds: it is empty when a scenario is over.
        patience: For how many seconds an operation is polled, on the broker's clock.

    Raises:
        LookupError: The catalog has no such plan, or there is no catalog.
        ValueError: No parameters can be guessed.
    """

    def __init__(
        self, host: Host, part: Part | None = None, *, leftovers: Leftovers | None = None, patience: float = 60.0
    ) -> None:
        self.host = host
        self.subject = (part or Part()).subject(_catalog(host))
        self._leftovers = leftovers
        self._patience = patience

    def play(self, name: str) -> Outcome:
        """Play one scenario, and clean up behind it.

        Args:
            name: One of :data:`SCENARIOS`.

        Raises:
            LookupError: There is no such scenario.
        """
        if name not in ALL:
            raise LookupError(f"there is no scenario {name!r}; there are {', '.join(SCENARIOS)}")
        stage = Stage(self.host, self.subject, patience=self._patience)
        aside = ""
        try:
            ALL[name].play(stage)
        except Aside as reason:
            aside = str(reason)
        except Over:
            pass
        stage.strike(self._leftovers)
        secrets = tuple(Cooperation((self.subject.help,)).secrets())
        return Outcome(name, tuple(stage.faults), "" if stage.faults else aside, tuple(stage.answers), secrets)

    def play_all(self, names: Collection[str] = SCENARIOS) -> Report:
        """Play all scenarios, or some.

        Args:
            names: Which.
        """
        return Report(tuple(self.play(name) for name in names))

    def assert_survives(self, *names: str) -> None:
        """Play scenarios, all unless named, and fail with what went wrong.

        Args:
            names: Which.

        Raises:
            AssertionError: The broker did something wrong; the text says what, with the exchanges.
        """
        report = self.play_all(names or SCENARIOS)
        assert not report.faults, f"the broker did {len(report.faults)} things wrong\n\n{report.text()}"  # noqa: S101


def _catalog(host: Host) -> CatalogView:
    (found,) = host.send(Asking("2.17", host.credentials, lambda: "catalog").catalog())
    if isinstance(found, BaseException):
        raise LookupError(f"there is no broker: {found}") from found  # noqa: TRY004 - it is what the broker did
    if found.status != 200 or not found.is_object:
        raise LookupError(f"there is no catalog: GET /v2/catalog was answered with {found.status}")
    return CatalogView(found.json)


@contextmanager
def misbehaving(broker: Any, *, leftovers: Leftovers | None = None, **options: Any) -> Iterator[MisbehavingPlatform]:
    """Start a broker, if it has to be, and give a platform that misbehaves with it.

    Args:
        broker: What `hosted` takes: a broker, an offering, an application, a factory, the URL of a broker, or a host.
        leftovers: Gives what the broker's service really holds.
        options: Those of `Part` and `hosted`, and ``patience``.
    """
    patience = options.pop("patience", 60.0)
    part = Part(**{name: options.pop(name) for name in Part.__dataclass_fields__ if name in options})
    with hosted(broker, **options) as host:
        yield MisbehavingPlatform(host, part, leftovers=leftovers, patience=patience)


def play(name: str, broker: Any, **options: Any) -> Outcome:
    """Play one scenario against a broker; see `misbehaving` for the arguments."""
    with misbehaving(broker, **options) as platform:
        return platform.play(name)


def play_all(broker: Any, names: Collection[str] = SCENARIOS, **options: Any) -> Report:
    """Play all scenarios against a broker, or some; see `misbehaving` for the arguments."""
    with misbehaving(broker, **options) as platform:
        return platform.play_all(names)


def assert_survives(broker: Any, *names: str, **options: Any) -> None:
    """Play scenarios against a broker, all unless named, and fail with what went wrong; see `misbehaving`.

    Raises:
        AssertionError: The broker did something wrong; the text says what, with the exchanges.
    """
    with misbehaving(broker, **options) as platform:
        platform.assert_survives(*names)
