"""The plans that a run checks with, and what was seen of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from . import parameters
from .catalog_view import CatalogView, Offering, Plan
from .cooperation import UNMAKEABLE, BadFile, Cooperation, PlanHelp, Trait
from .wire import Answer, Endpoint

#: Without a file: so many plans of each offering, and so many in all.
PLANS_OF_AN_OFFERING = 3
PLANS_IN_ALL = 12


@dataclass
class Life:
    """What was seen of a plan when one instance of it lived from its provision to its end.

    Attributes:
        answers: The first answer of each endpoint that was asked.
        ends: What polling came to, of endpoints that answered 202: ``succeeded``, ``failed`` or ``gone``.
        trouble: Why no instance could be made; empty where one could.
    """

    answers: dict[Endpoint, Answer] = field(default_factory=dict)
    ends: dict[Endpoint, str] = field(default_factory=dict)
    trouble: str = ""

    def forget(self) -> None:
        """Drop all: it is to be seen anew."""
        self.answers.clear()
        self.ends.clear()
        self.trouble = ""

    def asynchronous(self, endpoint: Endpoint) -> bool:
        """Say whether this endpoint answered 202."""
        answer = self.answers.get(endpoint)
        return answer is not None and answer.status == 202

    def worked(self, endpoint: Endpoint) -> bool:
        """Say whether what this endpoint began came to a good end."""
        answer = self.answers.get(endpoint)
        if answer is None or not answer.ok:
            return False
        # That only a deletion may end in 410 is for LOI-13 and LOB-11 to say.
        return answer.status != 202 or self.ends.get(endpoint) in ("succeeded", "gone")


@dataclass(frozen=True, eq=False)
class Subject:
    """One plan, with all that is needed to ask for an instance of it.

    Attributes:
        plan: As in the catalog.
        help: What the file says of it.
        life: What the survey saw of it.
        catalog: The catalog that it is in.
    """

    plan: Plan
    help: PlanHelp
    catalog: CatalogView = field(repr=False)
    life: Life = field(default_factory=Life, repr=False)

    @property
    def offering(self) -> Offering:
        """The plan's offering."""
        return self.plan.offering

    @property
    def name(self) -> str:
        """For messages: ``offering/plan``."""
        return f"{self.offering.name or self.offering.id}/{self.plan.name or self.plan.id}"

    def has(self, trait: Trait) -> bool:
        """Say whether the file gives the plan this trait."""
        return trait in self.help.traits

    @property
    def usable(self) -> bool:
        """Whether the survey could make an instance of it."""
        return self.life.worked(Endpoint.PROVISION)

    @property
    def bindable(self) -> bool:
        """Whether a binding can be made."""
        return self.plan.bindable and self.life.worked(Endpoint.BIND)

    @cached_property
    def parameters(self) -> dict[str, Any] | None:
        """Good parameters of a provision; None where none can be guessed."""
        return self._given(self.help.parameters, "service_instance", "create")

    @cached_property
    def other_parameters(self) -> dict[str, Any] | None:
        """Good parameters of a provision that differ from the first; None where none can be guessed."""
        if self.help.other_parameters is not None:
            return dict(self.help.other_parameters)
        return parameters.different(self.plan.schema("service_instance", "create"), self.parameters or {})

    @cached_property
    def bad_parameters(self) -> dict[str, Any] | None:
        """Parameters that a provision has to refuse; None where none are known."""
        if self.help.bad_parameters is not None:
            return dict(self.help.bad_parameters)
        return parameters.bad(self.plan.schema("service_instance", "create"), self.parameters or {})

    @cached_property
    def update_parameters(self) -> dict[str, Any] | None:
        """Good parameters of an update that change something; None where none can be guessed."""
        if self.help.update_parameters is not None:
            return dict(self.help.update_parameters)
        return parameters.different(self.plan.schema("service_instance", "update"), self.parameters or {})

    @cached_property
    def bad_update_parameters(self) -> dict[str, Any] | None:
        """Parameters that an update has to refuse; None where none are known."""
        if self.help.bad_update_parameters is not None:
            return dict(self.help.bad_update_parameters)
        return parameters.bad(self.plan.schema("service_instance", "update"), self.update_parameters or {})

    @cached_property
    def bind_parameters(self) -> dict[str, Any] | None:
        """Good parameters of a bind; None where none can be guessed."""
        return self._given(self.help.bind_parameters, "service_binding", "create")

    @cached_property
    def other_bind_parameters(self) -> dict[str, Any] | None:
        """Good parameters of a bind that differ from the first; None where none can be guessed."""
        if self.help.other_bind_parameters is not None:
            return dict(self.help.other_bind_parameters)
        return parameters.different(self.plan.schema("service_binding", "create"), self.bind_parameters or {})

    @cached_property
    def bad_bind_parameters(self) -> dict[str, Any] | None:
        """Parameters that a bind has to refuse; None where none are known."""
        if self.help.bad_bind_parameters is not None:
            return dict(self.help.bad_bind_parameters)
        return parameters.bad(self.plan.schema("service_binding", "create"), self.bind_parameters or {})

    @property
    def target(self) -> Plan | None:
        """The plan that an instance may be changed to: the file's, else the first other one of the offering."""
        if self.help.update_to is not None:
            return self.catalog.find(self.offering.id, self.help.update_to)
        if not self.plan.updateable or self.help.update_not_to is not None:
            return None
        return next((plan for plan in self.offering.plans if plan.id != self.plan.id), None)

    @property
    def forbidden_target(self) -> Plan | None:
        """The plan that the broker refuses to change an instance to, where the file names one."""
        if self.help.update_not_to is None:
            return None
        return self.catalog.find(self.offering.id, self.help.update_not_to)

    @property
    def another_plan(self) -> Plan | None:
        """Any other plan of the same offering."""
        return next((plan for plan in self.offering.plans if plan.id != self.plan.id), None)

    @property
    def foreign_plan(self) -> Plan | None:
        """A plan of another offering."""
        return next((plan for plan in self.catalog.plans() if plan.offering.id != self.offering.id), None)

    def _given(self, given: Mapping[str, Any] | None, resource: str, action: str) -> dict[str, Any] | None:
        return dict(given) if given is not None else parameters.good(self.plan.schema(resource, action))


def choose(catalog: CatalogView, cooperation: Cooperation) -> list[Subject]:
    """Choose the plans to check with: those of the file, else the first few of each offering.

    Raises:
        BadFile: The file names a plan that the catalog does not have.
    """
    if cooperation.plans:
        return [_named(catalog, told) for told in cooperation.plans]
    first = [plan for offering in catalog.offerings for plan in offering.plans[:PLANS_OF_AN_OFFERING]]
    return [Subject(plan, PlanHelp(plan.offering.id, plan.id), catalog) for plan in first[:PLANS_IN_ALL]]


def _named(catalog: CatalogView, told: PlanHelp) -> Subject:
    plan = catalog.find(told.service, told.plan)
    if plan is None:
        known = ", ".join(f"{plan.offering.name}/{plan.name}" for plan in catalog.plans())
        raise BadFile(f"plans: the catalog has no plan {told.service}/{told.plan}; it has {known or 'none at all'}")
    for name in (told.update_to, told.update_not_to):
        if name is not None and catalog.find(told.service, name) is None:
            raise BadFile(f"plans: {told.service}/{told.plan}: the offering has no plan {name} to update to")
    return Subject(plan, told, catalog)


def makeable(subject: Subject) -> bool:
    """Say whether a provision of it is expected to work."""
    return not subject.help.traits & UNMAKEABLE
