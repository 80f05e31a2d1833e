"""A service broker that offers PostgreSQL databases.

Provision makes a database, bind makes a role with a password of its own, unbind drops that role, deprovision the
database. PostgreSQL is the only state: what was ordered is kept in the comment of the database or of the role, and
**the comment is what makes it exist**: it is written last when a thing is made, and goes first when it is dropped. So a
thing without a comment is the leftover of a crash, and the repeated request clears it away.

Serve it with the URL of a superuser (PostgreSQL 14 or later) and a secret that the passwords are derived from:

    export POSTGRES_BROKER_URL=postgresql://postgres:...@db.example.com:5432/postgres
    export POSTGRES_BROKER_SECRET=...   # say 32 random characters; keep it as long as there are bindings
    openbroker serve examples.postgres_broker:create_broker
"""

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString

import jsonschema_rs
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from openbrokerapi import errors
from openbrokerapi.catalog import Schemas, ServicePlan
from openbrokerapi.service_broker import (
    BindDetails,
    Binding,
    BindState,
    DeprovisionDetails,
    DeprovisionServiceSpec,
    GetBindingSpec,
    GetInstanceDetailsSpec,
    LastOperation,
    OperationState,
    ProvisionDetails,
    ProvisionedServiceSpec,
    ProvisionState,
    Service,
    ServiceBroker,
    UnbindDetails,
    UnbindSpec,
    UpdateDetails,
    UpdateServiceSpec,
)

SERVICE_ID = "7b6f3a52-3c0e-4a8e-9d0b-2f6f0c6c1a11"
SMALL = "0c2d8f3e-55a5-4c55-8a86-0d1b6a4f2b21"
LARGE = "f5a1f0b4-7f0a-4b0e-8a53-6b8a7f0f9c31"
CONNECTIONS = {SMALL: 5, LARGE: 50}  # how many connections at once a plan allows
EXTENSIONS = ["citext", "hstore", "ltree", "pg_trgm", "unaccent"]

Record = dict[str, Any]  # what was ordered, as the comment keeps it. Every role can read comments: no secrets in it.
Connection = psycopg.Connection[tuple[Any, ...]]


class PostgresBroker(ServiceBroker):
    """Offer databases on one PostgreSQL server."""

    def __init__(self, url: str, secret: str, lock_timeout: str = "30s") -> None:
        self._url = url
        self._secret = secret.encode()
        self._lock_timeout = lock_timeout
        self._offering = offering()  # the same object each time: then the library encodes it once only

    def catalog(self) -> Service:
        """Offer two plans, which differ in how many connections they allow."""
        return self._offering

    def provision(
        self, instance_id: str, details: ProvisionDetails, async_allowed: bool, **kwargs: Any
    ) -> ProvisionedServiceSpec:
        """Make the database, and the role that owns all that applications make in it."""
        wanted = {
            "service_id": details.service_id,
            "plan_id": details.plan_id,
            "organization_guid": details.organization_guid,
            "space_guid": details.space_guid,
            "parameters": details.parameters or {},
        }
        name = name_of(instance_id)
        with self._locked(name) as connection:
            if record := database_record(connection, name):
                if record != wanted:
                    raise errors.ErrInstanceAlreadyExists
                return ProvisionedServiceSpec(ProvisionState.IDENTICAL_ALREADY_EXISTS)
            self._clear(connection, name)
            run(connection, "CREATE ROLE {name} NOLOGIN", name=name)
            # Nobody but a superuser gets in until _configure is done. The database stays the broker's own, so that
            # an application can neither lift the plan's limit nor rewrite the comment.
            run(connection, "CREATE DATABASE {name} TEMPLATE template0 CONNECTION LIMIT 0", name=name)
            self._configure(name, wanted)
        return ProvisionedServiceSpec(ProvisionState.SUCCESSFUL_CREATED)

    def update(self, instance_id: str, details: UpdateDetails, async_allowed: bool, **kwargs: Any) -> UpdateServiceSpec:
        """Change plan and parameters; what the request does not name stays as it is."""
        name = name_of(instance_id)
        with self._locked(name) as connection:
            record = database_record(connection, name)
            if record is None:
                raise errors.ErrInstanceDoesNotExist
            if details.service_id != record["service_id"]:
                raise errors.ErrBadRequest("The instance is of another offering")
            parameters = {**record["parameters"], **(details.parameters or {})}
            wanted = {**record, "plan_id": details.plan_id or record["plan_id"], "parameters": parameters}
            # The library checks against the plan that a request names, and an update need not name one.
            if not jsonschema_rs.is_valid(instance_schema(wanted["plan_id"]), parameters):
                # 400 where the request brings parameters, 422 where it is those of the instance that do not fit.
                refusal = errors.ErrInvalidParameters if details.parameters else errors.ErrPlanChangeNotSupported
                raise refusal(f"Not for this plan: a connection_limit is from 1 to {CONNECTIONS[wanted['plan_id']]}")
            self._configure(name, wanted)
        return UpdateServiceSpec(is_async=False)

    def bind(
        self, instance_id: str, binding_id: str, details: BindDetails, async_allowed: bool, **kwargs: Any
    ) -> Binding:
        """Make a role that may do all in the database, and hand out its password."""
        wanted = {
            "service_id": details.service_id,
            "plan_id": details.plan_id,
            "app_guid": details.app_guid or getattr(details.bind_resource, "app_guid", None),
            "parameters": details.parameters or {},
        }
        name, role = name_of(instance_id), name_of(instance_id, binding_id)
        with self._locked(name) as connection:
            instance = database_record(connection, name)
            if instance is None:
                raise errors.ErrInstanceDoesNotExist
            if record := role_record(connection, role):
                if {**record, "salt": None} != {**wanted, "salt": None}:
                    raise errors.ErrBindingAlreadyExists
                return Binding(BindState.IDENTICAL_ALREADY_EXISTS, **self._access(connection, name, role, record))
            if (details.service_id, details.plan_id) != (instance["service_id"], instance["plan_id"]):
                raise errors.ErrBadRequest("The instance is of another plan")
            self._drop_role(connection, role, heir=name)
            record = {**wanted, "salt": secrets.token_hex(16)}
            access = self._access(connection, name, role, record)
            make_role(connection, name, role, access["credentials"]["password"], record)
        return Binding(BindState.SUCCESSFUL_BOUND, **access)

    def unbind(
        self, instance_id: str, binding_id: str, details: UnbindDetails, async_allowed: bool, **kwargs: Any
    ) -> UnbindSpec:
        """Drop the role; what its application made stays for the other bindings."""
        name, role = name_of(instance_id), name_of(instance_id, binding_id)
        with self._locked(name) as connection:
            if not self._drop_role(connection, role, heir=name):
                raise errors.ErrBindingDoesNotExist
        return UnbindSpec(is_async=False)

    def deprovision(
        self, instance_id: str, details: DeprovisionDetails, async_allowed: bool, **kwargs: Any
    ) -> DeprovisionServiceSpec:
        """Drop the database with all that is in it, and every role that was made for it."""
        name = name_of(instance_id)
        with self._locked(name) as connection:
            if not self._clear(connection, name):
                raise errors.ErrInstanceDoesNotExist
        return DeprovisionServiceSpec(is_async=False)

    def last_operation(
        self,
        instance_id: str,
        operation_data: str | None,
        service_id: str | None,
        plan_id: str | None,
        **kwargs: Any,
    ) -> LastOperation:
        """Say that all is done: nothing here is asynchronous, but a platform may ask."""
        self.get_instance(instance_id)
        return LastOperation(OperationState.SUCCEEDED)

    def last_binding_operation(
        self,
        instance_id: str,
        binding_id: str,
        operation_data: str | None,
        service_id: str | None,
        plan_id: str | None,
        **kwargs: Any,
    ) -> LastOperation:
        """Say the same of a binding."""
        self.get_binding(instance_id, binding_id)
        return LastOperation(OperationState.SUCCEEDED)

    def get_instance(self, instance_id: str, **kwargs: Any) -> GetInstanceDetailsSpec:
        """Say what the database was ordered with."""
        with self._connect() as connection:
            record = database_record(connection, name_of(instance_id))
        if record is None:
            raise errors.ErrInstanceDoesNotExist
        return GetInstanceDetailsSpec(record["service_id"], record["plan_id"], parameters=record["parameters"])

    def get_binding(self, instance_id: str, binding_id: str, **kwargs: Any) -> GetBindingSpec:
        """Hand out the credentials once more."""
        name, role = name_of(instance_id), name_of(instance_id, binding_id)
        with self._connect() as connection:
            record = role_record(connection, role)
            if record is None or database_record(connection, name) is None:
                raise errors.ErrBindingDoesNotExist
            access = self._access(connection, name, role, record)
        return GetBindingSpec(**access, parameters=record["parameters"])

    @contextmanager
    def _locked(self, name: str) -> Iterator[Connection]:
        """Let one request at a time work on an instance; PostgreSQL frees the lock when this process dies."""
        with self._connect() as connection:
            connection.autocommit = True  # CREATE DATABASE takes no transaction
            try:
                connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [name])
                yield connection
            except psycopg.errors.LockNotAvailable:
                raise errors.ErrConcurrentInstanceAccess from None

    def _configure(self, name: str, record: Record) -> None:
        """Give the database what its record says, all or nothing: the comment is part of the transaction."""
        limit = record["parameters"].get("connection_limit", CONNECTIONS[record["plan_id"]])
        with self._connect(name) as connection:
            run(connection, "REVOKE ALL ON DATABASE {name} FROM PUBLIC", name=name)
            run(connection, "GRANT ALL ON DATABASE {name} TO {name}", name=name)
            run(connection, "ALTER SCHEMA public OWNER TO {name}", name=name)
            run(connection, "SET LOCAL ROLE {name}", name=name)  # no superuser where an application may have laid traps
            for extension in record["parameters"].get("extensions", []):
                run(connection, "CREATE EXTENSION IF NOT EXISTS {extension}", extension=extension)
            run(connection, "RESET ROLE")
            run(connection, "ALTER DATABASE {name} CONNECTION LIMIT {limit}", name=name, limit=sql.Literal(limit))
            run(connection, "COMMENT ON DATABASE {name} IS {record}", name=name, record=literal(record))

    def _drop_role(self, connection: Connection, role: str, heir: str | None = None) -> bool:
        """Drop a role and end its sessions; the heir gets what it owns in the heir's database. False: no such role."""
        if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone() is None:
            return False
        with connection.transaction():
            run(connection, "ALTER ROLE {role} NOLOGIN", role=role)
            run(connection, "COMMENT ON ROLE {role} IS NULL", role=role)
        connection.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = %s", [role])
        owning = """SELECT DISTINCT datname FROM pg_database JOIN pg_shdepend ON dbid = pg_database.oid
            WHERE refclassid = 'pg_authid'::regclass AND refobjid = to_regrole(%s)"""
        for (database,) in connection.execute(owning, [role]).fetchall():
            with self._connect(database) as other:
                if heir and database == heir:
                    run(other, "REASSIGN OWNED BY {role} TO {heir}", role=role, heir=heir)
                run(other, "DROP OWNED BY {role}", role=role)
        run(connection, "DROP OWNED BY {role}", role=role)  # what belongs to no database: grants on databases
        run(connection, "DROP ROLE {role}", role=role)
        return True

    def _clear(self, connection: Connection, name: str) -> bool:
        """Drop a database and every role that was made for it, in whatever state they are. False: there were none."""
        there = connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is not None
        if there:
            run(connection, "COMMENT ON DATABASE {name} IS NULL", name=name)
            run(connection, "DROP DATABASE {name} WITH (FORCE)", name=name)
        roles = connection.execute("SELECT rolname FROM pg_roles WHERE starts_with(rolname, %s)", [name]).fetchall()
        for (role,) in roles:
            self._drop_role(connection, role)
        return there or bool(roles)

    def _connect(self, database: str | None = None) -> Connection:
        """Connect to a database, by default to the one of the URL; wait for no lock longer than allowed."""
        options = f"-c lock_timeout={self._lock_timeout}"
        return psycopg.connect(make_conninfo(self._url, dbname=database, options=options))

    def _access(self, connection: Connection, database: str, role: str, record: Record) -> dict[str, Any]:
        """Derive what the application needs to connect.

        No readable password is kept anywhere. Yet a repeated request must be given the same one, so it is computed
        from the secret, which only the operator has, and the salt, which is new in every binding.
        """
        password = hmac.digest(self._secret, f"{role} {record['salt']}".encode(), "sha256").hex()
        host, port = connection.info.host, connection.info.port
        address = f"[{host}]" if ":" in host else host
        credentials = {
            "uri": f"postgresql://{role}:{password}@{address}:{port}/{database}",
            "host": host,
            "port": port,
            "database": database,
            "username": role,
            "password": password,
        }
        return {"credentials": credentials, "endpoints": [{"host": host, "ports": [str(port)]}]}


def create_broker() -> PostgresBroker:
    """Build the broker from POSTGRES_BROKER_URL and POSTGRES_BROKER_SECRET."""
    settings = {name: os.environ.get(name, "") for name in ("POSTGRES_BROKER_URL", "POSTGRES_BROKER_SECRET")}
    if missing := [name for name, value in settings.items() if not value]:
        raise SystemExit(f"Set in the environment: {', '.join(missing)}")
    return PostgresBroker(*settings.values())


def offering() -> Service:
    """Describe what is offered."""
    return Service(
        id=SERVICE_ID,
        name="postgresql",
        description="A PostgreSQL database of your own",
        bindable=True,
        plan_updateable=True,
        instances_retrievable=True,
        bindings_retrievable=True,
        tags=["postgresql", "relational"],
        plans=[
            ServicePlan(SMALL, "small", "Up to 5 connections", free=True, schemas=schemas(SMALL)),
            ServicePlan(LARGE, "large", "Up to 50 connections", free=True, schemas=schemas(LARGE)),
        ],
    )


def schemas(plan_id: str) -> Schemas:
    """Say which parameters a plan takes; the library refuses all others."""
    instance = {"parameters": instance_schema(plan_id)}
    return Schemas(
        service_instance={"create": instance, "update": instance},
        service_binding={"create": {"parameters": schema()}},
    )


def instance_schema(plan_id: str) -> dict[str, Any]:
    """Say which parameters an instance of a plan has."""
    limit = {"type": "integer", "minimum": 1, "maximum": CONNECTIONS[plan_id]}
    extensions = {"type": "array", "items": {"enum": EXTENSIONS}, "uniqueItems": True}
    return schema(connection_limit=limit, extensions=extensions)


def schema(**properties: Any) -> dict[str, Any]:
    """Write the JSON Schema of an object that has these properties and no others."""
    draft = "http://json-schema.org/draft-07/schema#"
    return {"$schema": draft, "type": "object", "properties": properties, "additionalProperties": False}


def name_of(instance_id: str, binding_id: str | None = None) -> str:
    """Derive the name of a database or role: an id may be long and hold any character, a name has 63 bytes."""
    name = f"osb_{digest(instance_id)}"
    return name if binding_id is None else f"{name}_{digest(binding_id)[:24]}"


def digest(text: str) -> str:
    """Hash a text to 32 hexadecimal digits; JSON is plain ASCII, whatever the text holds."""
    return hashlib.sha256(json.dumps(text).encode()).hexdigest()[:32]


def literal(record: Record) -> sql.Literal:
    """Write a record as a literal; COMMENT takes no placeholders."""
    return sql.Literal(json.dumps(record))


def run(connection: Connection, statement: LiteralString, **parts: str | sql.Composable) -> None:
    """Run a statement; each part is quoted as a name, unless it says itself what it is."""
    names = {key: sql.Identifier(part) if isinstance(part, str) else part for key, part in parts.items()}
    connection.execute(sql.SQL(statement).format(**names))


def database_record(connection: Connection, name: str) -> Record | None:
    """Read what a database was ordered with, None if it does not exist or is a leftover."""
    query = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
    return record_of(connection.execute(query, [name]).fetchone())


def role_record(connection: Connection, role: str) -> Record | None:
    """Read what a binding was ordered with, None if it does not exist or is a leftover."""
    query = "SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = %s"
    return record_of(connection.execute(query, [role]).fetchone())


def record_of(row: tuple[Any, ...] | None) -> Record | None:
    """Decode a comment."""
    return json.loads(row[0]) if row and row[0] else None


def make_role(connection: Connection, database: str, role: str, password: str, record: Record) -> None:
    """Make a binding's role, all of it or nothing."""
    # The server gets the verifier only: the password can be in none of its logs.
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    with connection.transaction():
        run(connection, "CREATE ROLE {role} LOGIN PASSWORD {verifier}", role=role, verifier=sql.Literal(verifier))
        run(connection, "GRANT {owner} TO {role}", owner=database, role=role)
        # Its sessions begin as the owner, so that all bindings can use what one of them makes.
        run(connection, "ALTER ROLE {role} IN DATABASE {name} SET role TO {name}", role=role, name=database)
        run(connection, "COMMENT ON ROLE {role} IS {record}", role=role, record=literal(record))
