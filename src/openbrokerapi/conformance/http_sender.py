"""Requests over HTTP."""

from __future__ import annotations

import ssl
import time
from urllib.parse import urlsplit

import httpx2

from .wire import Answer, NoAnswer, Request


class HttpSender:
    """Sends requests to the broker at a URL, as they are: no redirects, no headers of its own but those of HTTP.

    Args:
        url: Where the broker is, with the path before ``/v2``.
        timeout: How many seconds an answer may take.
        verify: Whether certificates are looked at, or what they are looked at with.
    """

    def __init__(self, url: str, *, timeout: float = 60.0, verify: bool | ssl.SSLContext = True) -> None:
        parts = urlsplit(url)
        self._base = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self._client = httpx2.AsyncClient(
            timeout=timeout,
            verify=verify,
            follow_redirects=False,
            trust_env=False,
            # A connection that the server is about to close is not used again: servers wait for two seconds or more.
            limits=httpx2.Limits(max_connections=64, max_keepalive_connections=32, keepalive_expiry=1.0),
        )
        # What the library would add by itself is for the request to say.
        self._client.headers = httpx2.Headers()

    async def send(self, request: Request) -> Answer:
        """Send it, and read the answer to its end."""
        began = time.perf_counter()
        try:
            answer = await self._client.request(
                request.method,
                httpx2.URL(self._base + request.target),
                headers=list(request.headers),
                content=request.body,
            )
        except httpx2.TimeoutException as error:
            raise NoAnswer(request, "it took too long", time.perf_counter() - began) from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            reason = f"{type(error).__name__}: {error}"
            raise NoAnswer(request, reason, time.perf_counter() - began) from error
        headers = tuple((name.lower(), value) for name, value in answer.headers.multi_items())
        return Answer(request, answer.status_code, headers, answer.content, time.perf_counter() - began)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
