"""Well-formed requests, as a platform that keeps to the specification writes them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .catalog_view import Plan
from .subjects import Subject
from .wire import Answer, Credentials, Endpoint, Pairs, Request, pairs, path_of

APPLICATION = "0c9e8b7a-3f0f-4d7e-9d5e-2f6a7c1b0003"


@dataclass(frozen=True, eq=False)
class Instance:
    """A service instance that the run asked for.

    Attributes:
        id: The platform's id.
        subject: The plan it was made of.
        request: The provision.
        answer: Its answer; None before there is one.
    """

    id: str
    subject: Subject
    request: Request
    answer: Answer | None = None


@dataclass(frozen=True, eq=False)
class Binding:
    """A service binding that the run asked for.

    Attributes:
        id: The platform's id.
        instance: What it binds.
        request: The bind.
        answer: Its answer; None before there is one.
    """

    id: str
    instance: Instance
    request: Request
    answer: Answer | None = None


@dataclass(frozen=True)
class Asking:
    """Writes requests of one version of the specification.

    Args:
        version: Such as ``2.17``.
        credentials: What is shown to the broker.
        new_id: Makes globally unique ids.
        organization: The guid of the user's organization.
        space: The guid of the user's space in it.
    """

    version: str
    credentials: Credentials
    new_id: Callable[[], str] = field(repr=False)
    organization: str = "0c9e8b7a-3f0f-4d7e-9d5e-2f6a7c1b0001"
    space: str = "0c9e8b7a-3f0f-4d7e-9d5e-2f6a7c1b0002"

    def catalog(self) -> Request:
        """Ask for the catalog."""
        return Request(Endpoint.CATALOG, "GET", path_of("catalog"), headers=self._headers())

    def provision(self, subject: Subject, instance_id: str | None = None, **fields: Any) -> Request:
        """Ask for an instance; `fields` of the body are set in place of the usual ones, None leaves one out."""
        body: dict[str, Any] = {
            "service_id": subject.offering.id,
            "plan_id": subject.plan.id,
            "parameters": subject.parameters or None,
            "maintenance_info": self._maintenance(subject.plan),
            "organization_guid": self.organization,
            "space_guid": self.space,
            "context": self._context(self.organization, self.space, instance_name="conformance"),
        }
        path = path_of("service_instances", instance_id or self.new_id())
        return self._write(Endpoint.PROVISION, "PUT", path, {**body, **fields})

    def update(self, instance: Instance, **fields: Any) -> Request:
        """Ask for a change: `fields` of the body say which."""
        context = self._context(*_place(instance), instance_name="conformance")
        body = {"service_id": instance.subject.offering.id, "context": context}
        return self._write(Endpoint.UPDATE, "PATCH", self._instance(instance), {**body, **fields})

    def deprovision(self, instance: Instance) -> Request:
        """Ask for the end of an instance."""
        return Request(
            Endpoint.DEPROVISION,
            "DELETE",
            self._instance(instance),
            (("accepts_incomplete", "true"), *self._ids(instance)),
            self._headers(),
        )

    def fetch(self, instance: Instance) -> Request:
        """Ask for what the broker knows of an instance."""
        return Request(Endpoint.FETCH_INSTANCE, "GET", self._instance(instance), self._ids(instance), self._headers())

    def poll(self, instance: Instance, operation: str | None = None) -> Request:
        """Ask how far the last operation is, or the one named."""
        query = pairs([*self._ids(instance), ("operation", operation)])
        path = self._instance(instance) + "/last_operation"
        return Request(Endpoint.POLL_INSTANCE, "GET", path, query, self._headers())

    def bind(self, instance: Instance, binding_id: str | None = None, **fields: Any) -> Request:
        """Ask for a binding to an application; `fields` as for `provision`."""
        resource: dict[str, Any] = {"app_guid": APPLICATION}
        if "route_forwarding" in instance.subject.offering.requires:
            resource["route"] = "https://application.example.com"
        body = {
            "service_id": instance.subject.offering.id,
            "plan_id": instance.subject.plan.id,
            "app_guid": APPLICATION,
            "bind_resource": resource,
            "parameters": instance.subject.bind_parameters or None,
            "context": self._context(*_place(instance)),
        }
        path = path_of("service_instances", instance.id, "service_bindings", binding_id or self.new_id())
        return self._write(Endpoint.BIND, "PUT", path, {**body, **fields})

    def unbind(self, binding: Binding) -> Request:
        """Ask for the end of a binding."""
        return Request(
            Endpoint.UNBIND,
            "DELETE",
            self._binding(binding),
            (("accepts_incomplete", "true"), *self._ids(binding.instance)),
            self._headers(),
        )

    def fetch_binding(self, binding: Binding) -> Request:
        """Ask for what the broker knows of a binding."""
        return Request(
            Endpoint.FETCH_BINDING, "GET", self._binding(binding), self._ids(binding.instance), self._headers()
        )

    def poll_binding(self, binding: Binding, operation: str | None = None) -> Request:
        """Ask how far the last operation on a binding is, or the one named."""
        query = pairs([*self._ids(binding.instance), ("operation", operation)])
        path = self._binding(binding) + "/last_operation"
        return Request(Endpoint.POLL_BINDING, "GET", path, query, self._headers())

    def identity(self, value: Any = None) -> str:
        """Write a value of the originating identity header."""
        shown = value if value is not None else {"user_id": "683ea748-3092-4ff4-b656-39cacc4d5360"}
        return "cloudfoundry " + base64.b64encode(json.dumps(shown).encode()).decode()

    def unknown_instance(self, subject: Subject) -> Instance:
        """Name an instance that was never asked for."""
        instance_id = self.new_id()
        return Instance(instance_id, subject, self.provision(subject, instance_id))

    def unknown_binding(self, instance: Instance) -> Binding:
        """Name a binding that was never asked for."""
        binding_id = self.new_id()
        return Binding(binding_id, instance, self.bind(instance, binding_id))

    def _write(self, endpoint: Endpoint, method: str, path: str, body: Mapping[str, Any]) -> Request:
        given = {name: value for name, value in body.items() if value is not None}
        headers = (*self._headers(), ("Content-Type", "application/json"))
        return Request(endpoint, method, path, (("accepts_incomplete", "true"),), headers, given)

    def _headers(self) -> Pairs:
        """The headers of every request."""
        values = [
            ("Accept", "application/json"),
            ("Authorization", self.credentials.header()),
            ("X-Broker-API-Version", self.version),
            ("X-Broker-API-Originating-Identity", self.identity() if self._has("2.13") else None),
            ("X-Broker-API-Request-Identity", self.new_id() if self._has("2.15") else None),
        ]
        return pairs(values)

    def _context(self, organization: str, space: str, **names: str) -> dict[str, Any] | None:
        """Write the context of a Cloud Foundry platform (CTX-04 to CTX-07)."""
        if not self._has("2.12"):
            return None
        context = {"platform": "cloudfoundry", "organization_guid": organization, "space_guid": space}
        if self._has("2.15"):
            context.update(organization_name="conformance", space_name="conformance", **names)
        return context

    def _maintenance(self, plan: Plan) -> dict[str, Any] | None:
        version = plan.maintenance_version
        return {"version": version} if version is not None and self._has("2.15") else None

    def _has(self, version: str) -> bool:
        return int(self.version.split(".")[1]) >= int(version.split(".")[1])

    @staticmethod
    def _instance(instance: Instance) -> str:
        return path_of("service_instances", instance.id)

    @staticmethod
    def _binding(binding: Binding) -> str:
        return path_of("service_instances", binding.instance.id, "service_bindings", binding.id)

    @staticmethod
    def _ids(instance: Instance) -> Pairs:
        return (("service_id", instance.subject.offering.id), ("plan_id", instance.subject.plan.id))


def _place(instance: Instance) -> tuple[str, str]:
    """Give the organization and the space that an instance was asked for in."""
    fields = instance.request.fields or {}
    return str(fields.get("organization_guid", "")), str(fields.get("space_guid", ""))
