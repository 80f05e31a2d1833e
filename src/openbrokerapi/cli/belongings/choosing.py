"""Offerings and plans by what an operator calls them; who mistypes is told what is near."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

import click

from openbrokerapi.platform import Catalog, Offering, Plan

from .safe_text import safe

_MOST = 12


class ChoiceError(click.ClickException):
    """There is no such thing; the message says what there is."""

    exit_code = 2


def find_offering(catalog: Catalog, wanted: str) -> Offering:
    """Find an offering by its name or its id.

    Raises:
        ChoiceError: There is none.
    """
    try:
        return catalog.offering(wanted)
    except LookupError:
        raise ChoiceError(not_found("offering", wanted, [each.name for each in catalog.offerings])) from None


def find_plan(offering: Offering, wanted: str) -> Plan:
    """Find a plan of an offering by its name or its id.

    Raises:
        ChoiceError: There is none.
    """
    try:
        return offering.plan(wanted)
    except LookupError:
        names = [each.name for each in offering.plans]
        raise ChoiceError(not_found("plan", wanted, names, f" of {safe(offering.name)}")) from None


def not_found(what: str, wanted: str, names: Iterable[str], where: str = "") -> str:
    """Say that there is no such thing, what is near, and what there is."""
    known = list(dict.fromkeys(names))
    lowered = {name.lower(): name for name in known}
    near = [lowered[each] for each in get_close_matches(wanted.lower(), lowered, n=3)]
    asked = f"; did you mean {_joined(near)}?" if near else "."
    return f'there is no {what} "{safe(wanted)}"{where}{asked} There is {_joined(known[:_MOST], len(known))}'


def _joined(names: Sequence[str], count: int = 0) -> str:
    more = f" and {count - len(names)} more" if count > len(names) else ""
    return ", ".join(map(safe, names)) + more or "nothing"


def check_parameters(plan: Plan, endpoint: str, parameters: dict[str, Any] | None) -> None:
    """Compare parameters with the plan's schema, as a platform does before it sends them.

    Args:
        plan: The plan.
        endpoint: ``provision``, ``update`` or ``bind``.
        parameters: What would be sent; None is nothing to be compared.

    Raises:
        ChoiceError: They break the schema; the message says where, and shows no value.
    """
    schema = plan.schema(endpoint)
    if schema is None or parameters is None:
        return
    from openbrokerapi.protocol.parameters import ParameterSchema
    from openbrokerapi.protocol.problems import Refusal

    try:
        ParameterSchema(dict(schema)).check(parameters)
    except Refusal as refusal:
        raise ChoiceError(
            f"{refusal.description} The plan {safe(plan.name)} says so; --no-check sends them all the same."
        ) from None
