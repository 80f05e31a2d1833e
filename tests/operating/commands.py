"""The commands of the operator, run as an operator runs them: as processes."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from openbrokerapi.stores.contract import Store
from openbrokerapi.stores.location import open_location

LIMIT = 60.0
ROOT = Path(__file__).parents[2]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "openbrokerapi.cli.main", *arguments]


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENBROKER")}
    return {**kept, "PYTHONPATH": str(ROOT), **more}


def run(
    folder: Path, *arguments: str, code: int = 0, stdin: bytes = b"", **more: str
) -> subprocess.CompletedProcess[bytes]:
    """Run a command that ends with this exit code, and shows no traceback."""
    done = subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment(**more),
        input=stdin,
        capture_output=True,
        timeout=LIMIT,
        check=False,
    )
    assert done.returncode == code, (done.stdout[-2000:], done.stderr.decode())
    assert b"Traceback" not in done.stderr
    return done


def said(done: subprocess.CompletedProcess[bytes]) -> str:
    """Give what a command wrote to standard error."""
    return " ".join(done.stderr.decode().split())


def refused(folder: Path, *arguments: str, **more: str) -> str:
    """Give the one sentence that a command refuses these arguments with."""
    done = run(folder, *arguments, code=2, stdin=b"", **more)
    assert done.stdout == b""
    text = done.stderr.decode()
    assert text.startswith("Error: ")
    assert text.count("\n") == 1, text
    return text.removeprefix("Error: ").strip()


def on(url: str, work: Callable[[Store], Awaitable[Any]], *, owner: bool = True) -> Any:
    """Do something with the store at the URL."""

    async def done() -> Any:
        store = open_location(url, clock=time.time)
        await store.open(owner=owner)
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(asyncio.wait_for(done(), LIMIT))


def until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.01)  # between two looks, until the deadline
    raise AssertionError("it did not happen in time")
