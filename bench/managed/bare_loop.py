"""A loop that commits one row a transaction, with the store's own settings: what durable provisions are compared with.

    python -m bench.managed.bare_loop <file> <seconds> <seconds that a flush takes>

It prints how many rows it committed a second.
"""

from __future__ import annotations

import sys
import time
import uuid
from pathlib import Path

from bench.managed.slow_disk import slow_disk

from openbrokerapi.stores.sqlite.database import connect, make

_ROW = b"x" * 400


def commit_rows(path: Path, seconds: float, flush: float) -> float:
    """Give the rows committed a second."""
    name, disk = slow_disk(flush)
    make(path)
    connection = connect(path, name)
    execute = connection.cursor().execute
    execute("CREATE TABLE row (id TEXT PRIMARY KEY, value BLOB NOT NULL)")
    rows, began = 0, time.perf_counter()
    while (passed := time.perf_counter() - began) < seconds:
        execute("BEGIN IMMEDIATE")
        execute("INSERT INTO row VALUES (?, ?)", (uuid.uuid4().hex, _ROW))
        execute("COMMIT")
        rows += 1
    connection.close()
    del disk
    return rows / passed


if __name__ == "__main__":
    print(commit_rows(Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])))
