"""Small functions that brokers of 4.7.3 import from here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Union

from .protocol.documents import encode
from .settings import version_tuple

__all__ = ["Any", "Iterable", "Union", "ensure_list", "to_json_response", "version_tuple"]


def to_json_response(obj: Any) -> Any:
    """Make a Flask response of an object's attributes, those that are None left out. Needs the extra ``flask``."""
    from .web.flask import json_response

    return json_response(encode(obj))


def ensure_list(x: Any) -> Any:
    """Give ``x`` itself if it is a collection, else a list with ``x`` in it."""
    return x if isinstance(x, Iterable) else [x]
