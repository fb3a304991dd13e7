"""A buyer hears of a payment that failed, and of money that comes back."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID, uuid4

from functions.notifications.consumers import mail
from functions.notifications.consumers import payments as consumer
from shared.contracts import OrderRefunded, PaymentFailed
from tests.integration.notifications.conftest import Post

QUEUE = "notifications-payments"


def text_of_the_mail(post: Post) -> str:
    [sent] = post.sent()
    body = sent.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def test_a_failed_payment_is_told_with_the_time_that_is_left(post: Post, ada: UUID) -> None:
    failure = PaymentFailed(
        order_id=uuid4(),
        order_number="BO-1",
        user_id=ada,
        event_id=uuid4(),
        attempt_id=uuid4(),
        code="card_declined",
        message="Your card was declined.",
        pay_by=datetime(2030, 7, 1, 18, 45, tzinfo=UTC),
    )

    for _ in range(2):  # told twice, mailed once
        assert post.deliver(consumer.handler, QUEUE, failure)
    assert post.forward(mail.handler, "mail")

    text = text_of_the_mail(post)
    assert "Your card was declined." in text
    assert "Monday, 1 July 2030, 18:45 (UTC)" in text


def test_a_refund_is_told_with_its_amount(post: Post, ada: UUID) -> None:
    refund = OrderRefunded(
        order_id=uuid4(),
        order_number="BO-1",
        user_id=ada,
        event_id=uuid4(),
        refund_id=uuid4(),
        amount=Decimal("49.50"),
        currency="EUR",
        fully=False,
        ticket_ids=[uuid4()],
    )

    assert post.deliver(consumer.handler, QUEUE, refund)
    assert post.forward(mail.handler, "mail")

    text = text_of_the_mail(post)
    assert "EUR 49.50" in text
    assert "1 of its tickets no longer lets anybody in" in text
