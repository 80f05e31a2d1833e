"""A call against the catalog: ids, maintenance version, plan change, parameters."""

from __future__ import annotations

from .bodies import BindBody, ProvisionBody, UpdateBody
from .call import Call
from .offerings import Index, Offering, Plan
from .problems import MAINTENANCE_CONFLICT, NOT_BINDABLE, PLAN_CHANGE_UNSUPPORTED, Refusal, bad_request


def check(call: Call, catalog: Index) -> None:
    """Refuse what the catalog rules out, and note the offering and the plan in the call.

    Raises:
        Refusal: 400 for ids (PROV-07, PROV-08, UPD-09, BIND-20) and parameters, 422 for the rest.
    """
    body = call.body
    if call.service_id is not None:
        call.offering = _offering(catalog, call.service_id)
        if call.plan_id is not None:
            call.plan = _plan(call.offering, call.plan_id)
    if isinstance(body, ProvisionBody):
        _check_maintenance(body, (call.plan,))
    elif isinstance(body, UpdateBody):
        _check_update(call, body)
    elif isinstance(body, BindBody):
        _check_bind(call, body)
    _check_parameters(call)


def _offering(catalog: Index, service_id: str) -> Offering:
    offering = catalog.get(service_id)
    if offering is None:
        raise bad_request("service_id is not in the catalog of this broker.")
    return offering


def _plan(offering: Offering, plan_id: str) -> Plan:
    plan = offering.plans.get(plan_id)
    if plan is None:
        raise bad_request("plan_id is not one of the plans of this service_id in the catalog of this broker.")
    return plan


def _check_maintenance(body: ProvisionBody | UpdateBody, plans: tuple[Plan | None, ...]) -> None:
    # PROV-14 to PROV-16, UPD-19, UPD-20: only the version, as text; absent is fine.
    if body.maintenance_info is None or None in plans:
        return
    if all(plan is not None and plan.maintenance_version != body.maintenance_info.version for plan in plans):
        raise Refusal(MAINTENANCE_CONFLICT)


def _check_update(call: Call, body: UpdateBody) -> None:
    offering = call.offering
    if offering is None:
        return
    former_id = body.previous_values.plan_id if body.previous_values is not None else None
    former = offering.plans.get(former_id) if former_id is not None else None
    if call.plan is not None and former_id is not None and former_id != call.plan_id:
        # UPD-03, UPD-28: the present plan says whether it can be left; the same plan is no change.
        if not (former.plan_updateable if former is not None else offering.plan_updateable):
            raise Refusal(PLAN_CHANGE_UNSUPPORTED)
    elif call.plan is None:
        call.plan = former or _only_plan(offering)
    # With no plan named the version must be that of one of the offering's plans; which one only the broker knows.
    _check_maintenance(body, (call.plan,) if call.plan is not None else tuple(offering.plans.values()))


def _only_plan(offering: Offering) -> Plan | None:
    return next(iter(offering.plans.values())) if len(offering.plans) == 1 else None


def _check_bind(call: Call, body: BindBody) -> None:
    if call.plan is None:
        return
    if not call.plan.bindable:
        raise Refusal(NOT_BINDABLE)
    if body.predecessor_binding_id is not None and not call.plan.binding_rotatable:  # ROT-01
        raise bad_request(
            "The bindings of this service plan cannot be rotated: predecessor_binding_id is not supported."
        )


def _check_parameters(call: Call) -> None:
    body, plan = call.body, call.plan
    schema = plan.schemas.get(call.endpoint) if plan is not None else None
    if body is None or schema is None:
        return
    if body.parameters is not None:
        schema.check(body.parameters)
    elif not isinstance(body, UpdateBody) and not (isinstance(body, BindBody) and body.predecessor_binding_id):
        # Absent is empty, but unchanged in an update (UPD-11), and inherited in a rotation (ROT-08).
        schema.check({})
