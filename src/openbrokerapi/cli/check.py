"""``openbroker check``: does a broker, in whatever language, keep to the specification?"""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .target import Target, find_target, target_options

if TYPE_CHECKING:
    from collections.abc import Callable

    from openbrokerapi.conformance import Checker, Cooperation, Listener, Options, Report

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUT = click.Path(dir_okay=False, writable=True, allow_dash=True, path_type=Path)
_INTERRUPTED = 130


class CheckError(click.ClickException):
    """Nothing can be checked; the message says why."""

    exit_code = 2


@click.command()
@click.argument("url", required=False)
@target_options
@click.option(
    "--file",
    "cooperation_file",
    type=_FILE,
    metavar="FILE",
    help="What cannot be guessed: plans, parameters, which plan fails (YAML or JSON). --template writes one.",
)
@click.option("--template", is_flag=True, help="Write a file for --file from the broker's catalog, and stop.")
@click.option(
    "--api-version",
    type=click.Choice(["2.11", "2.12", "2.13", "2.14", "2.15", "2.16", "2.17"]),
    default="2.17",
    show_default=True,
    help="Do not ask for what is younger.",
)
@click.option("--only", multiple=True, metavar="RULE", help="Only these rules, or groups of rules such as PROV.")
@click.option("--skip", multiple=True, metavar="RULE", help="Not these rules or groups.")
@click.option("--exceptions", type=_FILE, metavar="FILE", help="Known breaches: rules and the reason of each (YAML).")
@click.option("--strict", is_flag=True, help="Interpretations weigh like what is written.")
@click.option(
    "--fail-on",
    type=click.Choice(["must", "should", "may"]),
    default="must",
    show_default=True,
    help="The lightest breach that makes the exit code 1.",
)
@click.option("--parallel", type=click.IntRange(1, 64), default=8, show_default=True, help="Checks at the same time.")
@click.option(
    "--patience",
    type=click.FloatRange(min=1),
    default=120.0,
    show_default=True,
    help="Seconds that an operation may take.",
)
@click.option("--json", "json_file", type=_OUT, metavar="FILE", help="Write the report as JSON; - for the output.")
@click.option("--junit", "junit_file", type=_OUT, metavar="FILE", help="Write it as JUnit XML; - for the output.")
@click.option("--html", "html_file", type=_OUT, metavar="FILE", help="Write it as one page; - for the output.")
@click.option("-v", "--verbose", is_flag=True, help="Print whole exchanges, and why rules were not judged.")
def check(url: str | None, *, cooperation_file: Path | None, template: bool, **options: Any) -> None:
    """Check the broker at URL against the rules of the specification.

    The URL is the one before /v2; OPENBROKER_URL stands in for it. Credentials come from OPENBROKER_USERNAME and
    OPENBROKER_PASSWORD, from OPENBROKER_TOKEN, from a file, or from a prompt. The plans to check with are chosen from
    the catalog, or named in --file. Instances and bindings are made, and removed again, also on Ctrl-C.

    Exit codes: 0 nothing weighs as much as --fail-on, 1 something does, or something could not be removed, 2 nothing
    could be checked, or no instance could be made, 130 ended by Ctrl-C.
    """
    given = {name: options.pop(name) for name in _TARGET_OPTIONS}
    target = find_target(url, **given)
    from openbrokerapi.conformance import BadFile, CannotCheck

    try:
        if template:
            _write_template(target)
        else:
            sys.exit(_check(target, cooperation_file, options))
    except (BadFile, CannotCheck) as error:
        raise CheckError(f"{error}") from None


_TARGET_OPTIONS = ("credentials_file", "username", "ca", "client_certificate", "client_key", "insecure")


def _check(target: Target, cooperation_file: Path | None, options: dict[str, Any]) -> int:
    from rich.console import Console

    from openbrokerapi.conformance import Cooperation

    from .checking.display import Display

    told = Cooperation.read(cooperation_file) if cooperation_file else Cooperation()
    with Display(Console(stderr=True)) as display:
        report = asyncio.run(_run(target, told, _options(options), display))
    _tell(report, told, options)
    if report.interrupted:
        return _INTERRUPTED
    if report.left_behind or report.breaches(_level(options["fail_on"])):
        return 1
    return 2 if report.empty else 0


def _options(options: dict[str, Any]) -> Options:
    from openbrokerapi.conformance import Options, all_rules
    from openbrokerapi.conformance.exceptions import read_exceptions

    known = {name for rule in all_rules() for name in (rule, rule.split("-", 1)[0])}
    for name in (*options["only"], *options["skip"]):
        if name.upper() not in known:
            raise click.UsageError(f"{name} is neither a rule nor a group of rules, such as PROV-17 or PROV")
    return Options(
        version=options["api_version"],
        strict=options["strict"],
        only=[name.upper() for name in options["only"]],
        skip=[name.upper() for name in options["skip"]],
        parallel=options["parallel"],
        patience=options["patience"],
        exceptions=read_exceptions(options["exceptions"]) if options["exceptions"] else {},
    )


async def _run(target: Target, told: Cooperation, options: Options, listener: Listener) -> Report:
    """Run until the end, or until somebody ends it: what was made is removed in both cases."""
    from openbrokerapi.conformance import Checker, Credentials
    from openbrokerapi.conformance.http_sender import HttpSender

    sender = HttpSender(target.url, verify=target.verify)
    credentials = Credentials(target.username, target.password, target.token)
    checker = Checker(sender, credentials, url=target.url, options=options, cooperation=told, listener=listener)
    try:
        return await _until_interrupted(checker)
    finally:
        await sender.close()


async def _until_interrupted(checker: Checker) -> Report:
    task = asyncio.ensure_future(checker.check())
    loop = asyncio.get_running_loop()
    stopped = False

    def stop() -> None:
        # Only the first one counts: the next would end the cleaning up.
        nonlocal stopped
        if not stopped:
            stopped = True
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    return await task


def _tell(report: Report, told: Cooperation, options: dict[str, Any]) -> None:
    from rich.console import Console

    from openbrokerapi.conformance.reports.as_json import as_json
    from openbrokerapi.conformance.reports.evidence import Evidence
    from openbrokerapi.conformance.reports.junit import as_junit
    from openbrokerapi.conformance.reports.page import as_page

    from .checking.printed import Printed

    evidence = Evidence(told.secrets())
    fail_on = _level(options["fail_on"])
    files: tuple[tuple[Path | None, Callable[[], str]], ...] = (
        (options["json_file"], lambda: as_json(report, evidence)),
        (options["junit_file"], lambda: as_junit(report, evidence, fail_on)),
        (options["html_file"], lambda: as_page(report, evidence)),
    )
    to_output = False
    for path, write in files:
        if path is not None:
            to_output = to_output or str(path) == "-"
            with click.open_file(str(path), "w", encoding="utf-8") as file:
                file.write(write())
    Printed(Console(stderr=to_output, highlight=False), evidence, verbose=options["verbose"]).print(report)


def _level(name: str) -> Any:
    from openbrokerapi.conformance import Level

    return Level(name.upper())


def _write_template(target: Target) -> None:
    from openbrokerapi.conformance import Credentials
    from openbrokerapi.conformance.http_sender import HttpSender
    from openbrokerapi.conformance.template import template_of

    async def fetch() -> str:
        sender = HttpSender(target.url, verify=target.verify)
        try:
            return await template_of(sender, Credentials(target.username, target.password, target.token))
        finally:
            await sender.close()

    click.echo(asyncio.run(fetch()), nl=False)
