"""The file of the record: its owner's alone, written whole, and by one command at a time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Never

import click
import msgspec

from .private_file import write_private
from .record import FORMAT, VERSION, Record

RECORD = "OPENBROKER_RECORD"
_LOCK_SECONDS = 10.0
_BETWEEN_TRIES = 0.02


class RecordError(click.ClickException):
    """The record cannot be used; the message says what to change. Nothing was written."""

    exit_code = 2


def default_path() -> Path:
    """Give where the record is unless somebody says otherwise: in the user's directory for state."""
    state = os.environ.get("XDG_STATE_HOME")
    # The base directory specification: what is not absolute does not count.
    base = Path(state) if state and Path(state).is_absolute() else Path.home() / ".local" / "state"
    return base / "openbroker" / "record.json"


class RecordFile:
    """The record on disk.

    Args:
        path: The file; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Record:
        """Read the record; empty where there is no file.

        Raises:
            RecordError: The file cannot be read, or is none of ours.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return Record()
        except OSError as error:
            raise RecordError(f"the record {self.path} cannot be read: {error.strerror}") from None
        return self._decoded(content)

    def change(self, change: Callable[[Record], Record]) -> Record:
        """Read the record, change it and write it, while no other command does.

        Args:
            change: Makes the new record of the present one; what it raises leaves the record as it is.

        Returns:
            The new record.

        Raises:
            RecordError: The file cannot be read or written, is none of ours, or another command holds it.
        """
        with self._locked():
            changed = change(self.read())
            try:
                write_private(self.path, msgspec.json.format(msgspec.json.encode(changed), indent=1) + b"\n")
            except OSError as error:
                raise RecordError(f"the record {self.path} cannot be written: {error.strerror}") from None
            except UnicodeEncodeError:  # from a command line that is not UTF-8
                raise RecordError("what is to be recorded is no text: write names and ids in UTF-8") from None
            return changed

    def _decoded(self, content: bytes) -> Record:
        try:
            found = msgspec.json.decode(content, type=Record)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._refuse("is damaged")
        if found.format != FORMAT:
            self._refuse("is no record of this program")
        if found.version != VERSION:
            self._refuse(f"has version {found.version}, and this program knows version {VERSION}")
        return found

    def _refuse(self, what: str) -> Never:
        raise RecordError(
            f"the record {self.path} {what}; put it right, or move it away and begin a new one (it names what "
            "you have at brokers). It was not changed"
        ) from None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        import fcntl

        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Beside the file, for the file itself is replaced. It stays: to remove it would let two in.
            descriptor = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise RecordError(f"the record {self.path} cannot be locked: {error.strerror}") from None
        try:
            self._take(lambda: fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB))
            yield
        finally:
            os.close(descriptor)

    def _take(self, lock: Callable[[], None]) -> None:
        deadline = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                lock()
            except OSError:
                if time.monotonic() > deadline:
                    raise RecordError(
                        f"the record {self.path} has been held by another command for {_LOCK_SECONDS:g} s; end that one"
                    ) from None
                time.sleep(_BETWEEN_TRIES)
            else:
                return
