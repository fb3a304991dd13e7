"""GET /api/tickets/types: the ticket types of one's own event, a draft's included."""

from typing import Annotated
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.tickets import event_copies, ticket_types
from functions.tickets.database import database
from functions.tickets.models import TicketType
from shared.api import Api
from shared.identity import Role, User
from shared.paging import DEFAULT_LIMIT, Cursor, Limit, Page

api = Api("tickets", database)


@api.get("/api/tickets/types", role=Role.ORGANIZER)
def list_ticket_types(
    event_id: UUID,
    organizer: User,
    limit: Annotated[Limit, Query()] = DEFAULT_LIMIT,
    cursor: Annotated[Cursor | None, Query()] = None,
) -> Page[TicketType]:
    """Every ticket type of the event, in the order they were made, with what is sold and held."""
    event_copies.owned(database, organizer, event_id)
    with database.reading() as sql:
        return ticket_types.page(sql, event_id, limit, cursor)


handler = api.handler
