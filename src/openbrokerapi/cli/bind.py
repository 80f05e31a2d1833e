"""``openbroker bind``: make a binding."""

from __future__ import annotations

from typing import Any

import click

from .belongings import options


@click.command()
@options.instance_argument
@click.argument("key", metavar="BINDING", callback=options.new_name)
@click.option("--app", metavar="GUID", help="The application.")
@click.option("--route", metavar="URL", help="The route, for a route service.")
@options.credentials_options
@options.parameter_options
@options.context_options
@click.option("--id", "binding_id", metavar="GUID", help="The binding_id.  [default: a new one]")
@options.incomplete_option
@options.waiting_options
@options.broker_options
def bind(name: str, key: str, **given: Any) -> None:
    """Make a binding of an instance, and call it BINDING.

    Credentials are printed or written only where it is said. They are not recorded.

    Exit codes: 0 made, or going on with --no-wait; 1 refused or failed; 2 not asked for, or the broker was not reached;
    130 interrupted.
    """
    from .belongings.binding_deeds import bind as carry_out
    from .belongings.desk import desk
    from .belongings.printed import report

    with desk(given, name) as at:
        report(at, *carry_out(at, name, key))
