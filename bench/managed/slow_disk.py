"""A file system of SQLite's whose flushes take as long as those of a real disk."""

from __future__ import annotations

import time
from typing import Any

import apsw


class _SlowFile(apsw.VFSFile):
    def __init__(self, filename: Any, flags: list[int], seconds: float) -> None:
        super().__init__("", filename, flags)
        self._seconds = seconds

    def xSync(self, flags: int) -> None:  # noqa: N802 - apsw's name
        """Flush, and take the rest of the time as well."""
        until = time.perf_counter() + self._seconds
        super().xSync(flags)
        while (left := until - time.perf_counter()) > 0:
            time.sleep(left)


class SlowDisk(apsw.VFS):
    """The system's file system, but that a flush takes ``seconds``.

    Args:
        name: Under which SQLite knows it.
    """

    def __init__(self, name: str, seconds: float) -> None:
        self._seconds = seconds
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> _SlowFile:  # noqa: N802 - apsw's name
        """Open a file."""
        return _SlowFile(name, flags, self._seconds)


def slow_disk(seconds: float) -> tuple[str | None, SlowDisk | None]:
    """Give the name of a slow file system, and what has to live as long as it is used; of none for 0 seconds."""
    if not seconds:
        return None, None
    name = f"slow-{seconds}"
    return name, SlowDisk(name, seconds)
