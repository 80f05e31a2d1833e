"""`openbroker catalog`: show, check and compare catalogs."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from .catalog_source import SourceError, fetch_catalog, read_catalog
from .target import URL, find_target, target_options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from openbrokerapi.protocol.catalog_diff import Change
    from openbrokerapi.protocol.catalog_rules import Finding

_LEVEL_COLOURS = {"MUST": "red", "SHOULD": "yellow", "MAY": "blue"}

_SOURCE_HELP = """\
A SOURCE is a file (.json, .yaml, .yml), a broker in Python (package.module:attribute; a broker, or a class or function
without arguments that makes one), or the address of a running broker (https://...). Credentials for a running broker
are taken from OPENBROKER_USERNAME and OPENBROKER_PASSWORD, from OPENBROKER_TOKEN, from a file or a prompt.
"""


def _source_options(command: Callable[..., Any]) -> Callable[..., Any]:
    as_json = click.option("--json", "as_json", is_flag=True, help="Write JSON.")
    return target_options(as_json(command))


@click.group(epilog=_SOURCE_HELP, invoke_without_command=True)
@click.option("--url", envvar=URL, metavar="URL", help=f"The broker's address, before /v2; or {URL}.")
@_source_options
@click.pass_context
def catalog(context: click.Context, /, url: str | None, *, as_json: bool, **given: Any) -> None:
    """Show the catalog of a running broker; or show, check and compare catalogs of whatever source.

    Without a command the catalog of the broker at --url is shown. The options belong to that alone: each command has
    its own.

    Exit codes: 0 shown, 2 no catalog could be read.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name in a catalog may have letters that the terminal's encoding lacks.
        sys.stdout.reconfigure(errors="backslashreplace")
    if context.invoked_subcommand is None:
        target = find_target(url, **given)
        document = fetch_catalog(target)
        _show(document, target.url, as_json=as_json)
        _remember(target.url, document)
    else:
        _refuse_options_of_none(context)


def _refuse_options_of_none(context: click.Context) -> None:
    given = click.core.ParameterSource.COMMANDLINE
    for parameter in context.command.params:
        if parameter.name and context.get_parameter_source(parameter.name) is given:
            raise click.UsageError(
                f"{parameter.opts[0]} stands behind {context.invoked_subcommand}, or without a command"
            )


def _remember(broker: str, document: Any) -> None:
    """Keep the names for shells to complete; a catalog that breaks the specification has none to keep."""
    from openbrokerapi.platform import BrokerError, Response, calls

    from .belongings.catalog_memory import remember

    with contextlib.suppress(BrokerError):
        remember(broker, calls.catalog().read(Response(200, body=json.dumps(document).encode())))


@catalog.command(short_help="Show the offerings and plans.", epilog=_SOURCE_HELP)
@click.argument("source")
@_source_options
def show(source: str, *, as_json: bool, **given: Any) -> None:
    """Show the offerings and plans of a catalog.

    With --json the whole catalog is written, also the secret of a dashboard client, if there is one.

    Exit codes: 0 shown, 2 no catalog could be read.
    """
    _show(read_catalog(source, given), source, as_json=as_json)


def _show(document: Any, source: str, *, as_json: bool) -> None:
    _refuse_other_documents(document, source)
    if as_json:
        _write_json(document)
        return
    from .catalog_table import write_table

    write_table(document)


@catalog.command(short_help="Check against the specification.", epilog=_SOURCE_HELP)
@click.argument("source")
@click.option("--strict", is_flag=True, help="Fail for a SHOULD as well.")
@_source_options
def check(source: str, *, strict: bool, as_json: bool, **given: Any) -> None:
    """Check a catalog against every rule of the specification that it can show.

    Exit codes: 0 no MUST is broken (with --strict: no SHOULD either), 1 one is, 2 no catalog could be read.
    """
    from openbrokerapi.protocol import catalog_rules

    findings = catalog_rules.check(read_catalog(source, given))
    counts = {level: sum(finding.level == level for finding in findings) for level in _LEVEL_COLOURS}
    if as_json:
        _write_json({"source": source, "counts": counts, "findings": [asdict(finding) for finding in findings]})
    else:
        _write_findings(findings, counts)
    failing = counts["MUST"] + (counts["SHOULD"] if strict else 0)
    sys.exit(1 if failing else 0)


@catalog.command(short_help="Say what would break existing instances.", epilog=_SOURCE_HELP)
@click.argument("old")
@click.argument("new")
@_source_options
def diff(old: str, new: str, *, as_json: bool, **given: Any) -> None:
    """Say what a NEW catalog changes for the instances made from the OLD one.

    Exit codes: 0 nothing breaks, 1 something breaks existing instances or their users, 2 a catalog could not be read.
    """
    from openbrokerapi.protocol import catalog_diff

    documents = [read_catalog(source, given) for source in (old, new)]
    for document, source in zip(documents, (old, new), strict=True):
        _refuse_other_documents(document, source)
    try:
        changes = catalog_diff.diff(*documents)
    except RecursionError:
        raise SourceError("the catalogs are nested too deep to be compared") from None
    breaking = any(change.breaking for change in changes)
    if as_json:
        _write_json({"old": old, "new": new, "breaking": breaking, "changes": [asdict(change) for change in changes]})
    else:
        _write_changes(changes)
    sys.exit(1 if breaking else 0)


def _refuse_other_documents(document: Any, source: str) -> None:
    if not isinstance(document, dict) or not isinstance(document.get("services"), list):
        raise SourceError(f'{source} is no catalog: it has no array "services"')


def _write_json(value: Any) -> None:
    # ASCII only: it can be written whatever the encoding of the terminal or pipe is, also a half of a surrogate pair.
    click.echo(json.dumps(value, indent=2))


def _write_findings(findings: list[Finding], counts: dict[str, int]) -> None:
    for level, colour in _LEVEL_COLOURS.items():
        lines = [(finding.rule, finding.where, finding.message) for finding in findings if finding.level == level]
        _write_group(level, colour, lines)
    if findings:
        click.echo(", ".join(f"{count} {level}" for level, count in counts.items()))
    else:
        click.echo("The catalog keeps to every rule that it can show.")


def _write_changes(changes: list[Change]) -> None:
    for title, colour, breaking in (("BREAKING", "red", True), ("NOTES", "blue", False)):
        lines = [(change.kind, change.where, change.message) for change in changes if change.breaking is breaking]
        _write_group(title, colour, lines)
    count = sum(change.breaking for change in changes)
    click.echo(f"{count} breaking, {len(changes) - count} not" if changes else "Nothing changes for instances.")


def _write_group(title: str, colour: str, lines: Iterable[tuple[str, str, str]]) -> None:
    lines = list(lines)
    if not lines:
        return
    click.secho(title, fg=colour, bold=True)
    for rule, where, message in lines:
        # One line each, whatever the width: a pipe may search them.
        click.echo(f"  {click.style(rule, fg=colour)}  {where}: {message}")
    click.echo()
