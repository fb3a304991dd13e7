"""A database with nothing but the messaging tables' behaviour under test."""

from collections.abc import Iterator

import pytest

from shared.database import Database
from tests.databases import Databases, TestDatabase


@pytest.fixture
def store(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestDatabase]:
    """A service's database, found by the DATABASE_* environment."""
    with databases.clone("notifications") as clone:
        for name, value in clone.environment.items():
            monkeypatch.setenv(name, value)
        yield clone


@pytest.fixture
def database(store: TestDatabase) -> Iterator[Database]:
    """The shared layer's Database on that store."""
    connected = Database(store.service)
    yield connected
    connected.reset()
