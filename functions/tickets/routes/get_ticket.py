"""GET /api/tickets/{ticketId}: one ticket."""

from uuid import UUID

from functions.tickets import orders
from functions.tickets.database import database
from functions.tickets.models import Ticket
from shared.api import Api
from shared.identity import User

api = Api("tickets", database)


@api.get("/api/tickets/{ticketId}")
def get_ticket(ticket_id: UUID, caller: User) -> Ticket:
    """The ticket, for its holder and for the organizer of its event."""
    with database.reading() as sql:
        return orders.ticket(sql, caller, ticket_id)


handler = api.handler
