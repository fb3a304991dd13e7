"""What the database refuses by itself, whatever the code asks of it."""

from typing import Any
from uuid import UUID

import pytest
from psycopg2.extras import Json

from shared.clock import now
from tests.databases import TestDatabase
from tests.refusals import add, constraints, not_refused

ONE, TWO = UUID(int=1), UUID(int=2)
OTHER = UUID(int=3)

REFUSED = [
    ("recipients_pkey", f"UPDATE recipients SET user_id = '{OTHER}'"),
    ("notification_templates_pkey", f"UPDATE notification_templates SET id = '{OTHER}'"),
    ("notification_templates_name_key", "UPDATE notification_templates SET name = 'same'"),
    ("notifications_pkey", f"UPDATE notifications SET id = '{OTHER}'"),
    ("notifications_mail_key_key", "UPDATE notifications SET mail_key = 'same'"),
    ("notifications_template_id_fkey", "UPDATE notifications SET template_id = gen_random_uuid()"),
    ("notifications_template_id_fkey", "DELETE FROM notification_templates"),
    ("notifications_status_check", "UPDATE notifications SET status = 'LOST' WHERE status = 'FAILED'"),
    ("notifications_delivery_status_check", "UPDATE notifications SET delivery_status = 'LOST'"),
    ("addressed", "UPDATE notifications SET user_id = NULL WHERE status = 'PENDING'"),
    ("blanked", "UPDATE notifications SET data = NULL WHERE status = 'PENDING'"),
    ("blanked", "UPDATE notifications SET data = '{}' WHERE status = 'SENT'"),
    ("blanked", "UPDATE notifications SET data = '{}' WHERE status = 'FAILED'"),
    ("failed_has_a_reason", "UPDATE notifications SET error_message = NULL WHERE status = 'FAILED'"),
    ("sent_means_gone", "UPDATE notifications SET sent_at = NULL WHERE status = 'SENT'"),
    ("sent_means_gone", "UPDATE notifications SET recipient_email = NULL WHERE status = 'SENT'"),
    ("sent_means_gone", "UPDATE notifications SET sent_at = now() WHERE status = 'PENDING'"),
    (
        "suppressed_is_not_sent",
        "UPDATE notifications SET delivery_status = 'SUPPRESSED' WHERE status = 'SENT'",
    ),
    (
        "suppressed_is_not_sent",
        "UPDATE notifications SET delivery_status = 'SUPPRESSED' WHERE status = 'PENDING'",
    ),
    ("suppressed_addresses_pkey", "UPDATE suppressed_addresses SET email = 'same@example.com'"),
    ("suppressed_addresses_email_check", "UPDATE suppressed_addresses SET email = upper(email)"),
    ("suppressed_addresses_reason_check", "UPDATE suppressed_addresses SET reason = 'DISLIKED'"),
]


@pytest.fixture
def db(notifications_db: TestDatabase) -> TestDatabase:
    """Two rows in every table, and a mail in each status."""
    for id, name in ((ONE, "one"), (TWO, "two")):
        email = f"{name}@example.com"
        person = {"first_name": "Ada", "last_name": "Lovelace", "version": 1}
        add(notifications_db, "recipients", user_id=id, email=email, changed_at=now(), **person)
        text = {"subject": "Hello", "html_content": "Hello", "text_content": "Hello"}
        add(notifications_db, "notification_templates", id=id, name=name, **text)
        add(notifications_db, "suppressed_addresses", email=email, reason="BOUNCED", suppressed_at=now())
    add_mail(notifications_db, "PENDING", data=Json({}))
    add_mail(notifications_db, "SENT", recipient_email="one@example.com", sent_at=now())
    add_mail(notifications_db, "FAILED", error_message="Nobody there")
    return notifications_db


def add_mail(db: TestDatabase, status: str, **details: Any) -> None:
    add(
        db,
        "notifications",
        mail_key=status,
        status=status,
        user_id=ONE,
        template_id=ONE,
        due_at=now(),
        **details,
    )


def test_what_cannot_be_is_refused(db: TestDatabase) -> None:
    assert not_refused(db, REFUSED) == []


def test_every_constraint_is_tried(db: TestDatabase) -> None:
    assert constraints(db) == {constraint for constraint, _ in REFUSED}
