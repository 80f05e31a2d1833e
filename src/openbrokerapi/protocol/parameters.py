"""Parameters against the JSON Schema of a plan."""

from __future__ import annotations

from itertools import islice
from typing import Any, NoReturn

import jsonschema_rs

from .problems import INVALID_PARAMETERS, Refusal

_REGEX = jsonschema_rs.RegexOptions()
# Look-around and back-references need a backtracking engine; the limit keeps a hostile value from holding the worker.
_FANCY_REGEX = jsonschema_rs.FancyRegexOptions(backtrack_limit=10_000)
# Every message says this in place of the value, which may be a secret.
_MASK = "the value"
_MOST_ERRORS = 5


def _refuse_outside(uri: str) -> NoReturn:
    # SCH-05: nothing outside the schema is ever fetched.
    raise ValueError(f"the reference {uri} leads out of the schema")


def compiled(schema: Any) -> jsonschema_rs.Validator:
    """Compile a JSON Schema, draft 4 or later.

    Raises:
        ValueError: The schema is not one, or refers to something outside itself.
    """
    try:
        return _compiled(schema, _REGEX)
    except ValueError:
        return _compiled(schema, _FANCY_REGEX)


def _compiled(
    schema: Any, options: jsonschema_rs.RegexOptions | jsonschema_rs.FancyRegexOptions
) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(schema, mask=_MASK, retriever=_refuse_outside, pattern_options=options)


class ParameterSchema:
    """The schema of one kind of request of one plan, compiled when it is first needed."""

    __slots__ = ("_compiled", "_schema")

    def __init__(self, schema: Any) -> None:
        self._schema = schema
        self._compiled: jsonschema_rs.Validator | None = None

    def check(self, parameters: dict[str, Any]) -> None:
        """Refuse parameters that break the schema, naming each and what is wrong, never its value (PROV-12)."""
        if self._compiled is None:
            try:
                self._compiled = compiled(self._schema)
            except ValueError:
                # A broken schema is the catalog's fault (`openbroker catalog check` says so), not this request's.
                self._compiled = compiled(True)
        try:
            if self._compiled.is_valid(parameters):
                return
            found = " ".join(map(_sentence, islice(self._compiled.iter_errors(parameters), _MOST_ERRORS)))
        except ValueError:  # what the validator says of more levels than it goes down
            found = "The parameters are nested too deeply."
        raise Refusal(INVALID_PARAMETERS, found)


def _sentence(error: jsonschema_rs.ValidationError) -> str:
    where = ".".join(map(str, error.instance_path))
    what = error.message.removeprefix(_MASK).strip()
    return f"Parameter {where} {what}." if error.message.startswith(_MASK) and where else _about(where, error.message)


def _about(where: str, message: str) -> str:
    message = message[:1].upper() + message[1:]
    return f"Parameter {where}: {message}." if where else f"Parameters: {message}."
