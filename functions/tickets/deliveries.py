"""What became of the mail that carries an order's tickets."""

from datetime import datetime
from uuid import UUID

from functions.tickets.repository import purchases
from shared import outbox
from shared.contracts import MailStatusChanged, TicketDeliveryChanged
from shared.database import Sql

TEMPLATES = ("order-confirmation", "ticket")
# Of one mail the state only moves on; what comes late, or twice, changes nothing.
_COURSE = ("PENDING", "FAILED", "SENT", "DELIVERED", "BOUNCED", "COMPLAINED")


def changed(sql: Sql, mail: MailStatusChanged, told_at: datetime, at: datetime) -> None:
    """Keep the status of the newest mail with the order's tickets, and tell whoever wants to know.

    Args:
        told_at: when notifications said so; a message from before `asked_at` was told goes by that.
    """
    # A mail that was never sent, to a suppressed address above all, is FAILED here; notifications knows why.
    status = mail.status if mail.status == "FAILED" else mail.delivery_status or mail.status
    if mail.order_id is None or mail.template not in TEMPLATES or status not in _COURSE:
        return
    purchase = purchases.lock(sql, mail.order_id)
    asked_at = mail.asked_at or told_at
    if purchase is None or not _is_news(sql, mail.order_id, mail.notification_id, status, asked_at):
        return
    purchases.set_delivery(sql, mail.order_id, mail.notification_id, status, asked_at)
    facts = {"deliveryStatus": status}
    version = purchases.advance(sql, mail.order_id, purchase.status, "delivery_changed", facts, at)
    message = TicketDeliveryChanged(
        order_id=purchase.order_id, user_id=purchase.user_id, event_id=purchase.event_id, status=status
    )
    outbox.publish(sql, message, subject=purchase.order_id, version=version)


def _is_news(sql: Sql, order_id: UUID, mail_id: UUID, status: str, asked_at: datetime) -> bool:
    known = purchases.delivery(sql, order_id)
    if known["delivery_mail_id"] in (None, mail_id):
        return _COURSE.index(status) > _COURSE.index(known["delivery_status"])
    return bool(asked_at > known["delivery_changed_at"])  # which is when the mail that is known was asked for
