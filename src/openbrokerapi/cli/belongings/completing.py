"""What a shell completes: instances and bindings from the record, offerings and plans from the last catalogs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import click

from openbrokerapi.cli.target import URL, TargetError, address_of

from .catalog_memory import recall
from .record import Instance
from .record_file import RECORD, RecordError, RecordFile, default_path


def instances(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete the name of an instance."""
    return _beginning((each.name for each in _recorded(context)), incomplete)


def bindings(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete the name of a binding of the instance that is named before it."""
    found = (binding.name for each in _instances_named(context) for binding in each.bindings)
    return _beginning(found, incomplete)


def offerings(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete the name of an offering."""
    return _beginning((name for each in recall(_broker(context)) for name in each.offerings), incomplete)


def plans(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete the name of a plan of the offering that is named before it, or that the instance is of."""
    wanted = {context.params.get("offering")}
    if wanted == {None}:
        wanted = {each.offering.name for each in _instances_named(context)}
    found = (
        plan
        for each in recall(_broker(context))
        for name, names in each.offerings.items()
        for plan in names
        if name in wanted
    )
    return _beginning(found, incomplete)


def _broker(context: click.Context) -> str | None:
    url = context.params.get("url") or os.environ.get(URL)
    try:
        return address_of(url) if url else None
    except TargetError:
        return None  # the command itself says what is wrong


def _recorded(context: click.Context) -> list[Instance]:
    given = context.params.get("record") or os.environ.get(RECORD)
    broker = _broker(context)
    try:
        record = RecordFile(Path(given) if given else default_path()).read()
    except RecordError:
        return []  # the command itself says what is wrong
    return [each for each in record.instances if broker is None or each.broker == broker]


def _instances_named(context: click.Context) -> list[Instance]:
    # Behind an option that waits for its value, click does not tell the arguments: then all of them are meant.
    wanted = context.params.get("name")
    return [each for each in _recorded(context) if wanted in (None, each.name)]


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return sorted({name for name in names if name.startswith(incomplete)})
