"""DELETE /api/tickets/types/{ticketTypeId}: take a ticket type of which nothing is sold or held off sale."""

from uuid import UUID

from functions.tickets import ticket_types
from functions.tickets.database import database
from shared.api import Api
from shared.clock import now
from shared.database import Sql
from shared.identity import Role, User

api = Api("tickets", database)


@api.delete("/api/tickets/types/{ticketTypeId}", status=204, role=Role.ORGANIZER)
def delete_ticket_type(ticket_type_id: UUID, organizer: User, sql: Sql) -> None:
    """Delete the type; 409 while tickets of it are sold or held."""
    ticket_types.delete(sql, organizer, ticket_type_id, now())


handler = api.handler
