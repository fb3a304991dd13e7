"""A mail that is wanted is sent, once, whatever happens in between; or there is a reason on record."""

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any
from uuid import UUID, uuid4

import pytest

from functions.notifications import mails, repository
from functions.notifications.consumers import mail as consumer
from functions.notifications.database import database
from functions.notifications.gateways.failures import MailRefused
from functions.notifications.jobs import resend_mail
from functions.notifications.models import Taken
from shared.contracts import MailRequested
from shared.database import Sql
from shared.errors import ProviderFailed
from tests import sweeping
from tests.cloud import Cloud
from tests.databases import TestDatabase
from tests.integration.notifications.conftest import SITE, Post

pytestmark = pytest.mark.usefixtures("post")


def a_ticket(number: str) -> dict[str, Any]:
    return {
        "ticketNumber": number,
        "ticketType": "Stalls",
        "zone": None,
        "holderName": "Grace <b>Hopper</b>",
        "qrCode": f"BO1.key.{number}.signature",
    }


def a_confirmation(user_id: UUID, **data: Any) -> MailRequested:
    order_id = uuid4()
    return MailRequested(
        mail_key=f"order-confirmation:{order_id}",
        template="order-confirmation",
        user_id=user_id,
        order_id=order_id,
        data={
            "orderNumber": "BO-1",
            "eventName": "Rock & Roll",
            "eventDate": "2030-07-01T18:30:00.000Z",
            "timeZone": "America/New_York",
            "venueName": "Town Hall",
            "venueAddress": "1 Market Square",
            "totalAmount": "99.00",
            "currency": "USD",
            "tickets": [a_ticket("T-1"), a_ticket("T-2")],
        }
        | data,
    )


def row(db: TestDatabase) -> dict[str, Any]:
    found = db.one("SELECT * FROM notifications")
    assert found is not None
    return found


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def refuse(mail: bytes, /, *, id: UUID, sender: str, recipient: str) -> Taken:
    raise ProviderFailed("The mail service failed")


class TestTheConfirmationOfAnOrder:
    def test_it_goes_to_the_buyer_and_tells_where_and_when(self, post: Post, ada: UUID) -> None:
        assert post.deliver(consumer.handler, "mail", a_confirmation(ada))

        [mail] = post.sent()
        assert mail["To"] == "ada@example.com"
        assert mail["Subject"] == "Your tickets for Rock & Roll (order BO-1)"
        for kind in ("plain", "html"):
            assert "Monday, 1 July 2030, 14:30 (America/New_York time)" in part(mail, kind)
            assert "Ada" in part(mail, kind)
            assert "Town Hall" in part(mail, kind)
            assert "USD 99.00" in part(mail, kind)
            assert f"{SITE}/orders/" in part(mail, kind)

    def test_it_shows_each_ticket_with_its_qr_code(self, post: Post, ada: UUID) -> None:
        post.deliver(consumer.handler, "mail", a_confirmation(ada))

        [mail] = post.sent()
        pictures = [p for p in mail.walk() if p.get_content_type() == "image/png"]
        html, text = part(mail, "html"), part(mail, "plain")
        assert [picture.get_filename() for picture in pictures] == ["T-1.png", "T-2.png"]
        for picture, number in zip(pictures, ("T-1", "T-2"), strict=True):
            assert f'src="cid:{picture["Content-ID"].strip("<>")}"' in html
            assert picture.get_content().startswith(b"\x89PNG")
            assert number in html
            assert number in text

    def test_what_people_typed_is_never_html(self, post: Post, ada: UUID) -> None:
        post.deliver(consumer.handler, "mail", a_confirmation(ada, eventName="<script>alert(1)</script>"))

        [mail] = post.sent()
        assert "<script>" not in part(mail, "html")
        assert "Grace <b>" not in part(mail, "html")
        assert "&lt;script&gt;" in part(mail, "html")

    def test_nobody_gets_a_header_into_it(self, post: Post, ada: UUID) -> None:
        post.deliver(consumer.handler, "mail", a_confirmation(ada, eventName="Gala\r\nBcc: eve@example.com"))

        [mail] = post.sent()
        assert mail["Bcc"] is None
        assert mail["Subject"] == "Your tickets for Gala Bcc: eve@example.com (order BO-1)"

    def test_it_is_recorded_and_told_and_its_data_is_forgotten(
        self, post: Post, aws: Cloud, notifications_db: TestDatabase, ada: UUID
    ) -> None:
        wanted = a_confirmation(ada)
        post.deliver(consumer.handler, "mail", wanted)

        sent = row(notifications_db)
        assert (sent["status"], sent["delivery_status"], sent["data"]) == ("SENT", "SENT", None)
        assert (sent["recipient_email"], sent["provider"]) == ("ada@example.com", "ses")
        assert sent["message_id"]
        [told] = aws.messages("notifications")
        assert told["type"] == "notifications.mail_status_changed.v1"
        assert told["data"]["status"] == "SENT"
        assert told["data"]["orderId"] == str(wanted.order_id)

    def test_its_message_id_is_that_of_the_notification(
        self, post: Post, notifications_db: TestDatabase, ada: UUID
    ) -> None:
        post.deliver(consumer.handler, "mail", a_confirmation(ada))

        [mail] = post.sent()
        assert mail["Message-ID"] == f"<{row(notifications_db)['id']}@box-office.example>"


class TestOnceAndNeverLost:
    def test_a_mail_that_is_asked_for_twice_is_sent_once(self, post: Post, ada: UUID) -> None:
        wanted = a_confirmation(ada)

        assert post.deliver(consumer.handler, "mail", wanted)
        assert post.deliver(consumer.handler, "mail", wanted)

        assert len(post.sent()) == 1

    def test_only_one_process_sends_it_at_a_time(
        self, post: Post, notifications_db: TestDatabase, ada: UUID
    ) -> None:
        wanted = a_confirmation(ada)
        neighbours: list[str] = []

        def send(mail: bytes, /, *, id: UUID, sender: str, recipient: str) -> Taken:
            with pytest.raises(mails.BeingSent) as refused:
                mails.deliver(database, wanted, send)
            # Tries before the claim is over would be in vain, and the last one make a dead letter.
            assert refused.value.retry_after >= mails.CLAIM.total_seconds()
            neighbours.append(recipient)
            return Taken("ses", "message")

        mails.deliver(database, wanted, send)

        assert neighbours == ["ada@example.com"]
        assert row(notifications_db)["status"] == "SENT"

    def test_a_process_that_died_while_sending_blocks_it_for_seconds_only(
        self, post: Post, notifications_db: TestDatabase, ada: UUID
    ) -> None:
        wanted = a_confirmation(ada)
        with pytest.raises(KeyboardInterrupt):
            mails.deliver(database, wanted, _die)
        assert not post.deliver(consumer.handler, "mail", wanted)

        notifications_db.run("UPDATE notifications SET claimed_until = now() - interval '1 second'")

        assert post.deliver(consumer.handler, "mail", wanted)
        assert len(post.sent()) == 1

    def test_a_provider_that_fails_is_asked_again_by_the_queue(
        self, post: Post, notifications_db: TestDatabase, ada: UUID
    ) -> None:
        wanted = a_confirmation(ada)
        with pytest.raises(ProviderFailed):
            mails.deliver(database, wanted, refuse)
        assert row(notifications_db)["error_message"] == "The mail service failed"

        assert post.deliver(consumer.handler, "mail", wanted)

        sent = row(notifications_db)
        assert (sent["status"], sent["attempts"], sent["error_message"]) == ("SENT", 2, None)

    def test_a_mail_that_its_queue_gave_up_is_sent_by_the_job(
        self, post: Post, notifications_db: TestDatabase, ada: UUID
    ) -> None:
        with pytest.raises(ProviderFailed):
            mails.deliver(database, a_confirmation(ada), refuse)
        assert resend_mail.handler({}, None) == {"handled": 0}  # too early: the queue may still do it

        notifications_db.run("UPDATE notifications SET due_at = now()")

        assert resend_mail.handler({}, None) == {"handled": 1}
        assert resend_mail.handler({}, None) == {"handled": 0}
        assert post.forward(consumer.handler, "mail")
        assert len(post.sent()) == 1

    def test_a_mail_to_an_address_that_is_nobody_s_is_sent_by_the_job_too(
        self, post: Post, notifications_db: TestDatabase, ada: UUID
    ) -> None:
        elsewhere = {"user_id": None, "order_id": None, "recipient_email": "grace@example.org"}
        with pytest.raises(ProviderFailed):
            mails.deliver(database, a_confirmation(ada).model_copy(update=elsewhere), refuse)
        notifications_db.run("UPDATE notifications SET due_at = now()")

        assert resend_mail.handler({}, None) == {"handled": 1}
        assert post.forward(consumer.handler, "mail")
        assert [mail["To"] for mail in post.sent()] == ["grace@example.org"]

    def test_one_run_takes_a_limited_number_and_two_at_once_take_different_ones(
        self, post: Post, ada: UUID
    ) -> None:
        for _ in range(3):
            with pytest.raises(ProviderFailed):
                mails.deliver(database, a_confirmation(ada), refuse)
        at = datetime.now(UTC) + timedelta(hours=1)

        def take(sql: Sql, limit: int) -> int:
            again = at + timedelta(minutes=1)
            return len(repository.take_due(sql, at=at, again_at=again, asked_before=None, limit=limit))

        assert sweeping.runs(database, take, limit=2) == (2, 1, 0)

    def test_an_operator_need_not_wait_for_the_job(self, post: Post, ada: UUID) -> None:
        with pytest.raises(ProviderFailed):
            mails.deliver(database, a_confirmation(ada), refuse)

        assert resend_mail.handler({"olderThanSeconds": 0}, None) == {"handled": 1}
        assert post.forward(consumer.handler, "mail")
        assert len(post.sent()) == 1

    def test_the_pauses_between_tries_grow(
        self, post: Post, notifications_db: TestDatabase, ada: UUID
    ) -> None:
        wanted = a_confirmation(ada)
        for expected in (60, 120, 240):
            with pytest.raises(ProviderFailed):
                mails.deliver(database, wanted, refuse)
            pause = row(notifications_db)["due_at"] - datetime.now(UTC)
            assert abs(pause - timedelta(seconds=expected)) < timedelta(seconds=5)

    def test_no_pause_is_longer_than_an_hour(
        self, post: Post, notifications_db: TestDatabase, ada: UUID
    ) -> None:
        wanted = a_confirmation(ada)
        for _ in range(2):
            with pytest.raises(ProviderFailed):
                mails.deliver(database, wanted, refuse)
            notifications_db.run("UPDATE notifications SET attempts = 20")

        pause = row(notifications_db)["due_at"] - datetime.now(UTC)
        assert abs(pause - timedelta(hours=1)) < timedelta(seconds=5)

    def test_after_a_day_it_is_given_up_and_the_reason_is_kept(
        self, post: Post, aws: Cloud, notifications_db: TestDatabase, ada: UUID
    ) -> None:
        wanted = a_confirmation(ada)
        with pytest.raises(ProviderFailed):
            mails.deliver(database, wanted, refuse)
        notifications_db.run("UPDATE notifications SET created_at = now() - interval '25 hours'")

        mails.deliver(database, wanted, refuse)

        given_up = row(notifications_db)
        assert (given_up["status"], given_up["error_message"]) == ("FAILED", "The mail service failed")
        assert given_up["data"] is None
        assert aws.messages("notifications")[-1]["data"]["status"] == "FAILED"
        assert post.deliver(consumer.handler, "mail", wanted)
        assert post.sent() == []

    def test_what_the_provider_will_never_take_is_given_up_at_once(
        self, notifications_db: TestDatabase, ada: UUID
    ) -> None:
        def never(mail: bytes, /, *, id: UUID, sender: str, recipient: str) -> Taken:
            raise MailRefused("The mail service refused this mail")

        mails.deliver(database, a_confirmation(ada), never)

        assert row(notifications_db)["status"] == "FAILED"

    def test_a_user_whose_address_is_not_known_yet_gets_the_mail_once_it_is(
        self, post: Post, notifications_db: TestDatabase
    ) -> None:
        late = uuid4()
        wanted = a_confirmation(late)
        assert not post.deliver(consumer.handler, "mail", wanted)
        assert row(notifications_db)["error_message"] == "The recipient's address is not known yet"

        notifications_db.run(
            "INSERT INTO recipients VALUES (%(id)s, 'late@example.com', 'Late', 'Comer', 1, now())", id=late
        )

        assert post.deliver(consumer.handler, "mail", wanted)
        assert [mail["To"] for mail in post.sent()] == ["late@example.com"]

    def test_data_that_the_template_lacks_keeps_the_mail_pending(
        self, post: Post, notifications_db: TestDatabase, ada: UUID
    ) -> None:
        wanted = a_confirmation(ada)
        incomplete = wanted.model_copy(update={"data": {"orderNumber": "BO-1"}})

        assert not post.deliver(consumer.handler, "mail", incomplete)

        pending = row(notifications_db)
        assert pending["status"] == "PENDING"
        assert pending["error_message"] == "The template's subject does not render"


def _die(mail: bytes, /, *, id: UUID, sender: str, recipient: str) -> Taken:
    raise KeyboardInterrupt
