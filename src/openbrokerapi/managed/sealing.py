"""What may hold secrets, on its way into the store and out of it: JSON, sealed for its place."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec

from openbrokerapi.stores.contract import Store
from openbrokerapi.stores.rows import KEYS, SEALED, TABLES, Row

from .key_ring import KeyRing, KeysError, SealError, Unsealed, key_id

logger = logging.getLogger("openbrokerapi.managed.keys")

#: The note that holds a sealed text for each key that values may be sealed with; "" stands for none.
KEYS_NOTE = "keys"
#: The note of an import that has begun; empty when it has ended.
IMPORT_NOTE = "import"
_KNOWN_TEXT = b"openbroker: the keys are right"
_PASSES = 20
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode

Ring = KeyRing | Unsealed


def identity_of(table: str, column: str, key: tuple[Any, ...]) -> bytes:
    """Give the identity of a value: its table, its column and its row's key, joined so that no two are the same."""
    return _encode((table, column, *key))


def key_of(table: str, row: Row) -> tuple[Any, ...]:
    """Give the key of a row."""
    return tuple(getattr(row, name) for name in KEYS[table])


class Sealing:
    """Seals values for their places, and opens them."""

    def __init__(self, ring: Ring) -> None:
        self._ring = ring

    def close(self, table: str, column: str, key: tuple[str, ...], value: Any) -> bytes:
        """Seal a value: whatever msgspec writes as JSON.

        Args:
            key: The values of the row's key, in the order of ``rows.KEYS``.
        """
        return self._ring.seal(_encode(value), _encode((table, column, *key)))

    def open(self, table: str, column: str, key: tuple[str, ...], sealed: bytes | None) -> Any:
        """Give a value as decoded JSON; None for None.

        Raises:
            SealError: It was sealed for another place, with a key that is not there, or was changed.
        """
        if sealed is None:
            return None
        try:
            return _decode(self._ring.open(sealed, _encode((table, column, *key))))
        except SealError as error:
            raise SealError(f"{table}.{column} of {'/'.join(map(str, key))} cannot be opened: {error}") from None

    async def verify(self, store: Store) -> None:
        """Refuse a store that this ring is not for; to be called at start, before anything is sealed or opened.

        Raises:
            KeysError: The keys are not those of the store, or an import into it has not ended.
        """
        if await store.note(IMPORT_NOTE):
            raise KeysError(
                "an import into the store has not ended; run the same `openbroker db import` again, "
                "or begin with an empty store"
            )
        checks = await _checks(store)
        for name in checks or await _ids_without_note(store):
            _refuse(self._ring, name, checks.get(name))
        if (self._ring.current or "") not in checks:
            await write_checks(store, self._ring, checks)
        if isinstance(self._ring, Unsealed):
            logger.warning("for development: credentials and parameters are kept unsealed in the store")


async def write_checks(store: Store, ring: Ring, others: dict[str, bytes]) -> None:
    """Note that values are sealed with the ring's current key, and with those of ``others``."""
    name = ring.current or ""
    await store.write_note(KEYS_NOTE, msgspec.json.encode({**others, name: ring.seal(_KNOWN_TEXT, _check_of(name))}))


def _check_of(name: str) -> bytes:
    return identity_of("note", KEYS_NOTE, (name,))


async def _checks(store: Store) -> dict[str, bytes]:
    note = await store.note(KEYS_NOTE)
    if note is None:
        return {}
    try:
        return msgspec.json.decode(note, type=dict[str, bytes])
    except msgspec.DecodeError:
        raise KeysError("the note of the keys in the store is damaged; restore the store from a backup") from None


async def _ids_without_note(store: Store) -> dict[str, None]:
    """Give the ids that the first row of each table says, for a store that has lost its note."""
    found: dict[str, None] = {}
    for table, columns in SEALED.items():
        for row in await store.rows(table, limit=1) if columns else ():
            found |= {_shown_id(value): None for value in _sealed_values(table, row).values()}
    return found


def _sealed_values(table: str, row: Row) -> dict[str, bytes]:
    return {name: value for name in SEALED[table] if (value := getattr(row, name)) is not None}


def _shown_id(sealed: bytes) -> str:
    try:
        return key_id(sealed) or ""
    except SealError:
        raise KeysError("the store holds values that are not sealed as this program does it") from None


def _refuse(ring: Ring, name: str, check: bytes | None) -> None:
    """Refuse a ring that cannot open what was sealed with the key of this name."""
    if isinstance(ring, Unsealed):
        if name:
            raise KeysError(
                f"the store was written with key '{name}', and no keys are given: "
                "set OPENBROKER_KEYS or --keys-file in place of --development"
            )
        return
    if not name:
        raise KeysError(
            "the store was written for development, without keys; "
            "seal it once with: openbroker keys rotate --from-development"
        )
    if check is None:
        _refuse_missing(ring, name)
        return
    try:
        ring.open(check, _check_of(name))
    except SealError:
        _refuse_missing(ring, name)
        raise KeysError(
            f"the key '{name}' is not the one that the store was written with, though its id is the same; "
            "put the right one into OPENBROKER_KEYS or the file of --keys-file"
        ) from None


def _refuse_missing(ring: KeyRing, name: str) -> None:
    if name not in ring.ids:
        raise KeysError(
            f"the store was written with key '{name}', which is not among OPENBROKER_KEYS "
            f"or in the file of --keys-file (there: {', '.join(ring.ids)}); add it"
        )


class Unopened(msgspec.Struct, frozen=True):
    """A value that could not be opened, and so was left alone."""

    table: str
    column: str
    key: tuple[Any, ...]
    reason: str


class Resealed(msgspec.Struct, frozen=True):
    """What :func:`reseal_all` did.

    Attributes:
        rows: How many rows were sealed again.
        left: How many rows others sealed with another key again and again, until it was given up.
        unopened: Values that could not be opened.
    """

    rows: int
    left: int
    unopened: tuple[Unopened, ...]


async def reseal_all(
    store: Store,
    ring: KeyRing,
    batch: int = 100,
    progress: Callable[[int], None] = lambda _: None,
    *,
    from_development: bool = False,
) -> Resealed:
    """Seal every value with the current key, while brokers run.

    A row that changes meanwhile is left to whoever changed it, and visited again.

    Args:
        batch: Rows in one transaction.
        progress: Told the number of rows that were sealed again so far.
        from_development: Also take in values that are not sealed. Whoever could write to the database could have put
            them there, so this is for a store that was kept for development only.

    Raises:
        KeysError: The ring is not for this store.
    """
    checks = await _checks(store)
    for name in checks:
        if name or not from_development:
            _refuse(ring, name, checks[name])
    await write_checks(store, ring, checks)
    resealing = _Resealing(store, ring, batch, progress, from_development=from_development)
    left = 1
    for _ in range(_PASSES):
        if not (left := await resealing.pass_over_all()):
            break
    if not left and not resealing.unopened:
        await write_checks(store, ring, {})
    return Resealed(resealing.rows, left, tuple(resealing.unopened.values()))


class _Resealing:
    def __init__(
        self, store: Store, ring: KeyRing, batch: int, progress: Callable[[int], None], *, from_development: bool
    ) -> None:
        self.rows = 0
        self.unopened: dict[bytes, Unopened] = {}
        self._store = store
        self._ring = ring
        self._batch = batch
        self._progress = progress
        self._from_development = from_development

    async def pass_over_all(self) -> int:
        """Seal again what has another key; give how many rows had one."""
        found = 0
        self.unopened = {}
        for table in TABLES:
            if SEALED[table]:
                async for rows in pages(self._store, table, self._batch):
                    found += await self._page(table, rows)
        return found

    async def _page(self, table: str, rows: list[Row]) -> int:
        replaced = [(row, again) for row in rows if (again := self._again(table, row)) is not None]
        if replaced:
            self.rows += await self._store.reseal(table, replaced)
            self._progress(self.rows)
        return len(replaced)

    def _again(self, table: str, row: Row) -> Row | None:
        current = self._ring.current
        values: dict[str, bytes] = {}
        for column, sealed in _sealed_values(table, row).items():
            place = identity_of(table, column, key_of(table, row))
            try:
                if key_id(sealed) != current:
                    values[column] = self._ring.seal(self._opened(sealed, place), place)
            except SealError as error:
                self.unopened[place] = Unopened(table, column, key_of(table, row), str(error))
        return msgspec.structs.replace(row, **values) if values else None

    def _opened(self, sealed: bytes, place: bytes) -> bytes:
        if self._from_development and key_id(sealed) is None:
            return Unsealed().open(sealed, place)
        return self._ring.open(sealed, place)


async def count_by_key(store: Store, batch: int = 1000) -> dict[str | None, int]:
    """Count the sealed values by the id of their key; None counts those that are not sealed.

    What is no sealed value at all counts as "?".
    """
    counts: dict[str | None, int] = {}
    for table in TABLES:
        if SEALED[table]:
            async for rows in pages(store, table, batch):
                for sealed in (value for row in rows for value in _sealed_values(table, row).values()):
                    name = _id_or_unknown(sealed)
                    counts[name] = counts.get(name, 0) + 1
    return counts


def _id_or_unknown(sealed: bytes) -> str | None:
    try:
        return key_id(sealed)
    except SealError:
        return "?"


async def pages(store: Any, table: str, batch: int) -> AsyncIterator[list[Row]]:
    """Give all rows of a table in the order of its key, so many at a time."""
    after: tuple[Any, ...] | None = None
    while rows := await store.rows(table, after=after, limit=batch):
        yield rows
        after = key_of(table, rows[-1])
