"""What was decided about a mail or an address stays, whatever is told later."""

from uuid import UUID

import pytest
from psycopg2.extras import Json

from functions.notifications import delivery_repository, repository
from functions.notifications.database import database
from shared.clock import now
from tests.databases import TestDatabase
from tests.refusals import add

MAIL, EMAIL = UUID(int=1), "ada@example.com"


@pytest.fixture
def db(notifications_db: TestDatabase) -> TestDatabase:
    """A mail that is to be sent."""
    text = {"subject": "Hello", "html_content": "Hello", "text_content": "Hello"}
    add(notifications_db, "notification_templates", id=MAIL, name="hello", **text)
    mail = {
        "mail_key": "hello",
        "template_id": MAIL,
        "recipient_email": EMAIL,
        "data": Json({}),
        "due_at": now(),
    }
    add(notifications_db, "notifications", id=MAIL, **mail)
    return notifications_db


def sent() -> bool:
    taken = {"provider": "ses", "message_id": "message-1"}
    with database.transaction() as sql:
        return repository.mark_sent(sql, MAIL, recipient_email=EMAIL, subject="Hello", at=now(), **taken)


def given_up() -> bool:
    with database.transaction() as sql:
        return repository.mark_failed(sql, MAIL, reason="Nobody there", at=now())


def test_a_mail_is_sent_once_and_then_not_given_up(db: TestDatabase) -> None:
    assert [sent(), sent(), given_up()] == [True, False, False]
    assert db.one("SELECT status FROM notifications") == {"status": "SENT"}


def test_a_mail_that_was_given_up_is_not_sent(db: TestDatabase) -> None:
    assert [given_up(), given_up(), sent()] == [True, False, False]
    assert db.one("SELECT status FROM notifications") == {"status": "FAILED"}


@pytest.mark.parametrize("order", [("BOUNCED", "COMPLAINED"), ("COMPLAINED", "BOUNCED")])
def test_a_complaint_outweighs_a_bounce_whichever_comes_first(
    db: TestDatabase, order: tuple[str, str]
) -> None:
    for reason in order:
        with database.transaction() as sql:
            delivery_repository.suppress(sql, EMAIL, reason=reason, notification_id=MAIL, at=now())
    assert db.one("SELECT reason FROM suppressed_addresses") == {"reason": "COMPLAINED"}
