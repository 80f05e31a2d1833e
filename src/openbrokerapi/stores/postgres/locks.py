"""The advisory locks that put transactions in a row."""

from __future__ import annotations

import hashlib

from openbrokerapi.stores.contract import Key


def lock_key(*names: str | None) -> int:
    """Make the number of an advisory lock: 64 bits, which other programs in the same database will hardly hit."""
    text = "\0".join("\1" if name is None else name for name in ("openbroker", *names))
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), signed=True)


def lock_keys(key: Key) -> str:
    """Write the locks of a transaction as an array: sorted, so that two transactions never wait in a ring."""
    counts = (lock_key("count", count.service_id, count.plan_id, count.organization_guid) for count in key.counts)
    return "{" + ",".join(map(str, sorted({lock_key("instance", key.instance_id), *counts}))) + "}"
