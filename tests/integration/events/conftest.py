"""Events with real PostgreSQL and Valkey, and a stand-in for tickets."""

from collections.abc import Iterator

import pytest

from local.valkey import Valkey
from tests.cloud import Cloud, Extension
from tests.databases import TestDatabase
from tests.programme import Programme, open_programme


@pytest.fixture
def programme(
    events_db: TestDatabase, cache: Valkey, aws: Cloud, extension: Extension
) -> Iterator[Programme]:
    """The events service."""
    with open_programme(events_db, aws, extension) as opened:
        yield opened
