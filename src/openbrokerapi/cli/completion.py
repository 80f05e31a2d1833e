"""``openbroker completion``: what a shell needs to complete commands, names, offerings and plans."""

from __future__ import annotations

import click

_VARIABLE = "_OPENBROKER_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that lets a SHELL complete this command.

    \b
    bash: eval "$(openbroker completion bash)" in ~/.bashrc
    zsh:  eval "$(openbroker completion zsh)" in ~/.zshrc, after compinit
    fish: openbroker completion fish > ~/.config/fish/completions/openbroker.fish

    Exit code: 0.
    """
    from click.shell_completion import get_completion_class

    from .main import main

    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - one of the choices above
    click.echo(kind(main, {}, "openbroker", _VARIABLE).source())
