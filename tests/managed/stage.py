"""What the tests of managed brokers act on: an offering that does as the test says, a broker, and a platform."""

from __future__ import annotations

import asyncio
import base64
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tests.contract.hosts import Answer, Platform, Serving

from openbrokerapi.managed import Bound, Broker, KeyRing, ManagedSettings, Offering, Plan, Provisioned
from openbrokerapi.stores.contract import Store
from openbrokerapi.stores.rows import BindingRow, Event, InstanceRow, OperationRow

T = TypeVar("T")
SERVICE = "service-1"
SMALL, LARGE = "plan-small", "plan-large"
ORGANIZATION, SPACE = "organization-1", "space-1"
INSTANCE, BINDING = "instance-1", "binding-1"
IDS = {"service_id": SERVICE, "plan_id": SMALL}
PROVISION = {**IDS, "organization_guid": ORGANIZATION, "space_guid": SPACE}
ASYNC = {"accepts_incomplete": "true"}
DASHBOARD = "https://dashboard.example/of/"
CREDENTIALS = {"uri": "db://host.example:5432/one", "port": 5432}
#: Seconds; what has not come by then does not come.
PATIENCE = 20.0


def ring() -> KeyRing:
    return KeyRing.from_text("a:" + base64.b64encode(bytes(range(32))).decode())


def wait_until(condition: Callable[[], T | None], seconds: float = PATIENCE) -> T:
    """Look until there is something true; give it."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come in time"
        time.sleep(0.005)
    return found


class Clock:
    """The machine's clock, set ahead by the test."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


class Gate:
    """Holds calls up until the test opens it."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def passed(self) -> None:
        event = asyncio.Event()
        self._waiting.append((asyncio.get_running_loop(), event))
        if not self._open.is_set():
            await event.wait()

    def wait(self) -> None:
        """Wait in a thread."""
        assert self._open.wait(PATIENCE)

    def open(self) -> None:
        self._open.set()
        for loop, event in self._waiting:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)


@dataclass(frozen=True)
class Call:
    """One call of one of the author's methods."""

    kind: str
    instance: Any
    binding: Any = None
    previous: Any = None

    def ids(self) -> list[str]:
        return [self.instance.id] if self.binding is None else [self.instance.id, self.binding.id]


@dataclass
class Script:
    """What the author's methods do, by their names."""

    calls: list[Call] = field(default_factory=list)
    #: The names of the methods that have ended, in order.
    ended: list[str] = field(default_factory=list)
    #: What they return, or raise.
    answers: dict[str, Any] = field(default_factory=dict)
    gates: dict[str, Gate] = field(default_factory=dict)

    def hold(self, kind: str) -> Gate:
        return self.gates.setdefault(kind, Gate())

    def go_on(self) -> None:
        """Hold nothing up any more."""
        for kind in list(self.gates):
            self.gates.pop(kind).open()

    @contextmanager
    def held(self, kind: str) -> Iterator[None]:
        """Hold up what is begun meanwhile."""
        gate = self.hold(kind)
        yield
        del self.gates[kind]
        gate.open()

    def reached(self, kind: str, id: str) -> None:
        """Wait until a method has been called for an instance or a binding."""
        wait_until(lambda: any(call.kind == kind and id in call.ids() for call in self.calls))

    def kinds(self) -> list[str]:
        return [call.kind for call in self.calls]

    async def play(self, call: Call, work: Any) -> Any:
        self.calls.append(call)
        try:
            if (gate := self.gates.get(call.kind)) is not None:
                await gate.passed()
                await work.step("behind the gate", int)
            answer = self.answers.get(call.kind)
            if isinstance(answer, BaseException):
                raise answer
            return answer
        finally:
            self.ended.append(call.kind)


class Steered(Offering):
    """An offering of two plans, whose methods do what the script says."""

    id = SERVICE
    name = "steered"
    description = "Does as the test says"
    plans = (
        Plan(id=SMALL, name="small", description="Small"),
        Plan(id=LARGE, name="large", description="Large"),
    )
    plan_updateable = True

    def __init__(self, script: Script | None = None) -> None:
        self.script = script or Script()

    async def provision(self, instance: Any, work: Any) -> Any:
        answer = await self.script.play(Call("provision", instance), work)
        labels = {"plan": instance.plan.name}
        return answer or Provisioned(dashboard_url=DASHBOARD + instance.id, metadata={"labels": labels})

    async def update(self, instance: Any, previous: Any, work: Any) -> Any:
        return await self.script.play(Call("update", instance, previous=previous), work)

    async def deprovision(self, instance: Any, work: Any) -> None:
        await self.script.play(Call("deprovision", instance), work)

    async def bind(self, instance: Any, binding: Any, work: Any) -> Any:
        answer = await self.script.play(Call("bind", instance, binding), work)
        return Bound(credentials=CREDENTIALS) if answer is None else answer

    async def unbind(self, instance: Any, binding: Any, work: Any) -> None:
        await self.script.play(Call("unbind", instance, binding), work)

    def dashboard_url(self, instance: Any) -> str:
        return f"{DASHBOARD}{instance.id}"


class Managed:
    """A managed broker that is served, and a platform that talks to it.

    Without `incomplete` requests go without `accepts_incomplete`; a field that is None is left out of the body.
    """

    def __init__(self, platform: Platform, broker: Broker, script: Script) -> None:
        self.platform = platform
        self.broker = broker
        self.script = script
        #: The instance that is meant where none is named.
        self.instance_id = INSTANCE

    def send(
        self, method: str, target: str, body: Any = None, *, incomplete: Any = False, headers: Any = None, **query: Any
    ) -> Answer:
        given = {**(ASYNC if incomplete else {}), **query}
        return self.platform.send(method, "/v2/" + target, body, query=given or None, headers=headers)

    def provision(self, instance_id: Any = None, *, incomplete: Any = False, **changes: Any) -> Answer:
        return self.send("PUT", self._place(instance_id), merged(PROVISION, changes), incomplete=incomplete)

    def update(self, instance_id: Any = None, *, incomplete: Any = False, **changes: Any) -> Answer:
        return self.send(
            "PATCH", self._place(instance_id), merged({"service_id": SERVICE}, changes), incomplete=incomplete
        )

    def deprovision(self, instance_id: Any = None, *, incomplete: Any = False, **ids: Any) -> Answer:
        return self.send("DELETE", self._place(instance_id), incomplete=incomplete, **{**IDS, **ids})

    def bind(
        self, binding_id: Any = BINDING, instance_id: Any = None, *, incomplete: Any = False, **changes: Any
    ) -> Answer:
        return self.send("PUT", self._place(instance_id, binding_id), merged(IDS, changes), incomplete=incomplete)

    def unbind(
        self, binding_id: Any = BINDING, instance_id: Any = None, *, incomplete: Any = False, **ids: Any
    ) -> Answer:
        return self.send("DELETE", self._place(instance_id, binding_id), incomplete=incomplete, **{**IDS, **ids})

    def fetch(self, instance_id: str | None = None, binding_id: str | None = None) -> Answer:
        return self.send("GET", self._place(instance_id, binding_id))

    def poll(self, instance_id: str | None = None, binding_id: str | None = None, **query: Any) -> Answer:
        return self.send("GET", self._place(instance_id, binding_id) + "/last_operation", **query)

    def finished(self, begun: Answer, instance_id: str | None = None, binding_id: str | None = None) -> Answer:
        """Poll the operation of a 202 until it is not in progress any more; give the last answer."""
        assert begun.status == 202, (begun.status, begun.body)
        operation = begun.json["operation"]

        def ended() -> Answer | None:
            answer = self.poll(instance_id, binding_id, operation=operation)
            return None if answer.status == 200 and answer.json["state"] == "in progress" else answer

        return wait_until(ended)

    def _place(self, instance_id: str | None, binding_id: str | None = None) -> str:
        return place(instance_id or self.instance_id, binding_id)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Await something on the broker's loop."""
        loop = self.broker._loop
        assert loop is not None
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(PATIENCE)

    @property
    def store(self) -> Store:
        engine = self.broker._engine
        assert engine is not None
        return engine.store

    def row(self, instance_id: str | None = None) -> InstanceRow | None:
        return self.run(self.store.instance(instance_id or self.instance_id))

    def binding_row(self, binding_id: str = BINDING, instance_id: str | None = None) -> BindingRow | None:
        return self.run(self.store.binding(instance_id or self.instance_id, binding_id))

    def events(self, instance_id: str | None = None) -> list[Event]:
        """Give the events of an instance, the first first."""
        return self.run(self.store.events(instance_id or self.instance_id, limit=1000))[::-1]

    def whats(self, instance_id: str | None = None) -> list[str]:
        return [event.what for event in self.events(instance_id)]

    def in_progress(self) -> list[OperationRow]:
        return self.run(self.store.operations(in_progress=True))

    def idle(self) -> None:
        """Wait until no operation is in progress, and no method runs."""
        wait_until(lambda: not self.in_progress() and len(self.script.ended) == len(self.script.calls))


class Stage:
    """Serves managed brokers on one host and one place for the state, one after the other."""

    def __init__(self, serving: Serving, make_store: Callable[[Clock], Store]) -> None:
        self.clock = Clock()
        self.script = Script()
        self._serving = serving
        self._make_store = make_store
        self._served: list[Managed] = []

    def __call__(
        self, *offerings: Offering, settings: dict[str, Any] | None = None, serve: dict[str, Any] | None = None
    ) -> Managed:
        """Serve a broker from now on; without offerings one that does as `self.script` says.

        Args:
            settings: Of the broker; without any, work is answered at once only where it must be.
            serve: Options of the host.
        """
        given = {"answer_within": 0.0, "look_after_every": 0.05, **(settings or {})}
        broker = Broker(
            *(offerings or (Steered(self.script),)),
            store=self._make_store(self.clock),
            ring=ring(),
            settings=ManagedSettings(**given),
            clock=self.clock,
        )
        managed = Managed(self._serving(broker, **(serve or {})), broker, self.script)
        self._served.append(managed)
        return managed

    def end(self, managed: Managed) -> None:
        """Shut a broker down; the next one may have its store."""
        self._served.remove(managed)
        stop(managed)

    def close(self) -> None:
        """Let everything go on, and shut the brokers down."""
        self.script.go_on()
        while self._served:
            stop(self._served.pop())


def stop(managed: Managed) -> None:
    """Shut a broker down on its own loop, as the end of a process does."""
    if managed.broker._loop is not None:
        managed.run(managed.broker.shutdown())


def place(instance_id: str, binding_id: str | None = None) -> str:
    path = f"service_instances/{instance_id}"
    return path if binding_id is None else f"{path}/service_bindings/{binding_id}"


def merged(body: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**body, **changes}.items() if value is not None}


def plans(small: dict[str, Any] | None = None, large: dict[str, Any] | None = None) -> tuple[Plan, Plan]:
    """Give the two plans with further fields."""
    return (
        Plan(**{"id": SMALL, "name": "small", "description": "Small", **(small or {})}),
        Plan(**{"id": LARGE, "name": "large", "description": "Large", **(large or {})}),
    )
