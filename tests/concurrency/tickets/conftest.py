"""The tickets service on a real database."""

from collections.abc import Iterator

import pytest

from tests.cloud import Cloud, Extension
from tests.databases import TestDatabase
from tests.ticket_sales import Sales, open_sales


@pytest.fixture
def sales(tickets_db: TestDatabase, aws: Cloud, extension: Extension) -> Iterator[Sales]:
    """The tickets service, open for business: its topic, the mail queue and the state machine are there."""
    aws.topic("tickets")
    aws.queue("mail")
    aws.state_machine()
    with open_sales(tickets_db, extension) as opened:
        yield opened
