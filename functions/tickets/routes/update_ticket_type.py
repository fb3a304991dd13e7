"""PUT /api/tickets/types/{ticketTypeId}: new terms for a ticket type."""

from uuid import UUID

from functions.tickets import ticket_types
from functions.tickets.database import database
from functions.tickets.models import TicketType, UpdateTicketTypeRequest
from shared.api import Api
from shared.clock import now
from shared.database import Sql
from shared.identity import Role, User

api = Api("tickets", database)


@api.put("/api/tickets/types/{ticketTypeId}", role=Role.ORGANIZER)
def update_ticket_type(
    ticket_type_id: UUID, request: UpdateTicketTypeRequest, organizer: User, sql: Sql
) -> TicketType:
    """Replace the terms; the quantity never goes below what is sold or held."""
    return ticket_types.update(sql, organizer, ticket_type_id, request, now())


handler = api.handler
