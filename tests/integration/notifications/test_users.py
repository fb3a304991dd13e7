"""What auth says of its users is kept, and its links are mailed."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from functions.notifications.consumers import mail
from functions.notifications.consumers import users as consumer
from shared.contracts import PasswordResetRequested, UserChanged, VerificationRequested
from tests.databases import TestDatabase
from tests.integration.notifications.conftest import SITE, Post

QUEUE = "notifications-users"
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


def changed(id: UUID, email: str) -> UserChanged:
    return UserChanged(user_id=id, email=email, first_name="Ada", last_name="Lovelace", role="ATTENDEE")


def kept(db: TestDatabase) -> list[dict[str, Any]]:
    return db.all("SELECT user_id, email FROM recipients")


def test_a_user_is_remembered(post: Post, notifications_db: TestDatabase) -> None:
    id = uuid4()

    assert post.deliver(consumer.handler, QUEUE, changed(id, "ada@example.com"))

    assert kept(notifications_db) == [{"user_id": id, "email": "ada@example.com"}]


@pytest.mark.parametrize(("late_version", "late_time"), [(1, NOON), (2, NOON - timedelta(seconds=1))])
def test_an_older_message_that_comes_late_changes_nothing(
    post: Post, notifications_db: TestDatabase, late_version: int, late_time: datetime
) -> None:
    id = uuid4()
    post.deliver(consumer.handler, QUEUE, changed(id, "new@example.com"), version=2, time=NOON)
    post.deliver(
        consumer.handler, QUEUE, changed(id, "old@example.com"), version=late_version, time=late_time
    )

    assert kept(notifications_db) == [{"user_id": id, "email": "new@example.com"}]


@pytest.mark.parametrize(
    ("contract", "page"),
    [(VerificationRequested, "verify-email"), (PasswordResetRequested, "reset-password")],
)
def test_a_link_is_mailed(
    post: Post, contract: type[VerificationRequested | PasswordResetRequested], page: str
) -> None:
    request = contract(user_id=uuid4(), email="new@example.com", first_name="Ada", token="a+b/c=")

    assert post.deliver(consumer.handler, QUEUE, request)
    assert post.forward(mail.handler, "mail")

    [sent] = post.sent()
    text, html = sent.get_body(("plain",)), sent.get_body(("html",))
    assert sent["To"] == "new@example.com"
    assert text is not None
    assert f"{SITE}/{page}?token=a%2Bb/c%3D" in text.get_content()
    assert html is not None
    assert f'href="{SITE}/{page}?token=a%2Bb/c%3D"' in html.get_content()


def test_a_message_that_comes_twice_makes_one_mail(post: Post) -> None:
    request = VerificationRequested(
        user_id=uuid4(), email="ada@example.com", first_name="Ada", token="a-token"
    )
    message_id = uuid4()

    for _ in range(2):
        assert post.deliver(consumer.handler, QUEUE, request, id=message_id)
    assert post.forward(mail.handler, "mail")

    assert len(post.sent()) == 1


def test_the_link_is_nowhere_once_it_is_mailed(post: Post, notifications_db: TestDatabase) -> None:
    request = VerificationRequested(
        user_id=uuid4(), email="ada@example.com", first_name="Ada", token="a-secret"
    )
    post.deliver(consumer.handler, QUEUE, request)
    post.forward(mail.handler, "mail")

    for table in ("notifications", "outbox"):
        assert notifications_db.all(f"SELECT 1 FROM {table} t WHERE t::text LIKE '%%a-secret%%'") == []
