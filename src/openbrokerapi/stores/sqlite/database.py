"""Connections to the file, each with the same settings."""

from __future__ import annotations

import os
from pathlib import Path

import apsw

#: How long a writer waits for another process that writes: milliseconds.
PATIENCE = 5_000
#: The log is written back into the file when it has this many pages; 4 KiB each.
_CHECKPOINT_PAGES = 2_000
#: The log is cut back to this size afterwards; bytes.
_LOG_SIZE = 64 << 20
#: So much of the file is kept in memory by each connection; KiB, negative as SQLite wants it.
_CACHE = -32_768
_SETTINGS = {
    "busy_timeout": PATIENCE,
    "journal_mode": "wal",
    # FULL: a commit returns when the log is on the disk.
    "synchronous": "full",
    "foreign_keys": True,
    # A fault in a mapped file ends the process, where a read says what is wrong.
    "cache_size": _CACHE,
    "mmap_size": 0,
    # What a savepoint would take back is kept in memory; in a file it costs more than all else.
    "temp_store": "memory",
    "wal_autocheckpoint": _CHECKPOINT_PAGES,
    "journal_size_limit": _LOG_SIZE,
    "trusted_schema": False,
}


def connect(path: Path, vfs: str | None = None) -> apsw.Connection:
    """Open the file, which must be there.

    Args:
        vfs: The name of a file system of SQLite's, for tests and benchmarks.
    """
    connection = apsw.Connection(str(path), apsw.SQLITE_OPEN_READWRITE, vfs)
    try:
        for name, value in _SETTINGS.items():
            connection.pragma(name, value)
    except BaseException:
        connection.close()
        raise
    return connection


def make(path: Path) -> None:
    """Make an empty file if there is none, for this user only: it holds what the broker knows."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Make the names of a folder's files durable, where the system has that."""
    if os.name == "nt":  # pragma: no cover
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
