"""An offering: its catalog entry, the types of its parameters, and the author's methods."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from openbrokerapi.catalog import (
    MaintenanceInfo,
    Schemas,
    Service,
    ServiceDashboardClient,
    ServiceMetadata,
    ServicePlan,
)

from .attributes import check_attributes
from .plans import Plan
from .shapes import schema_of


class Offering:
    """A service offering whose state the package keeps; subclass it, and give an instance to ``Broker``.

    The methods may be plain, ``async def``, or marked ``@nonblocking``. A plain one runs in a thread and gets a
    :class:`~openbrokerapi.managed.Work`, an ``async def`` one a :class:`~openbrokerapi.managed.AsyncWork`. Each may
    run again from its start after a crash: what must not happen twice belongs into ``work.step``. To delete what is
    not there, or not there any more, must succeed.

    Attributes:
        id, name, description, tags, requires, metadata, dashboard_client: Of the catalog (section "Service Offering
            Object"); ``id`` and the plans' ids must never change.
        plans: The plans.
        bindable: Whether instances can be bound; by default if there is a method ``bind``.
        plan_updateable: Whether an instance may change its plan, unless the plan says otherwise.
        allow_context_updates: Whether the platform may send nothing but a new context (2.15).
        parameters: The type of the parameters of an instance: a msgspec Struct, a dataclass or a pydantic model. It
            becomes the schema in the catalog. None takes any, as a dict.
        update_parameters: What an update may send, if that is not any part of ``parameters``.
        bind_parameters: The type of the parameters of a binding.
        merge_parameters: What an update does not name stays as it was; False: what it sends replaces all.
        secret_parameters: Names of parameters that a fetch leaves out (GETI-10, GETB-12).
        asynchronous: It always takes longer than a request: without ``accepts_incomplete`` answer 422 AsyncRequired.
        estimate: Seconds that an operation usually takes: one number, or by kind such as ``{"provision": 300}``. The
            platform is told to poll accordingly.
        requires_app: Bindings are for applications only (BIND-39).
        concurrent_bindings: Bindings of one instance may be made and deleted side by side.
        cascade: A deprovision unbinds what is still bound; False: it is refused as long as there is a binding.
        clean_up: A failed provision or bind is cleaned up by ``deprovision`` or ``unbind``.
        revoke_expired: A binding that has expired is deleted by ``unbind``.
        quota: Most instances, over all plans.
        quota_per_organization: Most instances in one organization, over all plans.
        retired: No longer in the catalog; its instances live on.
        extra: Further fields of the catalog entry.
    """

    id: ClassVar[str]
    name: ClassVar[str]
    description: ClassVar[str]
    plans: ClassVar[Sequence[Plan]]
    tags: ClassVar[Sequence[str]] = ()
    requires: ClassVar[Sequence[str]] = ()
    metadata: ClassVar[ServiceMetadata | Mapping[str, Any] | None] = None
    dashboard_client: ClassVar[ServiceDashboardClient | Mapping[str, Any] | None] = None
    bindable: ClassVar[bool | None] = None
    plan_updateable: ClassVar[bool] = False
    allow_context_updates: ClassVar[bool] = False
    parameters: ClassVar[Any] = None
    update_parameters: ClassVar[Any] = None
    bind_parameters: ClassVar[Any] = None
    merge_parameters: ClassVar[bool] = True
    secret_parameters: ClassVar[Sequence[str]] = ()
    asynchronous: ClassVar[bool] = False
    estimate: ClassVar[float | Mapping[str, float]] = 30.0
    requires_app: ClassVar[bool] = False
    concurrent_bindings: ClassVar[bool] = False
    cascade: ClassVar[bool] = False
    clean_up: ClassVar[bool] = True
    revoke_expired: ClassVar[bool] = False
    quota: ClassVar[int | None] = None
    quota_per_organization: ClassVar[int | None] = None
    retired: ClassVar[bool] = False
    extra: ClassVar[Mapping[str, Any]] = {}

    def provision(self, instance: Any, work: Any) -> Any:
        """Create the instance; give :class:`~openbrokerapi.managed.Provisioned`, or nothing."""
        raise NotImplementedError

    def update(self, instance: Any, previous: Any, work: Any) -> Any:
        """Make the instance what ``instance`` says; ``previous`` is what is in force.

        Gives :class:`~openbrokerapi.managed.Provisioned`, or nothing. An offering without it has no updates.
        """
        raise NotImplementedError

    def deprovision(self, instance: Any, work: Any) -> Any:
        """Delete the instance; also what a failed provision left of it, which may be nothing."""
        raise NotImplementedError

    def bind(self, instance: Any, binding: Any, work: Any) -> Any:
        """Create the binding; give :class:`~openbrokerapi.managed.Bound`, or a mapping: the credentials."""
        raise NotImplementedError

    def unbind(self, instance: Any, binding: Any, work: Any) -> Any:
        """Delete the binding; also what a failed bind left of it, which may be nothing."""
        raise NotImplementedError

    def dashboard_url(self, instance: Any) -> str | None:  # noqa: ARG002 - for authors to override
        """Give the dashboard's URL before the instance is there, so that a 202 can carry it (PROV-28)."""
        return None

    def plan(self, plan_id: str) -> Plan:
        """Give a plan; of one that has left the offering, what is known: its id."""
        for plan in self.plans:
            if plan.id == plan_id:
                return plan
        return Plan(id=plan_id, retired=True)

    def shape(self, plan: Plan, name: str) -> Any:
        """Give the type of parameters of a plan: "parameters", "update_parameters" or "bind_parameters"."""
        own = getattr(plan, name)
        return getattr(self, name) if own is None else own

    def has(self, name: str) -> bool:
        """Tell whether the author wrote the method ``name``."""
        return getattr(type(self), name) is not getattr(Offering, name)

    def is_bindable(self, plan: Plan) -> bool:
        """Tell whether instances of a plan can be bound."""
        if plan.bindable is not None:
            return plan.bindable
        return self.has("bind") if self.bindable is None else self.bindable

    def is_updateable(self, plan: Plan) -> bool:
        """Tell whether an instance may leave this plan for another."""
        return self.plan_updateable if plan.plan_updateable is None else plan.plan_updateable

    def takes(self, kind: str) -> float:
        """Give the estimate for a kind of operation, in seconds."""
        estimate = self.estimate
        return float(estimate.get(kind, 30.0) if isinstance(estimate, Mapping) else estimate)


def checked(offering: Offering) -> Offering:
    """Look at an offering before it is served.

    Raises:
        TypeError: Something is missing or cannot be; the message names it.
    """
    if not isinstance(offering, Offering):
        raise TypeError(_no_offering(offering))
    name = type(offering).__name__
    for field in ("id", "name", "description", "plans"):
        if not getattr(offering, field, None):
            raise TypeError(f"{name}.{field} is missing: every offering of the catalog has it")
    check_attributes(offering)
    _check_ids(name, offering.plans)
    _check_methods(name, offering)
    return offering


def _check_methods(name: str, offering: Offering) -> None:
    for method in ("provision", "deprovision"):
        if not offering.has(method):
            raise TypeError(f"{name} has no method {method}(self, instance, work)")
    bindable = any(offering.is_bindable(plan) for plan in offering.plans)
    for method in ("bind", "unbind") if bindable else ():
        if not offering.has(method):
            raise TypeError(f"{name} is bindable and has no method {method}(self, instance, binding, work)")
    for method, arguments in _METHODS.items():
        _check_method(name, method, getattr(offering, method), arguments)
    if inspect.iscoroutinefunction(offering.dashboard_url):
        raise TypeError(f"{name}.dashboard_url must be a plain method: it is called while a request is answered")


_METHODS = {
    "provision": ("instance", "work"),
    "update": ("instance", "previous", "work"),
    "deprovision": ("instance", "work"),
    "bind": ("instance", "binding", "work"),
    "unbind": ("instance", "binding", "work"),
    "dashboard_url": ("instance",),
}


def _no_offering(given: Any) -> str:
    if isinstance(given, type) and issubclass(given, Offering):
        return f"{given.__name__} is a class; give an instance of it: Broker({given.__name__}())"
    if isinstance(given, (list, tuple)):
        return "give the offerings one by one: Broker(First(), Second())"
    return f"an offering is an instance of a subclass of Offering, not {type(given).__name__}"


def _check_ids(name: str, plans: Sequence[Plan]) -> None:
    ids = [plan.id for plan in plans]
    if len(set(ids)) != len(ids):
        raise TypeError(f"{name}.plans: two plans have the same id")


def _check_method(name: str, method: str, function: Any, arguments: tuple[str, ...]) -> None:
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(f"{name}.{method} must not use yield: nothing of it would be done")
    called = f"{method}({', '.join(('self', *arguments))})"
    try:
        given = list(inspect.signature(function).bind(*arguments).arguments)
    except TypeError:
        count = len(arguments)
        raise TypeError(
            f"{name}.{method} must take {count} argument{'s' if count > 1 else ''} beside self: {called}"
        ) from None
    # Other names are the author's choice; these in another order are a mistake.
    if any(other in arguments and other != own for own, other in zip(arguments, given, strict=False)):
        raise TypeError(f"{name}.{method} has its arguments in another order: write {called}")


def catalog_entry(offering: Offering) -> Service:
    """Give the catalog's object for an offering."""
    plans = [_plan_entry(offering, plan) for plan in offering.plans if not plan.retired]
    bindable = any(offering.is_bindable(plan) for plan in offering.plans)
    return Service(
        id=offering.id,
        name=offering.name,
        description=offering.description,
        bindable=bindable if offering.bindable is None else offering.bindable,
        plans=plans,
        tags=list(offering.tags) or None,
        requires=list(offering.requires) or None,
        metadata=_plain(offering.metadata),
        dashboard_client=_plain(offering.dashboard_client),
        plan_updateable=offering.plan_updateable,
        # GETI-01, BIND-05: the package fetches by itself.
        instances_retrievable=True,
        bindings_retrievable=bindable,
        allow_context_updates=offering.allow_context_updates or None,
        **offering.extra,
    )


def _plain(given: Any) -> Any:
    return dict(given) if isinstance(given, Mapping) else given


def _plan_entry(offering: Offering, plan: Plan) -> ServicePlan:
    info = plan.maintenance_info
    return ServicePlan(
        id=plan.id,
        name=plan.name,
        description=plan.description,
        metadata=_plain(plan.metadata),
        free=plan.free,
        bindable=plan.bindable,
        schemas=_schemas(offering, plan),
        plan_updateable=plan.plan_updateable,
        binding_rotatable=plan.binding_rotatable,
        maximum_polling_duration=plan.maximum_polling_duration,
        maintenance_info=MaintenanceInfo(info) if isinstance(info, str) else info,
    )


def _schemas(offering: Offering, plan: Plan) -> Schemas | None:
    create, change = offering.shape(plan, "parameters"), offering.shape(plan, "update_parameters")
    instance = {}
    if create is not None:
        instance["create"] = {"parameters": schema_of(create)}
    if offering.has("update") and (change is not None or create is not None):
        # An update names what it changes; what it does not name need not be there.
        schema = schema_of(change) if change is not None else schema_of(create, partial=offering.merge_parameters)
        instance["update"] = {"parameters": schema}
    bind = offering.shape(plan, "bind_parameters")
    binding = {"create": {"parameters": schema_of(bind)}} if bind is not None else None
    return Schemas(instance or None, binding) if instance or binding else None
