"""Text that comes from a broker, made safe to print."""

from __future__ import annotations


def safe(text: str) -> str:
    """Give a text in one line, without what a terminal would obey."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
