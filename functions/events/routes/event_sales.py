"""GET /api/events/{id}/sales: how an organizer's event sells."""

from uuid import UUID

from functions.events import sales
from functions.events.database import database
from functions.events.sales_models import EventSales
from shared.api import Api
from shared.identity import Role, User

api = Api("events", database)


@api.get("/api/events/{id}/sales", role=Role.ORGANIZER)
def event_sales(id: UUID, user: User) -> EventSales:
    """Figures per ticket type and day, for the event's organizer; an admin may see any. Zeros before the first sale."""
    with database.standby() as sql:
        return sales.of_event(sql, user, id)


handler = api.handler
