"""POST /api/events/{id}/publish: put an event on."""

from uuid import UUID

from functions.events import planning, ticketing
from functions.events.database import database
from functions.events.models import Event
from shared.api import Api, Work
from shared.clock import now
from shared.identity import Role, User

api = Api("events", database)


@api.post("/api/events/{id}/publish", role=Role.ORGANIZER)
def publish_event(id: UUID, user: User, work: Work) -> Event:
    """Publish a draft. 409 `EVENT_NOT_UPCOMING`: its date has passed; `EVENT_HAS_NO_TICKETS`: nothing to sell."""
    event = work(lambda sql: planning.publishable(sql, user, id, now()))
    if event.status == "DRAFT":
        ticketing.require_ticket_types(user, id)
    return Event.of(work(lambda sql: planning.publish(sql, user, id, now())))


handler = api.handler
