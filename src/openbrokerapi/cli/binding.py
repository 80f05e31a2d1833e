"""``openbroker binding``: fetch a binding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .belongings import options

if TYPE_CHECKING:
    from .belongings.desk import Desk


@click.command()
@options.instance_argument
@options.binding_argument
@options.credentials_options
@options.broker_options
def binding(name: str, key: str, **given: Any) -> None:
    """Show a binding, as the broker has it.

    Credentials are printed or written only where it is said.

    Exit codes: 0 shown; 1 the broker refused or failed, or its bindings cannot be fetched; 2 there is none, or the
    broker was not reached; 130 interrupted.
    """
    from .belongings.desk import desk

    with desk(given, name) as at:
        _show(at, name, key)


def _show(at: Desk, name: str, key: str) -> None:
    from .belongings.choosing import find_offering
    from .belongings.desk import recorded_binding, recorded_instance
    from .belongings.printed import show_binding

    instance = recorded_instance(at, name)
    known = recorded_binding(instance, key)
    at.about(instance.name, known.name)
    offering = find_offering(at.catalog(), instance.offering.id)
    if not offering.bindings_retrievable:
        raise click.ClickException(f"bindings of {offering.name} cannot be fetched: the catalog says so")
    found = at.client.fetch_binding(instance.id, known.id, service_id=instance.offering.id, plan_id=instance.plan.id)
    show_binding(at, known, found)
