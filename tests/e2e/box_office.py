"""What people do at the box office, over HTTP, in the words of the tests."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from tests.e2e.client import Answer, Client, eventually

FINAL = ("PAID", "PAYMENT_FAILED", "REQUIRES_ACTION", "CANCELLED", "REFUNDED", "PARTIALLY_REFUNDED")


@dataclass(frozen=True)
class Show:
    """A published event with one ticket type, and its organizer."""

    event_id: str
    type_id: str
    organizer: Client


def event_details(**changes: object) -> dict[str, Any]:
    """A valid event, a month from now."""
    date = datetime.now(UTC) + timedelta(days=30)
    details: dict[str, Any] = {
        "name": f"Gala {uuid4().hex[:8]}",
        "description": "An evening",
        "eventDate": date.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "timeZone": "Europe/Vienna",
        "venueName": "Opera",
        "venueAddress": "Opernring 2, Wien",
        "category": "music",
    }
    return details | changes


def ticket_type(event_id: str, **changes: object) -> dict[str, Any]:
    """A valid ticket type."""
    details: dict[str, Any] = {
        "eventId": event_id,
        "name": "Stalls",
        "price": "49.50",
        "currency": "EUR",
        "quantityAvailable": 100,
        "perPersonLimit": 10,
    }
    return details | changes


def publish(organizer: Client, **type_changes: object) -> Show:
    """Create an event with a ticket type and publish it."""
    event = organizer.post("/api/events", event_details()).expect(201)
    kind = organizer.post("/api/tickets/types", ticket_type(event["id"], **type_changes)).expect(201)
    organizer.post(f"/api/events/{event['id']}/publish").expect(200)
    return Show(event["id"], kind["id"], organizer)


def reserve(buyer: Client, show: Show, quantity: int = 1) -> Answer:
    """Ask for seats."""
    items = [{"ticketTypeId": show.type_id, "quantity": quantity}]
    return buyer.post("/api/tickets/reserve", {"eventId": show.event_id, "items": items})


def purchase(
    buyer: Client, reservation_id: str, token: str = "pm_card_visa", key: str | None = None
) -> Answer:
    """Buy what was reserved."""
    body = {"reservationId": reservation_id, "paymentMethod": {"type": "stripe", "token": token}}
    return buyer.post("/api/tickets/purchase", body, key=key or str(uuid4()))


def pay_again(buyer: Client, order_id: str, token: str) -> Answer:
    """Try another card."""
    body = {"orderId": order_id, "paymentMethod": {"type": "stripe", "token": token}}
    return buyer.post("/api/payments/process", body, key=str(uuid4()))


def order_of(buyer: Client, show: Show, token: str = "pm_card_visa", quantity: int = 1) -> str:
    """Reserve and buy; the order's id."""
    held = reserve(buyer, show, quantity).expect(201)
    return str(purchase(buyer, held["reservationId"], token).expect(202)["orderId"])


def order(buyer: Client, order_id: str) -> dict[str, Any]:
    """The order as it stands."""
    found: dict[str, Any] = buyer.get(f"/api/payments/orders/{order_id}").expect(200)
    return found


def settled(buyer: Client, order_id: str, *statuses: str, seconds: float = 40) -> dict[str, Any]:
    """The order, once its status is one of these (by default: any that does not change by itself)."""
    wanted = statuses or FINAL

    def ask() -> dict[str, Any] | None:
        answer = buyer.get(f"/api/payments/orders/{order_id}")
        if answer.status in (429, 503) and "Retry-After" in answer.headers:
            return None  # a busy machine says so, and whoever waits asks again
        found: dict[str, Any] = answer.expect(200)
        return found if found["paymentStatus"] in wanted else None

    return eventually(ask, seconds)


def available(show: Show) -> int:
    """The seats that anybody may still take."""
    answer = show.organizer.get(f"/api/tickets/availability/{show.event_id}").expect(200)
    return int(next(t["available"] for t in answer["ticketTypes"] if t["id"] == show.type_id))
