"""``openbroker worker``: carries the operations of a managed broker out, apart from the processes that serve it."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import signal
import sys
from typing import Any

import click

from .managing import ManagingError, State, finished, is_managed, prepare, state_of, state_options, store_at, told

logger = logging.getLogger("openbrokerapi.worker")

# What the broker's own end may take beyond the time that it gives to running steps.
_SLACK_SECONDS = 10.0
_LEVELS = click.Choice(["debug", "info", "warning", "error"])


@click.command()
@click.argument("reference", metavar="PACKAGE.MODULE:BROKER")
@state_options
@click.option(
    "--stop-within",
    type=click.FloatRange(0),
    help="Seconds that running steps get to end on SIGTERM.  [default: the broker's own, 30 unless set]",
)
@click.option("--log-level", default="info", show_default=True, type=_LEVELS)
def worker(
    reference: str,
    store: str | None,
    keys_file: str | None,
    development: bool,
    stop_within: float | None,
    log_level: str,
) -> None:
    """Carry out the operations of a managed broker, without HTTP.

    For PostgreSQL: as many workers as wanted share the work, also with the processes of `openbroker serve`, unless
    those are told --no-work. On SIGTERM no new work is begun, running steps get --stop-within seconds, and the rest is
    released for others to take up.

    Exit codes: 0 stopped by SIGTERM or SIGINT, 2 not started.
    """
    import uvicorn

    from .serving import configure_logging

    configure_logging(log_level)
    state = state_of(click.get_current_context(), store, keys_file, development=development)
    broker = _prepared(reference, state, stop_within)
    finished(_worked(broker, reference), uvicorn.Config("").get_loop_factory())


def _prepared(reference: str, state: State, stop_within: float | None) -> Any:
    from .broker_reference import load_broker

    broker = load_broker(reference)
    if not is_managed(broker):
        raise ManagingError(f"{reference} is no managed broker, and has no operations to carry out")
    if not broker.connected:
        with told():
            shared = store_at(state.store).shared
        if not shared:
            raise ManagingError(
                "workers need a PostgreSQL store: a SQLite store belongs to the process of `openbroker serve`, "
                "which carries operations out itself; give --store postgresql://..."
            )
    if stop_within is not None:
        _set_stop_within(broker, stop_within, reference)
    prepare(broker, state, reference=reference)
    return broker


def _set_stop_within(broker: Any, seconds: float, reference: str) -> None:
    if broker.connected:
        raise ManagingError(f"{reference} has its store from its code; leave out --stop-within, and set it there")
    broker.settings = dataclasses.replace(broker.settings, stop_within=seconds)


async def _worked(broker: Any, reference: str) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await broker.startup()
    click.echo(f"Working for {reference} (process {os.getpid()})", err=True)
    await stop.wait()
    try:
        async with asyncio.timeout(broker.settings.stop_within + _SLACK_SECONDS):
            await broker.shutdown()
    except TimeoutError:
        logger.warning("the broker did not end in time; what it holds is taken up when its lease is over")
    _leave()


def _leave() -> None:
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    # Now, and not when the loop is closed: a step that has not ended in time, in a thread, would keep the process for
    # as long as it likes.
    os._exit(0)
