"""POST /api/tickets/{ticketId}/resend: mail a ticket again."""

from uuid import UUID

from functions.tickets import resending
from functions.tickets.database import database
from functions.tickets.models import ResendAccepted
from shared.api import Api
from shared.clock import now
from shared.database import Sql
from shared.identity import User

api = Api("tickets", database)


@api.post("/api/tickets/{ticketId}/resend", status=202)
def resend_ticket(ticket_id: UUID, caller: User, sql: Sql) -> ResendAccepted:
    """Mail the ticket to its holder again, a few times an hour at most."""
    return resending.resend(sql, caller, ticket_id, now())


handler = api.handler
