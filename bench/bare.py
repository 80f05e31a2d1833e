"""The bare ASGI application: it does nothing but answer, and is what a server of this kind can do at most."""

from __future__ import annotations

from typing import Any

from bench.brokers import shape
from bench.offerings import offerings

from openbrokerapi.protocol.catalog_document import encode_catalog

_JSON = (b"content-type", b"application/json")
_PROVISIONED = (
    b'{"dashboard_url":"https://broker.example.com/dashboards/00000000-0000-4000-8000-000000000000"}'  # as long as ours
)
_POLLED = b'{"state":"in progress","description":"The database is being created: step 3 of 5"}'


def bare() -> Any:
    """Make the application; the catalog is encoded here, once."""
    answers = {"/v2/catalog": _answer(200, encode_catalog(offerings(shape())))}
    provisioned, polled = _answer(201, _PROVISIONED), _answer(200, _POLLED)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        if scope["method"] == "PUT":
            while (await receive()).get("more_body"):
                pass
            start, body = provisioned
        else:
            start, body = answers.get(scope["path"], polled)
        await send(start)
        await send(body)

    return app


def _answer(status: int, body: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    headers = [_JSON, (b"content-length", b"%d" % len(body))]
    return (
        {"type": "http.response.start", "status": status, "headers": headers},
        {"type": "http.response.body", "body": body},
    )


async def _live(receive: Any, send: Any) -> None:
    for event in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{event}.complete"})
