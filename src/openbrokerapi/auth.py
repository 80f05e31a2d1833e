"""Who may send requests (section "Platform to Service Broker Authentication").

An authenticator for all hosts has a method ``identify(request)``, plain or ``async``: it returns the user's name, or
None for nobody in particular, and raises :class:`~openbrokerapi.errors.ErrUnauthorized`. An authenticator of 4.7.3 has
``authenticate()``, which runs in Flask's request context and returns None or a Flask response; it is for Flask only.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import sys
from abc import abstractmethod
from collections.abc import Awaitable, Iterable
from typing import Any, Protocol

from .errors import ErrUnauthorized
from .marks import nonblocking
from .protocol.problems import UNAUTHORIZED
from .protocol.request import Request

_AUTHORIZATION = b"authorization"
_MOST_VERIFIED = 64


class BrokerCredentials:
    """A user name and a password for basic authentication."""

    def __init__(self, username: str, password: str) -> None:
        self.username = username
        self.password = password

    def __repr__(self) -> str:
        return f"<BrokerCredentials {self.username}>"


class IdentifiesRequests(Protocol):
    """An authenticator for all hosts."""

    def identify(self, request: Request) -> str | Awaitable[str | None] | None:
        """Give the user's name, or None for nobody in particular.

        Raises:
            ErrUnauthorized: The request carries no valid credentials: 401.
        """
        ...


class BrokerAuthenticator:
    """The base of 4.7.3's authenticators: ``authenticate`` runs in Flask's request context."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Authenticate the present request."""
        return self.authenticate()

    @abstractmethod
    def authenticate(self) -> Any:
        """Give None for a request that may pass, or the Flask response that refuses it."""
        raise NotImplementedError


class _Secrets:
    """A set of secrets that can only be asked whether something is in it, in constant time."""

    def __init__(self, values: Iterable[bytes]) -> None:
        # Digests under a key of this process: their length says nothing of the secret's.
        self._key = secrets.token_bytes(32)
        self._digests = [self._digest(value) for value in values]

    def _digest(self, value: bytes) -> bytes:
        return hashlib.blake2b(value, key=self._key, digest_size=32).digest()

    def has(self, value: bytes) -> bool:
        given = self._digest(value)
        found = False
        for digest in self._digests:
            found |= hmac.compare_digest(given, digest)
        return found


def basic_pair(request: Request) -> bytes | None:
    """Give ``user:password`` of a request with basic authentication, or None (AUTH-04)."""
    scheme, _, encoded = request.headers.get(_AUTHORIZATION, b"").partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        pair = base64.b64decode(encoded.strip(), validate=True)
    except binascii.Error:
        return None
    return pair if b":" in pair else None


def basic_username(request: Request) -> str | None:
    """Give the user's name of a request with basic authentication, or None; nothing is verified."""
    pair = basic_pair(request)
    return None if pair is None else pair.partition(b":")[0].decode(errors="replace")


class BasicBrokerAuthenticator(BrokerAuthenticator):
    """Basic authentication against one or several pairs of user and password (AUTH-01 to AUTH-04, AUTH-10)."""

    challenge = 'Basic realm="service broker"'

    def __init__(self, *credentials: BrokerCredentials) -> None:
        self._pairs = _Secrets(f"{each.username}:{each.password}".encode() for each in credentials)
        self._verified: dict[bytes, str] = {}

    @nonblocking
    def identify(self, request: Request) -> str | None:
        """Give the user's name of a request with a known pair."""
        # Platforms send the same header again and again. Looking it up tells nothing by its time: bytes are compared
        # only where their hashes, made with a secret key of this process, are the same.
        header = request.headers.get(_AUTHORIZATION, b"")
        return self._verified.get(header) or self._verify(request, header)

    def _verify(self, request: Request, header: bytes) -> str:
        pair = basic_pair(request)
        if pair is None or not self._pairs.has(pair):
            raise ErrUnauthorized(challenge=self.challenge)
        username = pair.partition(b":")[0].decode(errors="replace")
        # One pair can be written in several ways, white space among them.
        if len(self._verified) < _MOST_VERIFIED:
            self._verified[header] = username
        return username

    def authenticate(self) -> Any:
        """Give None for Flask's present request if it carries a known pair, else a response with 401."""
        # Only ever called inside Flask, so Flask is loaded; this module stays free of it.
        value = sys.modules["flask"].request.headers.get("Authorization", "")
        try:
            self.identify(Request("", b"", b"", {_AUTHORIZATION: value.encode("latin-1", "replace")}))
        except ErrUnauthorized:
            return {"description": UNAUTHORIZED.description}, UNAUTHORIZED.status, {"WWW-Authenticate": self.challenge}
        return None


class BearerAuthenticator:
    """Opaque bearer tokens that were agreed with the platform (AUTH-05)."""

    challenge = 'Bearer realm="service broker"'

    def __init__(self, *tokens: str) -> None:
        self._tokens = _Secrets(token.encode() for token in tokens)

    @nonblocking
    def identify(self, request: Request) -> None:
        """Pass a request with a known token; a token names nobody."""
        scheme, _, token = request.headers.get(_AUTHORIZATION, b"").partition(b" ")
        if scheme.lower() != b"bearer" or not self._tokens.has(token.strip()):
            raise ErrUnauthorized(challenge=self.challenge)


class EitherAuthenticator:
    """Any of several authenticators for all hosts: the first that knows the sender decides.

    Args:
        authenticators: Such as one for passwords and one for tokens; their ``identify`` must be plain.
    """

    def __init__(self, *authenticators: Any) -> None:
        self._authenticators = authenticators

    @nonblocking
    def identify(self, request: Request) -> str | None:
        """Give what the first of them says that does not refuse."""
        challenges = []
        for authenticator in self._authenticators:
            try:
                found: str | None = authenticator.identify(request)
            except ErrUnauthorized as error:
                challenges += [error.challenge] if error.challenge else []
            else:
                return found
        raise ErrUnauthorized(challenge=", ".join(challenges) or None)


class NoneBrokerAuthenticator(BrokerAuthenticator):
    """No authentication: every request passes."""

    @nonblocking
    def identify(self, request: Request) -> None:
        """Pass every request."""

    def authenticate(self) -> None:
        """Pass every request."""


def decides_in_flask(authenticator: Any) -> bool:
    """Tell whether it is ``authenticate()`` of this authenticator that decides, which only Flask can ask.

    That is so where it is overridden nearer to the object than ``identify``: a subclass that adds a check to
    ``authenticate()`` must never be asked by way of the ``identify`` that it inherits.
    """
    if "identify" in getattr(authenticator, "__dict__", {}):
        return False
    for kind in type(authenticator).__mro__:
        if "identify" in vars(kind):
            return False
        if "authenticate" in vars(kind):
            return True
    return True


#: The names of 4.4 to 4.5.
Authenticator = BrokerAuthenticator
BasicAuthenticator = BasicBrokerAuthenticator
NoneAuthenticator = NoneBrokerAuthenticator


def authenticator_for(credentials: BrokerCredentials | Iterable[BrokerCredentials] | None, authenticator: Any) -> Any:
    """Choose the authenticator of an application: the given one, else one for the credentials, else none.

    Raises:
        ValueError: The credentials are an empty list, which would lock everybody out.
    """
    if authenticator is not None:
        return authenticator
    if credentials is None:
        return NoneBrokerAuthenticator()
    pairs = [credentials] if isinstance(credentials, BrokerCredentials) else list(credentials)
    if not pairs:
        raise ValueError("no credentials: give one or several BrokerCredentials, or None for no authentication")
    return BasicBrokerAuthenticator(*pairs)
