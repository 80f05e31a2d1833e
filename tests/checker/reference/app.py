"""The reference broker: an ASGI application that obeys every rule, or all but the one that a fault breaks."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.checker.reference.bindings import bind, fetch_binding, unbind
from tests.checker.reference.catalog import Catalog
from tests.checker.reference.conduct import Conduct
from tests.checker.reference.door import enter
from tests.checker.reference.instances import deprovision, fetch_instance, provision
from tests.checker.reference.plans import Plan
from tests.checker.reference.polling import poll_binding, poll_instance
from tests.checker.reference.state import OVER, Binding, Instance
from tests.checker.reference.updates import update
from tests.checker.reference.wire import Call, RefusalError, Reply, read_call

if TYPE_CHECKING:
    from tests.checker.reference.faults import Fault

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def catalog(broker: Reference, call: Call) -> Reply:
    """Answer with the catalog (GET)."""
    return broker.catalog.answer(call, broker.conduct.conditional_requests, as_data=broker.wants_data)


HANDLERS: dict[str, Callable[[Reference, Call], Reply]] = {
    "catalog": catalog,
    "provision": provision,
    "fetch_instance": fetch_instance,
    "update": update,
    "deprovision": deprovision,
    "poll_instance": poll_instance,
    "bind": bind,
    "fetch_binding": fetch_binding,
    "unbind": unbind,
    "poll_binding": poll_binding,
}


class Reference:
    """One broker.

    Args:
        now: The clock, in seconds since 1970; operations end by it.
        fault: What the broker does wrong; None for nothing.
        seconds: How long an operation takes.
        sleep: Waits, where a fault lingers.

    `right` is the conduct of a broker without the fault, `wrong` with it, `conduct` the one in force for this request.
    For the use of faults: `memory` is theirs, `restarts` counts, `in_flight` counts the requests that are not yet
    answered, by method and raw path (see `Conduct.linger`).
    """

    def __init__(
        self,
        now: Callable[[], float] = time.time,
        fault: Fault | None = None,
        seconds: float | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.now = now
        self.sleep = sleep
        self.fault = fault
        self.right = replace(Conduct(), operation_seconds=seconds) if seconds is not None else Conduct()
        self.wrong = self.right if fault is None else replace(self.right, **fault.settings)
        self.conduct = self.wrong
        self.catalog = Catalog(fault.catalog if fault is not None else None)
        self.restarts = 0
        self.numbers = 0
        self.log: deque[str] = deque(maxlen=10_000)
        self.memory: dict[str, Any] = {}
        self.in_flight: Counter[tuple[str, str]] = Counter()
        self.platforms: dict[str, dict[str, Instance]] = {}

    # What the handlers use.

    @property
    def wants_data(self) -> bool:
        """Whether a fault looks into answers, so that none may be made of bytes."""
        return self.fault is not None and self.fault.after is not None

    def count(self) -> int:
        """Return the next number: ids and credentials are made of it."""
        self.numbers += 1
        return self.numbers

    def instances(self, call: Call) -> dict[str, Instance]:
        """Return the instances of the platform that calls."""
        return self.platforms.setdefault(call.platform, {})

    def find_instance(self, call: Call) -> Instance | None:
        """Return the instance that a call is about, as it is now."""
        instance = self.instances(call).get(call.instance_id)
        if instance is not None:
            instance.settle(self.now(), self.conduct)
        return instance

    def find_binding(self, instance: Instance, binding_id: str) -> Binding | None:
        """Return a binding of an instance, as it is now."""
        binding = instance.bindings.get(binding_id)
        if binding is not None:
            binding.settle(self.now(), self.conduct)
        return binding

    # One request.

    def answer(self, call: Call) -> Reply:
        """Answer a request, with the fault before it and after it."""
        self.conduct = self.wrong
        if call.path[:1] == ("reference",):
            return self.control(call)
        active = self.fault is not None and self.fault.is_at(call.endpoint)
        self.conduct = self.wrong if active else self.right
        call, reply = self.ask_fault(call) if active else (call, None)
        if reply is None:
            reply = self.handle(call)
        identity = call.headers.get("x-broker-api-request-identity")
        if identity is not None:
            reply = self.take_note(identity, reply)
        if active and self.fault is not None and self.fault.after is not None:
            reply = self.fault.after(call, reply, self)
        return reply

    def ask_fault(self, call: Call) -> tuple[Call, Reply | None]:
        """Return the call to treat, and a fault's own answer to it, None without."""
        if self.fault is None or self.fault.before is None:
            return call, None
        said = self.fault.before(call, self)
        return (call, said) if isinstance(said, Reply) else (said or call, None)

    def handle(self, call: Call) -> Reply:
        """Answer a request by the rules."""
        if not self.conduct.decode_ids:
            call = self.leave_encoded(call)
        try:
            enter(self, call)
            return HANDLERS[call.endpoint](self, call)
        except RefusalError as error:
            if call.endpoint == "provision":
                self.keep_refused(call, error.reply)
            return error.reply

    def take_note(self, identity: str, reply: Reply) -> Reply:
        """Log a request's identity (RID-02) and send it back (RID-03)."""
        if self.conduct.log_identity:
            self.log.append(identity)
        return reply.with_header("x-broker-api-request-identity", identity) if self.conduct.echo_identity else reply

    def control(self, call: Call) -> Reply:
        """Do what the checker's file asks for outside of the API: restart, change the catalog, show the log."""
        what = "/".join(call.path[1:])
        if what == "log":
            return Reply(200, {"identities": list(self.log)})
        if what == "instances":
            return Reply(200, {"instances": self.present_instances()})
        if what == "restart":
            self.restarts += 1
            if not self.conduct.survive_restart:
                self.platforms.clear()
        elif what in ("change-catalog", "restore-catalog"):
            keep = not self.conduct.validators_follow_content
            self.catalog.change(what == "change-catalog", self.now(), keep)
        else:
            return Reply(404, {"description": "There is nothing at this address."})
        return Reply(200, {})

    def present_instances(self) -> list[str]:
        """List the ids of the instances of all platforms that exist, whether whole or not."""
        found = [each for instances in self.platforms.values() for each in instances.values()]
        for instance in found:
            instance.settle(self.now(), self.conduct)
        return [instance.id for instance in found if instance.status not in OVER]

    # What faults do.

    def leave_encoded(self, call: Call) -> Call:
        """Return a call whose ids are as they were sent, not decoded."""
        parts = call.raw_path.split("/")[2 if call.platform else 1 :]
        ids = [part for place, part in enumerate(parts) if place in (2, 4)]
        return call.having(instance_id=ids[0] if call.instance_id else "", binding_id=ids[1] if call.binding_id else "")

    def keep_refused(self, call: Call, reply: Reply) -> None:
        """Keep, by a fault, an instance though its creation is refused."""
        conduct = self.conduct
        code = reply.body.get("error")
        kept = (
            (conduct.keep_unauthenticated_creation and reply.status == 401)
            or (conduct.keep_async_required_creation and code == "AsyncRequired")
            or (conduct.keep_maintenance_conflict_creation and code == "MaintenanceInfoConflict")
            or (conduct.keep_refused_creation and 400 <= reply.status < 500 and reply.status not in (401, 409))
            or (conduct.keep_broken_creation and reply.status >= 500)
        )
        if kept:
            self.leave_behind(call)

    def leave_behind(self, call: Call) -> None:
        """Make an instance of the plan that a call names, or of any; one that is there stays."""
        present = self.find_instance(call)
        if present is None or present.status in OVER:
            plan = self.guess_plan(call.json if isinstance(call.json, dict) else {})
            self.instances(call)[call.instance_id] = Instance(call.instance_id, plan, {"plan": plan.id, "unknown": {}})

    def guess_plan(self, body: dict[str, Any]) -> Plan:
        """Return the plan that a body names, or any."""
        plans = {plan.id: plan for offering in self.catalog.offerings.values() for plan in offering.plans.values()}
        plan_id = body.get("plan_id")
        named = plans.get(plan_id) if isinstance(plan_id, str) else None
        return named or next(iter(plans.values()))

    # ASGI.

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one request, or the life of the server."""
        if scope["type"] == "lifespan":
            await live(receive, send)
            return
        call = read_call(scope, await read_all(receive))
        key = call.method, call.raw_path
        self.in_flight[key] += 1
        try:
            if self.wrong.linger and self.fault is not None and self.fault.is_at(call.endpoint):
                await self.sleep(self.wrong.linger)
            reply = self.answer(call)
        finally:
            self.in_flight[key] -= 1
        await send_reply(send, reply)


async def read_all(receive: Receive) -> bytes:
    """Return the whole body of a request."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(body)


async def send_reply(send: Send, reply: Reply) -> None:
    """Send an answer; one with a body says that it is JSON, unless it says something else."""
    body = reply.encode()
    headers = dict(reply.headers)
    if body:
        headers.setdefault("content-type", "application/json")
    if reply.status != 304:
        headers["content-length"] = str(len(body))
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})


async def live(receive: Receive, send: Send) -> None:
    """Say yes to the start and to the end of the server."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
