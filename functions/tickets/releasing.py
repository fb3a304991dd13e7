"""Putting seats back on sale: those of an order that came to nothing, and those of refunded tickets."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from functions.tickets import inventory
from functions.tickets.models import Outcome
from functions.tickets.records import Purchase
from functions.tickets.repository import purchases, reservations, tickets
from shared import outbox
from shared.contracts import OrderReleased, TicketsVoided
from shared.database import Sql

RELEASED = Outcome(outcome="released")
Reason = Literal["REFUNDED", "EVENT_CANCELLED", "DISPUTED"]


def release(sql: Sql, order_id: UUID, at: datetime) -> Outcome:
    """Give everything the order has back, held or sold; its tickets are void. Once: a second call changes nothing."""
    purchase = purchases.lock(sql, order_id)
    if purchase is None or purchase.status == "RELEASED":
        return RELEASED
    if purchases.late_payment(sql, order_id) == "HONOURED":
        return RELEASED  # its money came while its saga was on the way here, and bought the seats after all
    if purchase.status == "BOUND":
        held = reservations.lock(sql, purchase.reservation_id)
        reservations.give_back(sql, held, "RELEASED")
        inventory.changed(sql, purchase.event_id, [hold.ticket_type_id for hold in held])
    else:
        _void(sql, purchase, None, None, at)
        tickets.settle_void(sql, order_id, None, None)
        reservations.mark_released(sql, purchase.reservation_id)
    version = purchases.advance(sql, order_id, "RELEASED", "released", {}, at)
    message = OrderReleased(order_id=order_id, user_id=purchase.user_id, event_id=purchase.event_id)
    outbox.publish(sql, message, subject=order_id, version=version)
    return RELEASED


def void(sql: Sql, order_id: UUID, ticket_ids: list[UUID] | None, reason: Reason, at: datetime) -> None:
    """Void tickets of an issued order (None: all of them) and tell so; their seats are on sale again.

    An order without tickets is passed over: its seats are its saga's to release.
    """
    purchase = purchases.lock(sql, order_id)
    if purchase is not None:
        void_locked(sql, purchase, ticket_ids, reason, at)


def void_disputed(sql: Sql, order_id: UUID, version: int, at: datetime) -> None:
    """As `void`, of all tickets of an order that was disputed in this version; older news than others are dropped."""
    purchase = purchases.lock(sql, order_id)
    if purchase is not None and purchases.hear_of_order(sql, order_id, version):
        void_locked(sql, purchase, None, "DISPUTED", at)


def void_locked(
    sql: Sql, purchase: Purchase, ticket_ids: list[UUID] | None, reason: Reason, at: datetime
) -> list[UUID]:
    """As `void`, of a purchase that the caller has locked; the tickets that are void from now on."""
    voided = _void(sql, purchase, ticket_ids, reason, at)
    if reason == "REFUNDED":  # also those that a dispute voided before
        tickets.settle_void(sql, purchase.order_id, ticket_ids, reason)
    if voided:
        facts = {"ticketIds": [str(ticket_id) for ticket_id in voided], "reason": reason}
        version = purchases.advance(sql, purchase.order_id, purchase.status, "tickets_voided", facts, at)
        message = TicketsVoided(
            order_id=purchase.order_id,
            user_id=purchase.user_id,
            event_id=purchase.event_id,
            ticket_ids=voided,
            reason=reason,
        )
        outbox.publish(sql, message, subject=purchase.order_id, version=version)
    return voided


def _void(
    sql: Sql, purchase: Purchase, ticket_ids: list[UUID] | None, reason: Reason | None, at: datetime
) -> list[UUID]:
    rows = tickets.void(sql, purchase.order_id, ticket_ids, reason)
    voided: list[UUID] = [row["id"] for row in rows]
    if voided:
        tickets.append_event(sql, "voided", "VOID", voided, at)
        inventory.changed(sql, purchase.event_id, list({row["ticket_type_id"] for row in rows}))
    return voided
