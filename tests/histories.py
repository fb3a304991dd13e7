"""Every order, purchase and ticket of a test's database is the fold of its own events, as the auditor folds them."""

from functions.platform.audit import orders, purchases
from functions.platform.audit.findings import Findings
from shared.database import Database
from tests.auditor import signed_in
from tests.databases import TestDatabase


def contradictions(database: TestDatabase) -> list[str]:
    """What is not, in words; of tickets, also reservations that are not as their purchase."""
    table, read = ("orders", orders.read) if database.service == "payments" else ("purchases", purchases.read)
    key = "id" if table == "orders" else "order_id"
    ids = [row["id"] for row in database.all(f"SELECT {key} AS id FROM {table}")]
    found = Findings(limit=100)
    with signed_in(database), Database("platform", database.name).snapshot() as sql:
        read(sql, ids, found)
    return [f"{finding.what}: {finding.ids}" for finding in found]
