"""``openbroker update``: change an instance."""

from __future__ import annotations

from typing import Any

import click

from .belongings import completing, options


@click.command()
@options.instance_argument
@click.option("--plan", metavar="PLAN", shell_complete=completing.plans, help="The new plan, its name or its id.")
@options.parameter_options
@options.context_options
@click.option("--maintenance-version", metavar="VERSION", help="The version to bring it to.")
@options.incomplete_option
@options.waiting_options
@options.broker_options
def update(name: str, **given: Any) -> None:
    """Change the plan, parameters or maintenance version of an instance.

    Only what is named is changed.

    Exit codes: 0 changed, or going on with --no-wait; 1 refused or failed; 2 not asked for, or the broker was not
    reached; 130 interrupted.
    """
    from .belongings.desk import desk
    from .belongings.instance_deeds import update as carry_out
    from .belongings.printed import report

    with desk(given, name) as at:
        report(at, *carry_out(at, name))
