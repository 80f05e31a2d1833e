"""``openbroker deprovision``: delete an instance."""

from __future__ import annotations

from typing import Any

import click

from .belongings import options


@click.command()
@options.instance_argument
@click.option("--with-bindings", is_flag=True, help="Delete its bindings before.")
@click.option("--forget", is_flag=True, help="Only take it out of the record, whatever the broker has.")
@options.incomplete_option
@options.waiting_options
@options.broker_options
def deprovision(name: str, *, with_bindings: bool, forget: bool, **given: Any) -> None:
    """Delete an instance. One that is gone already counts as deleted.

    Exit codes: 0 deleted, or going on with --no-wait; 1 refused or failed; 2 not asked for, or the broker was not
    reached; 130 interrupted.
    """
    from .belongings.binding_deeds import unbind
    from .belongings.desk import desk, recorded_instance
    from .belongings.instance_deeds import deprovision as carry_out
    from .belongings.printed import report, write_json

    if with_bindings and not given["waits"]:
        raise click.UsageError("--with-bindings waits for the bindings; leave out --no-wait")
    with desk(given, name) as at:
        if forget:
            at.about(recorded_instance(at, name).name).save(None)
            if given["as_json"]:
                write_json({"instance": {"name": name}, "forgotten": True})
            else:
                click.echo(f"{name} is not in the record any more.")
            return
        for binding in recorded_instance(at, name).bindings if with_bindings else ():
            unbind(at, name, binding.name)
        report(at, *carry_out(at, name))
