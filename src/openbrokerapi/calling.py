"""The author's seam: how a call becomes a call of the broker's method, and what the method returns an answer."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .details import BindDetails, DeprovisionDetails, MaintenanceInfo, ProvisionDetails, UnbindDetails, UpdateDetails
from .marks import is_nonblocking
from .protocol import bodies
from .protocol import endpoints as ep
from .protocol.answers import DONE_FIELDS, Answer, InvalidAnswer, Outcome
from .protocol.call import Call
from .protocol.endpoints import Endpoint
from .protocol.headers import request_identity

#: The arguments of 4.7.3, in its order, which is the order of 0.3.6, too.
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "identify": ("request",),
    "catalog": (),
    "provision": ("instance_id", "details", "async_allowed"),
    "update": ("instance_id", "details", "async_allowed"),
    "deprovision": ("instance_id", "details", "async_allowed"),
    "bind": ("instance_id", "binding_id", "details", "async_allowed"),
    "unbind": ("instance_id", "binding_id", "details", "async_allowed"),
    "last_operation": ("instance_id", "operation_data", "service_id", "plan_id"),
    "last_binding_operation": ("instance_id", "binding_id", "operation_data", "service_id", "plan_id"),
    "get_instance": ("instance_id",),
    "get_binding": ("instance_id", "binding_id"),
}
_HINTS = frozenset(("service_id", "plan_id"))
_FETCHES = frozenset((ep.FETCH_INSTANCE, ep.FETCH_BINDING))
_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Style:
    """How a method of the author's wants to be called.

    Attributes:
        keywords: The names to pass by keyword; None: pass by position.
        positions: How many to pass by position.
        hints: Whether a GET may pass ``service_id`` and ``plan_id``.
        is_async: Whether the method is ``async def``.
        nonblocking: Whether it may be called on an event loop.
    """

    keywords: frozenset[str] | None
    positions: int
    hints: bool
    is_async: bool
    nonblocking: bool


def style_of(name: str, method: Callable[..., Any]) -> Style:
    """Find out how ``method`` wants to be called, from its signature.

    A method whose parameters are those of 4.7.3, or that takes any keyword, is called with keywords; any other, such as
    one with the ``service_details`` of 0.3.6, by position.
    """
    is_async = _is_async(method)
    marked = is_nonblocking(method)
    names = ARGUMENTS[name]
    try:
        parameters = _parameters(method)
    except (TypeError, ValueError):  # a callable without a signature, such as one written in C
        return Style(frozenset(names), len(names), hints=False, is_async=is_async, nonblocking=marked)
    kinds = {parameter.kind for parameter in parameters}
    named = {each.name for each in parameters if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)}
    takes_any = inspect.Parameter.VAR_KEYWORD in kinds
    # A mock takes *args, **kwargs, and gets exactly what 4.7.3 passed.
    hints = named >= _HINTS or (takes_any and inspect.Parameter.VAR_POSITIONAL not in kinds)
    keywords = None
    if (takes_any or named) and not _by_position(name, parameters):
        keywords = frozenset(names) if takes_any else frozenset(names) & named
    count = sum(each.kind in _POSITIONAL for each in parameters)
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        count = max(count, _COUNT_OF_0_3_6.get(name, len(names)))
    return Style(keywords, count, hints and name.startswith("get_"), is_async, marked)


def _parameters(method: Callable[..., Any]) -> list[inspect.Parameter]:
    """Give the parameters of a method; of a wrapper that only hands on, those of what it wraps."""
    outer = list(inspect.signature(method, follow_wrapped=False).parameters.values())
    kinds = {each.kind for each in outer}
    if kinds in ({inspect.Parameter.VAR_POSITIONAL}, {inspect.Parameter.VAR_KEYWORD}):
        # It hands on in one way only, whatever it wraps.
        return outer
    return list(inspect.signature(method).parameters.values())


def _by_position(name: str, parameters: list[inspect.Parameter]) -> bool:
    """Tell whether the parameters are not those of 4.7.3, so that only their order says what each is for."""
    names = ARGUMENTS[name]
    if any(each.kind is each.POSITIONAL_ONLY for each in parameters):
        return True
    required = [each for each in parameters if each.default is each.empty and each.kind in _PLAIN_KINDS]
    if any(each.name not in names for each in required):
        return True
    if any(each.kind is each.VAR_KEYWORD for each in parameters):
        return False
    positional = [each for each in parameters if each.kind in _POSITIONAL]
    return any(each.name not in names for each in positional[: _COUNT_OF_0_3_6.get(name, len(names))])


# Where 0.3.6 passed fewer arguments than 4.7.3.
_COUNT_OF_0_3_6 = {"last_operation": 2, "bind": 3, "unbind": 3}
_POSITIONAL = frozenset((inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD))

_PLAIN_KINDS = frozenset(
    (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        inspect.Parameter.KEYWORD_ONLY,
    )
)


def _is_async(method: Callable[..., Any]) -> bool:
    # An autospecced mock has a mock for its code, of which every flag is set; what it returns need not be awaitable.
    code = getattr(method, "__code__", None)
    return inspect.iscoroutinefunction(method) and (code is None or isinstance(code.co_flags, int))


class Invocation:
    """A method of the broker's, ready to be called."""

    __slots__ = ("args", "kwargs", "method", "style")

    def __init__(
        self, method: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], style: Style
    ) -> None:
        self.method = method
        self.args = args
        self.kwargs = kwargs
        self.style = style

    def __call__(self) -> Any:
        """Call the method."""
        return self.method(*self.args, **self.kwargs)


class Calling:
    """The broker's methods, each looked at once.

    Args:
        broker: Any object with the methods of :class:`~openbrokerapi.service_broker.ServiceBroker`.
    """

    def __init__(self, broker: Any) -> None:
        self._broker = broker
        self._styles: dict[str, tuple[Any, Style]] = {}
        for name in ARGUMENTS.keys() - {"identify"}:
            if callable(method := getattr(broker, name, None)):
                self._styles[name] = (getattr(method, "__func__", method), style_of(name, method))

    def catalog(self) -> Invocation:
        """Give the call of ``catalog()``."""
        return self.invocation_of("catalog", _NOTHING)

    def invocation(self, call: Call) -> Invocation:
        """Give the call of the broker's method that answers ``call``."""
        endpoint = call.endpoint
        hints = _NOTHING
        if endpoint in _FETCHES:
            hints = {name: value for name in _HINTS if (value := getattr(call, name)) is not None}
        return self.invocation_of(endpoint.name, _VALUES[endpoint](call), hints)

    def invocation_of(self, name: str, values: Mapping[str, Any], hints: Mapping[str, Any] = _NOTHING) -> Invocation:
        """Give the call of the broker's method ``name``, in the style that its signature asks for.

        Args:
            values: The arguments by their names, in the order of 0.3.6.
            hints: ``service_id`` and ``plan_id`` for the GETs, of those that the platform sent.

        Raises:
            NotImplementedError: The broker has no such method.
        """
        method = getattr(self._broker, name, None)
        if method is None:
            raise NotImplementedError(f"the broker has no method {name}")
        # A broker may get another method later, as tests do; it is looked at again then.
        known = self._styles.get(name)
        if known is None or known[0] is not getattr(method, "__func__", method):
            known = self._styles[name] = (getattr(method, "__func__", method), style_of(name, method))
        style = known[1]
        if style.keywords is None:
            return Invocation(method, tuple(values.values())[: style.positions], _NOTHING, style)
        if len(style.keywords) != len(values):
            values = {name: value for name, value in values.items() if name in style.keywords}
        return Invocation(method, (), {**values, **hints} if style.hints and hints else values, style)


def _tell(details: Any, call: Call) -> Any:
    details.originating_identity = call.identity
    details.authorization_username = call.username
    details.request_identity = request_identity(call.request.headers)
    return details


def _maintenance(info: bodies.MaintenanceInfo | None) -> MaintenanceInfo | None:
    return None if info is None else MaintenanceInfo(info.version, info.description)


def _provision(call: Call) -> dict[str, Any]:
    body: Any = call.body
    details = ProvisionDetails.of(body, _maintenance(body.maintenance_info))
    return {"instance_id": call.instance_id, "details": _tell(details, call), "async_allowed": call.accepts_incomplete}


def _update(call: Call) -> dict[str, Any]:
    body: Any = call.body
    previous = body.previous_values
    details = UpdateDetails(
        body.service_id,
        body.plan_id,
        body.parameters,
        None if previous is None else {name: getattr(previous, name) for name in previous.__struct_fields__},
        body.context,
        maintenance_info=_maintenance(body.maintenance_info),
    )
    return {"instance_id": call.instance_id, "details": _tell(details, call), "async_allowed": call.accepts_incomplete}


def _bind(call: Call) -> dict[str, Any]:
    body: Any = call.body
    details = BindDetails(
        body.service_id,
        body.plan_id,
        body.app_guid,
        body.bind_resource,
        body.parameters,
        body.context,
        predecessor_binding_id=body.predecessor_binding_id,
    )
    return _of_binding(call, details)


def _of_binding(call: Call, details: Any) -> dict[str, Any]:
    return {
        "instance_id": call.instance_id,
        "binding_id": call.binding_id,
        "details": _tell(details, call),
        "async_allowed": call.accepts_incomplete,
    }


def _unbind(call: Call) -> dict[str, Any]:
    return _of_binding(call, UnbindDetails(call.service_id or "", call.plan_id or ""))


def _deprovision(call: Call) -> dict[str, Any]:
    details = DeprovisionDetails(call.service_id or "", call.plan_id or "")
    return {"instance_id": call.instance_id, "details": _tell(details, call), "async_allowed": call.accepts_incomplete}


def _poll(call: Call) -> dict[str, Any]:
    ids = {"instance_id": call.instance_id}
    if call.binding_id is not None:
        ids["binding_id"] = call.binding_id
    return {**ids, "operation_data": call.operation, "service_id": call.service_id, "plan_id": call.plan_id}


_VALUES: dict[Endpoint, Callable[[Call], dict[str, Any]]] = {
    ep.PROVISION: _provision,
    ep.UPDATE: _update,
    ep.DEPROVISION: _deprovision,
    ep.BIND: _bind,
    ep.UNBIND: _unbind,
    ep.POLL_INSTANCE: _poll,
    ep.POLL_BINDING: _poll,
    ep.FETCH_INSTANCE: lambda call: {"instance_id": call.instance_id},
    ep.FETCH_BINDING: lambda call: {"instance_id": call.instance_id, "binding_id": call.binding_id},
}
_MAY_RETURN_NOTHING = frozenset((ep.UPDATE, ep.DEPROVISION, ep.UNBIND))
_STATES = {
    "SUCCESSFUL_CREATED": Outcome.DONE,
    "SUCCESSFUL_BOUND": Outcome.DONE,
    "IDENTICAL_ALREADY_EXISTS": Outcome.SAME,
    "IS_ASYNC": Outcome.ACCEPTED,
}
_HAS_STATE = frozenset((ep.PROVISION, ep.BIND))
_IS_POLL = frozenset((ep.POLL_INSTANCE, ep.POLL_BINDING))
_POLL_FIELDS = ("description", "instance_usable", "update_repeatable")


def answer_of(endpoint: Endpoint, result: Any) -> Answer:
    """Read what the broker's method returned; only its attributes count, not its class.

    Raises:
        InvalidAnswer: It is not an answer to this request.
    """
    if result is None:
        if endpoint not in _MAY_RETURN_NOTHING:
            raise InvalidAnswer(f"{endpoint.name} returned nothing")
        return Answer(Outcome.DONE, {})
    if endpoint in _IS_POLL:
        return _polled(result)
    fields = {name: value for name in DONE_FIELDS[endpoint] if (value := getattr(result, name, None)) is not None}
    return Answer(_outcome(endpoint, result), fields, _operation(result), _extensions(result))


def _outcome(endpoint: Endpoint, result: Any) -> Outcome:
    if endpoint in _HAS_STATE:
        # By its name, so that one enum does for another; what is no enum, such as a mock, has none.
        name = getattr(getattr(result, "state", None), "_name_", None)
        outcome = _STATES.get(name) if type(name) is str else None
        if outcome is None:
            raise InvalidAnswer(f"{endpoint.name} returned no state of ProvisionState or BindState")
        return outcome
    return Outcome.ACCEPTED if getattr(result, "is_async", False) else Outcome.DONE


def _operation(result: Any) -> str | None:
    operation = getattr(result, "operation", None)
    # The specification wants text; a number comes back as text in the poll anyway.
    return operation if operation is None or type(operation) is str else str(operation)


def _extensions(result: Any) -> dict[str, Any] | None:
    extensions = getattr(result, "extensions", None)
    return dict(extensions) if extensions is not None and isinstance(extensions, Mapping) else None


def _polled(result: Any) -> Answer:
    state = getattr(result, "state", None)
    fields = {name: getattr(result, name, None) for name in _POLL_FIELDS}
    fields["state"] = getattr(state, "value", state)
    if not isinstance(fields["state"], str):
        raise InvalidAnswer("the state of an operation must be one of OperationState")
    if not isinstance(fields["description"], str):
        fields["description"] = None
    retry_after = getattr(result, "retry_after", None)
    return Answer(
        Outcome.SAME,
        fields,
        extensions=_extensions(result),
        retry_after=retry_after if type(retry_after) is int and retry_after >= 0 else None,
    )


def offerings_of(result: Any) -> list[Any] | None:
    """Give what ``catalog()`` returned as a list of offerings; None where it is nothing that could hold any.

    The latter is what a bare mock returns, with which brokers of 0.3.6 are tested.
    """
    if isinstance(result, (list, tuple)):
        return list(result)
    if isinstance(result, Mapping) or isinstance(getattr(result, "id", None), str):
        return [result]
    return list(result) if isinstance(result, Iterable) and not hasattr(result, "plans") else None
