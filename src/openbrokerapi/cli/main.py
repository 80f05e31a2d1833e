"""The command `openbroker`."""

from __future__ import annotations

import importlib
from typing import NamedTuple

import click

from openbrokerapi.version import __version__


class _Command(NamedTuple):
    module: str
    attribute: str
    help: str


# A command's module is imported when the command runs: none pays for what another one needs.
_COMMANDS = {
    "serve": _Command("openbrokerapi.cli.serve", "serve", "Serve a broker over HTTP."),
    "worker": _Command("openbrokerapi.cli.worker", "worker", "Carry out the operations of a managed broker."),
    "db": _Command("openbrokerapi.cli.db", "db", "Look after the store of a managed broker."),
    "operations": _Command(
        "openbrokerapi.cli.operations", "operations", "See what a managed broker does, and what it left."
    ),
    "keys": _Command("openbrokerapi.cli.keys", "keys", "Make keys, and seal the state with a new one."),
    "catalog": _Command("openbrokerapi.cli.catalog", "catalog", "Show, check and compare catalogs."),
    "check": _Command("openbrokerapi.cli.check", "check", "Check a broker, in any language."),
    "provision": _Command("openbrokerapi.cli.provision", "provision", "Make an instance at any broker."),
    "update": _Command("openbrokerapi.cli.update", "update", "Change an instance."),
    "deprovision": _Command("openbrokerapi.cli.deprovision", "deprovision", "Delete an instance."),
    "bind": _Command("openbrokerapi.cli.bind", "bind", "Make a binding."),
    "rotate": _Command("openbrokerapi.cli.rotate", "rotate", "Make the successor of a binding."),
    "unbind": _Command("openbrokerapi.cli.unbind", "unbind", "Delete a binding."),
    "instances": _Command("openbrokerapi.cli.instances", "instances", "List what you have made."),
    "instance": _Command("openbrokerapi.cli.instance", "instance", "Show an instance."),
    "binding": _Command("openbrokerapi.cli.binding", "binding", "Show a binding."),
    "poll": _Command("openbrokerapi.cli.poll", "poll", "See how an operation goes."),
    "register": _Command("openbrokerapi.cli.register", "register", "Print how to register a broker at a platform."),
    "completion": _Command("openbrokerapi.cli.completion", "completion", "Print the completion for a shell."),
    "demo": _Command("openbrokerapi.cli.demo", "demo", "Watch a broker provision real databases."),
}


class _LazyGroup(click.Group):
    """A group that lists its commands without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's interface
        """Return the names of the commands, in the order of the help."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's interface
        """Import the command of this name."""
        place = _COMMANDS.get(cmd_name)
        if place is None:
            return None
        command: click.Command = getattr(importlib.import_module(place.module), place.attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        """Write the list of the commands from the table above."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.help) for name, place in _COMMANDS.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="openbroker")
def main() -> None:
    """Run and check service brokers of the Open Service Broker API."""


if __name__ == "__main__":
    main(prog_name="openbroker")
