"""Turning the seats of a paid order into tickets."""

from datetime import datetime
from uuid import UUID, uuid4

from functions.tickets.models import Outcome
from functions.tickets.qr_codes import Signer
from functions.tickets.records import Hold, Purchase
from functions.tickets.repository import event_copies as copies
from functions.tickets.repository import purchases, reservations, tickets
from functions.tickets.repository.tickets import NewTicket
from shared import business, outbox
from shared.contracts import IssuedTicket, OrderIssued
from shared.database import Sql

ISSUED = Outcome(outcome="issued")


def issue(sql: Sql, order_id: UUID, signer: Signer, at: datetime) -> Outcome:
    """Make the order's tickets, once; the seats count as sold from here on.

    Returns:
        `issued`, also if they were before; `refused` if the seats are gone or the event is cancelled, upon
        which the buyer gets the money back.
    """
    purchase = purchases.lock(sql, order_id)
    if purchase is None:
        return _refused("UNKNOWN_ORDER")
    if purchase.status == "ISSUED":
        return ISSUED
    if purchase.status != "BOUND":
        return _refused("SEATS_RELEASED")
    if copies.get_for_share(sql, purchase.event_id).status == "CANCELLED":
        return _refused("EVENT_CANCELLED")
    issue_bound(sql, purchase, signer, at)
    return ISSUED


def issue_bound(
    sql: Sql, purchase: Purchase, signer: Signer, at: datetime, *, made_before: int = 0
) -> list[Hold]:
    """Sell the seats that are bound to the (locked) purchase, and make its tickets; what it held.

    Args:
        made_before: tickets that the order once had, all of them void: theirs are numbers that nobody gets again.
    """
    order_id = purchase.order_id
    held = reservations.of_reservations(sql, [purchase.reservation_id])
    made = _new_tickets(purchase, held, signer, made_before)
    reservations.sell(sql, purchase.reservation_id)
    tickets.insert(sql, order_id, purchase.user_id, purchase.event_id, made, at)
    version = purchases.advance(sql, order_id, "ISSUED", "issued", {"tickets": len(made)}, at)
    business.count(sql, "tickets", "TicketsIssued", purchase.event_id, len(made))
    outbox.publish(sql, _message(purchase, made), subject=order_id, version=version)
    return held


def _refused(reason: str) -> Outcome:
    return Outcome(outcome="refused", reason=reason)


def _new_tickets(purchase: Purchase, held: list[Hold], signer: Signer, made_before: int) -> list[NewTicket]:
    """A ticket per seat, numbered in the order of the items, as the buyer's list of names is."""
    type_ids = [hold.ticket_type_id for hold in held for _ in range(hold.quantity)]
    names: list[str | None] = [*purchase.holder_names]
    names += [None] * (len(type_ids) - len(names))
    made = []
    for index, (type_id, name) in enumerate(zip(type_ids, names, strict=True), start=made_before + 1):
        ticket_id = uuid4()
        code = signer.code(ticket_id, purchase.event_id)
        made.append(NewTicket(ticket_id, type_id, f"{purchase.order_number}-{index}", code, name))
    return made


def _message(purchase: Purchase, made: list[NewTicket]) -> OrderIssued:
    return OrderIssued(
        order_id=purchase.order_id,
        order_number=purchase.order_number,
        user_id=purchase.user_id,
        event_id=purchase.event_id,
        tickets=[
            IssuedTicket(ticket_id=t.id, ticket_number=t.number, ticket_type_id=t.ticket_type_id)
            for t in made
        ],
    )
