"""What SQLite complains of, as one sentence for the operator."""

from __future__ import annotations

from pathlib import Path

import apsw

from openbrokerapi.stores.contract import StoreError

#: The first that fits: what is wrong with the file, and what to change.
_SENTENCES: tuple[tuple[type[apsw.Error], str], ...] = (
    (apsw.NotADBError, "is no SQLite database; name another file, or move this one away"),
    (apsw.CorruptError, "is damaged; put a backup in its place"),
    (apsw.FullError, "cannot grow, for the disk is full; make room, and try again"),
    (apsw.ReadOnlyError, "cannot be written; let this user write the file and its folder"),
    (apsw.PermissionsError, "cannot be written; let this user write the file and its folder"),
    (apsw.CantOpenError, "cannot be opened; let this user write the file and its folder"),
    (apsw.BusyError, "is being written by another process, and did not become free; end that one, or try again"),
    (apsw.ConstraintError, "refuses rows that contradict one another; nothing was written"),
    (apsw.IOError, "cannot be read or written, says the disk; look into the system's log"),
)


def fault(path: Path, error: apsw.Error) -> StoreError:
    """Put what SQLite says into a sentence.

    Returns:
        An error that quotes no value of a row: SQLite's own messages name columns only.
    """
    for kind, sentence in _SENTENCES:
        if isinstance(error, kind):
            return StoreError(f"The store {path} {sentence} ({error}).")
    return StoreError(f"The store {path} cannot be used: {error}.")


def folder_fault(path: Path) -> StoreError | None:
    """Tell what keeps a file from being made in its folder."""
    if path.is_dir():
        return StoreError(f"The store {path} is a folder; name a file in it.")
    if not path.parent.is_dir():
        return StoreError(f"The folder {path.parent} of the store does not exist; make it, or name another file.")
    return None
