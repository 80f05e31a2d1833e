"""The whole state of a broker as one file: JSON lines, sealed values as they are, in base64.

The first line says what it is; then a line for each row, by table; then the notes of the store; the last line counts.
Each line carries a checksum of itself and all before it, so that damage is found at its line.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

import msgspec

from openbrokerapi.managed.sealing import IMPORT_NOTE, KEYS_NOTE, pages
from openbrokerapi.stores.rows import IN_PROGRESS, TABLES, OperationRow

if TYPE_CHECKING:
    from openbrokerapi.stores.contract import Store

FORMAT = "openbroker state"
VERSION = 1
_BATCH = 500
_TRIES = 5
_HEAD, _NOTE, _END = "head", "note", "end"


class StateFileError(Exception):
    """A file cannot be written or imported.

    Attributes:
        operator_message: One sentence for the operator: what is wrong, and what to change.
    """

    def __init__(self, operator_message: str) -> None:
        super().__init__(operator_message)
        self.operator_message = operator_message


class _Line(msgspec.Struct, frozen=True):
    """A line: what it is ("head", the name of a table, "note" or "end"), what it holds, and the checksum until here."""

    is_: str = msgspec.field(name="is")
    value: msgspec.Raw
    crc: int


class _Head(msgspec.Struct, frozen=True):
    format: str
    version: int


class _Note(msgspec.Struct, frozen=True):
    name: str
    value: bytes


class Counts(msgspec.Struct, frozen=True):
    """How many rows of each table a file has."""

    rows: dict[str, int]

    def __str__(self) -> str:
        return ", ".join(f"{number} {name}{'' if number == 1 else 's'}" for name, number in self.rows.items())


class Content(msgspec.Struct, frozen=True):
    """What a file was found to hold.

    Attributes:
        mark: Tells this file from others.
    """

    counts: Counts
    mark: bytes


#: What a line of each kind holds.
_KINDS: dict[str, Any] = {_HEAD: _Head, **TABLES, _NOTE: _Note, _END: Counts}


def _crc(is_: str, encoded: bytes | msgspec.Raw, before: int) -> int:
    return zlib.crc32(encoded, zlib.crc32(is_.encode(), before))


# --- export ---


async def write_state(store: Store, file: IO[bytes]) -> Counts:
    """Write all that a store holds, as it is at one moment.

    Args:
        file: At its beginning; written again if the state has changed meanwhile.

    Raises:
        StateFileError: The state changes all the time.
    """
    for _ in range(_TRIES):
        before = await _latest_event(store)
        counts = await _write(store, _Writing(file))
        # Every change of an instance, a binding or an operation adds an event.
        if await _latest_event(store) == before:
            return counts
        file.seek(0)
        file.truncate()
    raise StateFileError("the state changes while it is written; stop the broker, or do it at a quieter time")


async def _latest_event(store: Store) -> int:
    latest = await store.events(limit=1)
    return latest[0].number if latest else 0


async def _write(store: Store, writing: _Writing) -> Counts:
    writing.line(_HEAD, _Head(FORMAT, VERSION))
    counts = dict.fromkeys(TABLES, 0)
    for table in TABLES:
        async for rows in pages(store, table, _BATCH):
            counts[table] += len(rows)
            for row in rows:
                writing.line(table, row)
    note = await store.note(KEYS_NOTE)
    if note is not None:
        writing.line(_NOTE, _Note(KEYS_NOTE, note))
    writing.line(_END, Counts(counts))
    return Counts(counts)


class _Writing:
    """Writes lines, each with the checksum of all until then."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._crc = 0

    def line(self, is_: str, value: Any) -> None:
        encoded = msgspec.json.encode(value)
        self._crc = _crc(is_, encoded, self._crc)
        self._file.write(msgspec.json.encode(_Line(is_, msgspec.Raw(encoded), self._crc)))
        self._file.write(b"\n")


# --- import ---


def checked(file: IO[bytes], name: str) -> Content:
    """Read a file to its end, and say what it holds.

    Args:
        name: What errors call it.

    Raises:
        StateFileError: It is no export, it is damaged, or not whole; with the number of the line.
    """
    counts = dict.fromkeys(TABLES, 0)
    ended: Counts | None = None
    for line, value in _lines(file, name):
        if line.is_ in TABLES:
            counts[line.is_] += 1
        ended = value if line.is_ == _END else None
    if ended is None:
        raise StateFileError(f"{name} is not whole: its last line is missing; take another copy of it")
    if ended.rows != counts:
        raise StateFileError(f"{name} is damaged: its last line counts other rows; take another copy of it")
    return Content(ended, f"{line.crc:08x}".encode())


def _lines(file: IO[bytes], name: str) -> Iterator[tuple[_Line, Any]]:
    """Give the lines, each with what it holds, decoded."""
    crc, number = 0, 0
    for number, encoded in enumerate(file, 1):
        where = f"{name}, line {number}"
        line = _decoded_line(encoded, where)
        if number == 1 and line.is_ != _HEAD:
            raise StateFileError(f"{where}: it is no file of `openbroker db export`")
        value = _decoded(line, where)
        if isinstance(value, _Head):
            _refuse_other_files(value, name)
        crc = _crc(line.is_, line.value, crc)
        if crc != line.crc:
            raise StateFileError(f"{where}: it is damaged, or a line before it is missing; take another copy of it")
        yield line, value
    if not number:
        raise StateFileError(f"{name} is empty; give a file of `openbroker db export`")


def _decoded_line(encoded: bytes, where: str) -> _Line:
    try:
        line = msgspec.json.decode(encoded, type=_Line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise StateFileError(f"{where}: it is no line of `openbroker db export`; take another copy of it") from None
    if line.is_ not in _KINDS:
        raise StateFileError(f"{where}: it is of a kind that this program does not know")
    return line


def _decoded(line: _Line, where: str) -> Any:
    try:
        return msgspec.json.decode(line.value, type=_KINDS[line.is_])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise StateFileError(f"{where}: it holds something else than it says; take another copy of it") from None


def _refuse_other_files(head: _Head, name: str) -> None:
    if head.format != FORMAT:
        raise StateFileError(f"{name}, line 1: it is no file of `openbroker db export`")
    if head.version > VERSION:
        raise StateFileError(f"{name} was written by a newer openbroker (format {head.version}); import it with that")


async def load_state(store: Store, file: IO[bytes], content: Content, name: str) -> None:
    """Write all of a checked file into an empty store.

    What was begun and not ended is noted in the store, so that no broker starts on a part; the same file can be
    imported again then.

    Args:
        file: At its beginning.

    Raises:
        StateFileError: The store is not empty, or an import of another file has begun.
    """
    await _refuse_full(store, content)
    await store.write_note(IMPORT_NOTE, content.mark)
    try:
        for table, rows in _batches(file, name):
            if table == _NOTE:
                for note in rows:
                    await store.write_note(note.name, note.value)
            else:
                await store.load(table, [_let_go(row) for row in rows])
    except BaseException as error:
        reason = getattr(error, "operator_message", None) or type(error).__name__
        raise StateFileError(
            f"the import did not end: {reason}; the store is not whole, and no broker starts on it: "
            "run the same import again, or begin with an empty store"
        ) from error
    await store.write_note(IMPORT_NOTE, b"")


def _let_go(row: Any) -> Any:
    """Give an operation without its worker: nobody works on it in the store that it comes into."""
    if not isinstance(row, OperationRow) or row.worker is None:
        return row
    if row.state == IN_PROGRESS:
        return msgspec.structs.replace(row, worker=None, lease_until=None)
    # What waits for its handler is set free as soon as a broker looks.
    return msgspec.structs.replace(row, lease_until=0.0)


async def _refuse_full(store: Store, content: Content) -> None:
    begun = await store.note(IMPORT_NOTE)
    if begun == content.mark:
        return
    if begun:
        raise StateFileError("an import of another file has begun in this store; begin with an empty store")
    for table in TABLES:
        if await store.rows(table, limit=1):
            raise StateFileError(f"the store is not empty, it has rows in {table}; import into an empty one")


def _batches(file: IO[bytes], name: str) -> Iterator[tuple[str, list[Any]]]:
    """Give rows of one table, or notes, at most so many at a time."""
    table, rows = "", list[Any]()
    for line, value in _lines(file, name):
        if rows and (line.is_ != table or len(rows) == _BATCH):
            yield table, rows
            rows = []
        table = line.is_
        if table == _NOTE or table in TABLES:
            rows.append(value)
