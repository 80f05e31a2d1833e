"""What the operator's commands are tried against: a managed broker that is served, and one that does as it is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.managed.conftest import hosts, make_store, on, stage
from tests.managed.stage import Managed, Stage
from tests.platform_commands.operator import Operator
from tests.platform_commands.ordered import Ordered
from tests.platform_commands.scripted import Scripted, scripted

__all__ = ["hosts", "make_store", "on", "stage"]


@pytest.fixture
def managed(stage: Stage) -> Managed:
    """A served broker: whatever may be asynchronous is, and everything can be fetched, changed and rotated."""
    return stage(Ordered(stage.script))


@pytest.fixture
def operator(managed: Managed, tmp_path: Path) -> Operator:
    return Operator(tmp_path, f"http://127.0.0.1:{managed.platform.port}")


@pytest.fixture
def broker() -> Iterator[Scripted]:
    """A broker that answers as the test says."""
    with scripted() as server:
        yield server


@pytest.fixture
def at_broker(broker: Scripted, tmp_path: Path) -> Operator:
    """An operator of the broker that answers as the test says."""
    return Operator(tmp_path, broker.url)
