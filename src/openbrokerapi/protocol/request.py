"""A request and a response as the protocol sees them: bytes."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

Headers: TypeAlias = dict[bytes, bytes]


class Request:
    """What arrived, before anything of it is believed.

    Args:
        method: The HTTP method, upper case.
        path: The path below the mount point, still percent-encoded.
        query: The query string, still percent-encoded.
        headers: Header values by lower-case name.
    """

    __slots__ = ("headers", "method", "path", "query")

    def __init__(self, method: str, path: bytes, query: bytes, headers: Headers) -> None:
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers

    def header(self, name: str) -> str | None:
        """Give the value of the header ``name`` (any case), or None."""
        value = self.headers.get(name.lower().encode("latin-1"))
        return None if value is None else value.decode("latin-1")

    def __repr__(self) -> str:
        # Path and method only: headers carry credentials, a query may carry an operation.
        return f"<Request {self.method} {self.path.decode('latin-1')}>"


class Response(NamedTuple):
    """What goes back: a status, the headers beside ``Content-Length``, and the body."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def __repr__(self) -> str:
        # The body of a bind carries credentials.
        return f"<Response {self.status}, {len(self.body)} bytes>"
