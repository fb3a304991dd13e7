"""A recipient is erased while a mail to them goes out: nobody is told that it was given up."""

from uuid import UUID

import pytest
from psycopg2.extras import Json

from functions.notifications import people
from functions.notifications.database import database
from shared.clock import now
from shared.contracts import MailStatusChanged, UserErased
from tests.databases import TestDatabase
from tests.refusals import add
from tests.rivals import Later, half_done

ADA = UUID(int=1)
SENT = """
    UPDATE notifications SET status = 'SENT', delivery_status = 'SENT', sent_at = now(), data = NULL,
                             recipient_email = 'ada@example.com'
"""


@pytest.fixture
def db(notifications_db: TestDatabase) -> TestDatabase:
    """A mail to Ada that is to be sent."""
    text = {"subject": "Hello", "html_content": "Hello", "text_content": "Hello"}
    add(notifications_db, "notification_templates", id=ADA, name="hello", **text)
    mail = {"mail_key": "hello", "template_id": ADA, "user_id": ADA, "data": Json({}), "due_at": now()}
    add(notifications_db, "notifications", id=ADA, **mail)
    return notifications_db


def erase() -> None:
    user = UserErased(user_id=ADA, email="ada@example.com", first_name="Ada")
    with database.transaction() as sql:
        people.erase(sql, user, erased_at=now(), at=now())


def given_up(db: TestDatabase) -> int:
    return len(db.all("SELECT FROM outbox WHERE type = %(type)s", type=MailStatusChanged.TYPE))


def test_a_mail_that_is_just_sent_is_not_told_to_be_given_up(db: TestDatabase) -> None:
    with half_done(db, SENT) as sender:
        erased = Later(erase)
        assert erased.is_blocked(db)
        sender.commit()
    erased.result()
    assert given_up(db) == 0
    row = db.one("SELECT status, recipient_email FROM notifications WHERE mail_key = 'hello'")
    assert row == {"status": "SENT", "recipient_email": "erased@erased.invalid"}


def test_a_mail_that_is_not_sent_is_told_to_be_given_up(db: TestDatabase) -> None:
    erase()
    assert given_up(db) == 1
