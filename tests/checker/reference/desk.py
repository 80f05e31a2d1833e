"""A platform that asks the reference broker in the same process, for the tests of the broker itself."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import quote

from tests.checker.reference.app import Reference
from tests.checker.reference.door import BASIC
from tests.checker.reference.faults import Fault

HEADERS = {"authorization": BASIC[""], "x-broker-api-version": "2.17"}
FLAG = "accepts_incomplete=true"


class Desk:
    """A platform that asks one broker, and a clock that it sets."""

    def __init__(self, fault: Fault | None = None) -> None:
        self.time = 1_750_000_000.0
        self.broker = Reference(now=lambda: self.time, fault=fault)
        self.headers: dict[str, str] = {}
        services = self.ask("GET", "/v2/catalog")["services"]
        self.ids = {(s["name"], p["name"]): (s["id"], p["id"]) for s in services for p in s["plans"]}

    def ask(self, method: str, path: str, body: Any = None, **headers: str | None) -> Any:
        """Return the JSON body of an answer; its status and headers are kept."""
        raw, _, query = path.partition("?")
        sent = {**HEADERS, **{name.replace("_", "-"): value for name, value in headers.items()}}
        encoded = [(name.encode(), value.encode()) for name, value in sent.items() if value is not None]
        scope = {"type": "http", "method": method, "path": raw, "raw_path": raw.encode(), "headers": encoded}
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        answer = asyncio.run(self.call({**scope, "query_string": query.encode()}, content))
        return json.loads(answer) if answer else None

    async def call(self, scope: dict[str, Any], content: bytes) -> bytes:
        messages: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": content}

        async def send(message: Any) -> None:
            messages.append(message)

        await self.broker(scope, receive, send)
        self.status = messages[0]["status"]
        self.headers = {name.decode(): value.decode() for name, value in messages[0]["headers"]}
        body: bytes = messages[1]["body"]
        return body

    def body(self, service: str, plan: str, **fields: Any) -> dict[str, Any]:
        service_id, plan_id = self.ids[service, plan]
        return {"service_id": service_id, "plan_id": plan_id, **fields}

    def provision(self, id: str, service: str, plan: str, query: str = FLAG, **fields: Any) -> Any:
        body = self.body(service, plan, organization_guid="o", space_guid="s", **fields)
        return self.ask("PUT", f"/v2/service_instances/{id}?{query}", body)

    def delete(self, path: str, service: str, plan: str, query: str = FLAG) -> Any:
        service_id, plan_id = self.ids[service, plan]
        return self.ask("DELETE", f"/v2/service_instances/{path}?service_id={service_id}&plan_id={plan_id}&{query}")

    def patch(self, id: str, service: str, query: str = FLAG, **fields: Any) -> Any:
        service_id = next(found for (name, _), (found, _) in self.ids.items() if name == service)
        return self.ask("PATCH", f"/v2/service_instances/{id}?{query}", {"service_id": service_id, **fields})

    def bind(self, path: str, service: str, plan: str, query: str = FLAG, **fields: Any) -> Any:
        return self.ask("PUT", f"/v2/service_instances/{path}?{query}", self.body(service, plan, **fields))

    def poll(self, path: str, answer: Any = None) -> Any:
        operation = (answer or {}).get("operation")
        query = f"?operation={quote(operation, safe='')}" if operation else ""
        return self.ask("GET", f"/v2/service_instances/{path}/last_operation{query}")

    def finish(self, path: str, answer: Any = None) -> Any:
        """Poll, let the time pass, poll again."""
        assert self.poll(path, answer)["state"] == "in progress"
        assert self.headers["retry-after"] == "1"
        self.time += 3
        return self.poll(path, answer)
