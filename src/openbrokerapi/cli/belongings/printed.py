"""What a command prints when it has ended: sentences for people, JSON for programs; no credentials unless asked for."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click
import msgspec

from openbrokerapi.platform import Provisioned, Updated

from .private_file import write_private
from .record import Entry, Instance, State
from .record_file import RecordError
from .safe_text import safe

if TYPE_CHECKING:
    from pathlib import Path

    from openbrokerapi.platform import Binding, Bound, LastOperation

    from .desk import Desk
    from .nature import Nature
    from .subject import Subject
    from .undertaking import Outcome, Undertaking

# Wider than any table: in a pipe each row stays on its line.
_PIPE_COLUMNS = 10_000
# Whatever of a binding may hold a secret.
_SECRET = ("credentials", "syslog_drain_url", "volume_mounts")
_OPEN = ("route_service_url", "endpoints", "metadata")


def write_json(value: Any) -> None:
    """Write a value for programs."""
    click.echo(json.dumps(value, indent=2))


def entry_fields(entry: Entry) -> dict[str, Any]:
    """Give what the record has of an instance or a binding."""
    fields: dict[str, Any] = msgspec.to_builtins(entry)
    return fields


def outcome_fields(subject: Subject, outcome: Outcome) -> dict[str, Any]:
    """Give what has come of an undertaking, for programs."""
    fields: dict[str, Any] = {
        "instance" if subject.binding is None else "binding": {"name": subject.binding or subject.name}
        if outcome.entry is None
        else entry_fields(outcome.entry),
        "in_progress": outcome.in_progress,
        "deleted": outcome.entry is None,
        "description": outcome.last.description if outcome.last else None,
    }
    if isinstance(outcome.answer, Provisioned | Updated):
        fields["dashboard_url"] = outcome.answer.dashboard_url
        fields["metadata"] = outcome.answer.body.get("metadata")
    return {name: value for name, value in fields.items() if value is not None}


def write_outcome(nature: Nature, subject: Subject, outcome: Outcome) -> None:
    """Say what has come of an undertaking."""
    if outcome.in_progress:
        pending = outcome.entry.pending if outcome.entry else None
        named = f" (operation {safe(pending.operation)})" if pending and pending.operation else ""
        click.echo(f"{subject}: the broker goes on{named}. {subject.command('poll')} waits for the end.")
        return
    of = f" ({outcome.entry.offering.name}, {outcome.entry.plan.name})" if isinstance(outcome.entry, Instance) else ""
    click.echo(safe(f"{subject} {nature.done}{of}."))
    dashboard = getattr(outcome.answer, "dashboard_url", None)
    if dashboard:
        click.echo(safe(f"Dashboard: {dashboard}"))


def write_table(instances: list[Instance]) -> None:
    """Write a line for each instance, and each binding below its instance."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    terminal = sys.stdout.isatty()
    console = Console(file=sys.stdout, width=None if terminal else _PIPE_COLUMNS, highlight=False)
    table = Table(box=SIMPLE_HEAD if terminal else None, pad_edge=False)
    for column in ("Name", "Offering", "Plan", "State", "Id", "Broker"):
        table.add_column(column, overflow="fold", no_wrap=not terminal)
    for row in _rows(instances):
        table.add_row(*(Text(safe(cell)) for cell in row))
    with console.capture() as captured:
        console.print(table)
    sys.stdout.writelines(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def _rows(instances: list[Instance]) -> Iterator[tuple[str, ...]]:
    for each in instances:
        yield each.name, each.offering.name, each.plan.name, state_of(each), each.id, each.broker
        for binding in each.bindings:
            yield f"  {binding.name}", "", "", state_of(binding), binding.id, ""


def state_of(entry: Entry) -> str:
    """Say how an instance or a binding is."""
    if entry.pending is not None and not entry.pending.accepted:
        return f"{entry.state}, not answered"
    if entry.state in (State.CREATE_FAILED, State.DELETE_FAILED):
        return f"{entry.state}, may be left at the broker"
    usable = getattr(entry, "usable", True)
    return str(entry.state) if usable else f"{entry.state}, not usable"


def connection_fields(details: Bound | Binding, *, show: bool) -> dict[str, Any]:
    """Give what a broker says of a binding; what may be secret only if it is to be shown."""
    names = (*_OPEN, *_SECRET) if show else _OPEN
    return {name: details.body[name] for name in names if details.body.get(name) is not None}


def write_connection(details: Bound | Binding, *, show: bool, path: Path | None) -> None:
    """Say what a broker says of a binding, and where its credentials are."""
    write_fields(connection_fields(details, show=show))
    for name in _SECRET:
        written = name == "credentials" and path is not None
        if not show and not written and details.body.get(name):
            click.echo(f"{name}: not shown (--show-credentials)")
    if path is not None:
        click.echo(f"The credentials are in {path}.")


def write_fields(fields: Mapping[str, Any]) -> None:
    """Write names and values, a line each."""
    for name, value in fields.items():
        text = value if isinstance(value, str) else json.dumps(value)
        click.echo(safe(f"{name}: {text}"))


def keep_credentials(details: Bound | Binding, path: Path) -> None:
    """Write the credentials to a file that its owner alone can read.

    Raises:
        RecordError: The file cannot be written.
    """
    try:
        write_private(path, json.dumps(details.credentials or {}, indent=2).encode() + b"\n")
    except OSError as error:
        raise RecordError(f"{path} cannot be written: {error.strerror}") from None


def report(at: Desk, undertaking: Undertaking, outcome: Outcome, details: Bound | Binding | None = None) -> None:
    """Say what has come of an undertaking, with what the broker says of a binding that was made."""
    given = at.options
    path = given.get("write_credentials")
    if details is not None and path:
        keep_credentials(details, path)
    show = bool(given.get("show_credentials"))
    if at.as_json:
        more = {} if details is None else connection_fields(details, show=show)
        write_json({**outcome_fields(undertaking.subject, outcome), **({"connection": more} if more else {})})
        return
    write_outcome(undertaking.nature, undertaking.subject, outcome)
    if details is not None:
        write_connection(details, show=show, path=path)


def show_binding(at: Desk, known: Entry, details: Bound | Binding) -> None:
    """Show a binding that was fetched."""
    path = at.options["write_credentials"]
    if path:
        keep_credentials(details, path)
    show = bool(at.options["show_credentials"])
    if at.as_json:
        write_json({"binding": entry_fields(known), "connection": connection_fields(details, show=show)})
        return
    write_fields({"name": known.name, "id": known.id, "state": state_of(known)})
    write_connection(details, show=show, path=path)


def write_last(at: Desk, entry: Entry, last: LastOperation) -> None:
    """Say how an operation goes that the record does not know of; end with 1 if it has failed."""
    if at.as_json:
        fields = {"state": last.state, "description": last.description}
        write_json({"last_operation": {name: value for name, value in fields.items() if value is not None}})
    else:
        said = f": {last.description}" if last.description else ""
        click.echo(safe(f"{entry.name}: the last operation {_STATES.get(last.state, last.state)}{said}"))
    if last.failed:
        click.get_current_context().exit(1)


_STATES = {"in progress": "is in progress", "succeeded": "has succeeded", "failed": "has failed"}
