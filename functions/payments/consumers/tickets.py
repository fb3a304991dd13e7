"""payments-tickets: an order shows its tickets, and that they were used or given up."""

from functions.payments import fulfilment
from functions.payments.database import database
from functions.payments.models import Ticket
from shared.consumer import Consumer, Message
from shared.contracts import IssuedTicket, OrderIssued, OrderReleased, TicketCheckedIn
from shared.database import Sql

consumer = Consumer(database, "payments-tickets")


@consumer.on(OrderIssued)
def issued(message: Message[OrderIssued], sql: Sql) -> None:
    """From now on the order is shown as paid."""
    tickets = [_ticket(ticket) for ticket in message.data.tickets]
    fulfilment.issued(sql, message.data.order_id, tickets, message.time)


@consumer.on(OrderReleased)
def released(message: Message[OrderReleased], sql: Sql) -> None:
    """Its seats are on sale again."""
    fulfilment.released(sql, message.data.order_id, message.time)


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
