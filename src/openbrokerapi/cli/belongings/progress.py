"""What is seen while an operation goes on: a bar with the broker's own words, or a line for each of them."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Self

import click

from .safe_text import safe

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from openbrokerapi.platform import LastOperation, Orphan, PlatformError

# Many brokers say how far they are; whatever else they say, the bar only moves to and fro.
_PERCENT = re.compile(r"(?<![\d.])(\d{1,3})(?:\.\d+)?\s?%")


class Waiting:
    """Shows on standard error how an operation goes."""

    def __init__(self) -> None:
        self._bar: _Bar | None = None
        self._said = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def accepted(self, retry_after: float | None) -> None:
        """Show on a terminal that the broker goes on, for it may be long until it is asked for the first time."""
        if sys.stderr.isatty():
            self.say(
                "accepted" if retry_after is None else f"accepted; the broker wants to be asked in {retry_after:g} s"
            )

    def polled(self, last: LastOperation) -> None:
        """Show what the broker says now."""
        if last.in_progress:
            self.say(last.description or "in progress")

    def troubled(self, error: PlatformError) -> None:
        """Show what was no answer; it is asked again."""
        self.say(f"asking again: {error}")

    def attempted(self, orphan: Orphan, attempt: int, error: PlatformError) -> None:
        """Show an attempt in vain to delete what was left."""
        self.say(f"deleting {orphan}, attempt {attempt}: {error}")

    def say(self, text: str) -> None:
        """Show a text, once as long as it is the same."""
        text = safe(text)
        if sys.stderr.isatty():
            self._bar = self._bar or _Bar()
            self._bar.show(text)
        elif text != self._said:
            click.echo(text, err=True)
        self._said = text


class _Bar:
    """A bar that moves; it is gone when it is stopped."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._progress: Progress = Progress(
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False),
            console=Console(stderr=True),
            transient=True,
        )
        self._task: TaskID = self._progress.add_task("", total=None)
        self._progress.start()

    def show(self, text: str) -> None:
        percent = _PERCENT.search(text)
        done = min(100, int(percent[1])) if percent else 0
        self._progress.update(self._task, description=text, completed=done, total=100 if percent else None)

    def stop(self) -> None:
        self._progress.stop()
