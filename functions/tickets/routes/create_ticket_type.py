"""POST /api/tickets/types: a new ticket type of one's own event."""

from functions.tickets import event_copies, ticket_types
from functions.tickets.database import database
from functions.tickets.models import CreateTicketTypeRequest, TicketType
from shared.api import Api, Work
from shared.clock import now
from shared.identity import Role, User

api = Api("tickets", database)


@api.post("/api/tickets/types", status=201, role=Role.ORGANIZER)
def create_ticket_type(request: CreateTicketTypeRequest, organizer: User, work: Work) -> TicketType:
    """Make a ticket type; an event has at most 100, all of one currency."""
    event_copies.refresh_owned(database, organizer, request.event_id)
    created: TicketType = work(lambda sql: ticket_types.create(sql, request, now()))
    return created


handler = api.handler
