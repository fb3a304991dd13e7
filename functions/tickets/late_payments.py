"""Money for seats that were given back: it buys the same seats again if they can be had, at the prices of then.

Stock and the limit per person decide, as for everybody, and an event that is called off or has begun sells nothing.
That the sale has closed meanwhile is no reason: the buyer was in time when the order was made. What was answered once
is answered again, however often it is asked.

Tickets that a dispute voided are not bought again when it is won: they are valid as they were, also after their event.
"""

from datetime import datetime
from uuid import UUID

from functions.tickets import inventory, issuing, mails, notifying
from functions.tickets.qr_codes import Signer
from functions.tickets.records import EventCopy, Purchase, TicketRow
from functions.tickets.repository import event_copies as copies
from functions.tickets.repository import purchases, reservations, tickets
from shared import outbox
from shared.contracts import IssuedTicket, LatePaymentRefused, MailRequested, OrderIssued
from shared.database import Sql


def honour(sql: Sql, order_id: UUID, version: int, signer: Signer, at: datetime) -> None:
    """Give the order its seats and tickets, or say that it cannot have them; payments acts on the answer.

    Args:
        version: of the order. If it has been disputed since, nothing is answered: payments asks anew when that is over.
    """
    purchase = purchases.lock(sql, order_id)
    if purchase is None or not purchases.hear_of_order(sql, order_id, version):
        return
    known = tickets.of_orders(sql, [order_id])
    valid = [ticket for ticket in known if ticket.status != "VOID"]
    if valid:
        _tell_issued(sql, purchase, valid, purchase.version)
        return
    event = copies.get_for_share(sql, purchase.event_id)
    why_not = _refused_before(sql, purchase)
    if why_not is None and not _could_be_used(sql, purchase, event):
        why_not = _not_for_sale(event, at)
    if why_not is None:
        why_not = _take(sql, purchase, signer, at, made_before=len(known))
    if why_not is not None:
        _refuse(sql, purchase, why_not, at)


def _refused_before(sql: Sql, purchase: Purchase) -> str | None:
    return "REFUSED_BEFORE" if purchases.late_payment(sql, purchase.order_id) == "REFUSED" else None


def _could_be_used(sql: Sql, purchase: Purchase, event: EventCopy) -> bool:
    """Whether a dispute voided its tickets only when they had been good at the door: they get back what they were, and
    nothing is bought.
    """
    has_taken_place = event.status in ("PUBLISHED", "COMPLETED")
    return has_taken_place and tickets.were_disputed_after(sql, purchase.order_id, event.event_date)


def _not_for_sale(event: EventCopy, at: datetime) -> str | None:
    if event.status != "PUBLISHED":
        return f"EVENT_{event.status}"
    return "EVENT_STARTED" if event.event_date <= at else None


def _take(sql: Sql, purchase: Purchase, signer: Signer, at: datetime, *, made_before: int) -> str | None:
    """Take the seats and make the tickets valid; the reason if it cannot be, and then nothing has changed."""
    if purchase.status == "ISSUED":
        return _reinstate(sql, purchase, at)
    if purchase.status == "RELEASED":
        why_not = reservations.rebind(sql, purchase.reservation_id, at)
        if why_not is not None:
            return why_not
    # Still bound: its saga, which goes on to release it, leaves an honoured order alone.
    held = issuing.issue_bound(sql, purchase, signer, at, made_before=made_before)
    inventory.changed(sql, purchase.event_id, [hold.ticket_type_id for hold in held])
    purchases.set_late_payment(sql, purchase.order_id, "HONOURED")
    notifying.notify(sql, purchase.order_id, "issued")
    return None


def _reinstate(sql: Sql, purchase: Purchase, at: datetime) -> str | None:
    """A dispute was won: the tickets that it voided are valid again, with the codes that their holder has."""
    why_not = tickets.reinstate(sql, purchase.order_id, at)
    if why_not is not None:
        return why_not
    valid = [ticket for ticket in tickets.of_orders(sql, [purchase.order_id]) if ticket.status != "VOID"]
    if not valid:
        return "NO_TICKETS"  # they were refunded, not disputed
    tickets.append_reinstated(sql, [ticket.id for ticket in valid], at)
    facts = {"ticketIds": [str(ticket.id) for ticket in valid]}
    version = purchases.advance(sql, purchase.order_id, purchase.status, "reinstated", facts, at)
    _tell_issued(sql, purchase, valid, version)
    _mail(sql, purchase, valid, version, at)
    inventory.changed(sql, purchase.event_id, list({ticket.ticket_type_id for ticket in valid}))
    return None


def _refuse(sql: Sql, purchase: Purchase, reason: str, at: datetime) -> None:
    version = purchase.version
    if reason != "REFUSED_BEFORE":
        purchases.set_late_payment(sql, purchase.order_id, "REFUSED")
        facts = {"reason": reason}
        version = purchases.advance(
            sql, purchase.order_id, purchase.status, "late_payment_refused", facts, at
        )
    message = LatePaymentRefused(order_id=purchase.order_id, reason=reason)
    outbox.publish(sql, message, subject=purchase.order_id, version=version)


def _tell_issued(sql: Sql, purchase: Purchase, valid: list[TicketRow], version: int) -> None:
    message = OrderIssued(
        order_id=purchase.order_id,
        order_number=purchase.order_number,
        user_id=purchase.user_id,
        event_id=purchase.event_id,
        tickets=[
            IssuedTicket(
                ticket_id=ticket.id, ticket_number=ticket.ticket_number, ticket_type_id=ticket.ticket_type_id
            )
            for ticket in valid
        ],
    )
    outbox.publish(sql, message, subject=purchase.order_id, version=version)


def _mail(sql: Sql, purchase: Purchase, valid: list[TicketRow], version: int, at: datetime) -> None:
    event = copies.get(sql, purchase.event_id)
    assert event is not None, "seats are only held of events that are here"
    if event.event_date <= at:
        return  # nobody wants a ticket for what is over
    outbox.send(
        sql,
        "mail",
        MailRequested(
            mail_key=f"tickets-valid-again:{purchase.order_id}:{version}",
            template="ticket",
            user_id=purchase.user_id,
            order_id=purchase.order_id,
            data=mails.order_data(purchase, event, valid),
        ),
        subject=purchase.order_id,
    )
