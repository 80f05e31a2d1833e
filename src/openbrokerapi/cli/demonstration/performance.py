"""The whole evening: raise PostgreSQL and the broker, play, show, and clear the stage."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from .broker_server import BrokerServer, BrokerServerError, find_example, load_broker
from .embedded_postgresql import EmbeddedPostgreSQL, EmbeddedPostgreSQLError
from .exchange import Exchange
from .interruption import Interrupted, Interruption
from .play import Play
from .screen import Screen, curl_lines

if TYPE_CHECKING:
    from pathlib import Path


def perform(*, keep: bool, as_json: bool, file: Path | None) -> int:
    """Run the demonstration and remove everything, however it ends.

    Args:
        keep: Leave the servers running after the play, until a signal comes.
        as_json: Print the steps as JSON instead of showing them.
        file: A Python file with a ``PostgresBroker``; the shipped example if None.

    Returns:
        The exit code: 0 if each step did what it should, 1 if not, 128 + n if signal n cut it short.
    """
    screen, interruption = Screen(as_json=as_json), Interruption()
    with interruption.handled():
        try:
            with ExitStack() as stack:
                _play(stack, screen, interruption, file, keep=keep)
        except Interrupted as interrupted:
            return interrupted.exit_code
        except (BrokerServerError, EmbeddedPostgreSQLError) as error:
            click.echo(f"openbroker demo: {error}", err=True)
            return 1
    return 0 if screen.ok else 1


def _play(stack: ExitStack, screen: Screen, interruption: Interruption, file: Path | None, *, keep: bool) -> None:
    start = time.monotonic()
    with interruption.held():
        postgresql = stack.enter_context(EmbeddedPostgreSQL())
    screen.note(f"PostgreSQL runs on 127.0.0.1:{postgresql.port}, in {postgresql.folder}.")
    with interruption.held():
        server = stack.enter_context(BrokerServer(load_broker(file or find_example(), postgresql.url)))
    screen.note(f"The broker answers at {server.url}. Ready after {time.monotonic() - start:.1f} s.\n")
    exchange = stack.enter_context(Exchange(server.url, server.username, server.password))
    play = Play(exchange, postgresql.url)
    screen.heading()
    for step in play.steps():
        screen.step(step)
    screen.note("")
    screen.end()
    if keep and play.plan:
        _stay(screen, server, play.plan)


def _stay(screen: Screen, server: BrokerServer, plan: dict[str, str]) -> None:
    screen.note("\nIt goes on running. Try in another terminal:\n")
    for line in curl_lines(server.url, server.username, server.password, plan):
        screen.note(f"{line}\n")
    screen.note("Ctrl-C ends it and removes everything.")
    try:
        while True:
            signal.pause()
    except Interrupted:  # the wished end: the exit code is the play's
        screen.note("Removing everything.")
