"""The broker that a command talks to: its address, and credentials from the environment, a file, or a prompt."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from .variables import PASSWORD, TOKEN, USERNAME

URL = "OPENBROKER_URL"


class TargetError(click.ClickException):
    """There is no such broker to talk to; the message says what to change, and no credentials."""

    exit_code = 2


@dataclass(frozen=True)
class Target:
    """Where a broker is, and how to be let in.

    Attributes:
        url: Without ``/v2``, without credentials, without a slash at its end.
        username: Of basic authentication; None for none.
        password: The password that goes with it.
        token: Of bearer authentication, which goes first.
        verify: True, False, or what certificates are looked at with.
    """

    url: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    verify: bool | ssl.SSLContext = field(default=True, repr=False)


def target_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of `find_target`, but for the address, to a command."""
    file = click.Path(exists=True, dir_okay=False, path_type=Path)
    for option in (
        click.option("--insecure", is_flag=True, help="Take any certificate."),
        click.option("--client-key", type=file, metavar="FILE", help="Its private key (PEM)."),
        click.option("--client-certificate", type=file, metavar="FILE", help="Certificate to show (PEM)."),
        click.option("--ca", type=file, metavar="FILE", help="Authorities of the broker's certificate (PEM)."),
        click.option("--username", metavar="NAME", help="The password is asked for, unless the environment has it."),
        click.option("--credentials-file", type=file, metavar="FILE", help="File with username:password."),
    ):
        command = option(command)
    return command


def find_target(
    url: str | None,
    *,
    credentials_file: Path | None = None,
    username: str | None = None,
    ca: Path | None = None,
    client_certificate: Path | None = None,
    client_key: Path | None = None,
    insecure: bool = False,
) -> Target:
    """Make a target of a command's options and the environment.

    Args:
        url: The broker's address; None takes it from `OPENBROKER_URL`.
        credentials_file: A file whose first line of ``username:password`` is used.
        username: Whose password is in `OPENBROKER_PASSWORD`, or asked for on the terminal.
        ca: Authorities (PEM) that may have signed the broker's certificate, in place of the system's.
        client_certificate: A certificate (PEM) that is shown to the broker.
        client_key: The private key of it.
        insecure: Whether the broker's certificate is not looked at.

    Raises:
        TargetError: There is no address, it is none, or credentials are half given.
    """
    address = address_of(url or os.environ.get(URL))
    verify = _verification(ca, client_certificate, client_key, insecure=insecure)
    if credentials_file is not None:
        return Target(address, *_first_pair(credentials_file), None, verify)
    if username is not None:
        return Target(address, username, os.environ.get(PASSWORD) or _asked(username), None, verify)
    name, password = os.environ.get(USERNAME) or None, os.environ.get(PASSWORD) or None
    if bool(name) != bool(password):
        raise TargetError(f"set both {USERNAME} and {PASSWORD}, or neither")
    return Target(address, name, password, os.environ.get(TOKEN) or None, verify)


def _asked(username: str) -> str:
    try:
        return str(click.prompt(f"Password of {username}", hide_input=True, err=True))
    except click.Abort:
        raise TargetError(f"no password was given; set {PASSWORD}, or give --credentials-file") from None


def address_of(url: str | None) -> str:
    """Give the address of a broker as targets have it.

    Args:
        url: The address as somebody has written it, with or without ``/v2``; None for none.

    Raises:
        TargetError: There is none, it is none, or it holds credentials.
    """
    if not url:
        raise TargetError(f"which broker? give its address, or set {URL}")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise TargetError("the address of the broker is not a URL; write https://host:port/path") from None
    if parts.username is not None or parts.password is not None:
        raise TargetError(
            "the address holds credentials, which others can read on the command line; "
            f"set {USERNAME} and {PASSWORD}, or give --credentials-file"
        )
    if parts.scheme.lower() not in ("http", "https") or not host or not url.isascii() or not url.isprintable():
        raise TargetError(f'"{url}" is no address of a broker; write https://host:port/path')
    path = parts.path.rstrip("/").removesuffix("/v2/catalog").removesuffix("/v2")
    return parts._replace(path=path, query="", fragment="").geturl()


def _first_pair(file: Path) -> tuple[str, str]:
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise TargetError(f"{file} cannot be read as text; give a file with username:password") from None
    for line in lines:
        if line.strip() and not line.startswith("#"):
            username, _, password = line.partition(":")
            if username and password:
                return username, password
            break
    raise TargetError(f"{file} has no credentials; write username:password")


def _verification(
    ca: Path | None, certificate: Path | None, key: Path | None, *, insecure: bool
) -> bool | ssl.SSLContext:
    if key is not None and certificate is None:
        raise TargetError("--client-key goes with --client-certificate; give both")
    if ca is None and certificate is None:
        return not insecure
    try:
        context = ssl.create_default_context(cafile=ca)
        if certificate is not None:
            context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise TargetError(f"the certificates cannot be used: {error}") from None
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
