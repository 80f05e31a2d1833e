"""A managed broker: a ServiceBroker that keeps the state of its offerings by itself."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from openbrokerapi.catalog import Service
from openbrokerapi.details import (
    BindDetails,
    DeprovisionDetails,
    ProvisionDetails,
    UnbindDetails,
    UpdateDetails,
)
from openbrokerapi.errors import (
    ErrAsyncRequired,
    ErrBadRequest,
    ErrBindingDoesNotExist,
    ErrInstanceDoesNotExist,
)
from openbrokerapi.marks import nonblocking
from openbrokerapi.service_broker import ServiceBroker
from openbrokerapi.specs import (
    Binding,
    DeprovisionServiceSpec,
    GetBindingSpec,
    GetInstanceDetailsSpec,
    LastOperation,
    ProvisionedServiceSpec,
    UnbindSpec,
    UpdateServiceSpec,
)
from openbrokerapi.stores.contract import Store, StoreError
from openbrokerapi.stores.rows import InstanceRow

from .attributes import misspelt
from .binding_requests import BindingRequests
from .endings import Endings
from .instance_requests import InstanceRequests
from .key_ring import KeyRing, Unsealed
from .offering import Offering, catalog_entry, checked
from .operations import Timing
from .records import Records
from .replies import Replies
from .runner import Runner
from .runtime import Runtime
from .sealing import Sealing
from .settings import ManagedSettings
from .states import BINDING, INSTANCE, Asked, Reaction, State
from .subjects import Who
from .upkeep import Upkeep

if TYPE_CHECKING:
    # To a type checker the methods of ServiceBroker are plain; they may be `async def` all the same.
    _Seam = object
else:
    _Seam = ServiceBroker


class Engine:
    """All that a managed broker works with once it has its store."""

    def __init__(
        self,
        store: Store,
        sealing: Sealing,
        offerings: dict[str, Offering],
        settings: ManagedSettings,
        runner: Runner,
        *,
        works: bool,
        clock: Callable[[], float],
        new_id: Callable[[], str],
        logger: logging.Logger,
    ) -> None:
        worker = uuid.uuid4().hex
        records = Records(sealing, offerings)
        timing: Timing = Timing(clock, new_id, None if store.shared or not works else worker)
        self.store = store
        self.sealing = sealing
        self.runner = runner
        self.works = works
        self.records = records
        self.instances = InstanceRequests(records, timing)
        self.bindings = BindingRequests(records, timing)
        self.runtime = Runtime(store, records, Endings(records, timing), runner, settings, worker, clock, logger)
        self.upkeep = Upkeep(store, self.runtime, self.bindings, records, settings, clock, logger)
        self.replies = Replies(self.runtime, records, offerings, settings, clock)

    async def start(self) -> None:
        """Open the store, look at the keys, and take up what is unfinished."""
        await self.store.open(owner=True)
        try:
            await self.sealing.verify(self.store)
            await self.runner.start(self.runtime.run)
        except BaseException:
            await self.store.close()
            raise
        if self.works:
            self.upkeep.start()

    async def stop(self) -> None:
        """Begin no more, leave to others what does not end in time, and let go of the store."""
        await self.runtime.stop()
        await self.upkeep.stop()
        await self.runner.join()
        await self.store.close()


class Broker(_Seam):
    """A broker of any number of offerings whose state the package keeps.

    Args:
        offerings: Instances of subclasses of :class:`~openbrokerapi.managed.Offering`.
        store: Where the state is kept; ``openbroker serve`` gives one where it is None.
        ring: The keys that secrets are sealed with; ``Unsealed()`` is for development.
        settings: What this broker does differently.
        clock: Seconds since 1970.
        new_id: Gives the ids of operations.

    Raises:
        TypeError: An offering is not complete, or two have the same id.
    """

    def __init__(
        self,
        *offerings: Offering,
        store: Store | None = None,
        ring: KeyRing | Unsealed | None = None,
        settings: ManagedSettings | None = None,
        clock: Callable[[], float] = time.time,
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
        logger: logging.Logger | None = None,
    ) -> None:
        self.settings = settings or ManagedSettings()
        self.logger = logger or logging.getLogger("openbrokerapi.managed")
        self._offerings = {checked(offering).id: offering for offering in offerings}
        for offering in offerings:
            for hint in misspelt(offering, Offering):
                self.logger.warning("%s", hint)
        if len(self._offerings) != len(offerings):
            raise TypeError("two offerings have the same id")
        self._catalog = [catalog_entry(offering) for offering in offerings if not offering.retired]
        self._clock = clock
        self._new_id = new_id
        self._engine: Engine | None = None
        self._connection: tuple[Store, KeyRing | Unsealed, bool] | None = None
        self._started: asyncio.Future[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        if store is None and ring is not None:
            raise TypeError("a ring of keys without a store: give both, or none; then `openbroker serve` gives them")
        if store is not None:
            if ring is None:
                raise TypeError("a store needs a ring of keys: KeyRing.from_text(...), or Unsealed() for development")
            self.connect(store, ring)

    @property
    def connected(self) -> bool:
        """Whether the broker has its store."""
        return self._connection is not None

    def connect(
        self,
        store: Store,
        ring: KeyRing | Unsealed,
        *,
        works: bool = True,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """Give the broker its store, before it is started.

        Args:
            works: Whether this process carries operations out; else workers do that.
            clock: Seconds since 1970, in place of the broker's own.
        """
        self._clock = clock or self._clock
        if isinstance(store, str):
            raise TypeError("the store is no text; write store=open_location(...), from openbrokerapi.stores.location")
        if not isinstance(ring, (KeyRing, Unsealed)):
            raise TypeError(f"the ring must be a KeyRing, or Unsealed() for development, not {type(ring).__name__}")
        self._connection = (store, ring, works)
        self._engine = self._made()

    def _made(self) -> Engine | None:
        if self._connection is None:
            return None
        store, ring, works = self._connection
        return Engine(
            store,
            Sealing(ring),
            self._offerings,
            self.settings,
            _runner_for(store, self.settings, works=works),
            works=works,
            clock=self._clock,
            new_id=self._new_id,
            logger=self.logger,
        )

    async def startup(self) -> None:
        """Open the store, and take up what is unfinished; also done by the first request.

        Raises:
            StoreError, KeysError: The store, or the keys, cannot be used; ``operator_message`` says what to change.
        """
        await self._ready()

    async def shutdown(self) -> None:
        """Begin no more, give running steps ``stop_within``, and let go of the store."""
        if self._engine is not None and self._started is not None:
            await self._engine.stop()
            # Who starts it again, as a server that reloads does, gets a new one.
            self._engine = self._made()
            self._started = None

    async def _ready(self) -> Engine:
        engine = self._engine
        if engine is None:
            raise StoreError(
                "the broker has no store: serve it with `openbroker serve`, or write Broker(..., store=..., ring=...)"
            )
        started = self._started
        if started is None:
            self._loop = asyncio.get_running_loop()
            started = self._started = asyncio.ensure_future(engine.start())
        elif started.done() and started.exception() is None and self._loop is asyncio.get_running_loop():
            return engine
        try:
            await asyncio.shield(started)
        except BaseException:
            if started.done():
                self._started = None
            raise
        if self._loop is not asyncio.get_running_loop():
            raise RuntimeError("a managed broker serves on one event loop: make another Broker for another loop")
        return engine

    def _offering(self, service_id: str) -> Offering:
        offering = self._offerings.get(service_id)
        if offering is None:
            raise ErrBadRequest("service_id is not in the catalog of this broker.")
        return offering

    @nonblocking
    def catalog(self) -> list[Service]:
        """Give the offerings that are not retired."""
        return self._catalog

    async def provision(
        self, instance_id: str, details: ProvisionDetails, async_allowed: bool, **kwargs: Any
    ) -> ProvisionedServiceSpec:
        """Create an instance."""
        engine = self._engine_now() or await self._ready()
        offering = self._offering(details.service_id)
        _check_async(offering, async_allowed)
        verdict = await engine.runtime.submit(
            *engine.instances.provision(instance_id, offering, details, _who(details))
        )
        return await engine.replies.provisioned(verdict, async_allowed)

    async def update(
        self, instance_id: str, details: UpdateDetails, async_allowed: bool, **kwargs: Any
    ) -> UpdateServiceSpec:
        """Change an instance."""
        engine = self._engine_now() or await self._ready()
        offering = self._offering(details.service_id)
        _check_async(offering, async_allowed)
        verdict = await engine.runtime.submit(*engine.instances.update(instance_id, offering, details, _who(details)))
        return await engine.replies.updated(verdict, async_allowed)

    async def deprovision(
        self, instance_id: str, details: DeprovisionDetails, async_allowed: bool, **kwargs: Any
    ) -> DeprovisionServiceSpec:
        """Delete an instance."""
        engine = self._engine_now() or await self._ready()
        # An offering that has left the broker altogether: what there is of it can still be answered for.
        offering = self._offerings.get(details.service_id)
        _check_async(offering, async_allowed)
        verdict = await engine.runtime.submit(
            *engine.instances.deprovision(instance_id, offering, details, _who(details))
        )
        return await engine.replies.deprovisioned(verdict, async_allowed)

    async def bind(
        self, instance_id: str, binding_id: str, details: BindDetails, async_allowed: bool, **kwargs: Any
    ) -> Binding:
        """Create a binding."""
        engine = self._engine_now() or await self._ready()
        offering = self._offering(details.service_id or (await self._instance(engine, instance_id)).service_id)
        _check_async(offering, async_allowed)
        verdict = await engine.runtime.submit(
            *engine.bindings.bind(instance_id, binding_id, offering, details, _who(details))
        )
        return await engine.replies.bound(verdict, async_allowed)

    async def unbind(
        self, instance_id: str, binding_id: str, details: UnbindDetails, async_allowed: bool, **kwargs: Any
    ) -> UnbindSpec:
        """Delete a binding."""
        engine = self._engine_now() or await self._ready()
        offering = self._offerings.get(details.service_id)
        _check_async(offering, async_allowed)
        verdict = await engine.runtime.submit(
            *engine.bindings.unbind(instance_id, binding_id, offering, details, _who(details))
        )
        return await engine.replies.unbound(verdict, async_allowed)

    async def last_operation(
        self,
        instance_id: str,
        operation_data: str | None,
        service_id: str | None,
        plan_id: str | None,
        **kwargs: Any,
    ) -> LastOperation:
        """Tell how an operation of an instance goes."""
        engine = self._engine_now() or await self._ready()
        return await engine.replies.polled(instance_id, None, operation_data, service_id)

    async def last_binding_operation(
        self,
        instance_id: str,
        binding_id: str,
        operation_data: str | None,
        service_id: str | None,
        plan_id: str | None,
        **kwargs: Any,
    ) -> LastOperation:
        """Tell how an operation of a binding goes."""
        engine = self._engine_now() or await self._ready()
        return await engine.replies.polled(instance_id, binding_id, operation_data, service_id)

    async def get_instance(self, instance_id: str, **kwargs: Any) -> GetInstanceDetailsSpec:
        """Give an instance."""
        engine = self._engine_now() or await self._ready()
        row = await self._instance(engine, instance_id)
        if INSTANCE[State(row.state)][Asked.GET] is not Reaction.DONE:
            raise ErrInstanceDoesNotExist
        return engine.replies.fetched_instance(row)

    async def get_binding(self, instance_id: str, binding_id: str, **kwargs: Any) -> GetBindingSpec:
        """Give a binding, its credentials opened on the way out only."""
        engine = self._engine_now() or await self._ready()
        row = await engine.store.binding(instance_id, binding_id)
        if row is None or BINDING[State(row.state)][Asked.GET] is not Reaction.DONE:
            raise ErrBindingDoesNotExist
        return engine.replies.fetched_binding(row)

    def _engine_now(self) -> Engine | None:
        """Give the engine if it runs already: what every request but the first finds."""
        started = self._started
        if started is None or not started.done() or self._loop is not asyncio.get_running_loop():
            return None
        return self._engine if started.exception() is None else None

    @staticmethod
    async def _instance(engine: Engine, instance_id: str) -> InstanceRow:
        row = await engine.store.instance(instance_id)
        if row is None:
            raise ErrInstanceDoesNotExist
        return row


def _runner_for(store: Store, settings: ManagedSettings, *, works: bool) -> Runner:
    if not store.shared:
        if not works:
            raise StoreError("a store of one process has no workers elsewhere: use PostgreSQL, or let this one work")
        from .runners.embedded import EmbeddedRunner

        return EmbeddedRunner(settings.concurrency)
    if not works:
        from .runners.deferring import DeferringRunner

        return DeferringRunner(store)
    from openbrokerapi.stores.postgres.store import PostgresStore

    from .runners.queued import QueuedRunner

    if not isinstance(store, PostgresStore):
        raise TypeError("a shared store needs a queue in the same database: PostgresStore has one")
    return QueuedRunner(store, concurrency=settings.concurrency)


def _who(details: Any) -> Who:
    return Who(details.authorization_username, details.originating_identity, details.request_identity)


def _check_async(offering: Offering | None, async_allowed: bool) -> None:
    # ASY-10: before anything is begun.
    if offering is not None and offering.asynchronous and not async_allowed:
        raise ErrAsyncRequired
