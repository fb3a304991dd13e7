"""Telling a buyer how the purchase ended."""

from typing import Literal
from uuid import UUID

from functions.tickets import mails
from functions.tickets.models import Outcome
from functions.tickets.repository import event_copies as copies
from functions.tickets.repository import purchases, tickets
from shared import outbox
from shared.contracts import MailRequested
from shared.database import Sql

TEMPLATES = {"issued": "order-confirmation", "cancelled": "order-cancelled"}


def notify(sql: Sql, order_id: UUID, outcome: Literal["issued", "cancelled"]) -> Outcome:
    """Ask for the mail, once per outcome; its key makes it one mail even if the request is delivered twice."""
    purchase = purchases.lock(sql, order_id)
    if purchase is None or purchase.notified_outcome == outcome:
        return Outcome(outcome="notified")
    if outcome == "cancelled" and purchase.status == "ISSUED":
        return Outcome(outcome="notified")  # late money bought the seats after all, and the buyer knows
    event = copies.get(sql, purchase.event_id)
    assert event is not None, "seats are only held of events that are here"
    valid = [ticket for ticket in tickets.of_orders(sql, [order_id]) if ticket.status != "VOID"]
    template = TEMPLATES[outcome]
    outbox.send(
        sql,
        "mail",
        MailRequested(
            mail_key=f"{template}:{order_id}",
            template=template,
            user_id=purchase.user_id,
            order_id=order_id,
            data=mails.order_data(purchase, event, valid),
        ),
        subject=order_id,
    )
    purchases.set_notified(sql, order_id, outcome)
    return Outcome(outcome="notified")
