"""A deployment finds rows of before: what its migrations make of them."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID, uuid4

import psycopg2
import pytest

from functions.payments import disputes
from functions.payments.database import database
from functions.payments.gateways.gateway import DisputeResult
from functions.payments.repository import orders
from functions.platform import databases as all_databases
from local.postgres import Postgres
from shared import migrations_runner
from shared.clock import now
from tests.databases import Databases, Row, TestDatabase, connected

MIGRATIONS = Path(orders.__file__).parents[1] / "migrations"


@pytest.fixture
def before_disputes(postgres: Postgres, databases: Databases, tmp_path: Path) -> Iterator[TestDatabase]:
    """Payments' database as it was before each dispute was followed by itself."""
    with databases.clone("payments") as whole:  # for its role; the tables are made anew
        whole.run("DROP SCHEMA public CASCADE")
        whole.run("CREATE SCHEMA public")
        old = tmp_path / "payments" / "migrations"
        old.mkdir(parents=True)
        for file in MIGRATIONS.glob("*.sql"):
            if file.name < "0009":
                (old / file.name).write_bytes(file.read_bytes())
        with closing(psycopg2.connect(whole.dsn)) as connection:
            migrations_runner.migrate(connection, [SHARED, old])
        yield whole


SHARED = Path(migrations_runner.__file__).parent / "migrations"


def deploy(postgres: Postgres, old: TestDatabase) -> None:
    """What the deployment's job does."""
    admin = {"host": postgres.host, "port": postgres.port, "user": "postgres"}
    assert all_databases.prepare(admin, "payments", database=old.name)


def an_order(db: TestDatabase, *, intent: str, dispute: str | None, provider: str = "stripe") -> UUID:
    """A paid order, whose payment was or was not disputed."""
    order_id = uuid4()
    db.run(
        """
        INSERT INTO orders (id, user_id, event_id, organizer_id, order_number, total_amount, captured_amount, currency,
                            payment_status, payment_method, payment_gateway_transaction_id, pay_by, dispute)
        VALUES (%(id)s, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), %(number)s, 99, 99, 'USD', %(status)s,
                %(provider)s, %(intent)s, now(), %(dispute)s)
        """,
        id=str(order_id),
        number=f"BO-{order_id.hex[:8]}",
        status="DISPUTED" if dispute in ("OPEN", "LOST") else "PAID",
        provider=provider,
        intent=intent,
        dispute=dispute,
    )
    return order_id


def an_attempt(db: TestDatabase, order_id: UUID, response: str | None) -> None:
    """What the provider answered."""
    db.run(
        """
        INSERT INTO payment_transactions (order_id, kind, payment_method, amount, currency, status, gateway_response)
        VALUES (%(id)s, 'ATTEMPT', 'stripe', 99, 'USD', 'SUCCEEDED', %(response)s)
        """,
        id=str(order_id),
        response=response,
    )


def a_webhook(db: TestDatabase, type_: str, object_id: str, **about: str) -> None:
    """One that was kept."""
    db.run(
        """
        INSERT INTO webhook_events (provider, event_id, type, object_id, intent_id, charge_id, received_at, handled_at)
        VALUES ('stripe', gen_random_uuid()::text, %(type)s, %(object)s, %(intent)s, %(charge)s, now(), now())
        """,
        type=type_,
        object=object_id,
        intent=about.get("intent"),
        charge=about.get("charge"),
    )


def known(db: TestDatabase, order_id: UUID) -> list[Row]:
    """The order's disputes."""
    return db.all(
        "SELECT dispute_id, status FROM disputes WHERE order_id = %(id)s ORDER BY dispute_id",
        id=str(order_id),
    )


def test_disputes_of_before_are_known_by_the_payment_or_by_the_charge(
    postgres: Postgres, before_disputes: TestDatabase
) -> None:
    db = before_disputes
    open_, lost = an_order(db, intent="pi_1", dispute="OPEN"), an_order(db, intent="pi_2", dispute="LOST")
    undisputed = an_order(db, intent="pi_3", dispute=None)
    for order_id, charge in ((open_, "ch_1"), (lost, "ch_2"), (undisputed, "ch_3")):
        an_attempt(db, order_id, json.dumps({"charge": charge}))
        an_attempt(db, order_id, None)  # of somebody who was erased
    a_webhook(db, "charge.dispute.created", "dp_1", intent="pi_1")
    a_webhook(db, "charge.dispute.updated", "dp_1", intent="pi_1")
    a_webhook(db, "charge.dispute.closed", "dp_2", charge="ch_2")
    a_webhook(db, "charge.refunded", "ch_2", intent="pi_2")
    a_webhook(db, "charge.dispute.created", "", intent="pi_2")
    a_webhook(db, "charge.dispute.created", "dp_3", intent="pi_3")

    deploy(postgres, db)

    assert known(db, open_) == [{"dispute_id": "dp_1", "status": "OPEN"}]
    assert known(db, lost) == [{"dispute_id": "dp_2", "status": "LOST"}]
    assert known(db, undisputed) == []


def test_old_news_of_a_dispute_of_before_is_not_another_dispute(
    postgres: Postgres, before_disputes: TestDatabase
) -> None:
    """A dispute that was won, told of once more as it was in the beginning, voids no tickets."""
    db = before_disputes
    order_id = an_order(db, intent="pi_1", dispute="WON")
    a_webhook(db, "charge.dispute.created", "dp_1", intent="pi_1")

    deploy(postgres, db)

    with connected(db), database.transaction() as sql:
        order = orders.lock(sql, order_id)
        assert order is not None
        disputes.record(sql, order, DisputeResult("dp_1", "pi_1", "open", order.total_amount), now())
        assert orders.lock(sql, order_id) == order
        # Another one is news: what the test would see if the migration had kept nothing.
        disputes.record(sql, order, DisputeResult("dp_2", "pi_1", "open", order.total_amount), now())
        assert orders.lock(sql, order_id) != order
