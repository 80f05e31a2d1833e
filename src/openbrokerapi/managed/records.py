"""Rows and what is sealed in them, on the one side; what the author's methods are handed, on the other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from openbrokerapi.errors import ErrInvalidParameters
from openbrokerapi.stores.rows import BindingRow, InstanceRow, OperationRow

from .answers import Bound, Provisioned
from .offering import Offering
from .sealing import Sealing
from .shapes import as_shape
from .subjects import NOBODY, Binding, Instance, Who


class Desired(msgspec.Struct, frozen=True, kw_only=True):
    """What an instance is to be, or is: all that an update can change."""

    plan_id: str
    parameters: dict[str, Any]
    context: dict[str, Any]
    maintenance_version: str | None


class _Request(msgspec.Struct, frozen=True, omit_defaults=True):
    parameters: dict[str, Any]
    context: dict[str, Any] = {}
    bind_resource: dict[str, Any] = {}


class _Who(msgspec.Struct, frozen=True, omit_defaults=True):
    user: str | None = None
    originating_identity: Mapping[str, Any] | None = None
    request_identity: str | None = None


_UNENCODABLE = (TypeError, ValueError, OverflowError, RecursionError)
_ENCODER = msgspec.json.Encoder()
_WHO = msgspec.json.Decoder(_Who)


def plain(value: Any) -> Any:
    """Give metadata, an endpoint or a volume mount as JSON has it, without what is None."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if not isinstance(value, Mapping) and not hasattr(value, "__dict__"):
        return value  # the encoder takes it, or says that it cannot
    fields = value if isinstance(value, Mapping) else vars(value)
    return {name: plain(each) for name, each in fields.items() if each is not None}


def readable(text: str) -> str:
    """Give text as every store can write it: authors quote what other programs said."""
    return str(text).encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def _as_given(value: Any) -> Any:
    """Give credentials as JSON has them: with every field, be it null."""
    if isinstance(value, Mapping):
        return {name: _as_given(each) for name, each in value.items()}
    return [_as_given(each) for each in value] if isinstance(value, (list, tuple)) else value


def who_text(who: Who) -> str | None:
    """Give who asked as the JSON that rows and events have; None for nobody."""
    if who.user is None and who.originating_identity is None and who.request_identity is None:
        return None
    return _ENCODER.encode(_Who(who.user, who.originating_identity, who.request_identity)).decode()


def who_of(text: str | None) -> Who:
    """Give who asked, from a row's JSON."""
    if text is None:
        return NOBODY
    found = _WHO.decode(text)
    return Who(found.user, found.originating_identity, found.request_identity)


def _shaped(shape: Any, parameters: dict[str, Any]) -> Any:
    # They were of the type when they were asked for. Another release's type must not keep anybody from deleting.
    try:
        return as_shape(shape, parameters)
    except ErrInvalidParameters:
        return parameters


def _check_json(name: str, fields: Mapping[str, Any]) -> None:
    for field, value in fields.items():
        try:
            _ENCODER.encode(value)
        except _UNENCODABLE as error:
            # The encoder's own message does not say which field it is about.
            raise TypeError(f"{name}({field}=...) cannot be written as JSON: {error}") from None


class Records:
    """Opens and closes what is sealed in rows.

    Args:
        offerings: By their ids.
    """

    def __init__(self, sealing: Sealing, offerings: Mapping[str, Offering]) -> None:
        self._sealing = sealing
        self._offerings = offerings

    def offering(self, service_id: str) -> Offering | None:
        """Give an offering; None if the broker has it no more."""
        return self._offerings.get(service_id)

    def instance_request(self, instance_id: str, parameters: dict[str, Any], context: dict[str, Any]) -> bytes:
        """Seal what an instance was asked for."""
        return self._sealing.close("instance", "request", (instance_id,), _Request(parameters, context))

    def binding_request(self, key: tuple[str, str], request: Mapping[str, Any]) -> bytes:
        """Seal what a binding was asked for."""
        return self._sealing.close("binding", "request", key, _Request(**request))

    def opened_request(self, row: InstanceRow | BindingRow) -> _Request:
        """Open what an instance or a binding was asked for."""
        if isinstance(row, InstanceRow):
            document = self._sealing.open("instance", "request", (row.instance_id,), row.request)
        else:
            document = self._sealing.open("binding", "request", (row.instance_id, row.binding_id), row.request)
        return _Request(**document)

    def instance_answer(self, row: InstanceRow) -> dict[str, Any]:
        """Open what is in force of an instance's answer."""
        return self._sealing.open("instance", "answer", (row.instance_id,), row.answer) or {}

    def binding_answer(self, row: BindingRow) -> dict[str, Any]:
        """Open a binding's answer: its fields, and what the author keeps."""
        return self._sealing.open("binding", "answer", (row.instance_id, row.binding_id), row.answer) or {}

    def provisioned(self, row: InstanceRow, made: Provisioned) -> bytes:
        """Seal the answer of an instance: what the author gave now, over what is in force.

        Also where it is empty: a row without an answer is of something that was never made.
        """
        given = {
            "dashboard_url": made.dashboard_url,
            "metadata": plain(made.metadata),
            "private": made.private,
        }
        held = self.instance_answer(row)
        answer = {**held, **{name: value for name, value in given.items() if value is not None}}
        return self._closed_answer("Provisioned", "instance", (row.instance_id,), answer)

    def bound(self, row: BindingRow, made: Bound) -> bytes:
        """Seal the answer of a binding."""
        fields = {
            "credentials": None if made.credentials is None else _as_given(made.credentials),
            "syslog_drain_url": made.syslog_drain_url,
            "route_service_url": made.route_service_url,
            "volume_mounts": plain(made.volume_mounts),
            "endpoints": plain(made.endpoints),
            "metadata": plain(made.metadata()),
            "private": made.private,
        }
        answer = {name: value for name, value in fields.items() if value is not None}
        return self._closed_answer("Bound", "binding", (row.instance_id, row.binding_id), answer)

    def _closed_answer(self, name: str, table: str, key: tuple[str, ...], answer: dict[str, Any]) -> bytes:
        try:
            return self._sealing.close(table, "answer", key, answer)
        except _UNENCODABLE:
            _check_json(name, answer)
            raise

    def in_force(self, row: InstanceRow) -> Desired:
        """Give what is in force of an instance."""
        request = self.opened_request(row)
        return Desired(
            plan_id=row.plan_id,
            parameters=request.parameters,
            context=request.context,
            maintenance_version=row.maintenance_version,
        )

    def close_desired(self, operation_id: str, desired: Desired) -> bytes:
        """Seal what an update is to bring."""
        return self._sealing.close("operation", "request", (operation_id,), desired)

    def desired(self, operation: OperationRow) -> Desired:
        """Open what an update is to bring."""
        document = self._sealing.open("operation", "request", (operation.operation_id,), operation.request)
        return Desired(**document)

    def secrets(self, row: InstanceRow | BindingRow | OperationRow | None) -> list[Any]:
        """Open all that is sealed in a row, for it to be kept out of the log."""
        if row is None or (isinstance(row, OperationRow) and row.request is None):
            return []
        if isinstance(row, OperationRow):
            desired = self.desired(row)
            return [desired.parameters, desired.context]
        request = self.opened_request(row)
        answer = self.instance_answer(row) if isinstance(row, InstanceRow) else self.binding_answer(row)
        return [request.parameters, request.context, request.bind_resource, answer]

    def close_result(self, operation_id: str, step: str, result: Any) -> bytes:
        """Seal what a step returned."""
        return self._sealing.close("step", "result", (operation_id, step), result)

    def result(self, operation_id: str, step: str, sealed: bytes | None) -> Any:
        """Open what a step returned."""
        return self._sealing.open("step", "result", (operation_id, step), sealed)

    def instance(
        self, offering: Offering, row: InstanceRow, who: Who = NOBODY, desired: Desired | None = None
    ) -> Instance[Any]:
        """Give the instance as the author's methods get it.

        Args:
            desired: What it is to be, of an update; what is in force by default.
        """
        wanted = desired or self.in_force(row)
        answer = self.instance_answer(row)
        plan = offering.plan(wanted.plan_id)
        return Instance(
            id=row.instance_id,
            service_id=row.service_id,
            plan=plan,
            parameters=_shaped(offering.shape(plan, "parameters"), wanted.parameters),
            context=wanted.context,
            organization_guid=row.organization_guid,
            space_guid=row.space_guid,
            maintenance_version=wanted.maintenance_version,
            dashboard_url=answer.get("dashboard_url"),
            metadata=answer.get("metadata"),
            private=answer.get("private"),
            who=who,
        )

    def binding(
        self, offering: Offering, row: BindingRow, who: Who = NOBODY, predecessor: BindingRow | None = None
    ) -> Binding[Any]:
        """Give the binding as the author's methods get it."""
        request = self.opened_request(row)
        answer = self.binding_answer(row)
        shape = offering.shape(offering.plan(row.plan_id), "bind_parameters")
        return Binding(
            id=row.binding_id,
            parameters=_shaped(shape, request.parameters),
            context=request.context,
            app_guid=row.app_guid,
            bind_resource=request.bind_resource,
            credentials=answer.get("credentials"),
            expires_at=None if row.expires_at is None else datetime.fromtimestamp(row.expires_at, UTC),
            predecessor=None if predecessor is None else self.binding(offering, predecessor),
            private=answer.get("private"),
            who=who,
        )
