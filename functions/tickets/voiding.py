"""An event was called off: unbound holds go back, unpaid purchases end, and every ticket is void.

A message of the queue `tickets-voids` is one batch in one transaction, which also sends the next message. So a crash
loses a batch or nothing, and beginning again at any point finds what is left.
"""

from datetime import datetime
from uuid import UUID

from functions.tickets import inventory, mails, releasing
from functions.tickets.records import EventCopy, Purchase
from functions.tickets.repository import event_copies as copies
from functions.tickets.repository import purchases, reservations, ticket_types, tickets
from functions.tickets.settings import VOID_BATCH
from shared import metrics, outbox
from shared.contracts import MailRequested, PurchaseStopped, VoidsRequested
from shared.database import Row, Sql, record

QUEUE = "tickets-voids"
CANCELLED = "EVENT_CANCELLED"


def begin(sql: Sql, event_id: UUID, reason: str) -> None:
    """Keep why the event was called off, and ask for the first batch."""
    copies.note_cancelled(sql, event_id, reason)
    outbox.send(sql, QUEUE, VoidsRequested(event_id=event_id), subject=event_id)


def next_batch(sql: Sql, event_id: UUID, at: datetime) -> int:
    """Void the tickets of the next orders of a cancelled event, and ask for the batch after it; how many orders.

    An order is never split: the last one of a batch is voided whole. Locks are taken in the order event, purchases by
    id, ticket types by id; unpaid purchases and holds are passed over where others have locked them.
    """
    row = copies.take_to_void(sql, event_id, at)
    if row is None:
        return 0
    limit = VOID_BATCH()
    due = purchases.lock_all(sql, tickets.orders_with_valid(sql, event_id, limit))
    stopped = purchases.stop_bound(sql, event_id, at, limit)
    for purchase in stopped:
        _stop(sql, purchase, at)
    type_ids = ticket_types.lock_of_event(sql, event_id)
    freed = reservations.release_of_event(sql, event_id, limit)
    for purchase in due:
        _void(sql, purchase, row, at)
    inventory.changed(sql, event_id, type_ids)
    # One that others had locked was passed over, and is there for the next batch.
    if freed or stopped or due or purchases.are_payable(sql, event_id, at):
        outbox.send(sql, QUEUE, VoidsRequested(event_id=event_id), subject=event_id)
    else:
        copies.mark_voided(sql, event_id, at)
    return len(due)


def resume(sql: Sql, at: datetime, older_than_seconds: float, limit: int) -> int:
    """Ask again for the next batch of cancelled events that make no progress; how many such events."""
    found = copies.stuck_voiding(sql, at, older_than_seconds, limit)
    for event_id in found:
        outbox.send(sql, QUEUE, VoidsRequested(event_id=event_id), subject=event_id)
    if found:
        metrics.count("tickets", "VoidingResumed", len(found))
    return len(found)


def _stop(sql: Sql, purchase: Purchase, at: datetime) -> None:
    """The saga, which waits for the money, is woken by payments; from there on it compensates as it always does."""
    version = purchases.advance(sql, purchase.order_id, purchase.status, "stopped", {"reason": CANCELLED}, at)
    message = PurchaseStopped(
        order_id=purchase.order_id,
        user_id=purchase.user_id,
        event_id=purchase.event_id,
        reason="EVENT_CANCELLED",
    )
    outbox.publish(sql, message, subject=purchase.order_id, version=version)


def _void(sql: Sql, purchase: Purchase, event: Row, at: datetime) -> None:
    if not releasing.void_locked(sql, purchase, None, "EVENT_CANCELLED", at):
        return  # voided since it was found
    outbox.send(
        sql,
        "mail",
        MailRequested(
            mail_key=f"event-cancelled:{purchase.order_id}",
            template="event-cancelled",
            user_id=purchase.user_id,
            order_id=purchase.order_id,
            data=mails.event_cancelled(purchase, record(EventCopy, event), event["cancel_reason"]),
        ),
        subject=purchase.order_id,
    )
