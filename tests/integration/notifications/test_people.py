"""Whoever was erased is forgotten, whatever comes late, and hears of it in one last mail."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from functions.notifications import people
from functions.notifications.consumers import mail
from functions.notifications.consumers import users as consumer
from functions.notifications.database import database
from functions.notifications.mails import deliver
from functions.notifications.models import Taken
from shared.contracts import MailRequested, UserChanged, UserErased
from tests.cloud import Cloud
from tests.databases import TestDatabase
from tests.integration.notifications.conftest import Post

QUEUE = "notifications-users"
ADDRESS = "ada@example.com"
NOBODY = "erased@erased.invalid"


@pytest.fixture
def ada(post: Post) -> UUID:
    id = uuid4()
    remember(post, id)
    return id


def remember(post: Post, id: UUID, version: int = 1) -> None:
    changed = UserChanged(user_id=id, email=ADDRESS, first_name="Ada", last_name="Lovelace", role="ATTENDEE")
    assert post.deliver(consumer.handler, QUEUE, changed, version=version)


def erase(post: Post, id: UUID, time: datetime | None = None) -> None:
    erased = UserErased(user_id=id, email=ADDRESS, first_name="Ada")
    assert post.deliver(consumer.handler, QUEUE, erased, version=2, time=time)


def wanted(id: UUID | None, key: str = "a-mail") -> MailRequested:
    return MailRequested(
        mail_key=key,
        template="reset-password",
        user_id=id,
        recipient_email=ADDRESS,
        order_id=uuid4(),
        data={"token": "secret", "firstName": "Ada"},
    )


def mails(db: TestDatabase) -> dict[str, tuple[str, str, str]]:
    rows = db.all("SELECT * FROM notifications")
    return {row["mail_key"]: (row["status"], row["recipient_email"], row["subject"]) for row in rows}


def test_the_last_mail_goes_out_once_and_its_record_is_blank(
    post: Post, ada: UUID, notifications_db: TestDatabase
) -> None:
    erase(post, ada)
    erase(post, ada)
    assert post.forward(mail.handler, "mail")

    [sent] = post.sent()
    assert (sent["To"], sent["Subject"]) == (ADDRESS, "Your account is closed")
    assert mails(notifications_db) == {f"account-erased:{ada}": ("SENT", NOBODY, "")}


@pytest.mark.parametrize("comes_first", [True, False])
def test_an_address_does_not_come_back(post: Post, notifications_db: TestDatabase, comes_first: bool) -> None:
    id = uuid4()
    if comes_first:
        remember(post, id)
    erase(post, id)
    remember(post, id, version=1)
    remember(post, id, version=9)

    assert notifications_db.all("SELECT email, first_name, last_name FROM recipients") == [
        {"email": NOBODY, "first_name": "", "last_name": ""}
    ]


def test_a_mail_asked_for_afterwards_is_given_up_and_says_why(
    post: Post, ada: UUID, aws: Cloud, notifications_db: TestDatabase
) -> None:
    erase(post, ada)

    assert post.deliver(mail.handler, "mail", wanted(ada))

    assert post.sent() == []
    [row] = notifications_db.all("SELECT * FROM notifications WHERE mail_key = 'a-mail'")
    assert (row["status"], row["data"], row["recipient_email"]) == ("FAILED", None, NOBODY)
    assert row["error_message"] == "The recipient has been erased"
    [told] = [m["data"] for m in aws.messages("notifications") if m["data"]["template"] == "reset-password"]
    assert (told["status"], told["notificationId"]) == ("FAILED", str(row["id"]))


def test_a_mail_that_waits_is_given_up_and_whoever_waits_for_it_is_told(
    post: Post, ada: UUID, aws: Cloud, notifications_db: TestDatabase
) -> None:
    def out_of_order(*_: object, **__: object) -> Taken:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        deliver(database, wanted(ada), out_of_order)

    erase(post, ada)

    assert mails(notifications_db)["a-mail"] == ("FAILED", NOBODY, "")
    assert [m["data"]["status"] for m in aws.messages("notifications")] == ["FAILED"]


def test_a_mail_that_is_being_sent_at_that_moment_leaves_no_trace(
    post: Post, ada: UUID, notifications_db: TestDatabase
) -> None:
    def slow(*_: object, **__: object) -> Taken:
        erase(post, ada)
        return Taken("ses", "message-1")

    deliver(database, wanted(ada), slow)

    assert mails(notifications_db)["a-mail"] == ("FAILED", NOBODY, "")


def test_mails_sent_to_the_address_alone_are_forgotten_unless_they_came_later(
    post: Post, ada: UUID, notifications_db: TestDatabase
) -> None:
    assert post.deliver(mail.handler, "mail", wanted(None, "by-hand:1"))
    erase(post, ada, time=datetime.now(UTC) + timedelta(seconds=1))
    assert mails(notifications_db)["by-hand:1"] == ("SENT", NOBODY, "")

    assert post.deliver(mail.handler, "mail", wanted(None, "by-hand:2"))
    erase(post, ada, time=datetime.now(UTC) - timedelta(minutes=1))

    assert mails(notifications_db)["by-hand:2"][1] == ADDRESS, "it is to somebody new at this address"


def test_that_an_address_is_suppressed_is_told_and_forgotten(
    post: Post, ada: UUID, notifications_db: TestDatabase
) -> None:
    for address in (ADDRESS, "grace@example.com"):
        notifications_db.run(
            "INSERT INTO suppressed_addresses VALUES (%(address)s, 'COMPLAINED', NULL, now())",
            address=address,
        )
    with database.transaction() as sql:
        [told] = people.held(sql, ada)["suppressedAddress"]
    assert (told["email"], told["reason"]) == (ADDRESS, "COMPLAINED")

    erase(post, ada)

    assert notifications_db.all("SELECT email FROM suppressed_addresses") == [{"email": "grace@example.com"}]
