"""payments-tickets: an order shows its tickets and what became of them; money that has none goes back."""

from functions.payments import calling_off, fulfilment, late_money, waiting
from functions.payments.database import database
from functions.payments.models import Ticket
from shared.clock import now
from shared.consumer import Consumer, Message
from shared.contracts import (
    IssuedTicket,
    LatePaymentRefused,
    OrderIssued,
    OrderReleased,
    PurchaseStopped,
    TicketCheckedIn,
    TicketsVoided,
)
from shared.database import Sql

consumer = Consumer(database, "payments-tickets")


@consumer.on(OrderIssued)
def issued(message: Message[OrderIssued], sql: Sql) -> None:
    """From now on the order is shown as paid."""
    tickets = [_ticket(ticket) for ticket in message.data.tickets]
    fulfilment.issued(sql, message.data.order_id, tickets, message.time, message.version)


@consumer.on(OrderReleased)
def released(message: Message[OrderReleased], sql: Sql) -> None:
    """Its seats are on sale again."""
    fulfilment.released(sql, message.data.order_id, message.time, message.version)


@consumer.on(TicketsVoided)
def voided(message: Message[TicketsVoided], sql: Sql) -> None:
    """Some of its tickets are void; those of a cancelled event have their money given back, an order a message."""
    void = message.data
    fulfilment.voided(sql, void.order_id, void.ticket_ids, void.reason, message.time, message.version)
    if void.reason == calling_off.CAUSE:
        calling_off.give_back(sql, void.order_id, void.ticket_ids, now())


@consumer.on(PurchaseStopped)
def stopped(message: Message[PurchaseStopped], sql: Sql) -> None:
    """It cannot be paid any more."""
    waiting.stop(sql, message.data.order_id, message.data.reason, now())


@consumer.on(LatePaymentRefused)
def refused(message: Message[LatePaymentRefused], sql: Sql) -> None:
    """Its money came too late, and there are no seats for it."""
    late_money.refused(sql, message.data.order_id, message.data.reason, now())


@consumer.on(TicketCheckedIn)
def checked_in(message: Message[TicketCheckedIn], sql: Sql) -> None:
    """One of its tickets was used."""
    fulfilment.checked_in(sql, message.data.order_id, message.data.ticket_id, message.time)


def _ticket(ticket: IssuedTicket) -> Ticket:
    return {
        "id": str(ticket.ticket_id),
        "ticketNumber": ticket.ticket_number,
        "ticketTypeId": str(ticket.ticket_type_id),
        "status": "ACTIVE",
    }


handler = consumer.handler
