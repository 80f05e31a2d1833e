"""The types of parameters: a type's JSON Schema, and a value as the type."""

from __future__ import annotations

from typing import Any

import msgspec

from openbrokerapi.errors import ErrInvalidParameters

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_of(shape: Any, *, partial: bool = False) -> dict[str, Any]:
    """Give the JSON Schema of a type of parameters.

    Args:
        shape: A msgspec Struct, a dataclass, a TypedDict, or a pydantic model.
        partial: Nothing is required: an update may leave out what it does not change (UPD-11).

    Raises:
        TypeError: It is none of them.
    """
    schema = _schema(shape)
    if schema.get("type") != "object":
        raise TypeError(f"{shape!r} cannot be the type of parameters: its JSON Schema must be of an object")
    if partial:
        schema.pop("required", None)
    # SCH-05: parameters are checked by the dialect that the schema names.
    return {"$schema": _DIALECT, **schema}


def _schema(shape: Any) -> dict[str, Any]:
    if hasattr(shape, "model_json_schema"):
        found: dict[str, Any] = shape.model_json_schema()
        return found
    try:
        found = msgspec.json.schema(shape)
    except TypeError as error:
        raise TypeError(
            f"{shape!r} cannot be the type of parameters ({error}); take a msgspec.Struct or a dataclass"
        ) from None
    definitions = found.pop("$defs", {})
    name = found.pop("$ref", "").rpartition("/")[2]
    top = definitions.pop(name, {}) if not _refers_to(definitions, name) else dict(definitions[name])
    found = {**found, **top}
    return {**found, "$defs": definitions} if definitions else found


def _refers_to(value: Any, name: str) -> bool:
    """Tell whether a definition is needed by another one, or by itself."""
    if isinstance(value, dict):
        return value.get("$ref") == f"#/$defs/{name}" or any(_refers_to(each, name) for each in value.values())
    return isinstance(value, list) and any(_refers_to(each, name) for each in value)


def as_shape(shape: Any, parameters: dict[str, Any]) -> Any:
    """Give parameters as their type; without a type as they are.

    Raises:
        ErrInvalidParameters: They are not of the type.
    """
    if shape is None:
        return parameters
    try:
        if hasattr(shape, "model_validate"):
            return shape.model_validate(parameters)
        return msgspec.convert(parameters, shape)
    except (msgspec.ValidationError, ValueError, TypeError) as error:
        raise ErrInvalidParameters(_sentence(error)) from None


def _sentence(error: Exception) -> str:
    errors = getattr(error, "errors", None)
    if not callable(errors):
        return f"The parameters are not valid: {error}"
    # pydantic's own text quotes what was sent.
    first = errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"The parameters are not valid: {where}: {first['msg']}"
