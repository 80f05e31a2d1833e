"""The client of a command."""

from __future__ import annotations

from openbrokerapi.cli.target import Target, TargetError
from openbrokerapi.platform import Client, OriginatingIdentity


def connect(target: Target, identity: OriginatingIdentity | None = None) -> Client:
    """Make a client for a broker; a token goes before a name and a password.

    Args:
        target: The broker, and the credentials.
        identity: On whose behalf it acts, or None.

    Raises:
        TargetError: The address or the credentials cannot be sent; the message shows none.
    """
    name, password = (None, None) if target.token else (target.username, target.password)
    # To read the system's authorities takes longer than most requests.
    verify = target.verify if target.url.startswith("https:") else False
    try:
        return Client(
            target.url,
            username=name,
            password=password,
            token=target.token,
            verify=verify,
            originating_identity=identity,
        )
    except ValueError as error:
        raise TargetError(str(error)) from None
