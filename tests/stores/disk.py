"""A disk that a test can hold up, break, and fill: a file system of SQLite's."""

import itertools
import threading
import time
from types import TracebackType
from typing import Any, Self

import apsw

#: Seconds; a flush that nobody lets go fails the test.
_PATIENCE = 20
_NUMBERS = itertools.count(1)


class Disk(apsw.VFS):
    """Passes everything on to the system's, unless it is told otherwise.

    Attributes:
        flushes: How often the log was flushed.
        broken: Whether a flush of the log fails.
        full: Whether nothing can be written any more.
        delay: How many seconds a flush takes.
    """

    def __init__(self) -> None:
        self.name = f"test-disk-{next(_NUMBERS)}"
        super().__init__(self.name, "")
        self.flushes = 0
        self.broken = False
        self.full = False
        self.delay = 0.0
        self.reached = threading.Event()
        self._open = threading.Event()
        self._open.set()

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - SQLite's name
        return _File(self, name, flags)

    def hold(self) -> None:
        """Let each flush wait from now on."""
        self.reached.clear()
        self._open.clear()

    def let_go(self) -> None:
        """Let flushes end."""
        self._open.set()

    def flush(self) -> None:
        """Count a flush, and wait or fail as was told."""
        self.flushes += 1
        self.reached.set()
        assert self._open.wait(_PATIENCE)
        time.sleep(self.delay)
        if self.broken:
            raise apsw.IOError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.let_go()
        self.unregister()


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:
        self._disk = disk
        self._is_log = bool(flags[0] & apsw.SQLITE_OPEN_WAL)
        super().__init__("", name, flags)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        if self._is_log:
            self._disk.flush()
        super().xSync(flags)

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802 - SQLite's name
        if self._disk.full:
            raise apsw.FullError
        super().xWrite(data, offset)
