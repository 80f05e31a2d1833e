"""An operator at a terminal: runs commands in this process, or as processes that a test ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from tests.contract.hosts import CREDENTIALS

from openbrokerapi.cli.main import main

#: Commands that wait; a test has less time than an operator.
WAITING = ("provision", "update", "deprovision", "bind", "rotate", "unbind", "poll")
LIMIT = 30.0


class Operator:
    """Somebody with a home of their own, and one broker.

    Args:
        home: Where the record is, and files are.
        url: The broker's address.
    """

    def __init__(self, home: Path, url: str) -> None:
        self.home = home
        self.url = url

    @property
    def record_path(self) -> Path:
        return self.home / "state" / "openbroker" / "record.json"

    @property
    def record(self) -> list[dict[str, Any]]:
        """The instances in the record, as the file has them."""
        instances: list[dict[str, Any]] = json.loads(self.record_path.read_bytes())["instances"]
        return instances

    def environment(self, **more: str) -> dict[str, str | None]:
        own = {
            "HOME": str(self.home),
            "XDG_STATE_HOME": str(self.home / "state"),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "OPENBROKER_URL": self.url,
            "OPENBROKER_USERNAME": CREDENTIALS.username,
            "OPENBROKER_PASSWORD": CREDENTIALS.password,
            "COLUMNS": "80",
        }
        inherited = {name: None for name in os.environ if name.startswith("OPENBROKER")}
        return {**inherited, **own, **more}

    def try_(self, *arguments: str, stdin: str | None = None, **more: str) -> Result:
        """Run a command, whatever comes of it; there is never a traceback."""
        quick = ("--interval", "0.02") if arguments[0] in WAITING and "--help" not in arguments else ()
        result = CliRunner().invoke(main, [*arguments, *quick], input=stdin, env=self.environment(**more))
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result

    def run(self, *arguments: str, code: int = 0, **more: Any) -> str:
        """Run a command that ends with this code; give what it printed, to standard error as well if it ended ill."""
        result = self.try_(*arguments, **more)
        assert result.exit_code == code, result.output
        return result.output if code else result.stdout

    def json(self, *arguments: str, code: int = 0, **more: Any) -> Any:
        result = self.try_(*arguments, "--json", **more)
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    def start(self, *arguments: str, **more: Any) -> subprocess.Popen[str]:
        """Start a command as a process of its own."""
        environment = {name: value for name, value in {**os.environ, **self.environment()}.items() if value is not None}
        command = [sys.executable, "-m", "openbrokerapi.cli.main", *arguments, "--interval", "0.02"]
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
        return subprocess.Popen(command, text=True, cwd=self.home, env=environment, start_new_session=True, **streams)
