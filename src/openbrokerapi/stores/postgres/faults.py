"""What PostgreSQL complains of, as one sentence for the operator. No sentence holds a password, or a row's values."""

from __future__ import annotations

import psycopg

from openbrokerapi.stores.contract import StoreError

#: What a server says that will be there in a moment.
_SOON = ("starting up", "shutting down", "recovery", "not yet accepting", "too many", "connection slots")
#: The first word that fits, in what was said to a connection that was refused for good.
_REFUSALS = (
    ("password", "refuses the password; correct the user name or the password in the store's URL"),
    ("database", "has no such database; make it, or correct the name in the store's URL"),
    ("role", "does not know the user; make it, or correct the name in the store's URL"),
    ("pg_hba.conf", "lets nobody in from here; add this host and user to its pg_hba.conf"),
)


def is_passing(error: psycopg.Error) -> bool:
    """Tell whether what failed may work a moment later: connections, deadlocks, a standby that takes over."""
    gone = isinstance(error, psycopg.errors.IdleInTransactionSessionTimeout | psycopg.errors.ReadOnlySqlTransaction)
    return gone or (isinstance(error, psycopg.OperationalError) and not is_refusal(error))


def is_refusal(error: psycopg.Error) -> bool:
    """Tell whether a server was there, and will not let this program in."""
    text = str(error)
    return error.sqlstate is None and "FATAL" in text and not any(word in text for word in _SOON)


def fault(error: psycopg.Error, where: str) -> StoreError:
    """Put what psycopg says into a sentence.

    Args:
        where: The database, without a password.
    """
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return StoreError(
            f"The database {where} does not permit this ({error.diag.message_primary}); let its owner make the schema"
            ' "openbroker" for this user: CREATE SCHEMA openbroker AUTHORIZATION the_user.'
        )
    if error.sqlstate is not None:
        return StoreError(f"The database {where} refuses: {error.diag.message_primary} ({error.sqlstate}).")
    if is_refusal(error):
        return StoreError(f"The database {where} {_refusal(error)} ({_first_line(error)}).")
    if isinstance(error, psycopg.OperationalError):
        return StoreError(
            f"The database {where} cannot be reached; start it, or correct the store's URL ({_first_line(error)})."
        )
    return StoreError(f"The database {where} cannot be used: {type(error).__name__}.")


def _refusal(error: psycopg.Error) -> str:
    # What stands before FATAL names the host and the database, and may hold any of the words.
    said = str(error).partition("FATAL")[2]
    return next((sentence for word, sentence in _REFUSALS if word in said), "refuses the connection")


def _first_line(error: psycopg.Error) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
