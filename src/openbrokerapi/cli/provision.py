"""``openbroker provision``: make an instance at any broker."""

from __future__ import annotations

from typing import Any

import click

from .belongings import completing, options


@click.command()
@click.argument("name", metavar="INSTANCE", callback=options.new_name)
@click.argument("offering", shell_complete=completing.offerings)
@click.argument("plan", shell_complete=completing.plans)
@options.parameter_options
@options.context_options
@click.option("--maintenance-version", metavar="VERSION", help="In place of the one in the catalog.")
@click.option("--id", "instance_id", metavar="GUID", help="The instance_id.  [default: a new one]")
@options.incomplete_option
@options.waiting_options
@options.broker_options
def provision(name: str, offering: str, plan: str, **given: Any) -> None:
    """Make an instance, and call it INSTANCE.

    OFFERING and PLAN are names or ids in the broker's catalog. What is made is recorded before the broker hears of it;
    what a failure leaves behind is deleted again.

    Exit codes: 0 made, or going on with --no-wait; 1 refused or failed; 2 not asked for, or the broker was not reached;
    130 interrupted.
    """
    from .belongings.desk import desk
    from .belongings.instance_deeds import provision as carry_out
    from .belongings.printed import report

    with desk(given) as at:
        report(at, *carry_out(at, name, offering, plan))
