"""``openbroker unbind``: delete a binding."""

from __future__ import annotations

from typing import Any

import click

from .belongings import options


@click.command()
@options.instance_argument
@options.binding_argument
@options.incomplete_option
@options.waiting_options
@options.broker_options
def unbind(name: str, key: str, **given: Any) -> None:
    """Delete a binding. One that is gone already counts as deleted.

    Exit codes: 0 deleted, or going on with --no-wait; 1 refused or failed; 2 not asked for, or the broker was not
    reached; 130 interrupted.
    """
    from .belongings.binding_deeds import unbind as carry_out
    from .belongings.desk import desk
    from .belongings.printed import report

    with desk(given, name) as at:
        report(at, *carry_out(at, name, key))
