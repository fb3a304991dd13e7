"""What events asks of tickets, over its API."""

from uuid import UUID

from shared import calls
from shared.errors import Conflict, NotFound
from shared.identity import User


class EventHasNoTickets(Conflict):
    """409: there would be nothing to sell."""

    code = "EVENT_HAS_NO_TICKETS"
    message = "Add a ticket type first"


def require_ticket_types(user: User, event_id: UUID) -> None:
    """Make sure that there is something to sell. A call over the network: no transaction may be open.

    Raises:
        EventHasNoTickets: the event has no ticket type.
        Unavailable: tickets does not answer.
    """
    try:
        types = calls.get("tickets", "/api/tickets/types", user=user, eventId=event_id, limit=1)
    except NotFound:  # tickets has never heard of the event
        types = {"items": []}
    if not types["items"]:
        raise EventHasNoTickets()
