"""Who owns a store: a lock on a file beside it, held for life."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from openbrokerapi.stores.contract import StoreError, StoreInUseError

if sys.platform == "win32":  # pragma: no cover
    import msvcrt

    # A locked byte cannot be read there, and the number of the process must be.
    _BEHIND_THE_NUMBER = 1 << 20

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _BEHIND_THE_NUMBER, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Owner:
    """The lock of one process on a store; the system lets go of it when the process ends, however it ends."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self._path = store.with_name(f"{store.name}.lock")
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        """Tell whether this object holds the lock."""
        return self._descriptor is not None

    def take(self) -> None:
        """Take the lock.

        Raises:
            StoreInUseError: Another process has it.
            StoreError: The lock's file cannot be made.
        """
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StoreError(
                f"The file {self._path}, which shows who owns the store, cannot be written ({error.strerror});"
                " let this user write it and its folder."
            ) from error
        try:
            _lock(descriptor)
        except OSError as error:
            holder = _number(descriptor)
            os.close(descriptor)
            raise self._in_use(holder) from error
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor

    def release(self) -> None:
        """Let go of the lock, if it is held. The file stays: to delete it would let two processes lock two files."""
        if self._descriptor is not None:
            with suppress(OSError):
                os.truncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def _in_use(self, holder: str) -> StoreInUseError:
        process = f"process {holder}" if holder else "another process"
        return StoreInUseError(
            f"The store {self._store} is in use by {process} (it holds {self._path});"
            " stop that one, or keep the state in PostgreSQL, which serves several processes."
        )


def _number(descriptor: int) -> str:
    try:
        return os.read(descriptor, 20).decode("ascii", "replace").strip()
    except OSError:
        return ""
