"""``openbroker keys``: the keys that seal what may hold secrets."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import click
import msgspec

from .managing import finished, given_ring, keys_option, needed_ring, opened, store_option, told

if TYPE_CHECKING:
    from openbrokerapi.managed.key_ring import KeyRing
    from openbrokerapi.managed.sealing import Resealed

_SHOWN = 20
# A running broker that reads the same file has a new key after a second; what it sealed until then is visited again.
_SETTLE_SECONDS = 1.5

_KEYS_HELP = """\
Keys come from a file (--keys-file, OPENBROKER_KEYS_FILE) or from OPENBROKER_KEYS: one id:key a line, or several with
commas between. The first one seals, all of them open.
"""


@click.group(epilog=_KEYS_HELP)
def keys() -> None:
    """Make keys, and seal the state with a new one."""


@keys.command(short_help="Print a line for a new key.")
def new() -> None:
    """Print a line with a new key: its id and 32 random bytes.

    Exit code: 0.
    """
    from openbrokerapi.managed.key_ring import new_key

    click.echo(new_key())


@keys.command(short_help="Seal all of the state with the current key.", epilog=_KEYS_HELP)
@store_option
@keys_option
@click.option("--from-development", is_flag=True, help="Also seal what was kept unsealed for development.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def rotate(store: str | None, keys_file: str | None, from_development: bool, as_json: bool) -> None:
    """Seal every value with the current key, the first one, while brokers run.

    Give the new key to all processes of the broker first: one that reads the same file has it within a second, one that
    has its keys from the environment must be started anew. Afterwards the old key can be taken away.

    Exit codes: 0 all is sealed with the current key, 1 something is not, 2 the store or the keys cannot be used.
    """
    with told():
        ring = needed_ring(keys_file)
    from_file = keys_file is not None
    resealed = finished(_rotated(store, ring, from_file=from_file, from_development=from_development, quiet=as_json))
    if as_json:
        click.echo(msgspec.json.encode(_report(resealed, ring)))
    else:
        _write_report(resealed, ring)
    sys.exit(1 if resealed.left or resealed.unopened else 0)


async def _rotated(url: str | None, ring: KeyRing, *, from_file: bool, from_development: bool, quiet: bool) -> Resealed:
    from openbrokerapi.managed.sealing import reseal_all

    terminal = sys.stderr.isatty() and not quiet

    def progress(rows: int) -> None:
        if terminal:
            click.echo(f"\r{rows} rows", err=True, nl=False)

    async with opened(url) as store:
        first = await reseal_all(store, ring, progress=progress, from_development=from_development)
        if from_file:
            await asyncio.sleep(_SETTLE_SECONDS)
        again = await reseal_all(store, ring, from_development=from_development)
    if terminal:
        click.echo(err=True)
    return msgspec.structs.replace(again, rows=first.rows + again.rows)


def _report(resealed: Resealed, ring: KeyRing) -> dict[str, Any]:
    return {"current": ring.current, **msgspec.to_builtins(resealed)}


def _write_report(resealed: Resealed, ring: KeyRing) -> None:
    click.echo(f"Sealed {_counted(resealed.rows, 'row')} again, with key '{ring.current}'.")
    for each in resealed.unopened[:_SHOWN]:
        click.echo(f"{each.table}.{each.column} of {'/'.join(map(str, each.key))} is left: {each.reason}", err=True)
    if len(resealed.unopened) > _SHOWN:
        click.echo(f"... and {len(resealed.unopened) - _SHOWN} more; --json shows all.", err=True)
    if resealed.left:
        click.echo(
            f"{_counted(resealed.left, 'row')} were sealed with another key again and again: "
            "a running broker does not have the new key yet. Give it to all, and run this again.",
            err=True,
        )


@keys.command(short_help="Count the sealed values by key.", epilog=_KEYS_HELP)
@store_option
@keys_option
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def status(store: str | None, keys_file: str | None, as_json: bool) -> None:
    """Count the sealed values of the state by the id of their key.

    Keys are not needed; where they are given, each id is compared with them.

    Exit codes: 0 all is sealed with the current key, or no keys are given; 1 something is not; 2 the store or the keys
    cannot be used.
    """
    with told():
        ring = given_ring(keys_file)
    counts = finished(_counts(store))
    current = ring.current if ring else None
    if as_json:
        sealed = {name: count for name, count in counts.items() if name is not None}
        click.echo(msgspec.json.encode({"current": current, "sealed": sealed, "unsealed": counts.get(None, 0)}))
    else:
        _write_counts(counts, ring)
    sys.exit(1 if ring and counts.keys() - {current} else 0)


async def _counts(url: str | None) -> dict[str | None, int]:
    from openbrokerapi.managed.sealing import count_by_key

    async with opened(url) as store:
        return await count_by_key(store)


def _write_counts(counts: dict[str | None, int], ring: KeyRing | None) -> None:
    for name, count in sorted(counts.items(), key=lambda item: item[0] or ""):
        word = "not sealed" if name is None else f"key '{name}'"
        click.echo(f"{word}: {_counted(count, 'value')}{_remark(name, ring)}")
    if not counts:
        click.echo("Nothing is sealed yet.")


def _remark(name: str | None, ring: KeyRing | None) -> str:
    if ring is None or name is None:
        return ""
    if name == ring.current:
        return ", the current key"
    return ", to be rotated" if name in ring.ids else ", and this key is not among those given"


def _counted(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{number} {what}s"
