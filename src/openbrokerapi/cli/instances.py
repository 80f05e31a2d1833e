"""``openbroker instances``: what the record has."""

from __future__ import annotations

import json
from pathlib import Path

import click

from .belongings import options


@click.command()
@options.url_option
@options.record_option
@options.json_option
def instances(url: str | None, record: Path | None, *, as_json: bool) -> None:
    """List the instances and bindings that the record has; no broker is asked.

    With --json, one object a line.

    Exit codes: 0, 2 the record cannot be used.
    """
    from .belongings.printed import entry_fields, write_table
    from .belongings.record_file import RecordFile, default_path
    from .target import address_of

    broker = address_of(url) if url else None
    found = [
        each
        for each in RecordFile(record or default_path()).read().instances
        if broker is None or each.broker == broker
    ]
    if as_json:
        for each in found:
            click.echo(json.dumps(entry_fields(each)))
    elif found:
        write_table(found)
    else:
        click.echo("There are no instances in the record.")
