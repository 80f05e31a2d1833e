"""``openbroker rotate``: make the successor of a binding."""

from __future__ import annotations

from typing import Any

import click

from .belongings import options


@click.command()
@options.instance_argument
@options.binding_argument
@click.argument("successor", callback=options.new_name)
@options.credentials_options
@options.context_options
@click.option("--id", "binding_id", metavar="GUID", help="The successor's binding_id.  [default: a new one]")
@options.incomplete_option
@options.waiting_options
@options.broker_options
def rotate(name: str, key: str, successor: str, **given: Any) -> None:
    """Make the SUCCESSOR of a binding, with new credentials.

    Both are valid from then on; unbind the old one when nobody uses it any more.

    Exit codes: 0 made, or going on with --no-wait; 1 refused or failed; 2 not asked for, or the broker was not reached;
    130 interrupted.
    """
    from .belongings.binding_deeds import rotate as carry_out
    from .belongings.desk import desk
    from .belongings.printed import report

    with desk(given, name) as at:
        report(at, *carry_out(at, name, key, successor))
