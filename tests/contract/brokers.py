"""Brokers for the contract suite: one that records and answers as told, and one that keeps a state of its own."""

from __future__ import annotations

import threading
from typing import Any

from openbrokerapi import errors
from openbrokerapi.service_broker import (
    Binding,
    BindState,
    DeprovisionServiceSpec,
    GetBindingSpec,
    GetInstanceDetailsSpec,
    LastOperation,
    OperationState,
    ProvisionedServiceSpec,
    ProvisionState,
    Schemas,
    Service,
    ServiceBroker,
    ServicePlan,
    UnbindSpec,
    UpdateServiceSpec,
)

SERVICE = "5f2a6a3e-0f5c-4a53-a1f0-6f2f3c1d7b01"
SMALL = "0d1c7a52-3a8e-4b8a-9d5f-2b9a5f0e1c02"
LARGE = "9b8c1e77-6d3f-4f2e-8a4b-7c6d5e4f3a03"
OTHER_SERVICE = "c3e1d2f4-7b6a-4c5d-9e8f-1a2b3c4d5e04"
OTHER_PLAN = "e5f6a7b8-9c0d-4e1f-8a2b-3c4d5e6f7a05"

PROVISION = {"service_id": SERVICE, "plan_id": SMALL, "organization_guid": "org-1", "space_guid": "space-1"}
BIND = {"service_id": SERVICE, "plan_id": SMALL}
IDS = {"service_id": SERVICE, "plan_id": SMALL}
INSTANCE = "/v2/service_instances/instance-1"
BINDING = f"{INSTANCE}/service_bindings/binding-1"


def schema(**properties: Any) -> dict[str, Any]:
    return {
        "parameters": {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object",
            "properties": properties,
            "additionalProperties": False,
        }
    }


def catalog() -> list[Service]:
    """A catalog that uses all of 2.17; made anew at each call."""
    parameters = schema(size={"type": "integer", "minimum": 1}, name={"type": "string"})
    schemas = Schemas(
        service_instance={"create": parameters, "update": parameters},
        service_binding={"create": schema(role={"enum": ["reader", "writer"]})},
    )
    small = ServicePlan(
        SMALL,
        "small",
        "A small one",
        free=True,
        bindable=True,
        schemas=schemas,
        binding_rotatable=True,
        maximum_polling_duration=600,
        maintenance_info={"version": "2.1.1+abcdef", "description": "Restarts the database."},
    )
    large = ServicePlan(LARGE, "large", "A large one", free=False, plan_updateable=False)
    other = ServicePlan(OTHER_PLAN, "only", "The only one", bindable=False)
    return [
        Service(
            SERVICE,
            "database",
            "Databases",
            bindable=True,
            plans=[small, large],
            tags=["sql"],
            requires=["syslog_drain", "route_forwarding", "volume_mount"],
            plan_updateable=True,
            instances_retrievable=True,
            bindings_retrievable=True,
            allow_context_updates=True,
        ),
        Service(OTHER_SERVICE, "queue", "Queues", bindable=False, plans=[other]),
    ]


class RecordingBroker:
    """Notes what reaches it, and answers what the test says: a result, or an exception to raise.

    It is not of the library's class, as many brokers are not.
    """

    def __init__(self, **answers: Any) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.offerings: Any = catalog()
        self.answers: dict[str, Any] = {
            "provision": ProvisionedServiceSpec(),
            "update": UpdateServiceSpec(),
            "deprovision": DeprovisionServiceSpec(),
            "bind": Binding(credentials={"uri": "db://host"}),
            "unbind": UnbindSpec(),
            "last_operation": LastOperation(OperationState.IN_PROGRESS),
            "last_binding_operation": LastOperation(OperationState.IN_PROGRESS),
            "get_instance": GetInstanceDetailsSpec(SERVICE, SMALL),
            "get_binding": GetBindingSpec(credentials={"uri": "db://host"}),
            **answers,
        }

    def catalog(self) -> Any:
        return self.offerings

    def _answer(self, name: str, arguments: dict[str, Any]) -> Any:
        self.calls.append((name, arguments))
        answer = self.answers[name]
        if isinstance(answer, BaseException):
            raise answer
        return answer

    @property
    def details(self) -> Any:
        """The details object of the last call."""
        return self.calls[-1][1]["details"]

    def provision(self, **arguments: Any) -> Any:
        return self._answer("provision", arguments)

    def update(self, **arguments: Any) -> Any:
        return self._answer("update", arguments)

    def deprovision(self, **arguments: Any) -> Any:
        return self._answer("deprovision", arguments)

    def bind(self, **arguments: Any) -> Any:
        return self._answer("bind", arguments)

    def unbind(self, **arguments: Any) -> Any:
        return self._answer("unbind", arguments)

    def last_operation(self, **arguments: Any) -> Any:
        return self._answer("last_operation", arguments)

    def last_binding_operation(self, **arguments: Any) -> Any:
        return self._answer("last_binding_operation", arguments)

    def get_instance(self, **arguments: Any) -> Any:
        return self._answer("get_instance", arguments)

    def get_binding(self, **arguments: Any) -> Any:
        return self._answer("get_binding", arguments)


def asynchronous(broker: RecordingBroker) -> RecordingBroker:
    """Give the same broker with `async def` methods."""

    class Asynchronous(type(broker)):  # type: ignore[misc]  # the class is known at run time only
        async def catalog(self) -> Any:
            return self.offerings

    for name in broker.answers:

        def method(self: Any, _name: str = name, **arguments: Any) -> Any:
            return self._answer(_name, arguments)

        setattr(Asynchronous, name, _as_coroutine(method, name))
    broker.__class__ = Asynchronous
    return broker


def _as_coroutine(method: Any, name: str) -> Any:
    async def answer(self: Any, **arguments: Any) -> Any:
        return method(self, **arguments)

    answer.__name__ = name
    return answer


class MemoryBroker(ServiceBroker):
    """Keeps its state in two dicts, works at once, and knows the same from the different."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.offerings = catalog()
        self.instances: dict[str, dict[str, Any]] = {}
        self.bindings: dict[tuple[str, str], dict[str, Any]] = {}

    def catalog(self) -> list[Service]:
        return self.offerings

    def provision(self, instance_id: str, details: Any, async_allowed: bool, **kwargs: Any) -> ProvisionedServiceSpec:
        wanted = {
            "service_id": details.service_id,
            "plan_id": details.plan_id,
            "parameters": details.parameters or {},
            "organization_guid": details.organization_guid,
            "space_guid": details.space_guid,
        }
        with self._lock:
            if instance_id not in self.instances:
                self.instances[instance_id] = wanted
                return ProvisionedServiceSpec(dashboard_url=f"http://dashboard/{len(self.instances)}")
            if self.instances[instance_id] == wanted:
                return ProvisionedServiceSpec(ProvisionState.IDENTICAL_ALREADY_EXISTS)
        raise errors.ErrInstanceAlreadyExists

    def _instance(self, instance_id: str) -> dict[str, Any]:
        if instance_id not in self.instances:
            raise errors.ErrInstanceDoesNotExist
        return self.instances[instance_id]

    def update(self, instance_id: str, details: Any, async_allowed: bool, **kwargs: Any) -> UpdateServiceSpec:
        instance = self._instance(instance_id)
        if details.service_id != instance["service_id"]:
            raise errors.ErrInvalidParameters("service_id is not that of the instance.")
        if details.plan_id is not None:
            instance["plan_id"] = details.plan_id
        if details.parameters is not None:
            instance["parameters"] = {**instance["parameters"], **details.parameters}
        return UpdateServiceSpec()

    def deprovision(self, instance_id: str, details: Any, async_allowed: bool, **kwargs: Any) -> DeprovisionServiceSpec:
        self._instance(instance_id)
        del self.instances[instance_id]
        self.bindings = {key: held for key, held in self.bindings.items() if key[0] != instance_id}
        return DeprovisionServiceSpec()

    def bind(self, instance_id: str, binding_id: str, details: Any, async_allowed: bool, **kwargs: Any) -> Binding:
        self._instance(instance_id)
        wanted = {"parameters": details.parameters or {}, "app_guid": details.app_guid}
        key = (instance_id, binding_id)
        with self._lock:
            state = BindState.SUCCESSFUL_BOUND
            if key in self.bindings:
                if self.bindings[key]["wanted"] != wanted:
                    raise errors.ErrBindingAlreadyExists
                state = BindState.IDENTICAL_ALREADY_EXISTS
            else:
                credentials = {"username": f"user-{len(self.bindings)}", "password": f"pass-{len(self.bindings)}"}
                self.bindings[key] = {"wanted": wanted, "credentials": credentials}
            return Binding(state, credentials=self.bindings[key]["credentials"])

    def unbind(self, instance_id: str, binding_id: str, details: Any, async_allowed: bool, **kwargs: Any) -> UnbindSpec:
        if self.bindings.pop((instance_id, binding_id), None) is None:
            raise errors.ErrBindingDoesNotExist
        return UnbindSpec()

    def last_operation(
        self, instance_id: str, operation_data: Any, service_id: Any, plan_id: Any, **kwargs: Any
    ) -> LastOperation:
        self._instance(instance_id)
        return LastOperation(OperationState.SUCCEEDED)

    def last_binding_operation(
        self, instance_id: str, binding_id: str, operation_data: Any, service_id: Any, plan_id: Any, **kwargs: Any
    ) -> LastOperation:
        if (instance_id, binding_id) not in self.bindings:
            raise errors.ErrBindingDoesNotExist
        return LastOperation(OperationState.SUCCEEDED)

    def get_instance(self, instance_id: str, **kwargs: Any) -> GetInstanceDetailsSpec:
        instance = self._instance(instance_id)
        return GetInstanceDetailsSpec(instance["service_id"], instance["plan_id"], parameters=instance["parameters"])

    def get_binding(self, instance_id: str, binding_id: str, **kwargs: Any) -> GetBindingSpec:
        binding = self.bindings.get((instance_id, binding_id))
        if binding is None:
            raise errors.ErrBindingDoesNotExist
        return GetBindingSpec(binding["credentials"], parameters=binding["wanted"]["parameters"])
