"""Tracebacks for the log: all but what is secret."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_REDACTED = "[redacted]"
# Shorter values are as likely a part of some word of the traceback as a secret.
_SHORTEST = 4
# Beyond so many values or characters the text of the exception is left out: the search must not take for ever.
_MOST = 1000
_LONGEST = 20_000


def scrubbed(error: BaseException, secrets: Iterable[Any]) -> str:
    """Give the traceback of ``error`` with every secret taken out, in whichever way Python or JSON spells it.

    Authors put what they got into the messages of exceptions.

    Args:
        secrets: Values as JSON has them; every text and number within counts.
    """
    found = {secret for value in secrets for secret in _leaves(value) if len(secret) >= _SHORTEST}
    if len(found) > _MOST or sum(map(len, found)) > _LONGEST:
        return "".join(traceback.format_tb(error.__traceback__)) + f"{type(error).__name__}: {_REDACTED}"
    text = "".join(traceback.format_exception(error))
    # Long values first: one may be a part of another.
    for secret in sorted(found, key=len, reverse=True):
        plain = secret.isascii() and secret.isprintable() and not _QUOTED.search(secret)
        text = text.replace(secret, _REDACTED) if plain else re.sub(_spellings(secret), _REDACTED, text)
    return text


_QUOTED = re.compile(r"[\\'\"]")
_PIECES = re.compile(r"\\+['\"]?|.", re.DOTALL)
_ESCAPES = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}


def _spellings(secret: str) -> str:
    """Give the pattern of ``secret`` as it is, and as repr(), ascii() and JSON spell it, one in the other even."""
    return "".join(map(_spelling, _PIECES.findall(secret)))


def _spelling(piece: str) -> str:
    if piece[0] == "\\":
        return r"\\+" + re.escape(piece.lstrip("\\"))
    if piece in "'\"":
        return r"\\*" + piece
    if piece.isascii() and piece.isprintable():
        return re.escape(piece)
    code = ord(piece)
    utf_16 = piece.encode("utf-16-be", "surrogatepass").hex()
    halves = r"\\+u".join(utf_16[at : at + 4] for at in range(0, len(utf_16), 4))
    # A new line in a group of exceptions is indented.
    itself = r"\r?\n[ |]*" if piece == "\n" else re.escape(piece)
    named = _ESCAPES.get(piece, f"x{code:02x}")
    return rf"(?:{itself}|\\+(?:{named}|x{code:02x}|u{halves}|(?i:U{code:08x})))"


def _leaves(value: Any) -> Iterator[str]:
    # A list of what is still to be looked at instead of a recursion: the nesting is the sender's choice.
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, (str, int, float)) and not isinstance(value, bool):
            yield str(value)
