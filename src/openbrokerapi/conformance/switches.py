"""What the file lets a run do to the broker from outside: restart it, change its catalog, read its log."""

from __future__ import annotations

import asyncio
from pathlib import Path

from .cooperation import BrokerHelp, Switch
from .ledger import Verdict
from .wire import Endpoint, Request, Sender

_LONGEST = 120.0  # seconds


class CannotSwitch(Exception):  # noqa: N818 - it says why
    """The file does not say how, or what it says did not work."""

    def __init__(self, verdict: Verdict, reason: str) -> None:
        super().__init__(reason)
        self.verdict = verdict


class Switches:
    """Does what the file says.

    Args:
        told: What the file says of the broker as a whole.
        sender: Sends to paths on the broker's host.
    """

    def __init__(self, told: BrokerHelp, sender: Sender) -> None:
        self._told = told
        self._sender = sender

    async def do(self, name: str) -> str:
        """Do what the file says under `name`; return what came of it.

        Raises:
            CannotSwitch: It says nothing, or it did not work.
        """
        switch: Switch | None = getattr(self._told, name)
        if switch is None:
            raise CannotSwitch(Verdict.NEEDS_HELP, f"say under broker.{name} in the file how to do it")
        if switch.command:
            return await self._run(name, switch.command)
        if switch.file:
            return await asyncio.to_thread(Path(switch.file).read_text, "utf-8", "replace")
        return await self._ask(name, switch)

    async def _ask(self, name: str, switch: Switch) -> str:
        method, path = ("POST", switch.post) if switch.post else ("GET", switch.get or "/")
        answer = await self._sender.send(Request(Endpoint.CATALOG, method, path, raw=b"" if switch.post else None))
        if not 200 <= answer.status < 300:
            raise CannotSwitch(Verdict.UNDECIDED, f"broker.{name}: {method} {path} was answered with {answer.status}")
        return answer.body.decode("utf-8", errors="replace")

    async def _run(self, name: str, command: str) -> str:
        process = await asyncio.create_subprocess_shell(
            command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
        )
        output, _ = await asyncio.wait_for(process.communicate(), _LONGEST)
        if process.returncode:
            raise CannotSwitch(Verdict.UNDECIDED, f"broker.{name}: the command ended with {process.returncode}")
        return output.decode("utf-8", errors="replace")
