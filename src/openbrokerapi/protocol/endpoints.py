"""The ten endpoints of the specification, and how a path leads to one."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, eq=False)
class Endpoint:
    """One of the ten requests that the specification knows.

    Args:
        name: The broker's method that answers it, in the words of the author's interface.
        method: The HTTP method.
        path: The path, with ``:instance_id`` and ``:binding_id`` in their places.
        has_body: Whether the request carries a JSON object.
        needs_plan: Whether ``service_id`` and ``plan_id`` are required in the query (both DELETEs).
        made: The status of "done within this request" (ASY-05).
    """

    name: str
    method: str
    path: str
    has_body: bool = False
    needs_plan: bool = False
    made: int = 200

    def __repr__(self) -> str:
        return f"<{self.method} {self.path}>"


_INSTANCE = "/v2/service_instances/:instance_id"
_BINDING = f"{_INSTANCE}/service_bindings/:binding_id"

CATALOG = Endpoint("catalog", "GET", "/v2/catalog")
PROVISION = Endpoint("provision", "PUT", _INSTANCE, has_body=True, made=201)
FETCH_INSTANCE = Endpoint("get_instance", "GET", _INSTANCE)
UPDATE = Endpoint("update", "PATCH", _INSTANCE, has_body=True)
DEPROVISION = Endpoint("deprovision", "DELETE", _INSTANCE, needs_plan=True)
POLL_INSTANCE = Endpoint("last_operation", "GET", f"{_INSTANCE}/last_operation")
BIND = Endpoint("bind", "PUT", _BINDING, has_body=True, made=201)
FETCH_BINDING = Endpoint("get_binding", "GET", _BINDING)
UNBIND = Endpoint("unbind", "DELETE", _BINDING, needs_plan=True)
POLL_BINDING = Endpoint("last_binding_operation", "GET", f"{_BINDING}/last_operation")

ENDPOINTS = (
    CATALOG,
    PROVISION,
    FETCH_INSTANCE,
    UPDATE,
    DEPROVISION,
    POLL_INSTANCE,
    BIND,
    FETCH_BINDING,
    UNBIND,
    POLL_BINDING,
)


@dataclass(frozen=True)
class Route:
    """A path of the specification: its fixed parts, and the endpoint for each method."""

    fixed: tuple[tuple[int, bytes], ...]
    methods: dict[str, Endpoint] = field(default_factory=dict)

    def fits(self, parts: list[bytes]) -> bool:
        """Tell whether the parts of a path, as many as the route has, are those of the route."""
        for at, part in self.fixed:  # noqa: SIM110 - on every request's way, and twice as quick as all()
            if parts[at] != part:
                return False
        return True

    @property
    def allow(self) -> bytes:
        """The methods that the path knows, as an ``Allow`` header names them."""
        return ", ".join(sorted(self.methods)).encode()


def _routes() -> dict[int, Route]:
    # Each of the five paths has a length of its own, so the number of parts alone picks the route.
    routes: dict[int, Route] = {}
    for endpoint in ENDPOINTS:
        parts = endpoint.path.encode().split(b"/")
        fixed = tuple((at, part) for at, part in enumerate(parts) if part and not part.startswith(b":"))
        routes.setdefault(len(parts), Route(fixed)).methods[endpoint.method] = endpoint
    # A HEAD of the catalog is a GET whose body the host leaves out; no other GET is free of consequences (BIND-04).
    routes[3].methods["HEAD"] = CATALOG
    return routes


ROUTES = _routes()
INSTANCE_ID_PART = 3
BINDING_ID_PART = 5
