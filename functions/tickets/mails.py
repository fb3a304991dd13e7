"""What mails about an order say; notifications renders and sends them."""

from typing import Any

from functions.tickets.records import EventCopy, Purchase, TicketRow
from shared.clock import iso


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
                "ticketType": ticket.type_name,
                "zone": ticket.venue_zone,
                "holderName": ticket.holder_name,
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
