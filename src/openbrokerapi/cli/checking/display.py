"""What is seen while a run goes on: how far it is, and what is being checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from rich.progress import MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Column

if TYPE_CHECKING:
    from rich.console import Console

    from openbrokerapi.conformance.check import Check
    from openbrokerapi.conformance.wire import Answer


class Display:
    """One line that moves, on a terminal; nothing elsewhere.

    Args:
        console: Where to.
    """

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("[bold]{task.fields[stage]}"),
            MofNCompleteColumn(table_column=Column(no_wrap=True)),
            TextColumn("{task.fields[requests]} requests", table_column=Column(no_wrap=True)),
            TextColumn(
                "{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)
            ),
            console=console,
            expand=True,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task: TaskID = self._progress.add_task("", total=None, stage="surveying", requests=0)
        self._requests = 0
        self._running: dict[str, None] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def begins(self, checks: int) -> None:
        """Know how many checks there are."""
        self._progress.update(self._task, total=checks, stage="checking")

    def check_begins(self, check: Check) -> None:
        """Show the check."""
        self._running[check.sentence] = None
        self._show()

    def answered(self, answer: Answer) -> None:
        """Count the request; before the checks, show which plan is surveyed by what is asked."""
        self._requests += 1
        self._progress.update(self._task, requests=self._requests)
        if not self._running:
            self._progress.update(self._task, description=answer.request.endpoint.value)

    def check_ended(self, check: Check) -> None:
        """Show one of the checks that still run."""
        self._running.pop(check.sentence, None)
        self._progress.advance(self._task)
        self._show()

    def cleaning_up(self) -> None:
        """Say that what was made is being removed."""
        self._running.clear()
        self._progress.update(self._task, stage="cleaning up", description="")

    def _show(self) -> None:
        newest = next(reversed(self._running), "")
        self._progress.update(self._task, description=newest)
