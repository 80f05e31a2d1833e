"""Stores to operate on, of both kinds."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.managed.sample_state import load, sample
from tests.operating.commands import on, run

from openbrokerapi.managed.key_ring import KeyRing, new_key
from openbrokerapi.managed.sealing import Ring, Sealing
from openbrokerapi.stores.contract import Store

RING = KeyRing({"a": bytes(range(32))})


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store with tables in it, and nothing else."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("database"))
    location = f"sqlite:///{tmp_path}/broker.db"

    async def nothing(_: object) -> None:
        pass

    on(location, nothing)
    return location


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A file with one key, its id "old"."""
    return keys_file(tmp_path / "keys", "old")


def keys_file(path: Path, *names: str) -> Path:
    """Write a new key of each name in front of those that the file has."""
    before = path.read_text() if path.exists() else ""
    fresh = path.with_name("fresh")
    fresh.touch(mode=0o600)
    fresh.write_text("".join(f"{name}:{new_key().partition(':')[2]}\n" for name in names) + before)
    fresh.replace(path)
    return path


def filled(url: str, ring: Ring = RING, count: int = 3) -> None:
    """Write a sample into the store at the URL, sealed with the ring."""

    async def fill(store: Store) -> None:
        await Sealing(ring).verify(store)
        await load(store, sample(ring, count))

    on(url, fill)


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """A file with the state of three instances."""
    filled(f"sqlite:///{tmp_path}/source.db")
    run(tmp_path, "db", "export", "state.jsonl", "--store", "sqlite:///source.db")
    return tmp_path / "state.jsonl"
