"""Two reports of one mail at once, and two batches: what came first counts, and nobody waits in a circle."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from functions.notifications import deliveries
from functions.notifications.database import database
from functions.notifications.models import Happened, Report
from shared.clock import now
from tests.databases import TestDatabase
from tests.refusals import add
from tests.rivals import Later, half_done

FIRST, SECOND = UUID(int=1), UUID(int=2)
BOUNCE = "UPDATE notifications SET delivery_status = 'BOUNCED' WHERE id = %(id)s"


@pytest.fixture
def db(notifications_db: TestDatabase) -> TestDatabase:
    """Two mails that were sent."""
    text = {"subject": "Hello", "html_content": "Hello", "text_content": "Hello"}
    add(notifications_db, "notification_templates", id=FIRST, name="hello", **text)
    sent = {"status": "SENT", "delivery_status": "SENT", "sent_at": now(), "due_at": now()}
    for id, email in ((FIRST, "ada@example.com"), (SECOND, "grace@example.com")):
        of = {"template_id": FIRST, "recipient_email": email}
        add(notifications_db, "notifications", id=id, mail_key=email, **of, **sent)
    return notifications_db


def delivered(id: UUID) -> Report:
    return Report(id, "ses", "message-1", Happened.DELIVERED, datetime.now(UTC))


def take_down(*reports: Report) -> None:
    with database.transaction() as sql:
        deliveries.record_all(sql, list(reports))


def test_a_delivery_does_not_undo_a_bounce_that_is_being_taken_down(db: TestDatabase) -> None:
    with half_done(db, BOUNCE, id=FIRST) as bounce:
        told = Later(lambda: take_down(delivered(FIRST)))
        assert told.is_blocked(db)
        bounce.commit()
    told.result()
    assert db.one("SELECT delivery_status FROM notifications WHERE id = %(id)s", id=FIRST) == {
        "delivery_status": "BOUNCED"
    }


def test_a_batch_takes_mails_in_one_order_however_its_reports_come(db: TestDatabase) -> None:
    """While it waits for the first, it has not taken the second."""
    with half_done(db, BOUNCE, id=FIRST) as other:
        told = Later(lambda: take_down(delivered(SECOND), delivered(FIRST)))
        assert told.is_blocked(db)
        cursor = other.cursor()
        cursor.execute("SELECT FROM notifications WHERE id = %s FOR UPDATE SKIP LOCKED", [str(SECOND)])
        assert cursor.rowcount == 1
    told.result()
    assert {row["delivery_status"] for row in db.all("SELECT delivery_status FROM notifications")} == {
        "DELIVERED"
    }
