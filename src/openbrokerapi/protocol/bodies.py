"""The bodies of PUT and PATCH: decoded and checked for their types in one go."""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeAlias

import msgspec

from .endpoints import BIND, PROVISION, UPDATE, Endpoint
from .problems import bad_request

Text: TypeAlias = Annotated[str, msgspec.Meta(min_length=1)]
Object: TypeAlias = dict[str, Any]


class MaintenanceInfo(msgspec.Struct, frozen=True):
    """The ``maintenance_info`` of a request; only ``version`` is ever compared (PROV-15, UPD-20)."""

    version: Text
    description: str | None = None


class PreviousValues(msgspec.Struct, frozen=True):
    """The ``previous_values`` of an update, every one optional (UPD-16)."""

    service_id: str | None = None
    plan_id: str | None = None
    organization_id: str | None = None
    space_id: str | None = None
    maintenance_info: Object | None = None


class BindResource(msgspec.Struct, frozen=True):
    """The parts of ``bind_resource`` whose types the specification sets."""

    app_guid: str | None = None
    route: str | None = None


class ProvisionBody(msgspec.Struct, frozen=True, gc=False):
    """The body of a provision request (section "Provisioning")."""

    service_id: Text
    plan_id: Text
    organization_guid: str | None = None
    space_guid: str | None = None
    context: Object | None = None
    parameters: Object | None = None
    maintenance_info: MaintenanceInfo | None = None


class UpdateBody(msgspec.Struct, frozen=True, gc=False):
    """The body of an update request (section "Updating a Service Instance")."""

    service_id: Text
    plan_id: Text | None = None
    context: Object | None = None
    parameters: Object | None = None
    previous_values: PreviousValues | None = None
    maintenance_info: MaintenanceInfo | None = None


class BindBody(msgspec.Struct, frozen=True, gc=False):
    """The body of a bind request (section "Binding"); a rotation may leave out the first two (ROT-07)."""

    service_id: Text | None = None
    plan_id: Text | None = None
    app_guid: str | None = None
    bind_resource: Object | None = None
    context: Object | None = None
    parameters: Object | None = None
    predecessor_binding_id: Text | None = None


Body: TypeAlias = ProvisionBody | UpdateBody | BindBody

_DECODERS: dict[Endpoint, msgspec.json.Decoder[Any]] = {
    PROVISION: msgspec.json.Decoder(ProvisionBody),
    UPDATE: msgspec.json.Decoder(UpdateBody),
    BIND: msgspec.json.Decoder(BindBody),
}

_PLAIN = {"str": "a string", "object": "a JSON object", "array": "a list", "int": "a number", "null": "null"}
_PLAIN |= {"bool": "true or false", "float": "a number"}
_EXPECTED = re.compile(r"Expected `([a-z]+)(?: \| null)?`, got `([a-z]+)`(?: - at `\$\.?(.*)`)?$")
_EMPTY = re.compile(r"Expected `str` of length >= 1 - at `\$\.(.*)`$")
_MISSING = re.compile(r"Object missing required field `(\w+)`(?: - at `\$\.(.*)`)?$")


def read_body(endpoint: Endpoint, raw: bytes) -> Body:
    """Decode the body of a request to ``endpoint``, or refuse it with a sentence that names the field (CT-05)."""
    try:
        body: Body = _DECODERS[endpoint].decode(raw)
    except msgspec.ValidationError as error:
        raise bad_request(_sentence(str(error))) from None
    except RecursionError:
        raise bad_request("The request body is nested too deeply.") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise bad_request("The request body is not valid JSON.") from None
    if type(body) is BindBody:
        _check_bind(body)
    return body


def _check_bind(body: BindBody) -> None:
    if body.predecessor_binding_id is None:
        for name in ("service_id", "plan_id"):
            if getattr(body, name) is None:  # BIND-18, BIND-19
                raise bad_request(_missing(name))
    if body.bind_resource is not None:
        try:
            msgspec.convert(body.bind_resource, BindResource)
        except msgspec.ValidationError as error:
            raise bad_request(_sentence(str(error).replace("`$.", "`$.bind_resource."))) from None


def _sentence(message: str) -> str:
    if found := _MISSING.match(message):
        name, within = found.groups()
        return _missing(f"{within}.{name}" if within else name)
    if found := _EMPTY.match(message):
        return f"{found[1]} in the request body must not be empty."
    if found := _EXPECTED.match(message):
        wanted, got, where = found.groups()
        subject = f"{where} in the request body" if where else "The request body"
        return f"{subject} must be {_PLAIN.get(wanted, wanted)}, not {_PLAIN.get(got, got)}."
    return "The request body is not of the form that the specification gives."


def _missing(name: str) -> str:
    return f"{name} is missing in the request body."


def organization_required(context: Object | None) -> bool:
    """Tell whether a provision needs ``organization_guid`` and ``space_guid``.

    They are Cloud Foundry's (PROV-05, PROV-06): asked for from it, and from a request that names no platform.
    """
    return not context or context.get("platform", "cloudfoundry") == "cloudfoundry"


def check_organization(body: ProvisionBody) -> None:
    """Refuse a provision without the guids that its platform has to send."""
    if (body.organization_guid and body.space_guid) or not organization_required(body.context):
        return
    name = "space_guid" if body.organization_guid else "organization_guid"
    raise bad_request(f"{name} is missing or empty in the request body.")
