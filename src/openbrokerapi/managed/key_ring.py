"""The keys that seal what may hold secrets: AES-256-GCM, keys by id, the first one is current.

A sealed value is one byte that says how it is made (1), one byte with the length of the key's id, the id, 12 bytes of
nonce, and the ciphertext with its tag. The identity of its place is the associated data, so that a value opens only
where it was written. A value that was kept for development is one byte 0, and the plain text.
"""

from __future__ import annotations

import base64
import binascii
import logging
import math
import os
import re
import stat
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

logger = logging.getLogger("openbrokerapi.managed.keys")

PLAIN = 0
SEALED = 1
KEY_BYTES = 32
_NONCE_BYTES = 12
_TAMPERED = "it was changed, or moved from another place, or sealed with another key of the same id"
_SMALLEST = 2 + 1 + _NONCE_BYTES + 16
# Shorter than a key in base64: what is shown as an id can be no key that got into the wrong place.
_ID = re.compile(r"[A-Za-z0-9._-]{1,32}", re.ASCII)
# How often a file is looked at; a running broker learns a new current key within this time.
_LOOK_SECONDS = 1.0

Randomness = Callable[[int], bytes]


class KeysError(Exception):
    """The keys cannot be used, or are not those of the store.

    Attributes:
        operator_message: One sentence for the operator: what is wrong, and what to change. It shows no key.
    """

    def __init__(self, operator_message: str) -> None:
        super().__init__(operator_message)
        self.operator_message = operator_message


class SealError(Exception):
    """A value cannot be opened: another key, another place, or somebody changed it."""


def new_key(randomness: Randomness = os.urandom) -> str:
    """Give a line for a new key: an id, a colon, and 32 random bytes in base64."""
    return f"{randomness(4).hex()}:{base64.b64encode(randomness(KEY_BYTES)).decode()}"


def key_id(sealed: bytes) -> str | None:
    """Give the id of the key that a value is sealed with; None if it is kept plain, for development.

    Raises:
        SealError: It is no sealed value.
    """
    if sealed[:1] == bytes((PLAIN,)):
        return None
    length = sealed[1] if len(sealed) >= _SMALLEST and sealed[0] == SEALED else 0
    if not length or len(sealed) < _SMALLEST - 1 + length:
        raise SealError("it is no sealed value")
    return sealed[2 : 2 + length].decode("ascii", "replace")


class _Keys(NamedTuple):
    """The keys at one moment: replaced as a whole, so that no thread sees half of them."""

    current: str
    head: bytes
    cipher: AESGCM
    ciphers: Mapping[str, AESGCM]


def _keys(keys: Mapping[str, bytes]) -> _Keys:
    ciphers = {name: AESGCM(key) for name, key in keys.items()}
    current = next(iter(ciphers))
    head = bytes((SEALED, len(current))) + current.encode("ascii")
    return _Keys(current, head, ciphers[current], ciphers)


class KeyRing:
    """Seals and opens values.

    Args:
        keys: 32 bytes by id; the first one seals, all of them open.
        randomness: Gives that many random bytes.

    Raises:
        KeysError: There is no key, or an id or a key is not as it should be.
    """

    def __init__(self, keys: Mapping[str, bytes], *, randomness: Randomness = os.urandom) -> None:
        for name, key in keys.items():
            _check(name, key, "the keys")
        if not keys:
            raise KeysError("there is no key; `openbroker keys new` makes one")
        self._randomness = randomness
        self._keys = _keys(keys)
        self._file: _KeysFile | None = None
        self._clock: Callable[[], float] = time.monotonic
        self._look_at = math.inf
        self._told = ""

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(self.ids)})"

    @classmethod
    def from_text(cls, text: str, source: str = "the keys", *, randomness: Randomness = os.urandom) -> KeyRing:
        """Read keys: one ``id:base64`` a line, or several with commas between; ``#`` begins a comment.

        Args:
            source: What errors call the text.

        Raises:
            KeysError: A line is wrong; the message says which and what to change, and shows no key.
        """
        return cls(_parsed(text, source), randomness=randomness)

    @classmethod
    def from_file(
        cls,
        path: str | os.PathLike[str],
        *,
        randomness: Randomness = os.urandom,
        clock: Callable[[], float] = time.monotonic,
    ) -> KeyRing:
        """Read keys from a file, and again when it has changed: within a second, or at an unknown key id.

        Args:
            path: Only its owner may be able to read it; a file of root's may be readable by a group of this process.
            clock: Monotonic seconds.

        Raises:
            KeysError: It cannot be read, others may read it, or a line is wrong.
        """
        file = _KeysFile(Path(path))
        ring = cls(file.read(), randomness=randomness)
        ring._file, ring._clock, ring._look_at = file, clock, clock() + _LOOK_SECONDS
        return ring

    @property
    def current(self) -> str:
        """The id of the key that seals."""
        if self._clock() >= self._look_at:
            self._look()
        return self._keys.current

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all keys, the current one first."""
        return tuple(self._keys.ciphers)

    def seal(self, plain: bytes, identity: bytes) -> bytes:
        """Seal a value with the current key.

        Args:
            identity: Of the place that the value is for; it opens nowhere else.
        """
        if self._file is not None and self._clock() >= self._look_at:
            self._look()
        keys = self._keys
        nonce = self._randomness(_NONCE_BYTES)
        return keys.head + nonce + keys.cipher.encrypt(nonce, plain, identity)

    def open(self, sealed: bytes, identity: bytes) -> bytes:
        """Open a value.

        Raises:
            SealError: It is sealed with a key that is not in the ring, was changed, is from another place, or is
                not sealed at all.
        """
        keys = self._keys
        # Nearly always it is the current key.
        cipher = keys.cipher if sealed.startswith(keys.head) else self._cipher_of(sealed)
        start = 2 + sealed[1]
        middle = start + _NONCE_BYTES
        try:
            return cipher.decrypt(sealed[start:middle], sealed[middle:], identity)
        except (InvalidTag, ValueError):  # the latter where the nonce is cut off
            raise SealError(_TAMPERED) from None

    def _cipher_of(self, sealed: bytes) -> AESGCM:
        name = key_id(sealed)
        if name is None:
            # Whoever can write to the database could else put in what he likes.
            raise SealError("it is not sealed, as values for development are, and this broker has keys")
        cipher = self._keys.ciphers.get(name) or self._learned(name)
        if cipher is None:
            raise SealError(f"it is sealed with key '{name}', which is not among the keys of this broker")
        return cipher

    def key_id(self, sealed: bytes) -> str | None:
        """Give the id of the key that a value is sealed with; None if it is kept plain."""
        return key_id(sealed)

    def _look(self) -> None:
        self._look_at = self._clock() + _LOOK_SECONDS
        self._read_again()

    def _learned(self, name: str) -> AESGCM | None:
        self._read_again()
        return self._keys.ciphers.get(name)

    def _read_again(self) -> None:
        try:
            found = self._file.read_if_changed() if self._file is not None else None
        except KeysError as error:
            # Somebody may be writing it: what is known stays in use.
            if error.operator_message != self._told:
                logger.warning("the keys stay as they were: %s", error.operator_message)
            self._told = error.operator_message
            return
        if found is not None:
            before, self._keys, self._told = self.ids, _keys(found), ""
            logger.info("read the keys again: %s", ", ".join(self.ids))
            if not set(before) & set(self.ids):
                logger.warning(
                    "none of the keys from before is left (%s): what they sealed cannot be opened any more, "
                    "unless all of it was sealed again by `openbroker keys rotate`; look with `openbroker keys status`",
                    ", ".join(before),
                )


class Unsealed:
    """The ring of a broker without keys, for development only: values are kept as they are."""

    current: str | None = None
    ids: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "Unsealed()"

    def seal(self, plain: bytes, identity: bytes) -> bytes:  # noqa: ARG002 - the interface of the ring
        """Mark a value as plain."""
        return bytes((PLAIN,)) + plain

    def open(self, sealed: bytes, identity: bytes) -> bytes:  # noqa: ARG002 - the interface of the ring
        """Give a plain value.

        Raises:
            SealError: It is sealed.
        """
        name = key_id(sealed)
        if name is not None:
            raise SealError(
                f"it is sealed with key '{name}', and this broker was started for development, without keys"
            )
        return sealed[1:]

    def key_id(self, sealed: bytes) -> str | None:
        """Give the id of the key that a value is sealed with; None if it is kept plain."""
        return key_id(sealed)


class _KeysFile:
    """A file of keys, and what it looked like when it was read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, ...] = ()

    def read(self) -> dict[str, bytes]:
        found = self.read_if_changed()
        assert found is not None, "the first time it has changed"  # noqa: S101 - of this class
        return found

    def read_if_changed(self) -> dict[str, bytes] | None:
        try:
            with self._path.open(encoding="utf-8") as file:
                status = os.fstat(file.fileno())
                seen = (status.st_ino, status.st_mtime_ns, status.st_size, status.st_mode)
                if seen == self._seen:
                    return None
                self._seen = seen
                _refuse_readable(self._path, status)
                text = file.read()
        except OSError as error:
            raise KeysError(f"the keys file {self._path} cannot be read: {error.strerror or error}") from None
        except UnicodeDecodeError:
            raise KeysError(f"the keys file {self._path} is no text; write one id:key on each line") from None
        return _parsed(text, str(self._path))


def _refuse_readable(path: Path, status: os.stat_result) -> None:
    if os.name == "nt":
        return  # its modes say nothing about others
    # What is mounted into a container is root's, and readable by a group of the process.
    others = 0o037 if status.st_uid == 0 and os.geteuid() != 0 else 0o077
    if stat.S_ISREG(status.st_mode) and status.st_mode & others:
        raise KeysError(f"others may read the keys file {path}; run: chmod 600 {path}")


def _parsed(text: str, source: str) -> dict[str, bytes]:
    keys: dict[str, bytes] = {}
    for number, line in enumerate(text.splitlines(), 1):
        entries = [entry.strip() for entry in line.partition("#")[0].split(",")]
        for entry in filter(None, entries):
            where = f"{source}, line {number}"
            name, key = _entry(entry, where)
            if name in keys:
                raise KeysError(f"{where}: the id '{name}' is there twice; each key needs an id of its own")
            keys[name] = key
    if not keys:
        raise KeysError(f"{source}: there is no key; `openbroker keys new` makes one")
    return keys


def _entry(entry: str, where: str) -> tuple[str, bytes]:
    name, colon, encoded = (part.strip() for part in entry.partition(":"))
    if not colon:
        raise KeysError(f"{where}: there is no colon; write id:key, as `openbroker keys new` gives it")
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise KeysError(f"{where}: what is behind the colon is no base64; write 32 bytes in base64") from None
    _check(name, key, where)
    return name, key


def _check(name: str, key: bytes, where: str) -> None:
    if not _ID.fullmatch(name):
        # Not shown: it may be a key that got into the wrong place.
        raise KeysError(f"{where}: an id has 1 to 32 letters, digits, dots, hyphens and underscores; write id:key")
    if len(key) != KEY_BYTES:
        raise KeysError(f"{where}: the key '{name}' has {len(key)} bytes; write {KEY_BYTES} bytes in base64")
