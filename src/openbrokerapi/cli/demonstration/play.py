"""The play: what a platform and an application do with a database, from the catalog to the last DELETE."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import httpx2
import psycopg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .exchange import Exchange

INSTANCE = "/v2/service_instances/my-database"
BINDING = f"{INSTANCE}/service_bindings/my-app"
CONNECT_SECONDS = 10


@dataclass(frozen=True)
class Step:
    """One thing that was done, and whether it came out as it should.

    Attributes:
        action: ``request`` for one to the broker, ``connection`` for a look at PostgreSQL.
        target: The method and the path, or what was looked at.
        expected: What should come of it, as a sentence.
        status: The HTTP status, None for a connection.
        milliseconds: How long it took.
        ok: Whether it came out as expected.
        answer: What came instead, without secrets; empty if all was well.
    """

    action: str
    target: str
    expected: str
    status: int | None
    milliseconds: float
    ok: bool
    answer: str = ""

    def as_json(self) -> dict[str, Any]:
        """Give the step as JSON's types, for programs."""
        return {**asdict(self), "milliseconds": round(self.milliseconds, 1)}


class Disappointment(Exception):  # noqa: N818 - a step's failure, not the program's
    """A step came out otherwise than it should; the text says how."""


class Play:
    """Play the platform and the application.

    Args:
        exchange: The connection to the broker.
        postgresql_url: The superuser's URL, to look whether a database is there.
    """

    def __init__(self, exchange: Exchange, postgresql_url: str) -> None:
        self._exchange = exchange
        self._postgresql_url = postgresql_url
        self._ids: dict[str, str] = {}
        self._credentials: dict[str, Any] = {}

    @property
    def plan(self) -> dict[str, str]:
        """The ids of the offering and the plan that were chosen, empty before the catalog was read."""
        return dict(self._ids)

    def steps(self) -> Iterator[Step]:
        """Play step by step. A step that fails is the last: the next would only fail for its sake."""
        for play in self._script():
            step = play()
            yield step
            if not step.ok:
                return

    def _script(self) -> Iterator[Callable[[], Step]]:
        yield lambda: self._request("GET", "/v2/catalog", 200, "the offerings", self._choose_plan)
        yield lambda: self._request("PUT", INSTANCE, 201, "a database is made", body=self._order())
        yield lambda: self._request(
            "PUT", BINDING, 201, "the application gets credentials", self._keep_credentials, body=self._ids
        )
        yield lambda: self._look("connect as the application", "writes a row and reads it back", self._use)
        yield lambda: self._request("PUT", INSTANCE, 200, "the same again: it is there already", body=self._order())
        yield lambda: self._request("DELETE", BINDING, 200, "the credentials are withdrawn", query=self._ids)
        yield lambda: self._look("connect as the application", "PostgreSQL refuses the credentials", self._be_refused)
        yield lambda: self._request("DELETE", INSTANCE, 200, "the database is dropped", query=self._ids)
        yield lambda: self._look("look into pg_database", "the database is gone", self._find_nothing)
        yield lambda: self._request("DELETE", INSTANCE, 410, "the same again: it is gone already", query=self._ids)

    def _order(self) -> dict[str, Any]:
        guids = {"organization_guid": "my-organization", "space_guid": "my-space"}
        return {**self._ids, **guids, "context": {"platform": "cloudfoundry", **guids}}

    def _request(
        self,
        method: str,
        path: str,
        status: int,
        expected: str,
        check: Callable[[dict[str, Any]], None] | None = None,
        **sent: Any,
    ) -> Step:
        start = time.perf_counter()
        expected = f"{status}, {expected}"
        try:
            answer = self._exchange.send(method, path, **sent)
        except httpx2.HTTPError as error:
            passed = (time.perf_counter() - start) * 1000
            return Step("request", f"{method} {path}", expected, None, passed, ok=False, answer=type(error).__name__)
        complaint = "" if answer.status == status else answer.shown()
        if check and not complaint:
            try:
                check(answer.body)
            except Disappointment as disappointment:
                complaint = f"{disappointment}: {answer.shown()}"
        return Step(
            "request", f"{method} {path}", expected, answer.status, answer.milliseconds, not complaint, complaint
        )

    def _look(self, target: str, expected: str, look: Callable[[], None]) -> Step:
        start = time.perf_counter()
        complaint = ""
        try:
            look()
        except Disappointment as disappointment:
            complaint = str(disappointment)
        except psycopg.Error as error:  # what PostgreSQL says names the role and the database, never a password
            complaint = " ".join(str(error).split())
        return Step(
            "connection", target, expected, None, (time.perf_counter() - start) * 1000, not complaint, complaint
        )

    def _choose_plan(self, catalog: dict[str, Any]) -> None:
        for offering in catalog.get("services", []):
            for plan in offering.get("plans", []):
                self._ids = {"service_id": str(offering.get("id")), "plan_id": str(plan.get("id"))}
                return
        raise Disappointment("the catalog offers nothing")

    def _keep_credentials(self, binding: dict[str, Any]) -> None:
        self._credentials = binding.get("credentials") or {}
        names = ("uri", "host", "port", "database", "username", "password")
        if missing := [name for name in names if not self._credentials.get(name)]:
            raise Disappointment(f"the credentials lack {', '.join(missing)}")

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self._credentials["uri"], connect_timeout=CONNECT_SECONDS)

    def _use(self) -> None:
        with self._connect() as connection:
            connection.execute("CREATE TABLE greeting (text text)")
            connection.execute("INSERT INTO greeting VALUES ('Hello, broker')")
        with self._connect() as connection:  # a new connection reads what was really written
            rows = connection.execute("SELECT text FROM greeting").fetchall()
        if rows != [("Hello, broker",)]:
            raise Disappointment(f"read {rows} where one row was written")

    def _be_refused(self) -> None:
        try:
            self._connect().close()
        except psycopg.OperationalError as error:
            if "authentication failed" in str(error):
                return
            raise
        raise Disappointment("the credentials still work")

    def _find_nothing(self) -> None:
        with psycopg.connect(self._postgresql_url, connect_timeout=CONNECT_SECONDS) as connection:
            query = "SELECT datname FROM pg_database WHERE datname = %s"
            if connection.execute(query, [self._credentials["database"]]).fetchone():
                raise Disappointment("the database is still there")
