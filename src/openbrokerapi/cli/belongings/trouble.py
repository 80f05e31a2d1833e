"""What went wrong with a broker, for people and for programs: what it answered, and what to do."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import IO, Any

import click

from openbrokerapi.platform import (
    AsyncRequired,
    BadRequest,
    BrokerError,
    ConcurrencyError,
    Conflict,
    Failed,
    Gone,
    MaintenanceInfoConflict,
    MalformedAnswer,
    NoAnswer,
    NotFound,
    OperationFailed,
    PlatformError,
    PollingTimedOut,
    RequiresApp,
    Unauthorized,
    UnexpectedStatus,
    VersionRefused,
)

from .safe_text import safe

INTERRUPTED = 130
# As OpenSSL calls it.
_DISTRUSTED = "CERTIFICATE_VERIFY_FAILED"

# The first class that an error belongs to.
_ADVICE: tuple[tuple[type[PlatformError], str], ...] = (
    (
        Unauthorized,
        "set OPENBROKER_USERNAME and OPENBROKER_PASSWORD, or OPENBROKER_TOKEN, or give --credentials-file",
    ),
    (VersionRefused, "this program speaks version 2.17; ask the broker's operator for one that does"),
    (AsyncRequired, "leave out --no-accepts-incomplete"),
    (ConcurrencyError, "another operation is in progress: wait for its end (openbroker poll), then try again"),
    (RequiresApp, "name the application with --app GUID"),
    (
        MaintenanceInfoConflict,
        "the catalog says another maintenance version now: try again, with that one if you gave one",
    ),
    (BadRequest, "change what the broker names"),
    (Conflict, "the id is taken by something else; take another name, or look with openbroker instance"),
    (NotFound, "the broker does not know it, or is still making it"),
    (Gone, "it is not there any more"),
    (MalformedAnswer, "the broker breaks the specification; openbroker check shows how"),
    (UnexpectedStatus, "check that the address is the broker's, without /v2; no redirect is followed"),
    (Failed, "look for the request identity in the broker's log"),
    (PollingTimedOut, "look with openbroker poll whether it has ended meanwhile"),
    (OperationFailed, "change what the broker names, or ask its operator"),
)


class TroubleError(click.ClickException):
    """The broker refused, or failed. `trouble` makes one.

    Args:
        error: What went wrong.
        more: Further lines: what became of the record, and how to go on.
        as_json: Whether programs read it, on standard output.
    """

    exit_code = 1

    def __init__(self, error: PlatformError, more: tuple[str, ...] = (), *, as_json: bool = False) -> None:
        super().__init__(safe(str(error)))
        self.error = error
        self.more = more
        self.as_json = as_json

    def show(self, file: IO[Any] | None = None) -> None:
        """Print it to standard error; with ``as_json`` also as JSON to standard output."""
        for line in (f"Error: {self.message}", *self._lines()):
            click.echo(line, err=True, file=file)
        if self.as_json:
            sys.stdout.write(json.dumps({"error": self.fields()}, indent=2) + "\n")

    def fields(self) -> dict[str, Any]:
        """Give it for programs."""
        error = self.error
        found: dict[str, Any] = {
            "message": self.message,
            "status": getattr(error, "status", None),
            "code": getattr(error, "error", None),
            "description": _description(error),
            "request_identity": error.request_identity or None,
            "to_do": advice_for(error),
            "notes": [*self.more] or None,
        }
        return {name: value for name, value in found.items() if value is not None}

    def _lines(self) -> Iterator[str]:
        yield from self.more
        if self.error.request_identity:
            yield f"Request identity: {self.error.request_identity}"
        if advice := advice_for(self.error):
            yield f"To do: {advice}."


class UnreachableError(TroubleError):
    """The request cannot have reached the broker."""

    exit_code = 2


def trouble(error: PlatformError, more: tuple[str, ...] = (), *, as_json: bool = False) -> TroubleError:
    """Make what a command ends with out of what went wrong with the broker."""
    unreached = isinstance(error, NoAnswer) and not error.sent
    return (UnreachableError if unreached else TroubleError)(error, more, as_json=as_json)


def _description(error: PlatformError) -> str | None:
    if isinstance(error, OperationFailed):
        return None if error.last is None else error.last.description
    return error.description if isinstance(error, BrokerError) else None


def advice_for(error: PlatformError) -> str | None:
    """Say what an operator can do about an error, or None."""
    if isinstance(error, NoAnswer):
        if _DISTRUSTED in str(error):
            return "give --ca with the authorities that have signed the broker's certificate, or --insecure"
        if not error.sent:
            return "check the address, and that the broker runs"
        return "look whether the broker runs and how busy it is"
    return next((text for kind, text in _ADVICE if isinstance(error, kind)), None)
