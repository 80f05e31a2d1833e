"""The options that the operator's commands have in common."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from openbrokerapi.cli.target import URL, target_options

from . import completing
from .record_file import RECORD

Decorated = Callable[..., Any]


def new_name(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    """Take a name that the record gets; one that nobody can see or type again is refused.

    Raises:
        click.BadParameter: It is empty, or has characters that cannot be printed.
    """
    if not value.strip() or not value.isprintable():
        raise click.BadParameter("a name has characters that can be seen")
    return value


def _finite(_context: click.Context, _parameter: click.Parameter, value: float) -> float:
    if not math.isfinite(value):
        raise click.BadParameter("write a number of seconds")
    return value


instance_argument = click.argument("name", metavar="INSTANCE", shell_complete=completing.instances)
binding_argument = click.argument("key", metavar="BINDING", shell_complete=completing.bindings)


def broker_options(command: Decorated) -> Decorated:
    """Add the options that say which broker, with which credentials and on whose behalf; the record, and --json."""
    identity = click.option(
        "--originating-identity",
        metavar="'PLATFORM JSON'",
        help='On whose behalf, such as \'cloudfoundry {"user_id": "..."}\'.',
    )
    return url_option(target_options(identity(record_option(json_option(command)))))


def url_option(command: Decorated) -> Decorated:
    """Add the option of the broker's address."""
    return click.option("--url", envvar=URL, metavar="URL", help=f"The broker's address, before /v2; or {URL}.")(
        command
    )


def record_option(command: Decorated) -> Decorated:
    """Add the option of the record."""
    return click.option(
        "--record",
        envvar=RECORD,
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="What you have, by name.  [default: openbroker/record.json in the directory for state]",
    )(command)


def json_option(command: Decorated) -> Decorated:
    """Add --json."""
    return click.option("--json", "as_json", is_flag=True, help="Write JSON.")(command)


def waiting_options(command: Decorated) -> Decorated:
    """Add the options of waiting for the end of an operation."""
    for option in (
        click.option(
            "--attempts",
            type=click.IntRange(min=1),
            default=5,
            show_default=True,
            help="How often to try to delete what a failure may have left.",
        ),
        click.option(
            "--interval",
            type=click.FloatRange(min=0.01),
            callback=_finite,
            default=1.0,
            show_default=True,
            help="Seconds before the first poll; later ones are further apart.",
        ),
        click.option("--wait/--no-wait", "waits", default=True, help="Wait for the end.  [default: wait]"),
    ):
        command = option(command)
    return command


def forget_option(command: Decorated) -> Decorated:
    """Add the option to delete in the record alone."""
    return click.option("--forget", is_flag=True, help="Only take it out of the record, whatever the broker has.")(
        command
    )


def incomplete_option(command: Decorated) -> Decorated:
    """Add the option of what the broker may answer."""
    return click.option(
        "--accepts-incomplete/--no-accepts-incomplete",
        "accepts_incomplete",
        default=True,
        help="Whether the broker may go on after its answer.  [default: it may]",
    )(command)


def parameter_options(command: Decorated) -> Decorated:
    """Add the options of parameters."""
    for option in (
        click.option("--no-check", is_flag=True, help="Do not compare them with the plan's schema before."),
        click.option(
            "-P",
            "--parameters",
            "documents",
            multiple=True,
            metavar="JSON|@FILE|-",
            help="All parameters: JSON, a file of JSON or YAML, or standard input.",
        ),
        click.option(
            "-p",
            "--parameter",
            "assignments",
            multiple=True,
            metavar="NAME=VALUE",
            help="One parameter; dots lead into objects, the value is JSON or else a string.",
        ),
    ):
        command = option(command)
    return command


def context_options(command: Decorated) -> Decorated:
    """Add the options of the context."""
    for option in (
        click.option("--space", metavar="GUID", help="The space's GUID."),
        click.option("--organization", metavar="GUID", help="The organization's GUID."),
        click.option("--context", metavar="JSON|@FILE", help="Fields of the context, such as platform."),
    ):
        command = option(command)
    return command


def credentials_options(command: Decorated) -> Decorated:
    """Add the options of what becomes of a binding's credentials."""
    for option in (
        click.option(
            "--write-credentials",
            type=click.Path(dir_okay=False, path_type=Path),
            metavar="FILE",
            help="Write the credentials as JSON to a file that you alone can read.",
        ),
        click.option("--show-credentials", is_flag=True, help="Print the credentials, too."),
    ):
        command = option(command)
    return command
