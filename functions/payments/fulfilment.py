"""What other services tell of an order: its tickets, its seats, its mail.

News of tickets come in any order. A purchase's version tells which are older than what is known of it here: its tickets
may be issued, released, and, when money came late, issued again.
"""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from functions.payments import disputes, refund_outcomes
from functions.payments.models import ZERO, Dispute, Order, PaymentStatus, RefundStatus, Ticket
from functions.payments.repository import orders, refunds
from shared.database import Sql

# A mail's state only moves on; what comes late, or twice, changes nothing.
_MAIL_ORDER = ("PENDING", "FAILED", "SUPPRESSED", "SENT", "DELIVERED", "BOUNCED", "COMPLAINED")


def issued(sql: Sql, order_id: UUID, tickets: list[Ticket], at: datetime, version: int = 0) -> Order | None:
    """The order's tickets exist; None if there is no such order.

    Args:
        version: of the purchase at the tickets service; 0 if it was asked and did not say.
    """
    order = orders.lock(sql, order_id)
    if order is None or (order.tickets is not None and _is_old(order, version)):
        return order
    if order.tickets is None and version < order.tickets_version:
        if version == 0:
            return order  # released, perhaps after the answer was given: the news of their issue says when that was
        changed = replace(order, tickets=_void(tickets, None))  # released since
    else:
        known = _as_known(sql, order, tickets if order.released_at else _with_gone(order, tickets), version)
        if known == order.tickets and not order.wants_seats:
            orders.note_tickets_version(sql, order_id, max(version, order.tickets_version))
            return order
        changed = _with_tickets(order, known, max(version, order.tickets_version))
    order = orders.save(sql, changed, "TICKETS_ISSUED", at)
    if order.dispute in (Dispute.OPEN, Dispute.LOST):
        disputes.tell(sql, order)  # tickets heard of it before it had any to void
    elif order.refunded_amount == order.captured_amount > ZERO:
        refund_outcomes.tell_again(sql, order)  # likewise
    return order


def _is_old(order: Order, version: int) -> bool:
    """News of what is known. An order that wants seats is told of those it still has: a dispute was won before anybody
    voided them.
    """
    return version < order.tickets_version or (version == order.tickets_version and not order.wants_seats)


def released(sql: Sql, order_id: UUID, at: datetime, version: int) -> None:
    """The order's seats went back on sale, and tickets it may have had are void."""
    order = orders.lock(sql, order_id)
    if order is None or version <= order.tickets_version:
        return
    tickets = None if order.tickets is None else _void(order.tickets, None)
    changed = replace(order, released_at=at, tickets=tickets, tickets_version=version)
    orders.save(sql, _unless_bought(sql, changed), "TICKETS_RELEASED", at)


def _unless_bought(sql: Sql, order: Order) -> Order:
    """The order, cancelled if all of its money was to go back before its seats did, and the provider could not.

    It has bought nothing all the same.
    """
    if order.payment_status is not PaymentStatus.PAID or not order.is_void:
        return order
    failed = any(refund.status is RefundStatus.FAILED for refund in refunds.of_order(sql, order.id))
    is_all_here = order.refundable_amount == order.captured_amount > ZERO
    return replace(order, payment_status=PaymentStatus.CANCELLED) if failed and is_all_here else order


def voided(sql: Sql, order_id: UUID, ticket_ids: list[UUID], reason: str, at: datetime, version: int) -> None:
    """These tickets no longer open the door; those nobody has told us of yet will be void when they come."""
    order = orders.lock(sql, order_id)
    if order is None or version < order.tickets_version:
        return
    ids = {str(id_) for id_ in ticket_ids}
    tickets = None if order.tickets is None else _void(order.tickets, ids)
    # Kept though they are void here already: they may have been valid again in between, which nobody has told yet.
    facts = {"reason": reason, "ticketIds": sorted(ids), "ticketsVersion": version}
    changed = _unless_bought(sql, replace(order, tickets=tickets))
    orders.save(sql, changed, "TICKETS_VOIDED", at, **facts)


def checked_in(sql: Sql, order_id: UUID, ticket_id: UUID, at: datetime) -> None:
    """A ticket of the order was used at the door. One that is void by now stays so."""
    order = orders.lock(sql, order_id)
    if order is None:
        return
    tickets = None if order.tickets is None else _used(order.tickets, {str(ticket_id)})
    orders.save(sql, replace(order, tickets=tickets), "TICKET_CHECKED_IN", at, ticketId=str(ticket_id))


def mailed(sql: Sql, order_id: UUID, mail_id: UUID, status: str, asked_at: datetime, at: datetime) -> None:
    """What became of the newest mail that tells the buyer how the order ended.

    Args:
        asked_at: when that mail was asked for; between two mails (the order was cancelled, and its late money bought
            tickets after all) it tells which is the newer.
    """
    order = orders.lock(sql, order_id)
    if order is None or not _is_news_of_mail(order, mail_id, status, asked_at):
        return
    changed = replace(order, mail_status=status, mail_id=mail_id, mail_asked_at=asked_at)
    orders.save(sql, changed, "MAIL_STATUS", at, mailStatus=status)


def _is_news_of_mail(order: Order, mail_id: UUID, status: str, asked_at: datetime) -> bool:
    if order.mail_id in (None, mail_id):
        return _rank(status) > _rank(order.mail_status)
    return order.mail_asked_at is not None and asked_at > order.mail_asked_at


def _with_tickets(order: Order, tickets: list[Ticket], version: int) -> Order:
    """The order with tickets: one that waited for seats has got what it paid for, unless they are void by now."""
    status = order.payment_status
    if order.wants_seats and any(ticket["status"] != "VOID" for ticket in tickets):
        status = PaymentStatus.PARTIALLY_REFUNDED if order.refunded_amount > ZERO else PaymentStatus.PAID
    return replace(order, payment_status=status, tickets=tickets, tickets_version=version, released_at=None)


def _as_known(sql: Sql, order: Order, tickets: list[Ticket], version: int) -> list[Ticket]:
    """The tickets, with what is known of them already: used ones, and ones that are void since that version."""
    known = _used(tickets, orders.used_tickets(sql, order.id))
    return _void(known, orders.voided_tickets(sql, order.id, version))


def _with_gone(order: Order, tickets: list[Ticket]) -> list[Ticket]:
    """The tickets that are told of, after those that the order had: one that is not told of any more was refunded."""
    told = {ticket["id"]: ticket for ticket in tickets}
    had = [told.pop(ticket["id"], ticket | {"status": "VOID"}) for ticket in order.tickets or []]
    return had + list(told.values())


def _used(tickets: list[Ticket], ticket_ids: set[str]) -> list[Ticket]:
    """The tickets, of which these were used, if they are not void."""
    return [
        ticket | {"status": "USED"} if ticket["id"] in ticket_ids and ticket["status"] != "VOID" else ticket
        for ticket in tickets
    ]


def _void(tickets: list[Ticket], ticket_ids: set[str] | None) -> list[Ticket]:
    """The tickets, of which these (None: all) are void."""
    return [
        ticket | {"status": "VOID"} if ticket_ids is None or ticket["id"] in ticket_ids else ticket
        for ticket in tickets
    ]


def _rank(status: str) -> int:
    return _MAIL_ORDER.index(status) if status in _MAIL_ORDER else len(_MAIL_ORDER)
