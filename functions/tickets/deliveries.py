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
        told_at: when notifications said so; between two mails it tells which is the newer.
    """
    # A mail that was never sent, to a suppressed address above all, is FAILED here; notifications knows why.
    status = mail.status if mail.status == "FAILED" else mail.delivery_status or mail.status
    if mail.order_id is None or mail.template not in TEMPLATES or status not in _COURSE:
        return
    purchase = purchases.lock(sql, mail.order_id)
    if purchase is None or not _is_news(sql, mail.order_id, mail.notification_id, status, told_at):
        return
    purchases.set_delivery(sql, mail.order_id, mail.notification_id, status, told_at)
    facts = {"deliveryStatus": status}
    version = purchases.advance(sql, mail.order_id, purchase.status, "delivery_changed", facts, at)
    message = TicketDeliveryChanged(
        order_id=purchase.order_id, user_id=purchase.user_id, event_id=purchase.event_id, status=status
    )
    outbox.publish(sql, message, subject=purchase.order_id, version=version)


def _is_news(sql: Sql, order_id: UUID, mail_id: UUID, status: str, told_at: datetime) -> bool:
    known = purchases.delivery(sql, order_id)
    if known["delivery_mail_id"] in (None, mail_id):
        return _COURSE.index(status) > _COURSE.index(known["delivery_status"])
    return bool(told_at > known["delivery_changed_at"])
