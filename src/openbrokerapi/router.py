"""Several brokers as one: each request goes to the broker whose offering it names."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Generator, Mapping
from copy import copy
from inspect import isawaitable, iscoroutinefunction
from logging import getLogger
from typing import Any, TypeAlias, TypeVar

from .calling import Calling, Invocation, offerings_of
from .errors import ErrBadRequest, ErrBindingDoesNotExist, ErrInstanceDoesNotExist, ServiceException
from .service_broker import (
    BindDetails,
    DeprovisionDetails,
    ProvisionDetails,
    Service,
    ServiceBroker,
    UnbindDetails,
    UpdateDetails,
)

logger = getLogger(__name__)
T = TypeVar("T")
Steps: TypeAlias = Generator[Invocation, Any, T]

_SEPARATOR = " "
_DELETES = frozenset(("deprovision", "unbind"))


class Router(ServiceBroker):
    """A broker made of several, each with offerings of its own.

    Operations carry the offering's id in front, so that a poll without a hint finds its broker, too. A poll or a GET
    with neither goes to each broker in turn, until one knows the id.

    Args:
        service_brokers: Brokers, plain or ``async``, of 0.3.6 or of 4.7.3.
    """

    def __init__(self, *service_brokers: Any) -> None:
        self._brokers = service_brokers
        self._callings = [Calling(broker) for broker in service_brokers]
        self._by_service: dict[str, Calling] = {}

    async def startup(self) -> None:
        """Start the brokers that have a ``startup()``."""
        await self._await_each("startup", self._brokers)

    async def shutdown(self) -> None:
        """Stop the brokers that have a ``shutdown()``, the last one first."""
        await self._await_each("shutdown", self._brokers[::-1])

    @staticmethod
    async def _await_each(name: str, brokers: tuple[Any, ...]) -> None:
        for broker in brokers:
            # Of the class: a mock has every attribute.
            if iscoroutinefunction(getattr(type(broker), name, None)):
                await getattr(broker, name)()

    def catalog(self) -> Any:
        """Give the offerings of all brokers.

        Raises:
            ValueError: Two brokers have an offering with the same id.
        """
        return _run(self._catalog())

    def _catalog(self) -> Steps[list[Service]]:
        found: dict[str, Calling] = {}
        offerings: list[Service] = []
        for calling in self._callings:
            for offering in offerings_of((yield calling.catalog())) or ():
                service_id = _id(offering)
                if found.setdefault(service_id, calling) is not calling:
                    raise ValueError(f"two brokers of the router have an offering with the id {service_id}")
                offerings.append(offering)
        self._by_service = found
        return offerings

    def _knows(self, service_id: str) -> Steps[bool]:
        if service_id not in self._by_service:
            yield from self._catalog()
        return service_id in self._by_service

    def _broker_of(self, service_id: str) -> Steps[Calling]:
        if not (yield from self._knows(service_id)):
            raise ErrBadRequest("service_id is not in the catalog of this broker.")
        return self._by_service[service_id]

    def provision(self, instance_id: str, details: ProvisionDetails, async_allowed: bool, **kwargs: Any) -> Any:
        """Provision at the broker of the offering."""
        return self._change("provision", {"instance_id": instance_id}, details, async_allowed)

    def update(self, instance_id: str, details: UpdateDetails, async_allowed: bool, **kwargs: Any) -> Any:
        """Update at the broker of the offering."""
        return self._change("update", {"instance_id": instance_id}, details, async_allowed)

    def deprovision(self, instance_id: str, details: DeprovisionDetails, async_allowed: bool, **kwargs: Any) -> Any:
        """Deprovision at the broker of the offering."""
        return self._change("deprovision", {"instance_id": instance_id}, details, async_allowed)

    def bind(self, instance_id: str, binding_id: str, details: BindDetails, async_allowed: bool, **kwargs: Any) -> Any:
        """Bind at the broker of the offering; a rotation without ``service_id`` (ROT-07) at that of the instance."""
        ids = {"instance_id": instance_id, "binding_id": binding_id}
        return self._change("bind", ids, details, async_allowed)

    def unbind(
        self, instance_id: str, binding_id: str, details: UnbindDetails, async_allowed: bool, **kwargs: Any
    ) -> Any:
        """Unbind at the broker of the offering."""
        ids = {"instance_id": instance_id, "binding_id": binding_id}
        return self._change("unbind", ids, details, async_allowed)

    def _change(self, name: str, ids: Mapping[str, Any], details: Any, async_allowed: bool) -> Any:
        values = {**ids, "details": details, "async_allowed": async_allowed}
        return _run(self._changed(name, values, details))

    def _changed(self, name: str, values: dict[str, Any], details: Any) -> Steps[Any]:
        service_id = details.service_id
        if service_id is None:
            fetched = yield from self._first("get_instance", {"instance_id": values["instance_id"]}, {})
            service_id = fetched.service_id
        if name in _DELETES and not (yield from self._knows(service_id)):
            # CAT-07: what left the catalog can still be deleted, by whichever broker knows it.
            response = yield from self._first(name, values, {})
        else:
            calling = yield from self._broker_of(service_id)
            response = yield calling.invocation_of(name, values)
        return self.add_service_id_to_async_response(response, service_id)

    @staticmethod
    def add_service_id_to_async_response(response: Any, service_id: str) -> Any:
        """Put the offering's id in front of the operation, if the response has one."""
        operation = getattr(response, "operation", None)
        if operation:
            # A broker may give the same object again for a repeated request (PROV-22).
            response = copy(response)
            response.operation = f"{service_id}{_SEPARATOR}{operation}"
        return response

    def last_operation(
        self,
        instance_id: str,
        operation_data: str | None,
        service_id: str | None = None,
        plan_id: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Poll at the broker of the operation, of the hint, or of the instance."""
        return self._poll("last_operation", {"instance_id": instance_id}, operation_data, service_id, plan_id)

    def last_binding_operation(
        self,
        instance_id: str,
        binding_id: str,
        operation_data: str | None,
        service_id: str | None = None,
        plan_id: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Poll at the broker of the operation, of the hint, or of the binding."""
        ids = {"instance_id": instance_id, "binding_id": binding_id}
        return self._poll("last_binding_operation", ids, operation_data, service_id, plan_id)

    def _poll(
        self, name: str, ids: Mapping[str, Any], operation: str | None, service_id: str | None, plan_id: str | None
    ) -> Any:
        values = {**ids, "operation_data": operation, "service_id": service_id, "plan_id": plan_id}
        return _run(self._polled(name, values))

    def _polled(self, name: str, values: dict[str, Any]) -> Steps[Any]:
        named, separator, rest = (values["operation_data"] or "").partition(_SEPARATOR)
        # The offering that began the operation, where it stands in front; the hint may name none, or an old one.
        if separator and (yield from self._knows(named)):
            values = {**values, "operation_data": rest, "service_id": named}
        return (yield from self._asked(name, values, {}))

    def get_instance(self, instance_id: str, **kwargs: Any) -> Any:
        """Fetch from the broker of the hint, or from the one that knows the instance."""
        return _run(self._asked("get_instance", {"instance_id": instance_id}, kwargs))

    def get_binding(self, instance_id: str, binding_id: str, **kwargs: Any) -> Any:
        """Fetch from the broker of the hint, or from the one that knows the binding."""
        return _run(self._asked("get_binding", {"instance_id": instance_id, "binding_id": binding_id}, kwargs))

    def _asked(self, name: str, values: dict[str, Any], hints: Mapping[str, Any]) -> Steps[Any]:
        service_id = values.get("service_id") or hints.get("service_id")
        if service_id is None:
            return (yield from self._first(name, values, hints))
        calling = yield from self._broker_of(service_id)
        return (yield calling.invocation_of(name, values, hints))

    def _first(self, name: str, values: dict[str, Any], hints: Mapping[str, Any]) -> Steps[Any]:
        unknown: Exception = ErrInstanceDoesNotExist()
        for calling in self._callings:
            try:
                return (yield calling.invocation_of(name, values, hints))
            except (ErrInstanceDoesNotExist, ErrBindingDoesNotExist, NotImplementedError) as error:
                # That none of them knows it counts for more than that one of them cannot look.
                unknown = error if isinstance(error, ServiceException) else unknown
        raise unknown


def _id(offering: Any) -> str:
    found: str = offering["id"] if isinstance(offering, Mapping) else offering.id
    return found


def _run(steps: Steps[Any]) -> Any:
    """Run the steps in this thread; from the first one that has to be awaited on, as a coroutine."""
    try:
        step = next(steps)
        while True:
            try:
                result = step()
            except Exception as error:  # noqa: BLE001 - it is for the steps to answer
                step = steps.throw(error)
            else:
                if isawaitable(result):
                    return _run_on_loop(steps, result)
                step = steps.send(result)
    except StopIteration as stop:
        return stop.value


async def _run_on_loop(steps: Steps[Any], result: Awaitable[Any]) -> Any:
    try:
        while True:
            try:
                value = await result
            except Exception as error:  # noqa: BLE001 - it is for the steps to answer
                step = steps.throw(error)
            else:
                step = steps.send(value)
            result = _done(step)
    except StopIteration as stop:
        return stop.value


async def _done(step: Invocation) -> Any:
    # A plain method could block the loop.
    result = step() if step.style.is_async or step.style.nonblocking else await asyncio.to_thread(step)
    return await result if isawaitable(result) else result
