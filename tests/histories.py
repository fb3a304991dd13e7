"""Every order, purchase and ticket of a test's database is the fold of its own events, as the auditor folds them."""

from collections.abc import Iterator

import pytest

from functions.platform.audit import orders, purchases
from functions.platform.audit.findings import Findings
from shared.database import Database
from tests.auditor import signed_in
from tests.databases import TestDatabase


@pytest.fixture(autouse=True)
def states_are_the_fold_of_their_events(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test that sells something leaves histories that add up to what the rows say."""
    used = [name for name in ("payments_db", "tickets_db") if name in request.fixturenames]
    books: list[TestDatabase] = [request.getfixturevalue(name) for name in used]
    yield
    for database in books:
        assert contradictions(database) == []


def contradictions(database: TestDatabase) -> list[str]:
    """What is not, in words; of tickets, also reservations that are not as their purchase."""
    table, read = ("orders", orders.read) if database.service == "payments" else ("purchases", purchases.read)
    key = "id" if table == "orders" else "order_id"
    ids = [row["id"] for row in database.all(f"SELECT {key} AS id FROM {table}")]
    found = Findings(limit=100)
    with signed_in(database), Database("platform", database.name).snapshot() as sql:
        read(sql, ids, found)
    return [f"{finding.what}: {finding.ids}" for finding in found]
