"""Objects as JSON: what an author's object holds is what is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


def fields_of(value: Any) -> dict[str, Any]:
    """Give the attributes of an object as JSON fields: None and names with an underscore in front are left out.

    A mapping that is no dict, such as a view of one, gives its items.

    Raises:
        TypeError: The value is neither JSON nor an object with attributes.
    """
    if isinstance(value, Mapping):
        return dict(value)
    try:
        read = getattr(type(value), "fields_to_send", None)
        attributes = read(value) if read is not None else vars(value)
    except TypeError:
        raise TypeError(f"{type(value).__name__} cannot be sent as JSON") from None
    return {name: without_unset(held) for name, held in attributes.items() if held is not None and name[:1] != "_"}


def without_unset(value: Any) -> Any:
    """Give the fields of a dataclass, or of those in a list: msgspec would write null for what is unset in them."""
    if type(value) is list:
        if any(map(_is_dataclass, value)):
            return [fields_of(item) if _is_dataclass(item) else item for item in value]
        return value
    return fields_of(value) if _is_dataclass(value) else value


def _is_dataclass(value: Any) -> bool:
    return hasattr(type(value), "__dataclass_fields__")


_ENCODER = msgspec.json.Encoder(enc_hook=fields_of)

encode = _ENCODER.encode
