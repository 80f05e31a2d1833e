"""Stores for the system tests, of both kinds."""

from __future__ import annotations

import pytest
from tests.stores.postgresql import Server
from tests.system.replicas import Stores


@pytest.fixture(params=["sqlite", "postgresql"])
def stores(request: pytest.FixtureRequest) -> Stores:
    """Empty stores of a kind."""
    return Stores(None if request.param == "sqlite" else request.getfixturevalue("postgresql_server"))


@pytest.fixture
def own_stores(own_postgresql: Server) -> Stores:
    """Empty stores on a server that may be stopped."""
    return Stores(own_postgresql)
