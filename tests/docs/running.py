"""A page, run as a reader would: files written, Python executed, commands typed, outputs compared."""

from __future__ import annotations

import json
import os
import random
import re
import socket
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from tests.docs.pages import Block, joined, read_page, titled
from tests.docs.pythons import Namespace
from tests.docs.terminal import Terminal

# The ports of the pages. Each becomes a free one, since pages run beside one another.
_PORTS = ("8080", "8443")
# What stands before a port that is really used; the 8080 of a help text is none.
_BEFORE_PORT = r"(?:(?<=:)|(?<=port )|(?<=port=)|(?<=PORT=)|(?<=, )|(?<=127\.0\.0\.1 ))"
_MAIN = "main"

# Blocks that are not run, and need no comment that says so.
OTHER_LANGUAGES = {
    "text": "a file of no particular language if it has a title, else a drawing",
    "nginx": "the configuration of a proxy, which the tests do not have",
    "mermaid": "a drawing that is made from the code",
}
_PARSERS: dict[str, Callable[[str], object]] = {
    "json": json.loads,
    "yaml": lambda text: list(yaml.safe_load_all(text)),
    "toml": tomllib.loads,
}


@dataclass(frozen=True)
class Command:
    text: str
    output: str


def commands_of(block: Block) -> list[Command]:
    """Split a console block into commands, which begin with `$ ` and go on with `> `, and their outputs."""
    commands: list[Command] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            commands.append(Command(line[2:], ""))
        elif not commands:
            raise AssertionError(f"{block.place}: a console block begins with a command, `$ ...`")
        elif line.startswith("> ") and not commands[-1].output:
            commands[-1] = Command(f"{commands[-1].text}\n{line[2:]}", "")
        else:
            commands[-1] = Command(commands[-1].text, f"{commands[-1].output}{line}\n")
    return commands


def pattern_of(output: str) -> re.Pattern[str]:
    """Give the pattern of a shown output: `...` is anything within a line, or as a line of its own any lines."""
    lines = []
    for line in output.rstrip().splitlines():
        if line.strip() == "...":
            lines.append(r"(?:.*\n)*?")
        else:
            lines.append(r"[^\n]*?".join(map(re.escape, line.rstrip().split("..."))) + r"[ ]*\n")
    return re.compile("".join(lines))


class Reader:
    """Somebody who follows one page.

    Args:
        folder: An empty directory.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = dict(zip(_PORTS, _free_ports(len(_PORTS)), strict=True))
        # A server that is not told its port takes 8080.
        self._variables = {**_environment(folder), "OPENBROKER_PORT": self._ports["8080"]}
        self._terminals: dict[str, Terminal] = {}
        self._namespace: Namespace | None = None

    def close(self) -> None:
        for terminal in self._terminals.values():
            terminal.close()
        if self._namespace is not None:
            self._namespace.close()

    def follow(self, block: Block) -> None:
        """Do what a block says.

        Raises:
            AssertionError: It does not do what the page says.
        """
        if block.brings is not None:
            for name, text in titled(block.brings).items():
                self._write(name, text)
        if block.not_run is not None:
            return
        if "title" in block.attributes:
            self._file(block)
        kind = block.language
        if kind in _PARSERS:
            self._parse(block)
        elif kind == "python":
            self._python(block)
        elif kind == "console":
            self._console(block)
        else:
            assert kind in OTHER_LANGUAGES, (
                f"{block.place}: nobody checks a block of {kind or 'no language'}; "
                "use another, or say why before it: <!-- not run: ... -->"
            )

    def _with_ports(self, text: str) -> str:
        for port, free in self._ports.items():
            text = re.sub(rf"{_BEFORE_PORT}{port}(?!\d)", free, text)
        return text

    def _write(self, name: str, text: str) -> None:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self._with_ports(text), encoding="utf-8")

    def _file(self, block: Block) -> None:
        name = block.attributes["title"]
        path = self._folder / name
        self._write(name, joined(path.read_text(encoding="utf-8") if path.exists() else "", block))

    def _parse(self, block: Block) -> None:
        try:
            _PARSERS[block.language](block.text)
        except (ValueError, yaml.YAMLError) as error:
            raise AssertionError(f"{block.place}: this is no {block.language}: {error}") from None

    def _python(self, block: Block) -> None:
        text = self._with_ports(block.text)
        if name := block.attributes.get("title"):
            # What is imported later is compiled then; a file that nobody imports should at least be Python.
            compile((self._folder / name).read_text(encoding="utf-8"), block.place, "exec")
            return
        if self._namespace is None:
            self._namespace = Namespace(self._folder, self._variables)
        failure = self._namespace.run(text, block.place, block.line)
        assert not failure, f"{block.place}: {failure}"

    def _console(self, block: Block) -> None:
        name = block.attributes.get("terminal", _MAIN)
        if name not in self._terminals:
            self._terminals[name] = Terminal(self._folder, self._variables)
        terminal = self._terminals[name]
        if name == _MAIN:
            self._type(terminal, block, commands_of(block))
        elif block.text.startswith("$ "):
            self._serve(terminal, block)
        else:
            terminal.wait_for(pattern_of(self._with_ports(block.text)))

    def _type(self, terminal: Terminal, block: Block, commands: list[Command]) -> None:
        for number, command in enumerate(commands):
            output, code = terminal.run(self._with_ports(command.text))
            wanted = pattern_of(self._with_ports(command.output))
            said = f"{block.place}: $ {command.text}\n"
            found = wanted.fullmatch(f"{output}\n" if output else "")
            assert found, f"{said}printed:\n{output}\nnot:\n{command.output}"
            asked = number + 1 < len(commands) and commands[number + 1].text.startswith("echo $?")
            assert code == 0 or asked, f"{said}ended with {code}, and the page does not say so: add `$ echo $?`"

    def _serve(self, terminal: Terminal, block: Block) -> None:
        terminal.stop()
        *before, server = commands_of(block)
        self._type(terminal, block, before)
        command = self._with_ports(server.text)
        named = [int(free) for free in self._ports.values() if free in command]
        port = named[0] if named else int(self._ports["8080"])
        assert not listens(port), f"{block.place}: somebody listens on port {port} already; stop that first"
        terminal.start(command)
        try:
            terminal.wait_for(pattern_of(self._with_ports(server.output)))
            wait_for_port(port)
        except AssertionError as error:
            raise AssertionError(f"{block.place}: $ {server.text}\n{error}") from None


def _environment(folder: Path) -> dict[str, str]:
    programs = str(Path(sys.executable).parent)
    kept = {name: os.environ[name] for name in ("SYSTEMROOT", "TMPDIR") if name in os.environ}
    return {
        **kept,
        "PATH": os.pathsep.join([programs, "/usr/local/bin", "/usr/bin", "/bin"]),
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "COLUMNS": "80",
        "NO_COLOR": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        # A reader's environment has pytest alone; loading all plugins of this one takes seconds.
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_PLUGINS": "openbrokerapi.testing.plugin",  # as its entry point would
        "PYTHONUNBUFFERED": "1",
    }


def _free_ports(count: int) -> Iterator[str]:
    # Below those that the system hands out: between two servers of a page nobody else should get the port.
    for port in random.SystemRandom().sample(range(20000, 30000), 200):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        yield str(port)
        count -= 1
        if not count:
            return


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def wait_for_port(port: int, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not listens(port):
        assert time.monotonic() < deadline, f"nobody listens on port {port}"
        time.sleep(0.02)


def run_page(path: Path, folder: Path) -> None:
    """Follow a page from its first block to its last.

    Raises:
        AssertionError: A block does not do what the page says.
    """
    reader = Reader(folder)
    try:
        for block in read_page(path).blocks:
            reader.follow(block)
    finally:
        reader.close()
