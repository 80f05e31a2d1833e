"""Who may call a served broker: from the environment or a file, never from the command line, where others can read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from openbrokerapi.auth import (
    BasicBrokerAuthenticator,
    BearerAuthenticator,
    BrokerCredentials,
    EitherAuthenticator,
    NoneBrokerAuthenticator,
)

from .variables import PASSWORD, TOKEN, USERNAME


class CredentialsError(click.ClickException):
    """There are no credentials to serve with; the message says what to change."""

    exit_code = 2


def has_credentials() -> bool:
    """Tell whether the environment has credentials."""
    return any(os.environ.get(name) for name in (USERNAME, PASSWORD, TOKEN))


def authenticator_from(file: str | None, *, allow_none: bool) -> Any:
    """Give the authenticator of ``openbroker serve``.

    Args:
        file: A file with one ``username:password`` a line; empty lines and lines that begin with ``#`` do not count.
        allow_none: Whether to serve without authentication where nothing is configured.

    Raises:
        CredentialsError: There are none, or the file has none.
    """
    pairs = _from_file(Path(file)) if file is not None else _from_environment()
    token = os.environ.get(TOKEN)
    found: list[Any] = []
    if pairs:
        found.append(BasicBrokerAuthenticator(*pairs))
    if token:
        found.append(BearerAuthenticator(token))
    if found:
        return found[0] if len(found) == 1 else EitherAuthenticator(*found)
    if allow_none:
        return NoneBrokerAuthenticator()
    raise CredentialsError(
        f"there are no credentials; set {USERNAME} and {PASSWORD} (or {TOKEN}), give --credentials-file, "
        "or say --no-auth to serve everybody"
    )


def _from_environment() -> list[BrokerCredentials]:
    username, password = os.environ.get(USERNAME), os.environ.get(PASSWORD)
    if username and password:
        return [BrokerCredentials(username, password)]
    if username or password:
        raise CredentialsError(f"set both {USERNAME} and {PASSWORD}, or neither")
    return []


def _from_file(path: Path) -> list[BrokerCredentials]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise CredentialsError(f"{path} cannot be read as text; give a file with username:password") from None
    pairs = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        username, colon, password = line.partition(":")
        if not (username and colon and password):
            raise CredentialsError(f"{path}, line {number}: write username:password")
        pairs.append(BrokerCredentials(username, password))
    if not pairs:
        raise CredentialsError(f"{path} has no credentials; write username:password")
    return pairs
