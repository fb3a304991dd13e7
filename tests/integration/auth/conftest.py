"""Auth with real PostgreSQL and Valkey, its keys made by its own job."""

from collections.abc import Iterator

import pytest

from local.valkey import Valkey
from tests.cloud import Cloud, Extension
from tests.databases import TestDatabase
from tests.people import Desk, open_desk


@pytest.fixture
def desk(auth_db: TestDatabase, cache: Valkey, aws: Cloud, extension: Extension) -> Iterator[Desk]:
    """The auth service."""
    with open_desk(auth_db, aws, extension) as opened:
        yield opened
