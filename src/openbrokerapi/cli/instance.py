"""``openbroker instance``: fetch an instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .belongings import options

if TYPE_CHECKING:
    from .belongings.desk import Desk


@click.command()
@options.instance_argument
@click.option("--show-parameters", is_flag=True, help="Print the parameters, too.")
@options.broker_options
def instance(name: str, **given: Any) -> None:
    """Show an instance: what the record has, and what the broker says, if its instances can be fetched.

    Exit codes: 0 shown; 1 the broker refused or failed; 2 there is none, or the broker was not reached; 130
    interrupted.
    """
    from .belongings.desk import desk

    with desk(given, name) as at:
        _show(at, name)


def _show(at: Desk, name: str) -> None:
    from .belongings.choosing import find_offering
    from .belongings.desk import recorded_instance
    from .belongings.printed import entry_fields, write_fields, write_json

    known = recorded_instance(at, name)
    at.about(known.name)
    offering = find_offering(at.catalog(), known.offering.id)
    fetched: dict[str, Any] | None = None
    if offering.instances_retrievable:  # GETI-03
        answer = at.client.fetch_instance(known.id, service_id=known.offering.id, plan_id=known.plan.id)
        hidden = () if at.options["show_parameters"] else ("parameters",)
        fetched = {field: value for field, value in answer.body.items() if field not in hidden}
    if at.as_json:
        write_json({"instance": entry_fields(known), "fetched": fetched})
        return
    write_fields(_sentences(known))
    if fetched is None:
        click.echo(f"Instances of {offering.name} cannot be fetched; this is what the record has.", err=True)
    else:
        write_fields({f"broker says {field}": value for field, value in fetched.items()})


def _sentences(known: Any) -> dict[str, Any]:
    from .belongings.printed import state_of

    return {
        "name": known.name,
        "id": known.id,
        "offering": known.offering.name,
        "plan": known.plan.name,
        "state": state_of(known),
        "broker": known.broker,
        "bindings": ", ".join(each.name for each in known.bindings) or "none",
    }
