"""What mails about an order say; notifications renders and sends them."""

from typing import Any

from functions.tickets.records import EventCopy, Purchase, TicketRow
from shared import outbox
from shared.clock import iso

# Of a message, so that one of 100 tickets has room whatever they are called. A name of 255 characters is longer only
# if hardly any of them is a letter, and so is a zone of 100.
TYPE_NAME_BYTES, ZONE_BYTES, HOLDER_NAME_BYTES = 770, 310, 1030


def order_data(purchase: Purchase, event: EventCopy, tickets: list[TicketRow]) -> dict[str, Any]:
    """The data of the templates order-confirmation and order-cancelled."""
    return {
        "orderNumber": purchase.order_number,
        "eventName": event.name,
        "eventDate": iso(event.event_date),
        "timeZone": event.time_zone,
        "venueName": event.venue_name,
        "venueAddress": event.venue_address,
        "totalAmount": f"{purchase.total_amount:.2f}",
        "currency": purchase.currency,
        "tickets": [
            {
                "ticketNumber": ticket.ticket_number,
                "ticketType": _within(TYPE_NAME_BYTES, ticket.type_name),
                "zone": ticket.venue_zone and _within(ZONE_BYTES, ticket.venue_zone),
                "holderName": ticket.holder_name and _within(HOLDER_NAME_BYTES, ticket.holder_name),
                "qrCode": ticket.qr_code,
            }
            for ticket in tickets
        ],
    }


def event_cancelled(purchase: Purchase, event: EventCopy, reason: str | None) -> dict[str, Any]:
    """The data of the template event-cancelled; `reason` is the organizer's text, None if it has not come here."""
    return {
        **order_data(purchase, event, []),
        "reason": reason or "",
        "isFree": purchase.total_amount == 0,
    }


def _within(limit: int, text: str) -> str:
    """The text, or its beginning if a message has no room for all of it."""
    if outbox.size_of(text) <= limit:
        return text
    cut = len(text) - 1
    while outbox.size_of(f"{text[:cut]}…") > limit:
        cut -= 1
    return f"{text[:cut]}…"
