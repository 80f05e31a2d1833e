"""The broker: one offering, two plans, everything in memory."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote

from tests.checker.legal.catalog import PLANS, SERVICE, write_catalog
from tests.checker.legal.habits import Habits
from tests.checker.legal.requests import (
    Refusal,
    Request,
    Thing,
    check_identity,
    concurrent,
    need_ids,
    need_text,
    read_query,
    remove,
)

USERNAME, PASSWORD = "platform", "made-up-password"
_BASIC = "Basic " + base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()

_COMPARED = ("service_id", "plan_id", "organization_guid", "space_guid")
_PATH = re.compile(r"/v2/service_instances/([^/]+)(?:/service_bindings/([^/]+))?(/last_operation)?\Z")

Answer = tuple[int, dict[str, Any] | None]


class LegalBroker:
    """The broker, as an ASGI application."""

    def __init__(self, habits: Habits, now: Callable[[], float], seconds: float = 3.0) -> None:
        self.habits = habits
        self.now = now
        self.seconds = seconds
        self.instances: dict[str, Thing] = {}
        self.count = 0

    async def __call__(
        self, scope: MutableMapping[str, Any], receive: Any, send: Callable[..., Awaitable[None]]
    ) -> None:
        """Serve one request."""
        body = (await receive())["body"]
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = scope["query_string"].decode()
        request = Request(scope["method"], scope["raw_path"].decode(), {}, headers, body)
        await asyncio.sleep(0)
        try:
            request.query = read_query(query)
            status, found = self._answer(request)
        except Refusal as refusal:
            status, found = refusal.status, refusal.body
        await self._send(send, headers, status, found)

    async def _send(
        self, send: Callable[..., Awaitable[None]], headers: dict[str, str], status: int, found: dict[str, Any] | None
    ) -> None:
        bare = found is None or (self.habits.bare_refusals and status in (401, 404, 410))
        body = b"" if bare else json.dumps(found).encode()
        answered = [] if bare else [(b"Content-Type", b"application/json;charset=utf-8")]
        if status == 401:
            answered.append((b"WWW-Authenticate", b"Basic"))
        identity = headers.get("x-broker-api-request-identity")
        if identity is not None and self.habits.echoes_identity:
            answered.append((b"X-Broker-API-Request-Identity", identity.encode()))
        await send({"type": "http.response.start", "status": status, "headers": answered})
        await send({"type": "http.response.body", "body": body})

    def _answer(self, request: Request) -> Answer:
        self._enter(request)
        if request.path == "/v2/catalog" and request.method == "GET":
            return 200, write_catalog(self.habits)
        found = _PATH.match(request.path)
        if found is None:
            raise Refusal(404, "There is nothing here.")
        instance_id, binding_id = unquote(found[1]), unquote(found[2]) if found[2] else None
        for thing in (self.instances.get(instance_id), *self._bindings(instance_id).values()):
            self._settle(thing)
        if found[3]:
            return self._poll(request, instance_id, binding_id)
        if binding_id is None:
            handler = {"PUT": self._provision, "PATCH": self._update, "DELETE": self._deprovision, "GET": self._fetch}
            return handler[request.method](request, instance_id)
        handler_of = {"PUT": self._bind, "DELETE": self._unbind, "GET": self._fetch_binding}
        return handler_of[request.method](request, instance_id, binding_id)

    def _enter(self, request: Request) -> None:
        if self.habits.ignores_unasked_routes and self._is_unknown(request):
            raise Refusal(404, "There is no such endpoint.")
        if self.habits.authenticates and request.headers.get("authorization") != _BASIC:
            raise Refusal(401, "Who are you?")
        version = request.headers.get("x-broker-api-version")
        if version is None and self.habits.missing_version != 200:
            raise Refusal(self.habits.missing_version, "The header X-Broker-API-Version is required.")
        form = r"2\..*" if self.habits.prefix_of_version else r"2\.[0-9]+"
        if version is not None and not re.fullmatch(form, version):
            raise Refusal(412, "Use version 2.17.")
        identity = request.headers.get("x-broker-api-originating-identity")
        if identity is not None and self.habits.checks_identity:
            check_identity(identity)

    def _is_unknown(self, request: Request) -> bool:
        is_poll = request.path.endswith("/last_operation")
        shows = is_poll or request.path == "/v2/catalog" or self.habits.shows
        unasked = {"GET": not shows or (is_poll and not self.habits.has_polls), "PATCH": not self.habits.updates}
        return unasked.get(request.method, False)

    # -- instances

    def _provision(self, request: Request, instance_id: str) -> Answer:
        body = request.read()
        for name in _COMPARED:
            need_text(body, name)
        self._known(body)
        wanted = {name: body[name] for name in _COMPARED} | {"parameters": self._parameters(body)}
        late = self._late(request)
        self._check_maintenance(body)
        present = self.instances.get(instance_id)
        if present is not None and (present.present or present.kind == "provision"):
            return self._provision_again(request, present, wanted)
        if present is not None and not self.habits.reuses_ids:
            raise Refusal(400, "This id was used before.")
        if sum(each.present for each in self.instances.values()) >= self.habits.room:
            raise Refusal(422, "There is no room.")
        made = Thing(wanted, dict(wanted["parameters"]), body["plan_id"], number=self._number())
        self.instances[instance_id] = made
        return self._begin(made, "provision", late, lambda: None, 201, {})

    def _provision_again(self, request: Request, present: Thing, wanted: dict[str, Any]) -> Answer:
        running = self._running(present)
        if running == "deprovision":
            status = self.habits.put_while_deleting
            raise concurrent() if status == 422 else Refusal(status, "There is one with this id.")
        if wanted != present.wanted:
            raise Refusal(409, "There is one with this id and other attributes.")
        if running == "update":
            raise concurrent()
        if not running and self.habits.refused_repeat:
            raise Refusal(409, "There is nothing to do.")
        return self._accepted(present, request) if running else (200, {})

    def _update(self, request: Request, instance_id: str) -> Answer:
        body = request.read()
        need_text(body, "service_id")
        present = self._present(instance_id)
        target = self._target(body, present)
        given = self._parameters(body)
        late = self._late(request)
        self._check_maintenance(body)
        change = {"plan": target, "parameters": given}
        if self._running(present) == "update" and present.wanted.get("change") == change:
            return self._accepted(present, request)
        if self._running(present):
            raise concurrent()
        present.wanted = {**present.wanted, "change": change}

        def apply() -> None:
            present.plan_id = target
            if "parameters" in body:
                present.parameters = {**(present.parameters if self.habits.merges_parameters else {}), **given}
            present.wanted = {**present.wanted, "plan_id": target, "parameters": dict(present.parameters)}
            present.wanted.pop("change")

        return self._begin(present, "update", late, apply, 200, {})

    def _target(self, body: dict[str, Any], present: Thing) -> str:
        target = str(body.get("plan_id", present.plan_id))
        if body["service_id"] != SERVICE or target not in PLANS:
            raise Refusal(400, "There is no such plan.")
        if not self.habits.updates:
            raise Refusal(self.habits.refused_update, "Nothing can be updated.")
        locked = target != present.plan_id and not self.habits.plan_updateable
        if locked or ("plan_id" in body and self.habits.refuses_same_plan):
            raise Refusal(422, "The plan cannot be changed.")
        return target

    def _deprovision(self, request: Request, instance_id: str) -> Answer:
        need_ids(request)
        found = self.instances.get(instance_id)
        if found is None or not (found.present or found.kind == "provision"):
            raise Refusal(410, "It is not there.")
        if self.habits.checks_delete_ids and request.query["service_id"] != SERVICE:
            raise Refusal(400, "The service_id is another one.")
        if self._running(found) == "deprovision":
            return self._accepted(found, request)
        late = self._late(request)
        if self._running(found) == "update" or (self._running(found) and not self.habits.halts_creation):
            raise concurrent()
        if self._live(found) and not self.habits.deletes_with_bindings:
            raise Refusal(400, "It has bindings.")
        return self._end(found, "deprovision", late)

    def _fetch(self, request: Request, instance_id: str) -> Answer:
        if not self.habits.shows:
            raise Refusal(self.habits.not_shown, "Instances are not shown.")
        found = self._present(instance_id)
        if self._running(found) == "provision":
            raise Refusal(404, "It is being made.")
        if self._running(found) == "update" and not self.habits.shows_while_updating:
            raise concurrent()
        shown: dict[str, Any] = {"service_id": SERVICE, "plan_id": found.plan_id}
        return 200, {**shown, "parameters": found.parameters} if self.habits.shows_parameters else shown

    # -- bindings

    def _bind(self, request: Request, instance_id: str, binding_id: str) -> Answer:
        body = request.read()
        for name in ("service_id", "plan_id"):
            need_text(body, name)
        if not isinstance(body.get("context", {}), dict):
            raise Refusal(400, "The context is not an object.")
        instance = self._present(instance_id)
        if body["service_id"] != SERVICE or body["plan_id"] != instance.plan_id:
            raise Refusal(400, "It is an instance of another plan.")
        if not self.habits.bindable:
            raise Refusal(400, "It cannot be bound.")
        wanted = {"parameters": self._parameters(body), "resource": body.get("bind_resource")}
        late = self._late(request, binding=True)
        present = instance.bindings.get(binding_id)
        if present is not None and (present.present or present.kind == "bind"):
            return self._bind_again(request, present, wanted)
        busy = any(self._running(each) for each in instance.bindings.values()) and self.habits.refuses_concurrency
        if self._running(instance) or busy:
            raise concurrent()
        made = Thing(wanted, dict(wanted["parameters"] or {}), number=self._number())
        instance.bindings[binding_id] = made
        return self._begin(made, "bind", late, lambda: None, 201, {} if late else self._handed(made))

    def _bind_again(self, request: Request, present: Thing, wanted: dict[str, Any]) -> Answer:
        if self._running(present) == "unbind":
            raise concurrent()
        if wanted != present.wanted:
            raise Refusal(409, "There is a binding with this id and other attributes.")
        if self._running(present):
            return self._accepted(present, request)
        if self.habits.refused_repeat:
            raise Refusal(409, "There is nothing to do.")
        return 200, self._handed(present)

    def _unbind(self, request: Request, instance_id: str, binding_id: str) -> Answer:
        need_ids(request)
        instance = self.instances.get(instance_id)
        found = instance.bindings.get(binding_id) if instance is not None and instance.present else None
        if instance is None or found is None or not (found.present or found.kind == "bind"):
            raise Refusal(410, "It is not there.")
        if self.habits.checks_delete_ids and request.query["service_id"] != SERVICE:
            raise Refusal(400, "The service_id is another one.")
        if self._running(found) == "unbind":
            return self._accepted(found, request)
        late = self._late(request, binding=True)
        if self._running(instance) or (self._running(found) and not self.habits.halts_creation):
            raise concurrent()
        return self._end(found, "unbind", late)

    def _fetch_binding(self, request: Request, instance_id: str, binding_id: str) -> Answer:
        if not self.habits.shows:
            raise Refusal(self.habits.not_shown, "Bindings are not shown.")
        found = self._present(instance_id).bindings.get(binding_id)
        if found is None or not found.present or self._running(found) == "bind":
            raise Refusal(404, "It is not there.")
        parameters = {"parameters": found.parameters} if self.habits.shows_parameters else {}
        return 200, {**self._handed(found), **parameters}

    def _handed(self, binding: Thing) -> dict[str, Any]:
        if binding.handed_out and self.habits.credentials_once:
            return {}
        binding.handed_out = True
        return {"credentials": {"token": f"made-up-{binding.number}"}}

    # -- operations

    def _late(self, request: Request, *, binding: bool = False) -> bool:
        habits = self.habits
        asynchronous = habits.asynchronous or (binding and habits.late_bindings_only)
        if asynchronous and not request.flag and not habits.only_if_allowed:
            raise Refusal(422, "Send accepts_incomplete=true.", "AsyncRequired")
        return asynchronous and request.flag

    def _begin(
        self, thing: Thing, kind: str, late: bool, apply: Callable[[], None], status: int, shown: dict[str, Any]
    ) -> Answer:
        thing.kind, thing.operation, thing.apply = kind, f"{kind}-{self._number()}", apply
        if not late:
            thing.ends_at = 0.0
            apply()
            thing.kind = "" if thing.present else "gone"
            return status, shown
        thing.ends_at = self.now() + self.seconds
        return self._accepted(thing)

    def _end(self, thing: Thing, kind: str, late: bool) -> Answer:
        halted = thing.operation if self._running(thing) and not late else ""
        answer = self._begin(thing, kind, late, lambda: remove(thing), 200, {})
        if halted:
            thing.operation, thing.kind = halted, "halted"
        return answer

    def _accepted(self, thing: Thing, again: Request | None = None) -> Answer:
        if again is not None and not again.flag:
            raise Refusal(422, "It is being done: send accepts_incomplete=true.", "AsyncRequired")
        if self.habits.names_operations:
            return 202, {"operation": thing.operation}
        nullable = self.habits.null_operation and thing.kind in ("provision", "deprovision")
        return 202, {"operation": None} if nullable else {}

    def _settle(self, thing: Thing | None) -> None:
        if thing is not None and thing.ends_at and self.now() >= thing.ends_at:
            thing.ends_at = 0.0
            thing.apply()

    def _running(self, thing: Thing) -> str:
        return thing.kind if thing.ends_at else ""

    def _poll(self, request: Request, instance_id: str, binding_id: str | None) -> Answer:
        found = self.instances.get(instance_id)
        if binding_id is not None:
            found = self._bindings(instance_id).get(binding_id)
        if "" in request.query.values():
            raise Refusal(400, "A parameter is empty.")
        if not self.habits.has_polls:
            raise Refusal(405, "There is no such endpoint.")
        if found is None or found.kind in ("", "gone"):
            raise Refusal(404, "There is no operation.")
        named = request.query.get("operation", found.operation)
        if self.habits.checks_poll_ids and named != found.operation:
            raise Refusal(400, "There is no such operation.")
        return self._state(found)

    def _state(self, found: Thing) -> Answer:
        if found.ends_at:
            return 200, {"state": "in progress"}
        if found.kind == "halted":
            return 200, {"state": "failed"}
        if not found.present and self.habits.gone_after_delete:
            raise Refusal(410, "It is gone.")
        return 200, {"state": "succeeded"}

    # -- small ones

    def _bindings(self, instance_id: str) -> dict[str, Thing]:
        found = self.instances.get(instance_id)
        return found.bindings if found is not None else {}

    def _live(self, instance: Thing) -> bool:
        return any(each.present for each in instance.bindings.values())

    def _present(self, instance_id: str) -> Thing:
        found = self.instances.get(instance_id)
        if found is None or not found.present:
            raise Refusal(404, "There is no such instance.")
        return found

    def _number(self) -> int:
        self.count += 1
        return self.count

    def _known(self, body: dict[str, Any]) -> None:
        if body["service_id"] != SERVICE or body["plan_id"] not in PLANS:
            raise Refusal(400, "There is no such plan.")
        if not isinstance(body.get("context", {}), dict):
            raise Refusal(400, "The context is not an object.")

    def _parameters(self, body: dict[str, Any]) -> dict[str, Any]:
        given = body.get("parameters", {})
        if not isinstance(given, dict):
            raise Refusal(400, "The parameters are not an object.")
        size, label = given.get("size", 1), given.get("label", "")
        fits = isinstance(size, int) and not isinstance(size, bool) and size >= 1 and isinstance(label, str)
        if self.habits.has_schema and (given.keys() - {"size", "label"} or not fits):
            raise Refusal(self.habits.refused_parameters, "The parameters do not fit the schema.")
        return given

    def _check_maintenance(self, body: dict[str, Any]) -> None:
        info = body.get("maintenance_info")
        if info is not None and self.habits.has_maintenance and info.get("version") != "1.0.0":
            raise Refusal(422, "Fetch the catalog.", "MaintenanceInfoConflict")
