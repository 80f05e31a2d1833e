"""The SQL statements by their names, and rows as PostgreSQL gives them."""

from __future__ import annotations

import importlib.resources
import re
from typing import Any

from openbrokerapi.stores.rows import KEYS, TABLES, Row

_MARK = "-- name: "
#: The database's clock, for those of the replicas differ. Tests shift it.
_NOW = "(extract(epoch FROM clock_timestamp())::float8 + %(shift)s::float8)"
# While the database was away, nobody could renew a lease: from its return on, each gets its whole length once more.
# Its return is when the server started, or when this process reached it again.
_OVER = (
    f"(lease_until <= {_NOW} AND greatest(extract(epoch FROM pg_postmaster_start_time())::float8,"
    f" {_NOW} - %(back)s::float8) + coalesce(lease, 0) <= {_NOW})"
)


def columns(table: str) -> str:
    """List the columns of a table's rows, in the order of the fields."""
    return ", ".join(TABLES[table].__struct_fields__)


def _replace(table: str) -> str:
    return ", ".join(f"{name} = excluded.{name}" for name in TABLES[table].__struct_fields__ if name not in KEYS[table])


def _complete(sql: str) -> str:
    without_remarks = " ".join(line.strip() for line in sql.splitlines() if not line.startswith("--"))
    listed = re.sub(r"\{of (\w+)\}", lambda found: columns(found[1]), without_remarks)
    replaced = re.sub(r"\{replace (\w+)\}", lambda found: _replace(found[1]), listed)
    return replaced.replace("{over}", _OVER).replace("{now}", _NOW).strip()


def _read(text: str) -> dict[str, str]:
    named = (part.partition("\n") for part in text.split(_MARK)[1:])
    return {name.strip(): _complete(sql) for name, _, sql in named}


#: What ``statements.sql`` holds.
SQL = _read(importlib.resources.files(__package__).joinpath("statements.sql").read_text("utf-8"))


def make_row(table: str, values: tuple[Any, ...]) -> Row:
    """Make a row of a table of what PostgreSQL gives."""
    kind = TABLES[table]
    return kind(**dict(zip(kind.__struct_fields__, values, strict=True)))
